// ThetaLab: take hold of the sampling grid, and see what the output reads.

import { COLOURS, GROUND, label, pictureMark, rectangle, toImage } from "./canvas.js";
import { IDENTITY, affineGrid, inverse, pixelMatrix, warp } from "./geometry.js";
import {
  KEY_STEP,
  REACH,
  SteeringLab,
  cornerLabels,
  frameHandles,
  frameMarks,
  imageBox,
  inWords,
  matrixText,
  numpyText,
  samplingDots,
  viewOf,
} from "./steering.js";
import { outputAgreement, readsBetween, titlePanel, twoBoxes } from "./two_pictures.js";

const SIDE = 280; // canvas pixels of each picture: 10 for each of a digit's 28
const LARGEST = 512; // pixels to a side that are painted; images.py reduces the input to as many
const FURTHEST = 16; // times the image's size that a panel shows at most
const NO_INVERSE = "none: theta squeezes\nthe grid into a line";
const NO_PIXELS =
  "none: with align_corners=True a single\npixel has no edges that -1 and 1\ncould be";
const NO_FRAME = "theta has no inverse, so no frame"; // in the panel of the picture that moves

/** How many times the image's size a panel must show so that the frame lies in it. */
function reachOf(frame) {
  if (frame === null) return REACH;
  const [a, b, x, c, d, y] = frame.map(Math.abs);
  let reach = REACH;
  while (Math.max(a + b + x, c + d + y) > 0.97 * reach && reach < FURTHEST) reach *= 2;
  return reach;
}

/** The size that is painted of a picture of a size. */
function shownSize(size) {
  const stride = Math.ceil(Math.max(...size) / LARGEST);
  return size.map((n) => Math.ceil(n / stride));
}

class ThetaLab extends SteeringLab {
  start() {
    this.inputs = this.data.images.map((given) => ({ ...toImage(given), full: given.full }));
    super.start();
    if (this.state.image !== this.controls.image.index) this.takeImage();
  }

  get input() {
    return this.inputs[this.controls.image.index];
  }

  get outputSize() {
    return [this.controls.height.value, this.controls.width.value];
  }

  /** Whether the picture moves, not the grid. */
  get moves() {
    return this.controls.view.index === 1;
  }

  get corners() {
    return this.controls.align_corners.value === "True";
  }

  hear(name, value) {
    super.hear(name, value);
    if (name === "image") this.takeImage();
  }

  /** Another image: the output is as large. */
  takeImage() {
    this.change({ image: this.controls.image.index });
    const [height, width] = this.input.full;
    this.controls.height.set(height);
    this.controls.width.set(width);
  }

  press(button) {
    if (button in this.data.presets) {
      this.steer(this.data.presets[button]);
      return;
    }
    this.steer([...IDENTITY]);
    Object.entries(this.data.first).forEach(([name, value]) => this.controls[name].set(value));
    this.settle();
    this.restoreRanges();
  }

  /** The matrix of the frame that has the handles; null where it has no inverse. */
  get frame() {
    return this.moves ? inverse(this.theta) : this.theta;
  }

  /** Where the two pictures lie: beside each other, or on a narrow page one under the other. */
  get boxes() {
    return twoBoxes(SIDE, this.width);
  }

  viewIn([x, y], size, side) {
    return viewOf(size, [x + SIDE / 2, y + SIDE / 2], side, this.corners);
  }

  get views() {
    const [left, right] = this.boxes;
    return [
      this.viewIn(left, this.input.full, SIDE / (this.moves ? REACH : this.reach)),
      this.viewIn(right, this.outputSize, this.moves ? SIDE / this.reach : SIDE),
    ];
  }

  grip() {
    return { view: this.views[this.moves ? 1 : 0], ofInverse: this.moves };
  }

  /** The panel reaches as far as needed; while a hand drags, the frame would slip from it. */
  scene() {
    if (!this.held || this.reach === undefined) this.reach = reachOf(this.frame);
    const [left, right] = this.boxes;
    this.output = this.computed();
    return {
      width: right[0] + SIDE,
      height: right[1] + SIDE,
      panels: [
        titlePanel(left, "input, x → and y ↓ from -1 to 1"),
        titlePanel(right, "output"),
        { box: left, ground: GROUND, marks: this.inputMarks(left) },
        { box: right, ground: GROUND, marks: this.outputMarks(right) },
      ],
      handles: this.handles(),
      buttons: [...Object.keys(this.data.presets), "Reset"].map((name) => ({ name })),
      notes: this.notes(),
      text: this.words(),
    };
  }

  get options() {
    const { mode, padding_mode: padding } = this.controls;
    return { mode: mode.value, paddingMode: padding.value, alignCorners: this.corners };
  }

  /** What the grid reads; PyTorch's own answer where the picture is too large for here. */
  computed() {
    if (this.answer?.reduced) return toImage(this.answer.output);
    return warp(this.input, this.theta, shownSize(this.outputSize), this.options);
  }

  inputMarks(panel) {
    const [view] = this.views;
    const box = imageBox(this.input.full, view, this.corners);
    const marks = [
      pictureMark(box, this.input),
      rectangle(box, COLOURS.input),
      ...cornerLabels(view),
    ];
    if (this.moves) return marks;
    marks.push(samplingDots(this.theta, this.outputSize, this.corners, view));
    return [...marks, ...frameMarks(this.theta, view, panel, COLOURS.output)];
  }

  outputMarks(panel) {
    const [, view] = this.views;
    const box = imageBox(this.outputSize, view, this.corners);
    const marks = [pictureMark(box, this.output)];
    if (!this.moves) return marks;
    marks.push(rectangle(box, COLOURS.output), ...cornerLabels(view));
    if (this.frame !== null) marks.push(...frameMarks(this.frame, view, panel, COLOURS.input));
    else
      marks.push(label(NO_FRAME, view.centre[0], panel[1] + SIDE - 14, { colour: COLOURS.text }));
    return marks;
  }

  /** An arrow key moves a handle as far on the canvas, however far the panel reaches. */
  handles() {
    if (this.frame === null) return [];
    const index = this.moves ? 1 : 0;
    const what = this.moves ? "picture" : "output's frame";
    const step = (KEY_STEP * this.reach) / REACH;
    const hollow = this.reach > REACH;
    return frameHandles(this.frame, this.views[index], this.boxes[index], step, what, hollow);
  }

  notes() {
    const back = inverse(this.theta);
    const pixels = pixelMatrix(this.theta, this.input.full, this.outputSize, this.corners);
    const notes = [
      { title: "theta: output → input", text: matrixText(this.theta) },
      { title: "its inverse: input → output", text: back ? matrixText(back) : NO_INVERSE },
      {
        title: "in pixels, as OpenCV's warpAffine takes it with WARP_INVERSE_MAP",
        text: pixels ? numpyText(pixels) : NO_PIXELS,
        copy: pixels !== null,
      },
    ];
    if (this.reduced()) notes.push({ title: "shown reduced", text: this.reduced() });
    if (this.data.readout) notes.push({ title: "the output", text: this.readout() });
    return notes;
  }

  /** What the readout, a function of Python's, says of this output; dots until it has answered. */
  readout() {
    if (this.answer === null) return this.lastReadout?.replace(/[^\n]+/g, "…") ?? "…";
    this.lastReadout = this.answer.readout ?? this.lastReadout;
    return this.answer.readout ?? "…";
  }

  words() {
    const grid = !this.moves || this.frame === null;
    const words = grid ? inWords("The grid", this.theta) : inWords("The picture", this.frame);
    return `${words} ${this.reduced()}`.trim();
  }

  /** Which pictures are shown with fewer pixels than they have, in words, if any. */
  reduced() {
    const sizes = Object.entries({ input: this.input.full, output: this.outputSize });
    const large = sizes.filter(([, size]) => Math.max(...size) > LARGEST);
    if (large.length === 0) return "";
    const named = large.map(([name, [h, w]]) => `${name} (${h}×${w} pixels)`).join(" and the ");
    const are = large.length === 1 ? "is" : "are";
    return `The ${named} ${are} shown reduced; PyTorch computes everything at full size.`;
  }

  question() {
    const { mode, padding_mode: padding, device, image } = this.controls;
    return {
      theta: this.theta,
      size: this.outputSize,
      image: image.index,
      device: device.value,
      options: { mode: mode.value, padding_mode: padding.value, align_corners: this.corners },
    };
  }

  compare(answer) {
    if (answer.reduced) return "computed it at full size";
    return outputAgreement(this.output, toImage(answer.output), this.betweenPixels());
  }

  /** Whether an output pixel reads "nearest" exactly between two pixels. */
  betweenPixels() {
    if (this.options.mode !== "nearest") return () => false;
    const grid = affineGrid(this.theta, this.outputSize, this.corners);
    return readsBetween(grid, this.input, this.corners);
  }
}

export default { render: (view) => ThetaLab.open(view) };
