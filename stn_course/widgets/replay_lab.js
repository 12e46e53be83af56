// ReplayLab: what a transformer did to the same digits, at each recorded step of a training run.

import { readerOf } from "./antialias.js";
import { Lab } from "./lab.js";
import { agreement, toNumbers } from "./numbers.js";
import { takeFilm, takeThetas, trainingScene } from "./training_scene.js";

const NARROW = 450; // CSS pixels: a page less wide has shorter rows

class ReplayLab extends Lab {
  start() {
    this.film = takeFilm(this.data.film);
    this.read = readerOf(this.film);
    const count = this.film.images.length;
    const thetas = takeThetas(this.data.thetas, count * this.data.steps.length);
    this.steps = this.data.steps.map((step, index) => ({
      ...step,
      thetas: thetas.slice(index * count, (index + 1) * count),
    }));
    super.start();
  }

  get index() {
    return this.controls.index.value;
  }

  /** A typed step is taken where there is one. */
  hear(name, value) {
    const { index } = this.controls;
    if (name !== "index" || value === index.value) return;
    const refused = index.refuses(value);
    if (refused === null) index.set(value);
    else this.say(refused);
  }

  scene() {
    const { title, thetas, text } = this.steps[this.index];
    const chart = { ...this.data.chart, title, here: this.index };
    const step = { thetas, charts: [chart], text, notes: [] };
    return trainingScene(this.film, this.read, step, this.width < NARROW);
  }

  /** Where the transformer reads a feature map, there is no output to compare. */
  question() {
    return this.film.size && { index: this.index, device: this.controls.device.value };
  }

  compare({ outputs }) {
    const { thetas } = this.steps[this.index];
    const ours = thetas.flatMap((theta, i) => [...this.read(theta, i).values]);
    return agreement(ours, toNumbers(outputs));
  }
}

export default { render: (view) => ReplayLab.open(view) };
