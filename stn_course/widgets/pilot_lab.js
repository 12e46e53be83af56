// PilotLab: be the localization network, digit by digit, and then see the network's own theta.

import { Pilot } from "./pilot.js";

export default { render: (view) => Pilot.open(view) };
