// What PilotLab and FindLab show: a picture with the frame of your theta, what the classifier sees
// through it, what it says; below, all pictures as they are read, with the score.
//
// A game is what stays the same: { images, labels, size, network, kind, pictureSide, invitation,
// buttons }, where `size` is [H', W'] of what the classifier is given, `network` holds the thetas
// that a network chose, and `kind` is FRAME or BOX: what a hand steers. A state is { thetas, index,
// compared }. judge(theta, index) is { output, shares }; shares are null while they are not known.

import { COLOURS, GROUND, keepInside, label, pictureMark, rectangle } from "./canvas.js";
import { transform } from "./geometry.js";
import {
  KEY_STEP,
  frameHandles,
  frameMarks,
  handleAt,
  imageBox,
  inWords,
  matrixText,
  outline,
  placeIn,
  samplingDots,
  short,
  viewOf,
} from "./steering.js";

const [SIDE, GAP, TOP] = [252, 16, 26]; // canvas pixels: 9 for each of a digit's 28; for titles
const BARS = 240; // how wide the panel of the classifier's shares is
const [THUMB, WORDS] = [56, 24]; // of each picture in the rows of scores; the words under it
const [NAMES, NAME] = [70, 20]; // how wide a row's name is; how high, where it stands above
const IN_A_ROW = 5; // pictures, on a narrow page

/** Any theta: its frame has arrows, and a dot for each place that is read. */
export const FRAME = {
  dots: true,
  marks: frameMarks,
  handles: (theta, view, box) => frameHandles(theta, view, box, KEY_STEP, "output's frame"),
  words: (theta) => inWords("The grid", theta),
};

/** A window that is never turned (paper, eq. 2): its centre moves it, its corner resizes it. */
export const BOX = {
  dots: false, // in a small box they would hide the digit
  marks: (theta, view, _, colour) => [outline(theta, view, colour)],
  handles([scale, , x, , , y], view, box) {
    const [centre, corner] = [0, scale].map((side) =>
      keepInside(box, placeIn(view, [x + side, y + side])),
    );
    const where = `centre of the box, x ${short(x)}, y ${short(y)}; arrow keys move it`;
    const large = `corner of the box, scale ${short(scale)}; arrow keys resize it`;
    const step = KEY_STEP * Math.min(...view.unit);
    // A press moves the corner along one axis, and its scale takes half of that.
    return [
      handleAt("centre", centre, where, COLOURS.grid, step),
      handleAt("corner", corner, large, COLOURS.output, 2 * step),
    ];
  },
  words: ([scale, , x, , , y]) =>
    `The box is ${short(scale)} times as wide as the picture, ` +
    `around x ${short(x)} and y ${short(y)}.`,
};

/** Where the parts lie: beside each other, or on a narrow page one under the other. */
function layoutOf(narrow, count) {
  const [across, down] = narrow ? [0, SIDE + TOP] : [SIDE + GAP, 0];
  const corners = [0, 1, 2].map((index) => [index * across, TOP + index * down]);
  const width = narrow ? 340 : 2 * across + BARS;
  const below = corners[2][1] + SIDE + GAP;
  const columns = narrow ? Math.min(IN_A_ROW, count) : count;
  const [left, top] = narrow ? [0, NAME] : [NAMES, 0];
  const step = (width - left) / columns;
  const side = Math.min(THUMB, step - 4);
  const high = top + Math.ceil(count / columns) * (side + WORDS); // of one player's pictures
  return {
    width,
    height: below + 2 * high,
    panels: corners.map(([x, y]) => [x, y, SIDE, SIDE]),
    name: (row) => [4, below + row * high + (narrow ? NAME / 2 : side / 2)],
    thumb(row, index) {
      const y = below + row * high + top + Math.floor(index / columns) * (side + WORDS);
      return [left + (index % columns) * step, y, side, side];
    },
  };
}

/** A digit with its article. */
function aDigit(digit) {
  return `${digit === 8 ? "an" : "a"} ${digit}`;
}

/** The index of the largest. */
function best(shares) {
  return shares.indexOf(Math.max(...shares));
}

/** A bar for each of ten probabilities; the right digit's framed, the largest in numbers. */
function barMarks([x, y], shares, right) {
  const [left, step, full] = [x + 20, SIDE / 10, BARS - 75];
  return Array.from({ length: 10 }, (_, digit) => {
    const [middle, top] = [y + (digit + 0.5) * step, y + digit * step + 3];
    const look = digit === right ? [null, 3] : ["#999999", 1];
    const marks = [label(String(digit), left - 10, middle)];
    if (shares) {
      const fill = digit === best(shares) ? COLOURS.grid : COLOURS.other;
      marks.push(rectangle([left, top, full * shares[digit], step - 6], fill, 0, fill));
    }
    marks.push(rectangle([left, top, full, step - 6], ...look));
    if (shares && digit === best(shares)) {
      marks.push(label(percent(shares[digit]), left + full + 8, middle, { align: "left" }));
    }
    return marks;
  }).flat();
}

/** A share in percent; dots while it is not known. */
function percent(share) {
  return share === undefined ? "…" : `${Math.round(100 * share)} %`;
}

/** All outputs of a player with the probability of the right digit under each. */
function rowMarks(name, row, judged, labels, layout, shown) {
  const marks = [label(name, ...layout.name(row), { align: "left" })];
  judged.forEach(({ output, shares }, index) => {
    const box = layout.thumb(row, index);
    const [x, y, side] = box;
    marks.push(pictureMark(box, output));
    marks.push(rectangle(box, index === shown ? COLOURS.grid : "#777777", 3));
    marks.push(label(percent(shares?.[labels[index]]), x + side / 2, y + side + 12));
  });
  return marks;
}

/** How the picture lies in the first panel. */
export function pilotView({ images: [{ rows, columns }], pictureSide }) {
  return viewOf([rows, columns], [SIDE / 2, TOP + SIDE / 2], pictureSide, false);
}

/** The picture with the network's frame, if asked for, and yours over it. */
function steeredMarks(game, { thetas, index, compared }, view, box) {
  const image = game.images[index];
  const place = imageBox([image.rows, image.columns], view, false);
  const marks = [pictureMark(place, image), rectangle(place, COLOURS.input)];
  if (game.kind.dots) marks.push(samplingDots(thetas[index], game.size, false, view));
  if (compared) {
    const theirs = game.network[index];
    marks.push(...game.kind.marks(theirs, view, box, COLOURS.other, COLOURS.other));
    const corner = keepInside(box, placeIn(view, transform(theirs, [-1, -1])), 30);
    marks.push(label("network", ...corner, { colour: COLOURS.text, size: 12 }));
  }
  return [...marks, ...game.kind.marks(thetas[index], view, box, COLOURS.output)];
}

/** The probability of the right digit, summed over all; not a number while one is not known. */
function scoreOf(judged, labels) {
  return judged.reduce((sum, { shares }, index) => sum + shares?.[labels[index]], 0);
}

/** The score to beat, and yours; both thetas. What is hidden has its place, so nothing jumps. */
function pilotNotes(game, { thetas, index, compared }, yours, theirs) {
  const { labels, network, buttons } = game;
  const scored = (name, judged) => {
    const score = scoreOf(judged, labels);
    const words = Number.isNaN(score) ? "…" : score.toFixed(2);
    return `${name.padEnd(7)} ${words.padStart(5)} of ${labels.length}`;
  };
  const lines = [scored("yours", yours), scored("network", theirs)];
  const hidden = `hidden until you press\n${buttons[0]}`;
  return [
    { title: "score: certainty of the right digit, summed", text: lines.join("\n") },
    { title: "your theta", text: matrixText(thetas[index]) },
    { title: "the network's theta", text: compared ? matrixText(network[index]) : hidden },
  ];
}

/** Where you look, what the classifier says, and the score, in words. */
function pilotInWords({ labels, kind }, { thetas, index }, yours) {
  const { shares } = yours[index];
  const score = scoreOf(yours, labels);
  const says = shares
    ? `The classifier says ${best(shares)} with ` +
      `${Math.round(100 * Math.max(...shares))} percent certainty. `
    : "The classifier has not answered yet. ";
  const sum = Number.isNaN(score) ? "" : `Your score is ${score.toFixed(2)} of ${labels.length}.`;
  const which = `Digit ${index + 1} of ${labels.length}, ${aDigit(labels[index])}.`;
  return `${which} ${kind.words(thetas[index])} ${says}${sum}`.trim();
}

/** The scene of a game's state; judge: see above. */
export function pilotScene(game, state, judge, narrow = false) {
  const { labels, size, network, kind, invitation } = game;
  const { thetas, index, compared } = state;
  const [yours, theirs] = [thetas.map(judge), network.map(judge)];
  const layout = layoutOf(narrow, labels.length);
  const [first, second, third] = layout.panels;
  const right = labels[index];
  const title = ([x, y], width, words) => label(words, x + width / 2, y - TOP / 2);
  const marks = [
    title(first, SIDE, `${invitation}: this is ${aDigit(right)}`),
    title(second, SIDE, "what the classifier sees"),
    title(third, BARS, "its certainty (right digit framed)"),
    ...barMarks(third, yours[index].shares, right),
    ...rowMarks("yours", 0, yours, labels, layout, index),
    ...rowMarks("network", 1, compared ? theirs : [], labels, layout, index),
  ];
  const view = pilotView(game);
  const middle = [second[0] + SIDE / 2, second[1] + SIDE / 2];
  const seen = imageBox(size, viewOf(size, middle, SIDE, false), false);
  return {
    width: layout.width,
    height: layout.height,
    panels: [
      { box: [0, 0, layout.width, layout.height], marks },
      { box: first, marks: steeredMarks(game, state, view, first), ground: GROUND },
      { box: second, marks: [pictureMark(seen, yours[index].output)], ground: GROUND },
    ],
    handles: kind.handles(thetas[index], view, first),
    buttons: [
      { name: "Next digit" },
      { name: "Reset this digit" },
      { name: "compare", label: game.buttons[compared ? 1 : 0], pressed: compared },
    ],
    notes: pilotNotes(game, state, yours, theirs),
    text: pilotInWords(game, state, yours),
  };
}
