// The course's geometry in the browser: where each output pixel reads, and what it reads there.
//
// The same as grids, samplers and transforms, in the same words; the tests hold it against
// PyTorch. theta is [a, b, x, c, d, y], the rows of [[a, b, x], [c, d, y]], and maps output to
// input coordinates: normalised, x to the right, y down. A size is [H, W]. An image is
// { channels, rows, columns, values }, its values channel by channel, row by row.

export const IDENTITY = [1, 0, 0, 0, 1, 0];

/** The normalised coordinates of the pixel centres along one axis; a single one lies at 0. */
export function pixelCentres(n, alignCorners = false) {
  const divisor = alignCorners ? Math.max(n - 1, 1) : n;
  return Float64Array.from({ length: n }, (_, index) => (2 * index + 1 - n) / divisor);
}

/** Where theta takes a point: the paper's eq. 1. */
export function transform([a, b, x, c, d, y], [fromX, fromY]) {
  return [a * fromX + b * fromY + x, c * fromX + d * fromY + y];
}

/** Where in the input each output pixel reads, as F.affine_grid: x, y, x, y …, row by row. */
export function affineGrid([a, b, x, c, d, y], [height, width], alignCorners = false) {
  const [xs, ys] = [width, height].map((n) => pixelCentres(n, alignCorners));
  const grid = new Float64Array(2 * height * width);
  let at = 0;
  for (const fromY of ys) {
    for (const fromX of xs) {
      grid[at] = a * fromX + b * fromY + x;
      grid[at + 1] = c * fromX + d * fromY + y;
      at += 2;
    }
  }
  return grid;
}

/** The regular grid of the output: each pixel reads its own place. */
export function baseGrid(size, alignCorners = false) {
  return affineGrid(IDENTITY, size, alignCorners);
}

/** The normalised coordinate of the last pixel's outer edge, for n pixels. */
export function edges(n, alignCorners) {
  return alignCorners ? n / Math.max(n - 1, 1) : 1;
}

/** From normalised coordinates to pixels along one axis; 0 is the first pixel's centre. */
export function toPixels(x, n, alignCorners = false) {
  return alignCorners ? ((x + 1) / 2) * (n - 1) : ((x + 1) * n - 1) / 2;
}

/** The way back. A single pixel with alignCorners is everywhere: 0. */
export function toNormalised(x, n, alignCorners = false) {
  if (!alignCorners) return (2 * x + 1) / n - 1;
  return n > 1 ? (2 * x) / (n - 1) - 1 : 0;
}

/** The nearest place between the first and the last pixel's centre. */
export function clip(x, n) {
  return Math.min(Math.max(x, 0), n - 1);
}

/** A place between two mirrors: at the image's edges, or with alignCorners at the centres. */
export function reflect(x, n, alignCorners) {
  const [low, span] = alignCorners ? [0, n - 1] : [-0.5, n];
  if (span === 0) return 0;
  const distance = Math.abs(x - low);
  const rest = distance % span;
  return (Math.floor(distance / span) % 2 === 0 ? rest : span - rest) + low;
}

/** Where to read instead if x lies outside: the padding as a change of coordinates. */
export function pad(x, n, paddingMode, alignCorners) {
  if (paddingMode === "border") return clip(x, n);
  if (paddingMode === "reflection") return clip(reflect(x, n, alignCorners), n);
  return x;
}

/** The nearest whole number; exactly between two of them the even one, as in PyTorch. */
export function roundToEven(x) {
  const above = Math.round(x);
  return above - x === 0.5 && above % 2 !== 0 ? above - 1 : above;
}

/** Add a pixel's value, times its weight, to the output at a place; outside the image it is 0. */
function addPixel({ channels, rows, columns, values }, column, row, weight, output, at) {
  if (!(column >= 0 && column < columns && row >= 0 && row < rows)) return;
  const places = output.rows * output.columns;
  for (let c = 0; c < channels; c += 1) {
    output.values[at + c * places] += weight * values[(c * rows + row) * columns + column];
  }
}

const samplers = {
  /** The value of the nearest pixel: the paper's eq. 4. */
  nearest(image, x, y, output, at) {
    addPixel(image, roundToEven(x), roundToEven(y), 1, output, at);
  },

  /** The weighted mean of the four neighbours: eq. 5; at once where none of them lies outside. */
  bilinear(image, x, y, output, at) {
    const left = Math.floor(x);
    const top = Math.floor(y);
    const right = x - left; // how far towards the next pixel
    const lower = y - top;
    const p = (1 - right) * (1 - lower);
    const q = right * (1 - lower);
    const r = (1 - right) * lower;
    const s = right * lower;
    const { channels, rows, columns, values } = image;
    if (left >= 0 && left + 1 < columns && top >= 0 && top + 1 < rows) {
      const places = output.rows * output.columns;
      for (let c = 0; c < channels; c += 1) {
        const from = (c * rows + top) * columns + left;
        const upper = p * values[from] + q * values[from + 1];
        const below = from + columns;
        output.values[at + c * places] = upper + r * values[below] + s * values[below + 1];
      }
      return;
    }
    addPixel(image, left, top, p, output, at);
    addPixel(image, left + 1, top, q, output, at);
    addPixel(image, left, top + 1, r, output, at);
    addPixel(image, left + 1, top + 1, s, output, at);
  },
};

/** Read the image at the places of a grid of a size, as F.grid_sample. */
export function gridSample(image, grid, [rows, columns], mode, paddingMode, alignCorners) {
  const values = new Float64Array(image.channels * rows * columns);
  const output = { channels: image.channels, rows, columns, values };
  for (let at = 0; at < rows * columns; at += 1) {
    const x = toPixels(grid[2 * at], image.columns, alignCorners);
    const y = toPixels(grid[2 * at + 1], image.rows, alignCorners);
    const column = pad(x, image.columns, paddingMode, alignCorners);
    samplers[mode](image, column, pad(y, image.rows, paddingMode, alignCorners), output, at);
  }
  return output;
}

/** Grid and sampling in one call. */
export function warp(image, theta, size, { mode, paddingMode, alignCorners }) {
  const grid = affineGrid(theta, size, alignCorners);
  return gridSample(image, grid, size, mode, paddingMode, alignCorners);
}

/** Theta from named parts: translation · rotation · shear · scale; the rotation in degrees. */
export function fromPose({ rotation, scale_x, scale_y, shear, x, y }) {
  const [cos, sin] = [Math.cos, Math.sin].map((of) => of((rotation * Math.PI) / 180));
  const [b, d] = [scale_y * (shear * cos - sin), scale_y * (shear * sin + cos)];
  return [scale_x * cos, b, x, scale_x * sin, d, y];
}

/** Theta read back into named parts; not finite where there is no rotation to read. */
export function toPose([a, b, x, c, d, y]) {
  const scale_x = Math.hypot(a, c); // the length of the x column
  const scale_y = (a * d - b * c) / scale_x; // what the y column adds across it
  const shear = (a * b + c * d) / (scale_x * scale_y);
  return { rotation: (Math.atan2(c, a) * 180) / Math.PI, scale_x, scale_y, shear, x, y };
}

/** The one of a mirrored theta's two poses that turns by 90° at most: a mirror has scale x -1. */
export function readPose(theta) {
  const pose = toPose(theta);
  const { rotation, scale_x, scale_y } = pose;
  if (scale_y > 0 || !(Math.abs(rotation) > 90)) return pose;
  const turned = rotation - Math.sign(rotation) * 180;
  return { ...pose, rotation: turned, scale_x: -scale_x, scale_y: -scale_y };
}

/**
 * The theta that undoes theta, so how the picture moves; null where theta squeezes the plane into
 * a line, or almost: its columns' parallelogram has not a millionth of their rectangle's area.
 */
export function inverse([a, b, x, c, d, y]) {
  const area = a * d - b * c;
  const [across, down] = [Math.hypot(a, c), Math.hypot(b, d)];
  if (Math.min(across, down) < 1e-6 || !(Math.abs(area) >= 1e-6 * across * down)) return null;
  const [p, q, r, s] = [d / area, -b / area, -c / area, a / area];
  return [p, q, -(p * x + q * y), r, s, -(r * x + s * y)];
}

/** First one theta, then the other, as one: compose(first, second) of transforms. */
export function compose([a, b, x, c, d, y], [e, f, u, g, h, v]) {
  const top = [a * e + b * g, a * f + b * h, a * u + b * v + x];
  return [...top, c * e + d * g, c * f + d * h, c * u + d * v + y];
}

/** From normalised coordinates to an image's pixels; null for a single one with alignCorners. */
function normalisedToPixels([height, width], alignCorners) {
  if (alignCorners && Math.min(height, width) < 2) return null;
  const [x, y] = [width, height].map((n) => (alignCorners ? n - 1 : n) / 2);
  return [x, 0, (width - 1) / 2, 0, y, (height - 1) / 2];
}

/** Theta as OpenCV's warpAffine takes it with WARP_INVERSE_MAP: in pixels, output to input. */
export function pixelMatrix(theta, inputSize, outputSize, alignCorners) {
  const source = normalisedToPixels(inputSize, alignCorners);
  const target = normalisedToPixels(outputSize, alignCorners);
  return source && target && compose(compose(source, theta), inverse(target));
}
