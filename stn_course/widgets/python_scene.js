// A lab whose scenes Python makes: this paints them, and reports how far a hand has moved a handle.

import { openCanvas, toPicture, write } from "./canvas.js";
import { tendControls } from "./controls.js";

function renderScenes({ model, el }) {
  let pictures = {};
  let before = [0, 0];
  const save = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  // Displacements add up from the beginning, so that none is lost where messages are left out.
  const hand = {
    grab: (name) => (before = model.get("hand")[name] ?? [0, 0]),
    move: (name, dx, dy) =>
      save("hand", { ...model.get("hand"), [name]: [before[0] + dx, before[1] + dy] }),
    letGo: () => save("releases", model.get("releases") + 1),
  };
  let tended = null;
  const canvas = openCanvas(el, hand, () => {
    const scene = model.get("scene");
    tended ??= tendControls(el, []);
    write(canvas.alert, model.get("alert"));
    if (scene.panels.length === 0) return;
    try {
      canvas.show(scene, pictures);
    } catch (error) {
      canvas.alert.textContent = `The picture could not be painted: ${error}`;
    }
  });
  const takePictures = () => {
    const sources = Object.entries(model.get("images"));
    pictures = Object.fromEntries(sources.map(([name, image]) => [name, toPicture(image)]));
    canvas.schedule();
  };
  model.on("change:images", takePictures);
  model.on("change:scene", canvas.schedule);
  model.on("change:alert", canvas.schedule);
  takePictures();
  return () => {
    canvas.close();
    tended?.close();
    model.off("change:images", takePictures);
    model.off("change:scene", canvas.schedule);
    model.off("change:alert", canvas.schedule);
  };
}

export default { render: renderScenes };
