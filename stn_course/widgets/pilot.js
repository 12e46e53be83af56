// What PilotLab and FindLab have in common: a theta for each picture, a classifier that reads
// through it, in the browser where it can, and otherwise in the kernel when the hand rests.

import { readerOf } from "./antialias.js";
import { toImage } from "./canvas.js";
import { IDENTITY } from "./geometry.js";
import { makeNetwork } from "./network.js";
import { agreement, toNumbers } from "./numbers.js";
import { FRAME, pilotScene, pilotView } from "./pilot_scene.js";
import { SteeringLab } from "./steering.js";

const NARROW = 450; // CSS pixels: a page less wide has the parts one under the other
const KEPT = 500; // answers of the classifier

export class Pilot extends SteeringLab {
  kind = FRAME;

  start() {
    const { images, layers, ...rest } = this.data;
    this.game = { ...rest, kind: this.kind, images: images.map(toImage) };
    this.read = readerOf(this.game);
    this.classify = layers && makeNetwork(layers);
    this.judged = new Map();
    super.start();
  }

  get index() {
    return this.controls.digit.index;
  }

  get theta() {
    return this.state.thetas[this.index];
  }

  steer(theta, parts = null) {
    this.change({ thetas: this.state.thetas.with(this.index, theta), parts });
  }

  grip() {
    return { view: pilotView(this.game), ofInverse: false };
  }

  drag({ thetas }, handle, dx, dy) {
    const { theta } = super.drag({ theta: thetas[this.index] }, handle, dx, dy);
    return { thetas: thetas.with(this.index, theta), parts: null };
  }

  press(button) {
    if (button === "compare") this.change({ compared: !this.state.compared });
    const count = this.game.images.length;
    if (button === "Next digit") this.controls.digit.set((this.index + 1) % count);
    if (button !== "Reset this digit") return;
    this.steer([...IDENTITY]);
    this.settle();
    this.restoreRanges();
  }

  /** What is read through a theta and what the classifier says of it: computed once. */
  judge(theta, index) {
    const key = `${index}: ${theta}`;
    if (!this.judged.has(key)) {
      if (this.judged.size > KEPT) this.judged.clear();
      this.judged.set(key, this.judgeAnew(theta, index));
    }
    return this.judged.get(key);
  }

  judgeAnew(theta, index) {
    const output = this.read(theta, index);
    const shape = [output.channels, output.rows, output.columns];
    const logs = this.classify?.({ values: output.values, shape });
    return { output, shares: logs ? [...logs].map(Math.exp) : null };
  }

  scene() {
    const state = { ...this.state, index: this.index };
    const judge = (theta, index) => this.judge(theta, index);
    return pilotScene(this.game, state, judge, this.width < NARROW);
  }

  question() {
    return { thetas: this.state.thetas, device: this.controls.device.value };
  }

  /** The kernel's answer; it is the classifier's where the browser cannot compute that. */
  takeAnswer() {
    const { shares, network_shares: theirs, serial } = this.model.get("answer");
    if (!this.classify && serial === this.asked && shares) {
      const take = (thetas, all) =>
        thetas.forEach((theta, index) => (this.judge(theta, index).shares = all[index]));
      take(this.state.thetas, shares);
      take(this.game.network, theirs);
    }
    super.takeAnswer();
  }

  compare({ outputs, shares }) {
    const judged = this.state.thetas.map((theta, index) => this.judge(theta, index));
    const ours = judged.flatMap(({ output }) => [...output.values]);
    const words = agreement(ours, toNumbers(outputs));
    if (!this.classify) return `${words}; it asked the classifier, which the browser cannot`;
    const apart = judged.flatMap((one, i) => one.shares.map((share, d) => share - shares[i][d]));
    const largest = 100 * Math.max(...apart.map(Math.abs));
    return `${words}, certainties to ${largest.toFixed(2)} %`;
  }
}
