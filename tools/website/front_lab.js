// The front page's lab: a digit that the visitor draws, as a trained transformer straightens it, and
// as its classifier reads it before and after; or through a frame that the visitor has dragged.

import {
  COLOURS,
  label,
  makeElement,
  rectangle,
  toImage,
  toPicture,
  toPixelBytes,
  write,
} from "../../stn_course/widgets/canvas.js";
import { IDENTITY, fromPose, inverse, readPose, warp } from "../../stn_course/widgets/geometry.js";
import { makeNetwork } from "../../stn_course/widgets/network.js";
import {
  KEY_STEP,
  SteeringLab,
  frameHandles,
  frameMarks,
  imageBox,
  inWords,
  samplingDots,
  viewOf,
} from "../../stn_course/widgets/steering.js";

const PIXELS = 28;
const [SIDE, GAP, TOP, BARS] = [280, 16, 26, 150]; // canvas pixels
const IMAGE = 200; // so large the input lies in its panel: a frame may reach beyond it
const PEN = 2.7; // pixels of the digit
const LONGEST = 17.5; // of a drawing, without the pen's own width: MNIST's digits are 20 at most
const SWING = { degrees: 60, turns: 1.125, ms: 5000 }; // who reads is disturbed no longer
const TRAVEL_MS = 700; // from a visitor's theta to the network's
const BEYOND = "#000"; // what a digit lies on, and "border" repeats
const NETWORK = "Let the network choose";
const [INPUT_BOX, OUTPUT_BOX] = [
  [0, TOP, SIDE, SIDE],
  [SIDE + GAP, TOP, SIDE, SIDE],
];

/** Strokes, in places from 0 to 28, as an image; place: how they lie in it. */
function paintStrokes(strokes, place = ([x, y]) => [x, y], width = PEN) {
  const canvas = new OffscreenCanvas(PIXELS, PIXELS);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: width, lineCap: "round", lineJoin: "round" });
  context.strokeStyle = "white";
  for (const stroke of strokes) {
    context.beginPath();
    stroke.map(place).forEach(([x, y]) => context.lineTo(x, y));
    context.lineTo(...place(stroke.at(-1))); // so that a stroke of one place is a dot
    context.stroke();
  }
  const { data } = context.getImageData(0, 0, PIXELS, PIXELS);
  const values = Float32Array.from({ length: PIXELS ** 2 }, (_, at) => data[4 * at + 3] / 255);
  return { channels: 1, rows: PIXELS, columns: PIXELS, values };
}

/** How far the centre of the brightness lies from the middle, [x, y] in pixels. */
function offCentre({ values }) {
  let [total, right, down] = [0, 0, 0];
  values.forEach((value, at) => {
    total += value;
    right += value * ((at % PIXELS) + 0.5 - PIXELS / 2);
    down += value * (Math.floor(at / PIXELS) + 0.5 - PIXELS / 2);
  });
  return [right / total, down / total];
}

/** A drawing as MNIST's digits are made: as long as they are, its brightness in the middle. */
function likeMnist(strokes) {
  const places = strokes.flat();
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [above, below] = [Math.min(...ys), Math.max(...ys)];
  const scale = LONGEST / Math.max(right - left, below - above, 1);
  const middle = [(left + right) / 2, (above + below) / 2];
  const put = (shift) => (place) =>
    place.map((n, axis) => PIXELS / 2 + scale * (n - middle[axis]) - shift[axis]);
  const shift = offCentre(paintStrokes(strokes, put([0, 0])));
  return paintStrokes(strokes, put(shift));
}

/** What the classifier reads, in words: "a 4 (99 %)". */
function verdict(shares) {
  const digit = shares.indexOf(Math.max(...shares));
  return `${digit === 8 ? "an" : "a"} ${digit} (${Math.round(100 * shares[digit])} %)`;
}

class FrontLab extends SteeringLab {
  partNames = []; // it has no sliders for theta

  start() {
    this.examples = this.data.examples.map(toImage);
    this.localize = makeNetwork(this.data.localization);
    this.classify = makeNetwork(this.data.classifier);
    this.strokes = [];
    this.upright = this.examples[0];
    this.addPad();
    this.look();
    super.start();
    this.swing();
  }

  /** The place to draw, and what stands under it; beside the canvas. */
  addPad() {
    const part = makeElement("div", "front-pad");
    this.pad = makeElement("canvas", "", { role: "img", width: 2 * SIDE, height: 2 * SIDE });
    this.pad.setAttribute("aria-label", "Draw a digit here, with a mouse, a pen or a finger.");
    const turn = makeElement("label", "front-turn");
    this.slider = makeElement("input", "", { type: "range", min: -90, max: 90, step: 1, value: 0 });
    turn.append("Turn it", this.slider, (this.degrees = makeElement("output", "")));
    const buttons = makeElement("div", "stn-buttons");
    for (const [words, press] of [
      ["Clear", () => this.clear()],
      ["Another digit", () => this.another()],
    ]) {
      const button = makeElement("button", "stn-button", { type: "button" });
      button.textContent = words;
      button.addEventListener("click", () => this.take(press));
      buttons.append(button);
    }
    this.verdict = makeElement("p", "front-verdict");
    part.append(this.pad, turn, buttons, this.verdict);
    this.el.prepend(part);
    this.slider.addEventListener("input", () => this.take(() => this.turnTo(this.slider.value)));
    this.listenToPad();
  }

  listenToPad() {
    const place = (event) => {
      const box = this.pad.getBoundingClientRect();
      const { clientX, clientY } = event;
      return [(clientX - box.left) / box.width, (clientY - box.top) / box.height].map(
        (share) => PIXELS * share,
      );
    };
    this.pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.pad.setPointerCapture(event.pointerId);
      this.take(() => this.beginStroke(place(event)));
    });
    this.pad.addEventListener("pointermove", (event) => {
      if (!this.drawing) return;
      const [seen] = [event.getCoalescedEvents?.() ?? []];
      this.strokes.at(-1).push(...(seen.length ? seen : [event]).map(place));
      this.drawn(paintStrokes(this.strokes));
    });
    const end = () => {
      if (!this.drawing) return;
      this.drawing = false;
      this.drawn(likeMnist(this.strokes));
    };
    this.pad.addEventListener("pointerup", end);
    this.pad.addEventListener("lostpointercapture", end);
  }

  /** The visitor does something: the picture no longer swings by itself. */
  take(act) {
    cancelAnimationFrame(this.swinging);
    act();
  }

  beginStroke(place) {
    this.drawing = true;
    if (this.strokes.length === 0) this.turnTo(0);
    this.strokes.push([place]);
    this.drawn(paintStrokes(this.strokes));
  }

  drawn(image) {
    this.upright = image;
    this.look();
  }

  clear() {
    this.strokes = [];
    this.turnTo(0);
    this.drawn(paintStrokes([]));
  }

  another() {
    const next = (this.examples.indexOf(this.upright) + 1) % this.examples.length;
    this.strokes = [];
    this.drawn(this.examples[next]);
  }

  turnTo(degrees) {
    this.slider.value = degrees;
    this.look();
  }

  /** The picture turns to and fro, once, until the visitor does something, if they like movement. */
  swing() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const began = performance.now();
    const turn = (now) => {
      const share = Math.min((now - began) / SWING.ms, 1);
      this.turnTo(Math.round(SWING.degrees * Math.sin(2 * Math.PI * SWING.turns * share)));
      if (share < 1) this.swinging = requestAnimationFrame(turn);
    };
    this.swinging = requestAnimationFrame(turn);
  }

  /** The input has changed: the network looks at it, unless the visitor steers. */
  look() {
    const turned = fromPose({ ...readPose(IDENTITY), rotation: -Number(this.slider.value) });
    this.input = this.warped(this.upright, turned, "zeros");
    this.empty = !this.input.values.some((value) => value > 0.2);
    write(this.degrees, `${this.slider.value}°`);
    if (!this.state.yours) this.change({ theta: this.chosen(), parts: null });
    this.moved();
  }

  warped(image, theta, paddingMode) {
    const options = { mode: "bilinear", paddingMode, alignCorners: false };
    return warp(image, theta, [PIXELS, PIXELS], options);
  }

  /** The theta that the network chooses. */
  chosen() {
    return this.empty ? [...IDENTITY] : [...this.localize(this.input2d(this.input))];
  }

  input2d({ values }) {
    return { values, shape: [1, PIXELS, PIXELS] };
  }

  shares(image) {
    return [...this.classify(this.input2d(image))].map(Math.exp);
  }

  drag(from, handle, dx, dy) {
    cancelAnimationFrame(this.swinging);
    cancelAnimationFrame(this.travelling);
    return { ...super.drag(from, handle, dx, dy), yours: true };
  }

  grip() {
    return { view: viewOf([PIXELS, PIXELS], centreOf(INPUT_BOX), IMAGE, false), ofInverse: false };
  }

  press(button) {
    cancelAnimationFrame(this.swinging);
    if (button === NETWORK) this.travel();
    else this.steerTo([...IDENTITY], true);
  }

  steerTo(theta, yours) {
    this.change({ theta, parts: null, yours });
    this.moved();
  }

  /** From the visitor's theta to the network's, so that the way is seen. */
  travel() {
    const [from, began] = [this.theta, performance.now()];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = (now) => {
      const share = still ? 1 : Math.min((now - began) / TRAVEL_MS, 1);
      const to = this.chosen();
      const theta = to.map((n, i) => from[i] + (n - from[i]) * share);
      this.steerTo(theta, share < 1);
      if (share < 1) this.travelling = requestAnimationFrame(step);
    };
    step(began);
  }

  scene() {
    const output = this.warped(this.input, this.theta, "border");
    const before = this.empty ? null : this.shares(this.input);
    const after = this.empty ? null : this.shares(output);
    this.paintPad();
    this.sayVerdict(before, after);
    return {
      width: OUTPUT_BOX[0] + SIDE,
      height: TOP + SIDE + TOP + BARS,
      panels: [
        this.title(INPUT_BOX, "what it is given"),
        this.title(OUTPUT_BOX, "what it reads"),
        { box: INPUT_BOX, ground: BEYOND, marks: this.inputMarks() },
        { box: OUTPUT_BOX, ground: BEYOND, marks: this.pictureMarks(output, OUTPUT_BOX, SIDE) },
        this.bars(before, after),
      ],
      handles: frameHandles(this.theta, this.grip().view, INPUT_BOX, KEY_STEP, "frame"),
      buttons: [
        { name: NETWORK, pressed: !this.state.yours },
        { name: "Identity: the frame fits the picture" },
      ],
      text: this.words(before, after),
    };
  }

  title([x, y, width], words) {
    return { box: [x, y - TOP, width, TOP], marks: [label(words, x + width / 2, y - TOP / 2)] };
  }

  pictureMarks(image, box, side) {
    const where = imageBox([PIXELS, PIXELS], viewOf([PIXELS, PIXELS], centreOf(box), side, false));
    const marks = [{ kind: "image", box: where, picture: toPixelBytes(image) }];
    return side < SIDE ? [...marks, rectangle(where, COLOURS.input, 1)] : marks;
  }

  inputMarks() {
    const { view } = this.grip();
    const marks = this.pictureMarks(this.input, INPUT_BOX, IMAGE);
    marks.push(samplingDots(this.theta, [PIXELS, PIXELS], false, view));
    return [...marks, ...frameMarks(this.theta, view, INPUT_BOX, COLOURS.output)];
  }

  /** For each digit how certain the classifier is: of the input blue, of the output orange. */
  bars(before, after) {
    const top = TOP + SIDE + TOP;
    const width = OUTPUT_BOX[0] + SIDE;
    const marks = [];
    const [foot, height, step] = [top + BARS - 22, BARS - 52, width / 10];
    for (let digit = 0; digit < 10; digit += 1) {
      const x = (digit + 0.5) * step;
      const bar = (share, colour, at) =>
        marks.push(rectangle([at, foot - share * height, 16, share * height], colour, 0, colour));
      if (before) bar(before[digit], COLOURS.other, x - 17);
      if (after) bar(after[digit], COLOURS.grid, x + 1);
      marks.push(label(String(digit), x, foot + 12));
    }
    const key = [
      ["certain as it stands", COLOURS.other, 4],
      ["through the frame", COLOURS.grid, width / 2],
    ];
    for (const [words, colour, x] of key) {
      marks.push(rectangle([x, top + 7, 12, 12], colour, 0, colour));
      marks.push(label(words, x + 20, top + 13, { align: "left" }));
    }
    return { box: [0, top, width, BARS], marks };
  }

  paintPad() {
    const context = this.pad.getContext("2d");
    const drawn = this.strokes.length > 0;
    context.fillStyle = "black";
    context.fillRect(0, 0, 2 * SIDE, 2 * SIDE);
    context.imageSmoothingEnabled = false;
    if (!drawn) context.drawImage(toPicture(toPixelBytes(this.upright)), 0, 0, 2 * SIDE, 2 * SIDE);
    const scale = (2 * SIDE) / PIXELS;
    Object.assign(context, { lineWidth: 1.9 * scale, lineCap: "round", lineJoin: "round" });
    context.strokeStyle = "white";
    for (const stroke of this.strokes) {
      context.beginPath();
      stroke.forEach(([x, y]) => context.lineTo(scale * x, scale * y));
      context.lineTo(...stroke.at(-1).map((n) => scale * n));
      context.stroke();
    }
    Object.assign(context, { fillStyle: "#bbb", textAlign: "center" });
    context.font = `${drawn ? 0 : 32}px sans-serif`;
    if (!drawn) context.fillText("draw a digit here", SIDE, 2 * SIDE - 20);
  }

  sayVerdict(before, after) {
    const words = before
      ? `As it stands, the classifier reads ${verdict(before)}; through the frame, ${verdict(after)}.`
      : "Draw a digit, at any angle.";
    write(this.verdict, words);
  }

  words(before, after) {
    if (!before) return "Nothing is drawn yet.";
    const turn = `The digit is turned by ${this.slider.value} degrees. `;
    return `${turn}${inWords("The frame", this.theta)} ${this.verdict.textContent}`;
  }

  close() {
    cancelAnimationFrame(this.swinging);
    cancelAnimationFrame(this.travelling);
    super.close();
  }
}

function centreOf([x, y, width, height]) {
  return [x + width / 2, y + height / 2];
}

export default { render: (view) => FrontLab.open(view) };
