// WarpLab: drag the places where points of the output read, and see which grid unbends a picture.

import {
  COLOURS,
  GROUND,
  keepInside,
  label,
  line,
  pictureMark,
  rectangle,
  toImage,
  toPicture,
} from "./canvas.js";
import { baseGrid, gridSample } from "./geometry.js";
import { Lab } from "./lab.js";
import { chooseImage } from "./own_image.js";
import {
  cornerLabels,
  handleAt,
  imageBox,
  matrixText,
  numpyText,
  placeIn,
  short,
  viewOf,
} from "./steering.js";
import { outputAgreement, readsBetween, titlePanel, twoBoxes } from "./two_pictures.js";
import { FAMILIES, pointName, pointsFor, pointsInWords, warpThrough } from "./warp_families.js";
import { OUTSIDE, beyondHorizon, foldedPixels } from "./warps.js";

const SIDE = 320; // canvas pixels of each picture
const OWN_SIDE = 400; // pixels to a side of a picture of one's own, so that it follows a finger
const [NEAR, FAR] = [1.2, 19.2]; // times the image's size: what a panel shows at least, and at most
const OWN = "Your own image"; // a button, where there is no Python to give one to
const POINT_STEP = 0.01; // normalised: how far an arrow key moves a point
const [LINES, ALONG] = [10, 61]; // of the grid on each axis; places that each is drawn through
const STRIPES = 80; // that a shade has along a large picture
// Parts of the output that are shaded: by which name, in which words, in which colour, which way.
const SHARES = [
  ["folded", "folded", COLOURS.x, 1],
  ["beyond", "behind the horizon", COLOURS.input, -1],
];
const [LEFT, RIGHT, UPPER, LOWER] = [0, LINES - 1, LINES, 2 * LINES - 1]; // of GRID_LINES

/** The places along the grid's lines, from edge to edge of the output: those down, those across. */
const GRID_LINES = [0, 1].flatMap((fixed) => {
  const spread = (index, n) => (2 * index) / (n - 1) - 1;
  return Array.from({ length: LINES }, (_, i) =>
    Float64Array.from({ length: 2 * ALONG }, (_, k) =>
      k % 2 === fixed ? spread(i, LINES) : spread(Math.floor(k / 2), ALONG),
    ),
  );
});

/** Stripes over the pixels that are marked, leaning one way or the other, as a mark. */
function shadeMark(box, marked, [rows, columns], colour, lean) {
  const wide = Math.max(1, Math.round(Math.max(rows, columns) / STRIPES));
  const levels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const pixels = new Uint8ClampedArray(4 * rows * columns);
  marked.forEach((is, at) => {
    if (!is) return;
    const across = (at % columns) + lean * Math.floor(at / columns) + rows;
    pixels.set([...levels, Math.floor(across / wide) % 2 ? 200 : 70], 4 * at);
  });
  return { kind: "image", box, picture: toPicture({ rows, columns, pixels }) };
}

function share(marked) {
  return marked.reduce((sum, is) => sum + is, 0) / marked.length;
}

function percent(part) {
  return `${(100 * part).toFixed(1)} %`;
}

class WarpLab extends Lab {
  start() {
    this.inputs = this.data.images.map(toImage);
    super.start();
  }

  get input() {
    return this.inputs[this.controls.image.index];
  }

  get inputSize() {
    return [this.input.rows, this.input.columns];
  }

  get outputSize() {
    return this.data.sizes[this.controls.image.index] ?? this.inputSize; // of one's own
  }

  get corners() {
    return this.controls.align_corners.value === "True";
  }

  get family() {
    return FAMILIES[this.state.family];
  }

  /** Where each output pixel stands: the same array as long as it is the same, see `splined`. */
  get places() {
    const key = String([this.outputSize, this.corners]);
    if (this.keptPlaces?.key !== key) {
      this.keptPlaces = { key, places: baseGrid(this.outputSize, this.corners) };
    }
    return this.keptPlaces.places;
  }

  press(button) {
    const family = Object.keys(FAMILIES).find((name) => FAMILIES[name].button === button);
    if (family) this.change({ family, points: pointsFor(family, this.state) });
    else if (button === "Identity") this.change({ points: this.family.lattice });
    else if (button === "Reset") this.reset();
    else if (button === OWN) this.openOwn();
    else this.change(this.data.presets[button]);
  }

  reset() {
    Object.entries(this.data.first).forEach(([name, value]) => this.controls[name].set(value));
    const { family } = this.data;
    this.change({ family, points: FAMILIES[family].lattice });
  }

  openOwn() {
    const taken = (image, name) => {
      this.inputs.push(image);
      this.controls.image.add(name);
    };
    chooseImage(OWN_SIDE, taken, (words) => this.say(words));
  }

  get boxes() {
    return twoBoxes(SIDE, this.width);
  }

  viewIn([x, y], size, side) {
    return viewOf(size, [x + SIDE / 2, y + SIDE / 2], side, this.corners);
  }

  get inputView() {
    return this.viewIn(this.boxes[0], this.inputSize, SIDE / this.reach);
  }

  /** The panel reaches as far as the points do; while a hand drags, they would slip from it. */
  fitReach() {
    if (this.held && this.reach !== undefined) return;
    const furthest = Math.max(...this.state.points.flat().map(Math.abs));
    this.reach = NEAR;
    while (furthest > 0.97 * this.reach && this.reach < FAR) this.reach *= 2;
  }

  drag({ points }, name, dx, dy) {
    const { unit } = this.inputView;
    const moved = ([x, y]) => [x + dx / unit[0], y + dy / unit[1]];
    return { points: points.map((point, i) => (`point${i}` === name ? moved(point) : point)) };
  }

  compute() {
    const { mode, padding_mode: padding } = this.controls;
    this.warp = warpThrough(this.state);
    this.grid = this.warp(this.places);
    const options = [mode.value, padding.value, this.corners];
    this.output = gridSample(this.input, this.grid, this.outputSize, ...options);
    this.folded = foldedPixels(this.grid, this.outputSize);
    this.beyond = beyondHorizon(this.grid);
  }

  scene() {
    this.fitReach();
    this.compute();
    const [left, right] = this.boxes;
    return {
      width: right[0] + SIDE,
      height: right[1] + SIDE,
      panels: [
        titlePanel(left, "input, x → and y ↓ from -1 to 1"),
        titlePanel(right, "output"),
        { box: left, ground: GROUND, marks: this.inputMarks() },
        { box: right, ground: GROUND, marks: this.outputMarks(right) },
      ],
      handles: this.handles(left),
      buttons: this.buttons(),
      notes: this.notes(),
      text: this.words(),
    };
  }

  buttons() {
    const families = Object.entries(FAMILIES).map(([name, { button }]) => {
      return { name: button, pressed: name === this.state.family };
    });
    const presets = [...Object.keys(this.data.presets), "Identity", "Reset"];
    if (!this.hadKernel) presets.push(OWN);
    return [...families, ...presets.map((name) => ({ name }))];
  }

  inputMarks() {
    const view = this.inputView;
    const box = imageBox(this.inputSize, view, this.corners);
    return [
      pictureMark(box, this.input),
      rectangle(box, COLOURS.input),
      ...cornerLabels(view),
      ...GRID_LINES.flatMap((places) => this.lineMarks(places, view, COLOURS.grid, 1)),
      ...this.edgeMarks(view),
    ];
  }

  /** The output's edges; its upper one as the x axis, its left one as the y axis. */
  edgeMarks(view) {
    const colours = { [RIGHT]: "output", [LOWER]: "output", [LEFT]: "y", [UPPER]: "x" };
    return [RIGHT, LOWER, LEFT, UPPER].flatMap((edge) =>
      this.lineMarks(GRID_LINES[edge], view, COLOURS[colours[edge]], 3),
    );
  }

  /** A line of the output through the warp; it ends at the horizon. */
  lineMarks(places, view, colour, width) {
    const found = this.warp(places);
    const pieces = [[]];
    for (let at = 0; at < found.length; at += 2) {
      const [x, y] = [found[at], found[at + 1]];
      if (x === OUTSIDE && y === OUTSIDE) pieces.push([]);
      else pieces.at(-1).push(placeIn(view, [x, y]));
    }
    return pieces.filter((piece) => piece.length > 1).map((piece) => line(piece, colour, width));
  }

  outputMarks(panel) {
    const view = this.viewIn(panel, this.outputSize, SIDE);
    const box = imageBox(this.outputSize, view, this.corners);
    const marks = [pictureMark(box, this.output)];
    SHARES.forEach(([part, words, colour, lean], i) => {
      const shaded = share(this[part]);
      if (shaded === 0) return;
      marks.push(shadeMark(box, this[part], this.outputSize, colour, lean));
      const [x, y] = [panel[0] + SIDE / 2, panel[1] + SIDE - 14 - 20 * i];
      marks.push(label(`${words}: ${percent(shaded)}`, x, y, { colour: COLOURS.text }));
    });
    return marks;
  }

  handles(panel) {
    const view = this.inputView;
    const step = POINT_STEP * Math.min(...view.unit);
    const { points } = this.state;
    return points.map((point, i) => {
      const [x, y] = point.map(short);
      const name = pointName(i, points.length);
      const words = `${name} of the output, x ${x}, y ${y}; arrow keys move it`;
      const place = keepInside(panel, placeIn(view, point));
      return handleAt(`point${i}`, place, words, COLOURS.output, step, true);
    });
  }

  notes() {
    const { name, keeps, toTheta } = this.family;
    const { points } = this.state;
    const theta = toTheta && matrixText(toTheta(points));
    const shares = SHARES.map(([part, words]) => `${words}: ${percent(share(this[part]))}`);
    return [
      { title: `the grid is ${name}`, text: keeps },
      ...(theta ? [{ title: "theta: output → input", text: theta }] : []),
      { title: "of the output", text: shares.join("\n") },
      { title: "where the points read: x, y", text: numpyText(points.flat(), 2), copy: true },
    ];
  }

  /** What the pictures show, in words: the same as `WarpLab.text` in Python. */
  words() {
    const shares = SHARES.map(([part, words]) => [share(this[part]), words]);
    const shaded = shares.filter(([part]) => part > 0);
    const found = shaded.map(([part, words]) => `${percent(part)} of the output is ${words}.`);
    return [pointsInWords(this.state), found.join(" ") || "Nothing is folded."].join(" ");
  }

  question() {
    const { mode, padding_mode: padding, device, image } = this.controls;
    const { family, points } = this.state;
    return {
      family,
      points,
      image: image.index,
      device: device.value,
      options: { mode: mode.value, padding_mode: padding.value, align_corners: this.corners },
    };
  }

  compare({ output }) {
    const nearest = this.controls.mode.value === "nearest";
    const tie = nearest ? readsBetween(this.grid, this.input, this.corners) : () => false;
    return outputAgreement(this.output, toImage(output), tie);
  }
}

export default { render: (view) => WarpLab.open(view) };
