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
export function throughCorners([a, b, c, d]) {
  const others = [[b, d, c], [a, d, c], [a, b, d], [a, b, c]]; // prettier-ignore
  const areas = others.map((triangle) => doubleArea(...triangle));
  const sum = (numbers) => numbers.reduce((total, number) => total + number);
  const scale = sum(areas.map(Math.abs)) * (sum(areas) < 0 ? -1 : 1) || 1; // 1 where all is 0
  const lifted = [a, b, c, d].map(([x, y], i) => [x, y, 1].map((n) => (n * areas[i]) / scale));
  return [0, 1, 2].flatMap((axis) => {
    const [p, q, r, s] = lifted.map((corner) => corner[axis]);
    return [q + s - p - r, r + s - p - q, p + q + r + s];
  });
}

/** Where a homography takes places: (u / w, v / w), and OUTSIDE where w is not positive. */
export function projected([a, b, x, c, d, y, g, h, i], places) {
  const found = new Float64Array(places.length).fill(OUTSIDE);
  const rounding = Number.EPSILON * (Math.abs(g) + Math.abs(h) + Math.abs(i));
  for (let at = 0; at < places.length; at += 2) {
    const [fromX, fromY] = [places[at], places[at + 1]];
    const w = g * fromX + h * fromY + i;
    if (!(w > rounding)) continue; // on the horizon, or behind it
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

/** Where a theta of any family takes places; how many numbers it has tells which, as grid_of. */
export function taken(theta, places) {
  if (theta.length === 6) return projected([...theta, 0, 0, 1], places);
  if (theta.length === 9) return projected(theta, places);
  const points = Array.from({ length: theta.length / 2 }, (_, i) => theta.slice(2 * i, 2 * i + 2));
  return splined(points, places);
}

/** Which pixels of a grid read beyond the horizon: 1, others 0. */
export function beyondHorizon(grid) {
  const beyond = new Uint8Array(grid.length / 2);
  beyond.forEach((_, at) => {
    beyond[at] = grid[2 * at] === OUTSIDE && grid[2 * at + 1] === OUTSIDE;
  });
  return beyond;
}

/**
 * How large an area of the input each output pixel reads, both normalised; negative where it is
 * mirrored. From the neighbours on both sides; at the border, from the pixel and the one neighbour.
 */
export function jacobianDeterminant(grid, [height, width], alignCorners = false) {
  const areas = new Float64Array(height * width);
  const [across, down] = [width, height].map((n) => 2 / (alignCorners ? n - 1 : n));
  for (let row = 0, at = 0; row < height; row += 1) {
    const [above, below] = [Number(row > 0), Number(row < height - 1)];
    for (let column = 0; column < width; column += 1, at += 1) {
      const [before, behind] = [Number(column > 0), Number(column < width - 1)];
      const [left, right] = [2 * (at - before), 2 * (at + behind)];
      const [top, bottom] = [2 * (at - above * width), 2 * (at + below * width)];
      const area =
        (grid[right] - grid[left]) * (grid[bottom + 1] - grid[top + 1]) -
        (grid[right + 1] - grid[left + 1]) * (grid[bottom] - grid[top]);
      areas[at] = area / ((before + behind) * across * (above + below) * down);
    }
  }
  return areas;
}

/** Which pixels of a grid are folded: no area is positive, and no neighbour reads beyond. */
export function foldedPixels(grid, [height, width]) {
  const beyond = beyondHorizon(grid);
  const any = beyond.includes(1);
  const around = (at, n) => [-1, 0, 1].filter((step) => at + step >= 0 && at + step < n);
  const near = (row, column) =>
    around(row, height).some((down) =>
      around(column, width).some((right) => beyond[(row + down) * width + column + right]),
    );
  const folded = new Uint8Array(beyond.length);
  jacobianDeterminant(grid, [height, width]).forEach((area, at) => {
    folded[at] = area <= 0 && !(any && near(Math.floor(at / width), at % width));
  });
  return folded;
}
