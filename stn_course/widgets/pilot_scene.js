// What PilotLab and FindLab show: a picture with the frame of your theta, what the classifier sees
// through it, what it says; below, all pictures as they are read, with the score.
//
// A game is what stays the same: { images, labels, size, kind, paddingMode, antialias, network },
// where `size` is [H', W'] of what the classifier is given and `network` holds the thetas that a
// network chose. `kind` is "frame", any theta, or "box", a window that is never turned. A state is
// { thetas, index, compared }. `judge(theta, index)` is { output, shares }, the shares null while
// they are not known.

import { COLOURS, GROUND } from "./canvas.js";
import { readPose, transform } from "./geometry.js";
import {
  dots,
  frame,
  frameHandles,
  imageBox,
  keepInside,
  label,
  matrixText,
  note,
  outline,
  picture,
  rectangle,
  viewOf,
  windowHandles,
} from "./scene.js";

const [SIDE, GAP, TOP] = [252, 16, 26]; // canvas pixels: 9 for each of a digit's 28; for titles
const BARS = 240; // how wide the panel of the classifier's shares is
const [THUMB, ROW] = [56, 80]; // of each picture in the rows of scores, and of a row with its words
const NAMES = 70; // canvas pixels for a row's name
const WIDTH = 2 * (SIDE + GAP) + BARS;
const BELOW = TOP + SIDE + GAP;

/** A digit with its article. */
function aDigit(digit) {
  return `${digit === 8 ? "an" : "a"} ${digit}`;
}

/** The index of the largest. */
function best(shares) {
  return shares.indexOf(Math.max(...shares));
}

/** A share in percent, or an ellipsis while it is not known. */
function percent(share) {
  return share === undefined ? "…" : `${Math.round(100 * share)} %`;
}

/** A bar for each of ten probabilities; the right digit's framed, the largest in numbers. */
function barMarks(shares, right) {
  const [left, step, full] = [2 * (SIDE + GAP) + 20, SIDE / 10, BARS - 75];
  const most = shares ? best(shares) : -1;
  return Array.from({ length: 10 }, (_, digit) => {
    const y = TOP + digit * step;
    const [colour, width] = digit === right ? [COLOURS.text, 3] : ["#BBBBBB", 1];
    const marks = [rectangle([left, y + 3, full, step - 6], colour, width)];
    if (shares) {
      const fill = digit === most ? COLOURS.grid : COLOURS.other;
      marks.push(rectangle([left, y + 3, full * shares[digit], step - 6], fill, 0, fill));
    }
    marks.push(label(String(digit), left - 10, y + step / 2));
    if (digit === most) {
      marks.push(label(percent(shares[digit]), left + full + 8, y + step / 2, { align: "left" }));
    }
    return marks;
  }).flat();
}

/** A row of outputs with the probability of the right digit under each. */
function rowMarks(name, judged, labels, row, shown) {
  const top = BELOW + row * ROW;
  const step = (WIDTH - NAMES) / judged.length;
  const side = Math.min(THUMB, step - 8);
  const marks = [label(name, 4, top + THUMB / 2, { align: "left" })];
  judged.forEach(({ output, shares }, index) => {
    const box = [NAMES + index * step, top, side, side];
    const words = percent(shares?.[labels[index]]);
    marks.push(picture(box, output));
    marks.push(rectangle(box, index === shown ? COLOURS.grid : "#777777", 3));
    marks.push(label(words, box[0] + side / 2, top + 66));
  });
  return marks;
}

/** The picture with the network's frame, if asked for, and yours over it. */
function pictureMarks(game, { thetas, index, compared }, view, box) {
  const image = game.images[index];
  const marks = [picture(imageBox([image.rows, image.columns], view, false), image)];
  marks.push(rectangle(imageBox([image.rows, image.columns], view, false), COLOURS.input));
  const framed = game.kind === "box" ? (theta, colour) => [outline(theta, view, colour)] : frame;
  if (game.kind === "frame") marks.push(dots(thetas[index], game.size, false, view));
  if (compared) {
    const theirs = game.network[index];
    marks.push(...framed(theirs, view, COLOURS.other, COLOURS.other));
    const corner = keepInside(box, view.place(transform(theirs, [-1, -1])), 30);
    marks.push(label("network", ...corner, { colour: COLOURS.text, size: 12 }));
  }
  return [...marks, ...framed(thetas[index], view, COLOURS.output)];
}

/** The probability of the right digit, summed over all; undefined while one is not known. */
function score(judged, labels) {
  const right = judged.map(({ shares }, index) => shares?.[labels[index]]);
  return right.reduce((sum, share) => sum + share, 0);
}

/** The scores, your theta, and the network's. */
function pilotNotes(game, { thetas, index, compared }, yours, theirs) {
  const { labels } = game;
  const line = (name, judged) => {
    const sum = score(judged, labels);
    const number = Number.isNaN(sum) ? "…" : sum.toFixed(2);
    return `${name.padEnd(7)} ${number.padStart(5)} of ${labels.length}`;
  };
  const lines = [line("yours", yours), ...(compared ? [line("network", theirs)] : [])];
  const notes = [
    { title: "score: certainty of the right digit, summed", text: lines.join("\n") },
    { title: "your theta", text: matrixText(thetas[index]) },
  ];
  if (compared) notes.push({ title: "the network's theta", text: matrixText(game.network[index]) });
  return notes;
}

/** Where you look, what the classifier says, and the score, in words. */
function pilotInWords(game, { thetas, index }, yours) {
  const { labels, kind } = game;
  const { shares } = yours[index];
  const [s, , x, , , y] = thetas[index].map((value) => Math.round(100 * value) / 100 + 0);
  const where =
    kind === "box"
      ? `The box is ${s} times as wide as the picture, around x ${x} and y ${y}.`
      : inWords("The grid", thetas[index]);
  const says = shares
    ? `The classifier says ${best(shares)} with ${percent(Math.max(...shares))} certainty. ` +
      `Your score is ${score(yours, labels).toFixed(2)} of ${labels.length}.`
    : "The classifier has not answered yet.";
  return `Digit ${index + 1} of ${labels.length}, ${aDigit(labels[index])}. ${where} ${says}`;
}

/** The scene of a game's state; judge: see above. */
export function pilotScene(game, state, judge) {
  const { labels, size, kind, network, invitation } = game;
  const { thetas, index, compared } = state;
  const yours = thetas.map(judge);
  const theirs = compared ? network.map(judge) : [];
  const rows = 2; // also without the network's: what is below the lab must not jump
  const height = BELOW + rows * ROW;
  const [first, second] = [0, SIDE + GAP].map((x) => [x, TOP, SIDE, SIDE]);
  const view = pilotView(game);
  const right = labels[index];
  const middle = (x, width) => [x + width / 2, TOP / 2];
  const marks = [
    label(`${invitation}: this is ${aDigit(right)}`, ...middle(0, SIDE)),
    label("what the classifier sees", ...middle(SIDE + GAP, SIDE)),
    label("its certainty (right digit framed)", ...middle(2 * (SIDE + GAP), BARS)),
    ...barMarks(yours[index].shares, right),
    ...rowMarks("yours", yours, labels, 0, index),
    ...(compared ? rowMarks("network", theirs, labels, 1, index) : []),
  ];
  const seen = imageBox(size, viewOf(size, [SIDE + GAP + SIDE / 2, TOP + SIDE / 2], SIDE), false);
  const handles = kind === "box" ? windowHandles : frameHandles;
  return {
    width: WIDTH,
    height,
    panels: [
      { box: [0, 0, WIDTH, height], marks, ground: null },
      { box: first, marks: pictureMarks(game, state, view, first), ground: GROUND },
      { box: second, marks: [picture(seen, yours[index].output)], ground: GROUND },
    ],
    handles: handles(thetas[index], view, first, KEY_STEP),
    notes: pilotNotes(game, state, yours, theirs),
    text: pilotInWords(game, state, yours),
  };
}

/** How the picture lies in the first panel. */
export function pilotView({ images: [{ rows, columns }], pictureSide }) {
  return viewOf([rows, columns], [SIDE / 2, TOP + SIDE / 2], pictureSide, false);
}

/** A theta whose handle a hand has moved by a normalised [x, y] since it took hold of it. */
export function steered(kind, theta, handle, [dx, dy]) {
  const [a, b, x, c, d, y] = theta;
  if (handle === "centre") return [a, b, x + dx, c, d, y + dy];
  if (handle === "x") return [a + dx, b, x, c + dy, d, y];
  if (handle === "y") return [a, b + dx, x, c, d + dy, y];
  const scale = Math.max(SMALLEST, a + (dx + dy) / 2); // the corner keeps to the diagonal
  return [scale, 0, x, 0, scale, y];
}
