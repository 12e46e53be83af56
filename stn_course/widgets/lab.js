// The frame of a lab that lives in the browser: one state, its controls, one painting a frame at
// most, few messages to the kernel, and PyTorch's answer when the hand rests.
//
// A lab is a class of its own that extends Lab, in a module of its own, which exports by default
// { render: (view) => MyLab.open(view) }. It says:
//
//   scene()            what the canvas shows now, see canvas.js; this.width CSS pixels are there
//   drag(from, handle, dx, dy)  what changes in the state where a hand has moved a handle by dx, dy
//                      canvas pixels in all since it grabbed it, when the state was `from`
//   hear(name, value)  a hand has moved a control, or typed a number at a slider
//   press(button)      a hand has pressed a button of the scene
//   settle()           after the painting: let the sliders show the state, with this.show
//   question()         what PyTorch shall compute when the hand rests; null for nothing
//   compare(answer)    in words, how its answer agrees with the picture: "agrees: 0.002 of 255"
//
// All but scene may be left out. It has: this.state; this.data, what Python gave it once;
// this.controls by name, each with value, index and set; this.held, whether a handle is held;
// this.answer, to the present question, or null;
// this.change({ … }), which changes the state; this.say(words), what could not be done.

import { openCanvas, write } from "./canvas.js";
import { findControls, tendControls } from "./controls.js";

const MESSAGE_MS = 1000 / 30; // at most so often the kernel is told the state
const REST_MS = 250; // so long nothing moves: the hand rests
const WAITING = "PyTorch checks this picture when the hand rests and the kernel is free.";
const ALONE = "Computed in the browser, without a kernel.";
const ENDED = "The kernel has ended. The lab plays on; run this cell again to connect it.";

export class Lab {
  static async open({ model, el }) {
    const lab = new this(model, el, await findControls(model));
    lab.start();
    return () => lab.close();
  }

  constructor(model, el, controls) {
    Object.assign(this, { model, el, controls, grabbed: null });
    this.timers = { tell: 0, rest: 0, settle: 0 };
    this.lastTold = 0;
    this.hadKernel = this.alive;
    const hand = {
      grab: () => (this.grabbed = this.state),
      move: (name, dx, dy) => this.change(this.drag(this.grabbed, name, dx, dy)),
      letGo: () => {
        this.grabbed = null;
        this.moved();
      },
      press: (name) => this.press(name),
    };
    this.canvas = openCanvas(el, hand, () => this.draw());
  }

  get state() {
    return this.model.get("state");
  }

  get data() {
    return this.model.get("data");
  }

  get held() {
    return this.grabbed !== null;
  }

  /** CSS pixels that the canvas may be wide. */
  get width() {
    return this.el.clientWidth;
  }

  /** Whether a kernel is there; a control's model knows. */
  get alive() {
    return Object.values(this.controls).some(({ model }) => model.comm_live);
  }

  drag() {
    return {};
  }

  hear() {}

  press() {}

  settle() {}

  question() {
    return null;
  }

  compare() {
    return "";
  }

  /** Change the state; the picture follows in the next frame, the kernel soon. */
  change(part) {
    this.model.set("state", { ...this.state, ...part, by: 0 });
    if (this.timers.tell) return;
    const wait = this.lastTold + MESSAGE_MS - performance.now();
    this.timers.tell = setTimeout(() => this.tell(), Math.max(0, wait));
  }

  tell() {
    clearTimeout(this.timers.tell);
    this.timers.tell = 0;
    this.lastTold = performance.now();
    this.model.save_changes();
  }

  /** Let a slider show a number exactly; null for none: a dash, and it cannot be moved. */
  show(name, number, digits = 2) {
    const control = this.controls[name];
    control.enable(number !== null);
    if (number !== null) control.show(number);
    const rounded = Number((number ?? 0).toFixed(digits)) + 0;
    this.tended?.writeReadout(control, number === null ? "–" : rounded.toFixed(digits));
  }

  /** Say something about what a hand has just done; gone with its next movement. */
  say(words) {
    write(this.canvas.alert, words);
  }

  start() {
    this.ends = Object.values(this.controls).map((control) =>
      control.onMove((value) => {
        this.moved();
        this.hear(control.name, value);
      }),
    );
    this.listeners = [
      ["change:state", () => this.takeState()],
      ["change:data", () => this.moved()],
      ["change:answer", () => this.takeAnswer()],
    ];
    this.listeners.forEach(([event, callback]) => this.model.on(event, callback));
    const onLife = () => this.sayAboutKernel();
    Object.values(this.controls).forEach(({ model }) => {
      model.on("comm_live_update", onLife);
      this.ends.push(() => model.off("comm_live_update", onLife));
    });
    this.moved();
  }

  /**
   * A state set by Python is confirmed: what the hand did before, and waits for a busy kernel,
   * reaches Python first, and then the same state that the page shows.
   */
  takeState() {
    if (this.state.by > 0) this.change({});
    this.moved();
  }

  /** Something has changed: paint, and ask PyTorch when it rests. */
  moved() {
    this.answer = this.asked = null;
    this.say("");
    this.canvas.schedule();
    this.sayAboutKernel();
    clearTimeout(this.timers.rest);
    this.timers.rest = setTimeout(() => this.rest(), REST_MS);
  }

  draw() {
    if (this.el.clientWidth === 0) return; // not on the page yet: its size will be told
    const typed = ({ name }, number) => {
      this.moved();
      this.hear(name, number);
    };
    const controls = Object.values(this.controls);
    this.tended ??= tendControls(this.el, controls, typed, (words) => this.say(words));
    try {
      this.shown = this.scene();
      this.canvas.show(this.shown);
      if (this.broken) this.say("");
      this.broken = false;
    } catch (error) {
      this.broken = true;
      this.say(`The picture could not be painted: ${error}`);
      throw error;
    }
    clearTimeout(this.timers.settle); // the picture first: the eye waits for it
    this.timers.settle = setTimeout(() => this.settle());
  }

  /** The hand rests: the words for those who listen, and a question for PyTorch. */
  rest() {
    if (this.held) return;
    const words = this.shown?.text ?? "";
    if (this.toldWords !== undefined) write(this.canvas.status, words);
    this.toldWords = words;
    const question = this.alive ? this.question() : null;
    if (question === null) return;
    this.asked = Math.random();
    this.model.set("question", { ...question, serial: this.asked });
    this.model.save_changes();
  }

  /** An answer to an older question is dropped. */
  takeAnswer() {
    const answer = this.model.get("answer");
    if (answer.serial !== this.asked) return;
    this.answer = answer;
    this.say(answer.error ?? "");
    this.canvas.schedule();
    const { device, milliseconds } = answer;
    const words = answer.error ? "" : this.compare(answer);
    if (words) this.check(`PyTorch on ${device} ${words}, ${milliseconds.toFixed(1)} ms`);
  }

  sayAboutKernel() {
    if (!this.alive) this.check(this.hadKernel ? ENDED : ALONE);
    else this.check(this.question() === null ? "" : WAITING);
    this.hadKernel ||= this.alive;
  }

  check(words) {
    write(this.canvas.check, words);
  }

  close() {
    if (this.timers.tell) this.tell(); // the last state is never lost
    Object.values(this.timers).forEach(clearTimeout);
    this.canvas.close();
    this.tended?.close();
    this.ends.forEach((end) => end());
    this.listeners.forEach(([event, callback]) => this.model.off(event, callback));
  }
}
