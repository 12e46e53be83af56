// Reading without aliasing, as samplers.warp with antialias: where the grid's points lie more than
// a pixel apart, from smaller copies of the image.

import { baseGrid, gridSample, warp } from "./geometry.js";
import { taken } from "./warps.js";

/** Where along an axis of n pixels each pixel of half as many lies: from which one to which one. */
function halves(n) {
  const half = Math.ceil(n / 2);
  return Array.from({ length: half }, (_, i) => [
    Math.floor((i * n) / half),
    Math.ceil(((i + 1) * n) / half),
  ]);
}

/** Half as many rows and columns, each pixel the mean of those that it covers. */
function halved(image) {
  const [down, across] = [halves(image.rows), halves(image.columns)];
  const values = [];
  for (let channel = 0; channel < image.channels; channel += 1) {
    for (const [top, bottom] of down) {
      for (const [left, right] of across) {
        let sum = 0;
        for (let row = top; row < bottom; row += 1) {
          const start = (channel * image.rows + row) * image.columns;
          for (let column = left; column < right; column += 1) sum += image.values[start + column];
        }
        values.push(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { channels: image.channels, rows: down.length, columns: across.length, values };
}

/** The image, then copies of it, each half the size of the one before, the last about `size`. */
export function pyramid(image, [height, width]) {
  const ratio = Math.max(image.rows / height, image.columns / width);
  const levels = [image];
  const count = Math.max(1, Math.ceil(Math.log2(ratio)));
  while (levels.length <= count) levels.push(halved(levels.at(-1)));
  return levels;
}

/** On which level of a pyramid the grid's points lie a pixel apart; 0 is the image itself. */
function pyramidLevel([a, b, , c, d], { rows, columns }, [height, width]) {
  const area = (Math.abs(a * d - b * c) * rows * columns) / (height * width);
  return Math.log2(Math.max(area, 1)) / 2;
}

/** Read a pyramid through theta: the two levels next to the right one, mixed linearly. */
export function warpSmoothly(levels, theta, size, paddingMode) {
  const level = Math.min(pyramidLevel(theta, levels[0], size), levels.length - 1);
  const [lower, share] = [Math.floor(level), level % 1];
  const options = { mode: "bilinear", paddingMode, alignCorners: false };
  const near = warp(levels[lower], theta, size, options);
  if (share === 0) return near;
  const far = warp(levels[lower + 1], theta, size, options);
  const values = near.values.map((value, at) => (1 - share) * value + share * far.values[at]);
  return { ...near, values };
}

/**
 * How images are read at a size: a function of theta, of any family, and index. Smaller copies are
 * made once; they are read by affine thetas.
 */
export function readerOf({ images, size, paddingMode, antialias }) {
  const levels = antialias && size ? images.map((image) => pyramid(image, size)) : [];
  const places = size && baseGrid(size);
  return (theta, index) =>
    antialias
      ? warpSmoothly(levels[index], theta, size, paddingMode)
      : gridSample(images[index], taken(theta, places), size, "bilinear", paddingMode, false);
}
