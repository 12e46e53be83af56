// SamplerLab: drag a point over an image and see what a sampler reads there, and why.

import { toImage } from "./canvas.js";
import { Lab } from "./lab.js";
import { agreement } from "./numbers.js";
import { MARGIN, pixelOf, readPoint, samplerScene } from "./sampler_scene.js";

const NARROW = 450; // CSS pixels: a page less wide has the parts one under the other

class SamplerLab extends Lab {
  get image() {
    return (this.taken ??= toImage(this.data.image));
  }

  /** Everything that the pictures follow from. */
  get reading() {
    const [mode, paddingMode, corners] = ["mode", "padding_mode", "align_corners"].map(
      (name) => this.controls[name].value,
    );
    const { point } = this.state;
    return { image: this.image, point, mode, paddingMode, alignCorners: corners === "True" };
  }

  /** The nearest point that the sliders reach. */
  within(point) {
    const sizes = [this.image.columns, this.image.rows];
    const beyond = MARGIN + 0.5;
    return point.map((x, axis) => Math.min(Math.max(x, -beyond), sizes[axis] - 1 + beyond));
  }

  scene() {
    return samplerScene(this.reading, this.width < NARROW);
  }

  drag({ point }, _, dx, dy) {
    const pixel = pixelOf(this.image);
    return { point: this.within([point[0] + dx / pixel, point[1] + dy / pixel]) };
  }

  hear(name, value) {
    const axis = ["x", "y"].indexOf(name);
    if (axis < 0) return;
    const point = this.within(this.state.point.with(axis, value));
    this.change({ point });
    if (point[axis] !== value) {
      this.say(`${name} ${value} lies too far outside: the lab shows ${MARGIN} pixels of padding.`);
    }
  }

  settle() {
    this.state.point.forEach((value, axis) => this.show("xy"[axis], value));
  }

  question() {
    const { point, mode, paddingMode, alignCorners } = this.reading;
    const options = { mode, padding_mode: paddingMode, align_corners: alignCorners };
    return { point, device: this.controls.device.value, options };
  }

  compare({ value }) {
    const { paddingMode } = this.reading;
    return agreement([readPoint(this.reading, paddingMode).value], [value]);
  }
}

export default { render: (view) => SamplerLab.open(view) };
