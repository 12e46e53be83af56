// FindLab: look for the digit with a box of your own, and then see the network's box.

import { Pilot } from "./pilot.js";
import { BOX } from "./pilot_scene.js";

class FindLab extends Pilot {
  kind = BOX;
  partNames = ["scale", "x", "y"];

  fromParts({ scale, x, y }) {
    return windowOf(scale, x, y, this.data.smallest);
  }

  toParts([scale, , x, , , y]) {
    return { scale, x, y };
  }

  hear(name, value) {
    super.hear(name, value);
    const { smallest } = this.data;
    if (name === "scale" && value < smallest) {
      this.say(`A box is at least ${smallest} times as wide as the picture, not ${value}.`);
    }
  }

  /** The corner keeps to the diagonal, as near to the hand as it can. */
  drag({ thetas }, handle, dx, dy) {
    const { unit } = this.grip().view;
    const [right, down] = [dx / unit[0], dy / unit[1]];
    const [scale, , x, , , y] = thetas[this.index];
    const theta =
      handle === "corner"
        ? windowOf(scale + (right + down) / 2, x, y, this.data.smallest)
        : windowOf(scale, x + right, y + down, this.data.smallest);
    return { thetas: thetas.with(this.index, theta), parts: null };
  }
}

/** Attention, [[s, 0, x], [0, s, y]] (paper, eq. 2), with s at least `smallest`. */
function windowOf(scale, x, y, smallest) {
  const s = Math.max(scale, smallest);
  return [s, 0, x, 0, s, y];
}

export default { render: (view) => FindLab.open(view) };
