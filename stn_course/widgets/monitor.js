// Monitor: the picture of a training run while it goes on; Python tells its state now and then.

import { readerOf } from "./antialias.js";
import { Lab } from "./lab.js";
import { takeFilm, trainingScene } from "./training_scene.js";

const NARROW = 450; // CSS pixels: a page less wide has shorter rows

class Monitor extends Lab {
  /** The run's own digits, made ready once for each run. */
  get film() {
    if (this.taken !== this.data.film) {
      this.taken = this.data.film;
      this.ready = takeFilm(this.taken);
      this.read = readerOf(this.ready);
    }
    return this.ready;
  }

  /** The state is Python's alone: nothing is told back. */
  takeState() {
    this.moved();
  }

  /** While it runs, its words change every second: they are said aloud when it comes to rest. */
  rest() {
    if (!this.state.running) super.rest();
  }

  scene() {
    this.say(this.state.alert);
    return trainingScene(this.film, this.read, this.state, this.width < NARROW);
  }
}

export default { render: (view) => Monitor.open(view) };
