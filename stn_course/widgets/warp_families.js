// WarpLab's families: what each makes of the points that are dragged, and the way to another.

import { short } from "./steering.js";
import {
  OUTSIDE,
  controlLattice,
  fromThreeCorners,
  projected,
  splined,
  throughCorners,
} from "./warps.js";

const CORNERS = ["top left", "top right", "bottom left", "bottom right"];
const SAME = 1e-6; // normalised: two places less far apart are one

/** lattice: where the points lie in the output. toTheta: null where the points are all there is. */
export const FAMILIES = {
  affine: {
    button: "Affine: 3 corners",
    name: "affine",
    keeps: "6 numbers:\nparallels stay parallel",
    lattice: controlLattice(2).slice(0, 3),
    toTheta: fromThreeCorners,
  },
  projective: {
    button: "Projective: 4 corners",
    name: "projective",
    keeps: "8 numbers:\nstraight lines stay straight",
    lattice: controlLattice(2),
    toTheta: throughCorners,
  },
  tps: {
    button: "Thin plate spline: 4×4 points",
    name: "a thin plate spline",
    keeps: "32 numbers:\nit bends as little as it can",
    lattice: controlLattice(4),
    toTheta: null,
  },
};

/** A family's warp through its points: from places of the output to places in the input. */
export function warpThrough({ family, points }) {
  const { toTheta } = FAMILIES[family];
  const theta = toTheta && toTheta(points);
  return (places) => (theta ? projected(theta, places) : splined(points, places));
}

/** A place between four corners, as they lie; for what a homography puts behind the horizon. */
function between([a, b, c, d], [x, y]) {
  const [right, below] = [(1 + x) / 2, (1 + y) / 2];
  return [0, 1].map(
    (axis) =>
      (1 - below) * ((1 - right) * a[axis] + right * b[axis]) +
      below * ((1 - right) * c[axis] + right * d[axis]),
  );
}

/** The points of another family that read the same, as far as it can. */
export function pointsFor(target, state) {
  const { lattice } = FAMILIES[target];
  const found = warpThrough(state)(Float64Array.from(lattice.flat()));
  return lattice.map((place, i) => {
    const [x, y] = [found[2 * i], found[2 * i + 1]];
    const behind = state.family === "projective" && x === OUTSIDE && y === OUTSIDE;
    return behind ? between(state.points, place) : [x, y];
  });
}

/** What a point of a family of so many is called. */
export function pointName(index, count) {
  if (count <= CORNERS.length) return `${CORNERS[index]} corner`;
  const n = Math.sqrt(count);
  return `point ${(index % n) + 1} of row ${Math.floor(index / n) + 1}`;
}

/** Where the corners read; of more points, how many are moved, and the one that is furthest. */
export function pointsInWords({ family, points }) {
  const { name, lattice } = FAMILIES[family];
  const read = points.map(([x, y], i) => {
    return `${pointName(i, points.length)} at x ${short(x)}, y ${short(y)}`;
  });
  if (points.length <= CORNERS.length) {
    return `The grid is ${name}. It reads the ${read.join("; the ")}.`;
  }
  const far = points.map(([x, y], i) => Math.hypot(x - lattice[i][0], y - lattice[i][1]));
  const moved = far.filter((distance) => distance > SAME).length;
  const first = far.findIndex((distance) => distance > Math.max(...far) - SAME);
  const furthest = moved ? `, the furthest ${read[first]}` : "";
  return `The grid is ${name}. Points moved: ${moved} of ${points.length}${furthest}.`;
}
