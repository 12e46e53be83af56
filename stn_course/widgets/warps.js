// Warps from points that a hand drags: affine, projective, thin plate spline; and where they fold.
//
// The same as grids.py and transforms have them, in the same words; the tests hold it against them.
// Points are [x, y] pairs, normalised: where in the input the points of a regular lattice of the
// output read, row by row from the top left. A homography has nine numbers, the rows of (3, 3).
// Places and grids are x, y, x, y …; a warp takes places of the output to places in the input.

import { baseGrid } from "./geometry.js";

export const OUTSIDE = 10; // where a place behind the horizon reads, far from any image

/** n × n points spread evenly over the output, its edges included. */
export function controlLattice(n) {
  const flat = baseGrid([n, n], true);
  return Array.from({ length: n * n }, (_, at) => [flat[2 * at], flat[2 * at + 1]]);
}

/** The affine map to where the top left, the top right and the bottom left corner read. */
export function fromThreeCorners([first, right, below]) {
  return [0, 1].flatMap((axis) => [
    (right[axis] - first[axis]) / 2,
    (below[axis] - first[axis]) / 2,
    (right[axis] + below[axis]) / 2,
  ]).concat(0, 0, 1); // prettier-ignore
}

/** Twice the area of a triangle, negative where it runs anticlockwise. */
function doubleArea([a, b], [c, d], [e, f]) {
  return (c - a) * (f - b) - (e - a) * (d - b);
}

/**
 * The homography to where the four corners read. A corner's w, its third coordinate, is the area
 * of the triangle of the other three; behind the horizon it has another sign than most. On average
 * |w| is 1, so theta[2, 2], the w of the middle, is 1 where all corners lie before the horizon.
 */
export function fromCorners([a, b, c, d]) {
  const areas = [doubleArea(b, d, c), doubleArea(a, d, c), doubleArea(a, b, d), doubleArea(a, b, c)];
  const sum = areas.reduce((total, area) => total + area);
  const scale = areas.reduce((total, area) => total + Math.abs(area), 0) * (sum < 0 ? -1 : 1) || 1;
  const lifted = [a, b, c, d].map(([x, y], i) => [x, y, 1].map((n) => (n * areas[i]) / scale));
  return [0, 1, 2].flatMap((axis) => {
    const [p, q, r, s] = lifted.map((corner) => corner[axis]);
    return [q + s - p - r, r + s - p - q, p + q + r + s];
  });
}

/** Where a homography takes places: (u / w, v / w), and OUTSIDE where w is not positive. */
export function projected([a, b, x, c, d, y, g, h, i], places) {
  const found = new Float64Array(places.length).fill(OUTSIDE);
  for (let at = 0; at < places.length; at += 2) {
    const [fromX, fromY] = [places[at], places[at + 1]];
    const w = g * fromX + h * fromY + i;
    if (!(w > Number.EPSILON)) continue; // on the horizon, or behind it
    found[at] = (a * fromX + b * fromY + x) / w;
    found[at + 1] = (c * fromX + d * fromY + y) / w;
  }
  return found;
}

/** What a spline is a sum of, at a place: U(r) = r² log r of each distance, then 1, x, y. */
function splineBasis(x, y, lattice) {
  const bends = lattice.map(([toX, toY]) => {
    const square = (x - toX) ** 2 + (y - toY) ** 2;
    return square > 0 ? (square * Math.log(square)) / 2 : 0;
  });
  return [...bends, 1, x, y];
}

/** The inverse of a square matrix, rows of numbers: Gauss and Jordan, the largest pivot first. */
function inverted(matrix) {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => Number(i === j))]);
  for (let i = 0; i < size; i += 1) {
    const heights = rows.map((row, j) => (j < i ? -1 : Math.abs(row[i])));
    const highest = heights.indexOf(Math.max(...heights));
    [rows[i], rows[highest]] = [rows[highest], rows[i]];
    rows[i] = rows[i].map((number) => number / rows[i][i]);
    rows.forEach((row, j) => {
      if (j !== i) rows[j] = row.map((number, k) => number - row[i] * rows[i][k]);
    });
  }
  return rows.map((row) => row.slice(size));
}

const solvedSplines = new Map(); // by n

/** The weights (n² + 3 rows of n²) of the spline over an n × n lattice: solved once. */
export function splineWeights(n) {
  if (solvedSplines.has(n)) return solvedSplines.get(n);
  const lattice = controlLattice(n);
  const basis = lattice.map(([x, y]) => splineBasis(x, y, lattice));
  const border = [0, 1, 2].map((i) => [...basis.map((row) => row[n * n + i]), 0, 0, 0]);
  const weights = inverted([...basis, ...border]).map((row) => row.slice(0, n * n));
  solvedSplines.set(n, weights);
  return weights;
}

const sharesOfPoints = new WeakMap(); // by places

/** How much each place moves with each of n² points: place by place, found once for places. */
function pointShares(n, places) {
  const found = sharesOfPoints.get(places);
  if (found?.n === n) return found.shares;
  const [lattice, weights] = [controlLattice(n), splineWeights(n)];
  const shares = new Float64Array((places.length / 2) * n * n);
  for (let at = 0, to = 0; at < places.length; at += 2, to += n * n) {
    splineBasis(places[at], places[at + 1], lattice).forEach((part, k) => {
      for (let i = 0; i < n * n; i += 1) shares[to + i] += part * weights[k][i];
    });
  }
  sharesOfPoints.set(places, { n, shares });
  return shares;
}

/** Where the thin plate spline through n² points takes places. */
export function splined(points, places) {
  const [count, flat] = [points.length, points.flat()];
  const shares = pointShares(Math.sqrt(count), places);
  const found = new Float64Array(places.length);
  for (let at = 0, from = 0; at < places.length; at += 2, from += count) {
    for (let i = 0; i < count; i += 1) {
      found[at] += shares[from + i] * flat[2 * i];
      found[at + 1] += shares[from + i] * flat[2 * i + 1];
    }
  }
  return found;
}

/** Which pixels of a grid read beyond the horizon. */
export function beyondHorizon(grid) {
  return Uint8Array.from({ length: grid.length / 2 }, (_, at) =>
    Number(grid[2 * at] === OUTSIDE && grid[2 * at + 1] === OUTSIDE),
  );
}

/** How a grid's x and y change from pixel to pixel along an axis, where `step` pixels lie apart. */
function slopes(grid, at, index, n, step) {
  const [back, on] = [index > 0 ? step : 0, index < n - 1 ? step : 0];
  const wide = (back + on) / step; // one pixel's width at the border, two inside
  return [0, 1].map((axis) => (grid[2 * (at + on) + axis] - grid[2 * (at - back) + axis]) / wide);
}

/** The area of the input that each output pixel reads, in areas of its own; negative: mirrored. */
export function jacobianDeterminant(grid, [height, width], alignCorners = false) {
  const [across, down] = [width, height].map((n) => (alignCorners ? n - 1 : n) / 2);
  return Float64Array.from({ length: height * width }, (_, at) => {
    const [alongX, alongY] = [
      slopes(grid, at, at % width, width, 1),
      slopes(grid, at, Math.floor(at / width), height, width),
    ];
    return (alongX[0] * alongY[1] - alongX[1] * alongY[0]) * across * down;
  });
}

/** Which pixels of a grid are folded: no area is positive; not where a neighbour reads beyond. */
export function foldedPixels(grid, [height, width]) {
  const beyond = beyondHorizon(grid);
  const near = (at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    for (let i = Math.max(row - 1, 0); i <= Math.min(row + 1, height - 1); i += 1) {
      for (let j = Math.max(column - 1, 0); j <= Math.min(column + 1, width - 1); j += 1) {
        if (beyond[i * width + j]) return true;
      }
    }
    return false;
  };
  return Uint8Array.from(jacobianDeterminant(grid, [height, width]), (area, at) =>
    Number(area <= 0 && !near(at)),
  );
}
