// SamplerLab's scene: one place between the pixels, its four neighbours, their weights, and the
// gradient of the value with respect to the place. Places are in pixels of the image, [x, y]; 0 is
// the centre of the first one. A state is { image, point, mode, paddingMode, alignCorners }.

import {
  COLOURS,
  GROUND,
  keepInside,
  label,
  line,
  pictureMark,
  rectangle,
} from "./canvas.js";
import { clip, pad, reflect, roundToEven, toNormalised } from "./geometry.js";

const PADDING_MODES = ["zeros", "border", "reflection"];
const WEIGHTS = [COLOURS.input, COLOURS.x, COLOURS.y, COLOURS.output]; // of each neighbour
const NEIGHBOURS = [[0, 0], [1, 0], [0, 1], [1, 1]]; // right or not, below or not
const SIDE = 300; // canvas pixels of each picture
const [GAP, TOP] = [16, 26]; // between them, for their titles
export const MARGIN = 2; // pixels of padding shown around the image
const ENLARGED = SIDE / 2.4; // canvas pixels of a pixel in the enlarged picture
const SWATCH = 40; // canvas pixels of each value at the bottom
const [ARROW, LONGEST] = [250, 135]; // of the arrow for a gradient of 1 per pixel; at most
const KEY_STEP = 0.05; // pixels: how far an arrow key moves the point

/** How far the place that is read moves with x: the slope of `pad`, 0 where it stands still. */
function padSlope(x, n, paddingMode, alignCorners) {
  if (paddingMode === "zeros") return 1;
  const place = paddingMode === "border" ? x : reflect(x, n, alignCorners);
  if (place <= 0 || place >= n - 1) return 0;
  // Between two mirrors every other interval is a mirror image.
  const [low, span] = alignCorners ? [0, n - 1] : [-0.5, n];
  return paddingMode === "border" || Math.floor((x - low) / span) % 2 === 0 ? 1 : -1;
}

/** A pixel's value, 0 outside the image. */
function valueOf({ rows, columns, values }, column, row) {
  const inside = column >= 0 && column < columns && row >= 0 && row < rows;
  return inside ? values[row * columns + column] : 0;
}

/** The pixels read at a place: column, row, weight, and how the weight changes with x and y. */
function neighboursOf([x, y], mode) {
  if (mode === "nearest") {
    return [{ column: roundToEven(x), row: roundToEven(y), weight: 1, slopes: [0, 0] }];
  }
  const [left, top] = [Math.floor(x), Math.floor(y)];
  return NEIGHBOURS.map(([m, n]) => {
    const across = m ? x - left : 1 - (x - left);
    const down = n ? y - top : 1 - (y - top);
    const slopes = [m ? down : -down, n ? across : -across];
    return { column: left + m, row: top + n, weight: across * down, slopes };
  });
}

/** What a sampler reads at the point: from which place and pixels, the value, its gradient. */
export function readPoint({ image, point, mode, alignCorners }, paddingMode) {
  const padding = point.map((x, axis) => [x, [image.columns, image.rows][axis], paddingMode]);
  const place = padding.map((of) => pad(...of, alignCorners));
  const slopes = padding.map((of) => padSlope(...of, alignCorners));
  const neighbours = neighboursOf(place, mode).map((pixel) => ({
    ...pixel,
    value: valueOf(image, pixel.column, pixel.row),
  }));
  const sum = (part) => neighbours.reduce((total, pixel) => total + part(pixel) * pixel.value, 0);
  const gradient = slopes.map((slope, axis) => slope * sum((pixel) => pixel.slopes[axis]));
  return { place, neighbours, value: sum((pixel) => pixel.weight), gradient };
}

/** How many canvas pixels a pixel of the image is wide in the left picture. */
export function pixelOf({ rows, columns }) {
  return SIDE / (Math.max(rows, columns) + 2 * MARGIN);
}

/** The image with MARGIN pixels of its padding around it. */
function padded({ image, paddingMode, alignCorners }) {
  const axis = (n) => Array.from({ length: n + 2 * MARGIN }, (_, i) => i - MARGIN);
  const [down, across] = [axis(image.rows), axis(image.columns)];
  const values = down.flatMap((row) => {
    const from = pad(row, image.rows, paddingMode, alignCorners);
    return across.map((column) => {
      return valueOf(image, pad(column, image.columns, paddingMode, alignCorners), from);
    });
  });
  return { channels: 1, rows: down.length, columns: across.length, values };
}

/** A square of a side around a place on the canvas. */
function around([x, y], side) {
  return [x - side / 2, y - side / 2, side, side];
}

/** A grey from 0, black, to 1, white. */
function grey(value) {
  const level = Math.round(255 * clip(value, 2));
  return `rgb(${level}, ${level}, ${level})`;
}

/** The image and its padding, the pixels that are read, and a line to where it reads instead. */
function imageMarks(state, at, { place, neighbours }) {
  const { image, point } = state;
  const pixel = pixelOf(image);
  const box = ([x, y], beyond) => {
    const [left, top] = at([-0.5 - beyond, -0.5 - beyond]);
    return [left, top, (x + 2 * beyond) * pixel, (y + 2 * beyond) * pixel];
  };
  const size = [image.columns, image.rows];
  const edge = rectangle(box(size, 0), COLOURS.input);
  const marks = [pictureMark(box(size, MARGIN), padded(state)), edge];
  neighbours.forEach(({ column, row }, index) => {
    marks.push(rectangle(around(at([column, row]), pixel), WEIGHTS[index], 2));
  });
  if (String(place) !== String(point)) {
    marks.push(line([at(point), at(place)], COLOURS.x, 2, [4, 3]));
  }
  return marks;
}

/** The part of the square of one pixel that covers a neighbour, with its weight. */
function weightMarks({ column, row, weight }, colour, at, place, mode) {
  const [x, y] = mode === "nearest" ? [column, row] : place; // nearest: all of that pixel
  const low = at([Math.max(column, x) - 0.5, Math.max(row, y) - 0.5]);
  const high = at([Math.min(column, x) + 0.5, Math.min(row, y) + 0.5]);
  const box = [...low, high[0] - low[0], high[1] - low[1]];
  const marks = [rectangle(box, colour, 3, `${colour}66`)];
  if (weight <= 0.02) return marks;
  const [across, down] = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
  const centre = at(place);
  const hidden = Math.max(Math.abs(across - centre[0]), Math.abs(down - centre[1])) < 20;
  const beside = hidden ? centre[1] - 20 : down; // not under the point
  return [...marks, label(weight.toFixed(2), across, beside, { colour: COLOURS.text })];
}

/** The gradient as an arrow from the middle of the enlarged picture; none where it is 0. */
function gradientMarks(gradient, centre, [left, top]) {
  const length = Math.hypot(...gradient);
  if (length < 1e-6) return [];
  const scale = Math.min(ARROW, LONGEST / length);
  const tip = centre.map((value, axis) => value + scale * gradient[axis]);
  const words = label("arrow: gradient", left + 8, top + SIDE - 12, {
    colour: COLOURS.x,
    align: "left",
  });
  return [line([centre, tip], COLOURS.x, 4), words];
}

/** The pixels around the place read, the square over them, numbers, and the arrow. */
function enlargedMarks({ image, mode }, { place, neighbours, gradient }, box) {
  const centre = [box[0] + SIDE / 2, box[1] + SIDE / 2];
  const at = (pixel) => centre.map((value, axis) => value + (pixel[axis] - place[axis]) * ENLARGED);
  const marks = [];
  for (let column = Math.round(place[0]) - 2; column <= Math.round(place[0]) + 2; column++) {
    for (let row = Math.round(place[1]) - 2; row <= Math.round(place[1]) + 2; row++) {
      const fill = grey(valueOf(image, column, row));
      marks.push(rectangle(around(at([column, row]), ENLARGED), "#777777", 1, fill));
    }
  }
  neighbours.forEach((pixel, index) => {
    marks.push(...weightMarks(pixel, WEIGHTS[index], at, place, mode));
  });
  marks.push(rectangle(around(centre, 10), "black", 2, COLOURS.grid));
  return [...marks, ...gradientMarks(gradient, centre, box)];
}

/** The value at the point for each padding, as grey and as a number; the one chosen framed. */
function swatches(state, corners) {
  return PADDING_MODES.flatMap((mode, index) => {
    const { value } = readPoint(state, mode);
    const [x, y] = corners[index];
    const [colour, width] = mode === state.paddingMode ? [COLOURS.grid, 4] : ["#777777", 1];
    const words = `${mode}: ${value.toFixed(3)}`;
    return [
      rectangle([x, y, SWATCH, SWATCH], colour, width, grey(value)),
      label(words, x + SWATCH + 8, y + SWATCH / 2, { align: "left" }),
    ];
  });
}

/** With a sign, and 0 without one that means nothing. */
function signed(value) {
  const rounded = Math.round(value * 1000) / 1000 + 0;
  return (rounded < 0 ? "" : "+") + rounded.toFixed(3);
}

/** The sum written out, the gradient, and the point in normalised coordinates. */
function pointNotes({ image, point, alignCorners }, { neighbours, value, gradient }) {
  const products = neighbours.map((pixel) => {
    const place = `${String(pixel.column).padStart(2)},${String(pixel.row).padStart(2)}`;
    const product = (pixel.value * pixel.weight).toFixed(3);
    return `${place}  ${pixel.value.toFixed(2)}·${pixel.weight.toFixed(2)} = ${product}`;
  });
  const [x, y] = [image.columns, image.rows].map((n, i) => toNormalised(point[i], n, alignCorners));
  const [inX, inY] = gradient.map(signed);
  return [
    {
      title: "column, row: value · weight",
      text: [...products, `sum = ${value.toFixed(3)}`].join("\n"),
    },
    { title: "gradient: change of the value per pixel", text: `in x ${inX}\nin y ${inY}` },
    { title: "the point, normalised", text: `x ${signed(x)}\ny ${signed(y)}` },
  ];
}

/** What the pictures show, in words: the same as `SamplerLab.text` in Python. */
function pointInWords({ image, point: [x, y] }, { neighbours, value, gradient }) {
  const inside = x >= -0.5 && x <= image.columns - 0.5 && y >= -0.5 && y <= image.rows - 0.5;
  const weights = neighbours.map((pixel) => pixel.weight.toFixed(2)).join(", ");
  const source = neighbours.length > 1 ? `pixels of weight ${weights}` : "the nearest pixel";
  const [inX, inY] = gradient.map((part) => (Number(part.toFixed(2)) + 0).toFixed(2));
  return (
    `The point lies at x ${x.toFixed(2)}, y ${y.toFixed(2)} pixels, ` +
    `${inside ? "inside" : "outside"} the image. Its value is ${value.toFixed(2)}, from ` +
    `${source}. Its gradient is ${inX} in x and ${inY} in y.`
  );
}

/** Where the parts lie: beside each other, or on a narrow page one under the other. */
function partsOf(narrow) {
  const right = narrow ? [0, 2 * TOP + SIDE] : [SIDE + GAP, TOP];
  const width = right[0] + SIDE;
  const below = right[1] + SIDE + GAP;
  const step = narrow ? [0, SWATCH + 8] : [width / 3, 0];
  const swatch = (index) => [4 + index * step[0], below + index * step[1]];
  const corners = PADDING_MODES.map((_, index) => swatch(index));
  const height = corners.at(-1)[1] + SWATCH + 4;
  return { left: [0, TOP, SIDE, SIDE], right: [...right, SIDE, SIDE], corners, width, height };
}

/** Left the image, right the pixels around the point, below the value for each padding. */
export function samplerScene(state, narrow = false) {
  const { image, point } = state;
  const read = readPoint(state, state.paddingMode);
  const { left, right, corners, width, height } = partsOf(narrow);
  const pixel = pixelOf(image);
  const at = ([x, y]) => [(x + 0.5 + MARGIN) * pixel, TOP + (y + 0.5 + MARGIN) * pixel];
  const [x, y] = keepInside(left, at(point));
  const [shownX, shownY] = point.map((value) => value.toFixed(2));
  const words = `the point, x ${shownX}, y ${shownY} pixels; arrow keys move it`;
  const title = ([from, top], text) => label(text, from + SIDE / 2, top - TOP / 2);
  const captions = [
    title(left, "the image and its padding; drag the point"),
    title(right, "around the place it reads: areas are weights"),
    ...swatches(state, corners),
  ];
  return {
    width,
    height,
    panels: [
      { box: [0, 0, width, height], marks: captions },
      { box: left, marks: imageMarks(state, at, read), ground: GROUND },
      { box: right, marks: enlargedMarks(state, read, right), ground: GROUND },
    ],
    handles: [{ name: "point", x, y, label: words, colour: COLOURS.grid, step: KEY_STEP * pixel }],
    notes: pointNotes(state, read),
    text: pointInWords(state, read),
  };
}
