// What a training run does to its probe digits: above the pictures with the frame of their theta,
// under each what it became, below curves. ReplayLab and Monitor show it.
//
// A film is what stays the same: { images, size, paddingMode, antialias, titles }, where `size` is
// [H', W'] of the outputs, null where the transformer reads a feature map. A step is what changes:
// { thetas, charts, caption, notes, text }; without a transformer `thetas` is null. A chart is
// { title, points, ends, colour, here }: points from 0 to 1, y up; words at the axes' ends; the
// index of the point that is marked, if any.

import { COLOURS, GROUND, label, line, pictureMark, rectangle, toImage } from "./canvas.js";
import { toNumbers } from "./numbers.js";
import { imageBox, placeIn, viewOf } from "./steering.js";
import { taken } from "./warps.js";

const [TILE, TILE_GAP] = [62, 4]; // canvas pixels of each digit of 28 pixels, and between
const SMALL = 28;
const [WIDE, SHORT] = [12, 5].map((count) => count * (TILE + TILE_GAP)); // a row of so many
const TITLE = 24; // above each row
const LEFT = 46; // room for the numbers at a chart's axis
const CHART = 130; // the height of a chart
const EDGE = Float64Array.from(edgeOf(16)); // of the square from -1 to 1; a frame may be bent
const TIPS = Float64Array.from([0, 0, 1, 0, 0, 1]); // the tail of the arrows, the tips of x and y
const DOTS_UP_TO = 20; // points of a curve that are drawn one by one

/** Tiles in which the pixels of larger pictures are about as large as a digit's. */
function tilesFor(count, sizes, row) {
  const side = (size) =>
    Math.max(1, Math.round(Math.max(...size) / SMALL)) * (TILE + TILE_GAP) - TILE_GAP;
  const [upper, lower] = sizes.map(side);
  const step = Math.max(upper, lower) + TILE_GAP;
  const columns = Math.max(1, Math.floor(row / step));
  const rowHeight = 2 * TITLE + upper + lower;
  return {
    rowHeight,
    upper,
    width: LEFT + Math.min(count, columns) * step,
    height: Math.ceil(count / columns) * rowHeight,
    /** Where the picture and its output lie. */
    boxes(index) {
      const top = Math.floor(index / columns) * rowHeight + TITLE;
      const middle = LEFT + ((index % columns) + 0.5) * step - TILE_GAP / 2;
      return [
        [middle - upper / 2, top, upper, upper],
        [middle - lower / 2, top + upper + TITLE, lower, lower],
      ];
    },
  };
}

/** Places along the edge of the square from -1 to 1, n on each side, from the top left. */
function edgeOf(n) {
  const steps = Array.from({ length: n }, (_, i) => (2 * i) / n - 1);
  const sides = [(t) => [t, -1], (t) => [1, t], (t) => [-t, 1], (t) => [-1, -t]];
  return sides.flatMap((side) => steps.flatMap(side));
}

/** The frame of a theta of any family, and its arrows without their names. */
function thetaMarks(theta, view) {
  const shown = (places) => {
    const found = taken(theta, places);
    return Array.from({ length: found.length / 2 }, (_, i) =>
      placeIn(view, found.subarray(2 * i, 2 * i + 2)),
    );
  };
  const [tail, x, y] = shown(TIPS);
  return [
    { ...line(shown(EDGE), COLOURS.output, 2), closed: true },
    line([tail, x], COLOURS.x, 2),
    line([tail, y], COLOURS.y, 2),
  ];
}

/** The frame of a theta in a tile, with room around the picture that it lies on. */
function viewIn([x, y, side], size) {
  return viewOf(size, [x + side / 2, y + side / 2], 0.7 * side, false);
}

/** A picture with its frame, under it the output; or the frame alone, where a map is read. */
function tilePanels([above, below], image, theta, output) {
  const size = [image.rows, image.columns];
  const marks = [pictureMark(imageBox(size, viewIn(above, size), false), image)];
  if (!theta) return [{ box: above, marks, ground: GROUND }];
  const framed = (box) => thetaMarks(theta, viewIn(box, size));
  const lower = output
    ? [pictureMark(below, output), rectangle(below, COLOURS.output, 3)]
    : [rectangle(imageBox(size, viewIn(below, size), false), COLOURS.input), ...framed(below)];
  if (output) marks.push(...framed(above));
  return [
    { box: above, marks, ground: GROUND },
    { box: below, marks: lower, ground: GROUND },
  ];
}

/** A chart in a box, with its title above. */
function chartMarks([x, y, width, height], { title, points, ends, colour, here }) {
  const places = points.map(([across, up]) => [x + across * width, y + (1 - up) * height]);
  const square = ([left, top], side) => [left - side / 2, top - side / 2, side, side];
  const [first, last, low, high] = ends;
  const marks = [
    label(title, x, y - TITLE / 2, { align: "left" }),
    rectangle([x, y, width, height], "#777777", 1),
    label(high, x - 6, y, { align: "right" }), // at the line that it names
    label(low, x - 6, y + height, { align: "right" }),
    label(first, x, y + height + 14, { align: "left" }),
    label(last, x + width, y + height + 14, { align: "right" }),
  ];
  if (places[here]) {
    const across = places[here][0];
    const ends = [[across, y], [across, y + height]];
    marks.push(line(ends, COLOURS.grid, 2));
  }
  if (places.length > 1) marks.push(line(places, colour, 2));
  if (places.length <= DOTS_UP_TO) {
    places.forEach((place) => marks.push(rectangle(square(place, 6), colour, 1, colour)));
  }
  if (places[here]) marks.push(rectangle(square(places[here], 10), "black", 1, COLOURS.grid));
  return marks;
}

/**
 * The scene of a film's step; read: see `readerOf` in antialias.js. On a narrow page rows are
 * short, and charts lie one under the other.
 */
export function trainingScene(film, read, { thetas, charts, caption, notes, text }, narrow) {
  const { images, size, titles } = film;
  const shown = [images[0].rows, images[0].columns];
  const tiles = tilesFor(images.length, [shown, size ?? shown], narrow ? SHORT : WIDE);
  const top = tiles.height + TITLE;
  const down = CHART + TITLE + 26; // from chart to chart, where one lies under the other
  const under = narrow ? (charts.length - 1) * down : 0;
  const height = top + CHART + 26 + under + (caption ? TITLE : 0);
  const left = (words, y) => label(words, LEFT, y - TITLE / 2, { align: "left" });
  const marks = caption ? [left(caption, height)] : [];
  for (let row = TITLE; row < top; row += tiles.rowHeight) {
    marks.push(left(titles[0], row), left(titles[1], row + tiles.upper + TITLE));
  }
  const room = (tiles.width - LEFT) / (narrow ? 1 : charts.length);
  charts.forEach((chart, index) => {
    const [x, y] = narrow ? [LEFT, top + index * down] : [LEFT + index * room, top];
    const beside = !narrow && index + 1 < charts.length ? 68 : 12; // for the next axis' numbers
    marks.push(...chartMarks([x, y, room - beside, CHART], chart));
  });
  const panels = [{ box: [0, 0, tiles.width, height], marks }];
  images.forEach((image, index) => {
    const theta = thetas?.[index];
    const output = theta && size ? read(theta, index) : null;
    panels.push(...tilePanels(tiles.boxes(index), image, theta, output));
  });
  return { width: tiles.width, height, panels, notes, text };
}

/** A film as Python sent it, see training_film.py. */
export function takeFilm({ images, ...film }) {
  return { ...film, images: images.map(toImage) };
}

/** So many thetas as Python sent them, float32, each with as many numbers as its family has. */
export function takeThetas(bytes, count) {
  const numbers = toNumbers(bytes);
  const each = numbers.length / count;
  return Array.from({ length: count }, (_, i) => [...numbers.slice(each * i, each * (i + 1))]);
}
