// What labs share that show an input and the output beside it: where the two lie, their titles, and
// how PyTorch's output agrees.

import { label } from "./canvas.js";
import { toPixels } from "./geometry.js";

export const TOP = 26; // canvas pixels above a picture, for its title
const GAP = 16; // between the pictures
const NARROW = 450; // CSS pixels: a page less wide has one picture under the other

/** The boxes of two square panels: beside each other, or on a narrow page one under the other. */
export function twoBoxes(side, width) {
  const second = width < NARROW ? [0, 2 * TOP + side] : [side + GAP, TOP];
  return [[0, TOP, side, side], [...second, side, side]]; // prettier-ignore
}

/** The panel above a box, with words in it. */
export function titlePanel([x, y, width], words) {
  return { box: [x, y - TOP, width, TOP], marks: [label(words, x + width / 2, y - TOP / 2)] };
}

/** A function of an output pixel: whether it reads exactly between two, as float32 can tell. */
export function readsBetween(grid, { rows, columns }, alignCorners) {
  return (at) =>
    [columns, rows].some((n, axis) => {
      const place = Math.abs(toPixels(grid[2 * at + axis], n, alignCorners));
      return Math.abs((place % 1) - 0.5) < 1e-3;
    });
}

/** The largest difference of two outputs in words; "nearest" may take the other of two pixels. */
export function outputAgreement(ours, theirs, between) {
  const places = ours.rows * ours.columns;
  let largest = 0;
  const others = new Set();
  theirs.values.forEach((value, at) => {
    const difference = Math.abs(value - ours.values[at]);
    if (difference > 1e-3 && between(at % places)) others.add(at % places);
    else largest = Math.max(largest, difference);
  });
  const but = others.size ? ` but for ${others.size} pixels read exactly between two` : "";
  const words = largest < 1 / 255 ? `agrees${but}` : "differs";
  return `${words}: ${(255 * largest).toFixed(3)} of 255`;
}
