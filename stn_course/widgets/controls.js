// The ipywidgets controls of a lab, as the browser holds them: their values, read and set without
// a kernel, and what their elements lack: names, exact numbers, keys kept from the notebook.

import { setAttribute, write } from "./canvas.js";
import { keepKeys } from "./keys.js";

const PLAYER = ["Play or pause", "Stop and go back to the start", "Repeat"];
const REFERENCE = "IPY_MODEL_";

/** One control: a slider, a choice, a number to type, a check box. */
class Control {
  constructor(name, model) {
    const { min, max } = model.attributes;
    Object.assign(this, { name, model });
    this.key = model.has("index") ? "index" : "value";
    // At the model, for a lab may be shown twice: its first range, and what it was let show.
    this.slider = model.stnSlider ??= { first: [min, max], given: undefined, showing: false };
  }

  /** A slider's number, a choice's words, a box's true or false. */
  get value() {
    const value = this.model.get(this.key);
    return this.key === "index" ? this.model.get("_options_labels")[value] : value;
  }

  /** Which choice, from 0. */
  get index() {
    return this.model.get("index");
  }

  get words() {
    return this.model.get("description");
  }

  /** Why a control of whole numbers cannot take one; null where it can. */
  refuses(number) {
    const { min, max } = this.model.attributes;
    if (Number.isInteger(number) && number >= min && number <= max) return null;
    return `${this.words} is a whole number from ${min} to ${max}; it stays ${this.value}.`;
  }

  /** Choose a value (a choice by its index) for the hand, and tell the kernel. */
  set(value) {
    this.model.set(this.key, value);
    this.model.save_changes();
  }

  /** One more choice, and choose it: where no kernel is, which would not know it. */
  add(words) {
    const labels = this.model.get("_options_labels");
    this.model.set("_options_labels", [...labels, words]);
    this.set(labels.length);
  }

  /**
   * Let a slider show a number of the state, widened if need be. Its element reports what it makes
   * of that at once, which is no movement; and the kernel is told the state, never the slider.
   */
  show(value) {
    const { model } = this;
    const { min, max, step } = model.attributes;
    const [low] = this.slider.first;
    const onStep = (number, round) => low + step * round((number - low) / step);
    const first = Math.min(min, onStep(value + step / 8, Math.floor));
    const last = Math.max(max, onStep(value - step / 8, Math.ceil));
    model.save_changes = () => {};
    this.slider.showing = true;
    if (first < min || last > max) model.set_state({ min: first, max: last });
    this.slider.given = onStep(value, Math.round); // what the slider's own rounding makes of it
    model.set_state({ value: this.slider.given });
    this.slider.showing = false;
  }

  /** Back to the first range, as far as the present value allows. */
  restoreRange() {
    const [low, high] = this.slider.first;
    this.slider.showing = true;
    this.model.set_state({
      min: Math.min(low, this.slider.given),
      max: Math.max(high, this.slider.given),
    });
    this.slider.showing = false;
  }

  enable(enabled) {
    if (this.model.get("disabled") === enabled) this.model.set_state({ disabled: !enabled });
  }

  /**
   * Call back with the value when a hand has moved it. A slider that appears later reports what it
   * was given, rounded: within a quarter of a step of that is no movement.
   */
  onMove(callback) {
    const hear = () => {
      const value = this.model.get(this.key);
      const still = Math.abs(value - this.slider.given) < this.model.get("step") / 4;
      if (this.slider.showing || still) return;
      if (this.slider.given !== undefined) this.slider.given = value;
      callback(this.value);
    };
    this.model.on(`change:${this.key}`, hear);
    return () => this.model.off(`change:${this.key}`, hear);
  }
}

/** The controls that a lab's canvas names, by name. */
export async function findControls(canvasModel) {
  const found = Object.entries(canvasModel.get("controls")).map(async ([name, reference]) => {
    const id = reference.slice(REFERENCE.length);
    return [name, new Control(name, await canvasModel.widget_manager.get_model(id))];
  });
  return Object.fromEntries(await Promise.all(found));
}

/** The sliders' elements by their labels. */
function slidersOf(root) {
  const sliders = [...root.querySelectorAll(".widget-slider, .widget-hslider")];
  const labelled = sliders.map((slider) => [slider.querySelector(".widget-label"), slider]);
  return new Map(labelled.map(([label_, slider]) => [label_?.textContent, slider]));
}

/** Names for what ipywidgets leaves nameless: the focusable part of a slider, play buttons. */
function nameControls(root) {
  slidersOf(root).forEach((slider, words) => {
    for (const part of slider.querySelectorAll(".noUi-handle, .widget-readout")) {
      setAttribute(part, "aria-label", words);
    }
  });
  for (const player of root.querySelectorAll(".widget-play")) {
    player.querySelectorAll("button").forEach((button, index) => {
      setAttribute(button, "aria-label", PLAYER[index]);
    });
  }
}

/** A number as people type it, "1,5" and "30°" too; null where it is none. */
export function readNumber(text) {
  const plain = text.replace("−", "-").replace(",", ".").replace("°", "").trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

/**
 * Look after the elements of a lab's controls. typed(control, number) is called for a number typed
 * at a slider, say(words) with the reason where something typed is not taken.
 */
export function tendControls(el, controls, typed = () => {}, say = () => {}) {
  const root = el.closest(".stn-lab") ?? el;
  const listeners = new AbortController();
  const listen = (event, callback, capture = true) =>
    root.addEventListener(event, callback, { capture, signal: listeners.signal });
  let sliders = new Map();
  const look = () => {
    nameControls(root);
    sliders = slidersOf(root);
  };
  const observer = new MutationObserver((records) => {
    const grown = records.some(({ addedNodes }) => [...addedNodes].some((n) => n.nodeType === 1));
    if (grown) look(); // sliders may come later
  });
  observer.observe(root, { childList: true, subtree: true });
  look();
  keepKeys(root, listeners.signal);

  const readoutOf = (control) => sliders.get(control.words)?.querySelector(".widget-readout");
  const shown = new Map(); // what stands in each readout
  const edited = new Set(); // those in which a hand has typed something that is not taken yet
  const writeReadout = (control, text) => {
    const readout = readoutOf(control);
    shown.set(control, text);
    if (readout && !edited.has(readout)) write(readout, text);
  };
  const takeReadout = (event) => {
    const readout = event.target;
    const control = controls.find((one) => readout === readoutOf(one));
    if (control === undefined) return;
    event.stopPropagation(); // ipywidgets would cut it off at the range, and round it
    if (!edited.delete(readout)) return;
    const text = readout.textContent.trim();
    const before = shown.get(control) ?? String(control.value);
    const number = readNumber(text);
    write(readout, before); // until it is taken
    if (number === null) say(`${control.words}: "${text}" is not a number; it stays ${before}.`);
    else typed(control, number);
  };
  const takeEntry = (event) => {
    const entry = event.target;
    if (entry.type !== "number") return;
    const words = entry.closest(".widget-text")?.querySelector(".widget-label")?.textContent;
    const wanted = controls.find((control) => control.words === words);
    if (wanted === undefined) return;
    const refused = wanted.refuses(entry.value === "" ? NaN : Number(entry.value));
    if (refused === null) return;
    say(refused);
    event.stopPropagation(); // ipywidgets would take another number than the one typed
    entry.value = wanted.value;
  };
  listen("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".widget-readout")) return;
    event.preventDefault();
    takeReadout(event);
  });
  listen("input", (event) => event.target.matches(".widget-readout") && edited.add(event.target));
  listen("blur", takeReadout);
  listen("focusout", takeReadout);
  // ipywidgets would leave the point of "3.7" out, and take 37.
  const keepPoint = (event) => event.target.type === "number" && event.stopPropagation();
  for (const event of ["keypress", "keyup", "input"]) listen(event, keepPoint);
  listen("change", takeEntry);
  const close = () => {
    listeners.abort();
    observer.disconnect();
  };
  return { writeReadout, close };
}
