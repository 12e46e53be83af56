// What labs share in which a hand steers a theta: the frame that it lays over a picture, with
// handles; its dots; the sliders of its pose and of its six numbers, which always agree; its words.

import { COLOURS, keepInside, label, line } from "./canvas.js";
import { edges, fromPose, inverse, pixelCentres, readPose, transform } from "./geometry.js";
import { Lab } from "./lab.js";

export const REACH = 2; // a frame lies in a panel of this many times the image's size, or more
export const KEY_STEP = 0.02; // normalised: how far an arrow key moves a handle
const MOST_DOTS = 32; // on each axis, or they would hide the picture
const APART = 22; // canvas pixels: so near no handle lies to another
const POSE = ["rotation", "scale_x", "scale_y", "shear", "x", "y"];
const NUMBERS = ["theta00", "theta01", "theta02", "theta10", "theta11", "theta12"];
const COLUMNS = { x: 0, y: 1, centre: 2 }; // of theta: what each handle of the frame moves

/** How normalised coordinates lie on the canvas where an image has a longer side of `side`. */
export function viewOf([height, width], centre, side, alignCorners) {
  const pixel = side / Math.max(height, width);
  const unit = [width, height].map((n) => (pixel * n) / 2 / edges(n, alignCorners));
  return { centre, unit };
}

/** Where a normalised point lies on the canvas. */
export function placeIn({ centre, unit }, [x, y]) {
  return [centre[0] + unit[0] * x, centre[1] + unit[1] * y];
}

/** Where an image of a size lies: [x, y, width, height]. */
export function imageBox([height, width], view, alignCorners) {
  const half = [width, height].map((n, axis) => edges(n, alignCorners) * view.unit[axis]);
  return [view.centre[0] - half[0], view.centre[1] - half[1], 2 * half[0], 2 * half[1]];
}

/** A dot for each output pixel, or each n-th of an axis where they would hide the picture. */
export function samplingDots(theta, size, alignCorners, view) {
  const strides = size.map((n) => Math.ceil(n / MOST_DOTS));
  const [ys, xs] = size.map((n, axis) =>
    pixelCentres(n, alignCorners).filter((_, index) => index % strides[axis] === 0),
  );
  const places = new Float32Array(2 * xs.length * ys.length);
  let at = 0;
  for (const y of ys) {
    for (const x of xs) {
      places.set(placeIn(view, transform(theta, [x, y])), at);
      at += 2;
    }
  }
  // The nearest dots must not touch, or they would hide the picture under them.
  const gaps = [1, 0].map(
    (side, axis) => (2 * strides[side] * lengthOf(theta, axis, view)) / size[side],
  );
  const radius = Math.max(0.4, Math.min(1.2, Math.min(...gaps) / 5));
  return { kind: "dots", places, radius, colour: COLOURS.grid };
}

/** How long the x or y arrow of a frame is on the canvas. */
function lengthOf(frame, axis, { unit }) {
  return Math.hypot(frame[axis] * unit[0], frame[axis + 3] * unit[1]);
}

/** The square from -1 to 1 as a frame lays it. */
export function outline(frame, view, colour) {
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]]; // prettier-ignore
  const places = corners.map((corner) => placeIn(view, transform(frame, corner)));
  return { ...line(places, colour), closed: true };
}

/** The outline of a frame, and its x and y arrow with their names; arrows: one colour for both. */
export function frameMarks(frame, view, box, colour, arrows = null) {
  const tail = placeIn(view, [frame[2], frame[5]]);
  const marks = [outline(frame, view, colour)];
  for (const [axis, name] of ["x", "y"].entries()) {
    const tip = placeIn(view, [frame[2] + frame[axis], frame[5] + frame[axis + 3]]);
    const [dx, dy] = [tip[0] - tail[0], tip[1] - tail[1]];
    const length = Math.max(Math.hypot(dx, dy), 1e-9);
    const beyond = [tip[0] + (22 * dx) / length, tip[1] + (22 * dy) / length];
    const look = arrows ?? COLOURS[name];
    marks.push(line([tail, tip], look));
    marks.push(label(name, ...nameInside(box, beyond, tip), { colour: look, size: 15 }));
  }
  return marks;
}

/** A name's place beyond its arrow's tip; where the panel ends, beside the tip. */
function nameInside(box, beyond, tip) {
  const [x, y] = keepInside(box, beyond, 10);
  if (x === beyond[0] && y === beyond[1]) return [x, y];
  const middle = [box[0] + box[2] / 2, box[1] + box[3] / 2];
  const aside = Math.abs(x - tip[0]) < 16 && Math.abs(y - tip[1]) < 16 ? 20 : 0;
  return x === beyond[0]
    ? [x + (x < middle[0] ? aside : -aside), y]
    : [x, y + (y < middle[1] ? aside : -aside)];
}

/**
 * Handles of a frame: its centre and the tips of its arrows, inside the panel's box and apart from
 * each other; the tip of an arrow without length lies where the arrow would point.
 */
export function frameHandles(frame, view, box, step, what, hollow = false) {
  const tips = {
    centre: [frame[2], frame[5]],
    x: [frame[2] + frame[0], frame[5] + frame[3]],
    y: [frame[2] + frame[1], frame[5] + frame[4]],
  };
  const taken = [];
  return Object.entries(tips).map(([name, point]) => {
    const place = keepInside(box, placeIn(view, point));
    const aside = { centre: [0, 0], x: [APART, 0], y: [0, APART] }[name];
    while (name !== "centre" && taken.some((other) => distance(other, place) < APART - 2)) {
      place[0] += place[0] + aside[0] > box[0] + box[2] - 8 ? -2 * aside[0] : aside[0];
      place[1] += place[1] + aside[1] > box[1] + box[3] - 8 ? -2 * aside[1] : aside[1];
    }
    taken.push(place);
    const part = name === "centre" ? "centre" : `tip of the ${name} arrow`;
    const [x, y] = point.map(short);
    const words = `${part} of the ${what}, x ${x}, y ${y}; arrow keys move it`;
    const colour = name === "centre" ? COLOURS.grid : COLOURS[name];
    return handleAt(name, place, words, colour, step * Math.min(...view.unit), hollow);
  });
}

export function handleAt(name, [x, y], words, colour, step, hollow = false) {
  return { name, x, y, label: words, colour, step, hollow };
}

function distance([a, b], [c, d]) {
  return Math.hypot(a - c, b - d);
}

/** The coordinates of the corners -1, -1 and 1, 1, inside them. */
export function cornerLabels(view) {
  const [first, last] = [placeIn(view, [-1, -1]), placeIn(view, [1, 1])];
  const look = { colour: COLOURS.text, size: 11 };
  return [
    label("(-1, -1)", first[0] - 4, first[1] - 10, { ...look, align: "left" }),
    label("(1, 1)", last[0] + 4, last[1] + 10, { ...look, align: "right" }),
  ];
}

/** A number to two decimals, without zeros at its end. */
export function short(number) {
  return String(Number(number.toFixed(2)) + 0);
}

/** Numbers in rows of a length, each as a text. */
function inRows(numbers, length, cell) {
  const texts = numbers.map(cell);
  return texts.flatMap((_, at) => (at % length ? [] : [texts.slice(at, at + length)]));
}

/** The rows of a matrix with three columns, each number as wide as any. */
export function matrixText(theta) {
  const cell = (number) => {
    const rounded = Number(number.toFixed(3)) + 0; // no -0
    return `${rounded < 0 ? "-" : "+"}${Math.abs(rounded).toFixed(3)}`.padStart(7);
  };
  return inRows(theta, 3, cell)
    .map((row) => row.join(" "))
    .join("\n");
}

/** The rows of numbers as Python that makes the array, in columns. */
export function numpyText(matrix, columns = 3) {
  const cell = (n) => String(Number(Number(n.toFixed(6)).toPrecision(7)) + 0).padStart(9);
  const rows = inRows(matrix, columns, cell).map((row) => `[${row.join(", ")}]`);
  return `numpy.float32([\n ${rows.join(",\n ")}])`;
}

/** The state of a frame as a sentence, for those who do not see the picture. */
export function inWords(what, frame) {
  if (inverse(frame) === null) {
    return `${what} is squeezed into a line: this theta has no pose and no inverse.`;
  }
  const [rotation, scaleX, scaleY, shear, x, y] = POSE.map((name) => short(readPose(frame)[name]));
  return (
    `${what} is rotated ${rotation} degrees, scaled by ${scaleX} in x and ${scaleY} in y, ` +
    `sheared by ${shear}, and moved by ${x} in x and ${y} in y.`
  );
}

/** A lab with one theta, `state.theta`, that its sliders and the handles of a frame move. */
export class SteeringLab extends Lab {
  /** What the sliders of theta's parts are called, and the way from them to theta and back. */
  partNames = POSE;

  fromParts(parts) {
    return fromPose(parts);
  }

  /** null where theta has no pose. */
  toParts(theta) {
    return inverse(theta) && readPose(theta);
  }

  get theta() {
    return this.state.theta;
  }

  /** A hand has changed theta, by its parts or by its numbers. */
  steer(theta, parts = null) {
    this.change({ theta, parts });
  }

  /** As a hand has put the parts, where they make this theta: 180° and -180° are the same turn. */
  get parts() {
    const { parts } = this.state;
    const said =
      parts && this.fromParts(parts).map((number, i) => Math.abs(number - this.theta[i]));
    return said && Math.max(...said) < 1e-9 ? parts : this.toParts(this.theta);
  }

  hear(name, value) {
    if (this.partNames.includes(name)) {
      const turns = name === "rotation" && Math.abs(value) > 180 ? Math.round(value / 360) : 0;
      const parts = { ...this.parts, [name]: value - 360 * turns };
      this.steer(this.fromParts(parts), parts);
    } else if (NUMBERS.includes(name)) {
      this.steer(this.theta.map((number, i) => (NUMBERS[i] === name ? value : number)));
    }
  }

  /** The sliders agree with theta; those of a pose rest where it has none. */
  settle() {
    const { parts } = this;
    NUMBERS.forEach((name, i) => name in this.controls && this.show(name, this.theta[i]));
    this.partNames.forEach((name) => {
      const value = parts && parts[name];
      const whole =
        name === "rotation" && value !== null && Number.isInteger(Number(value.toFixed(1)));
      this.show(name, value, name === "rotation" ? (whole ? 0 : 1) : 2);
    });
  }

  restoreRanges() {
    [...NUMBERS, ...this.partNames].forEach((name) => this.controls[name]?.restoreRange());
  }

  /** The view that the handles lie in, and whether their frame is theta's inverse. */
  grip() {
    throw new Error("a steering lab says where its handles lie");
  }

  /**
   * A handle of the frame moves its column. Where the moved picture is squeezed into a line, theta
   * waits, and the hand goes on.
   */
  drag({ theta }, handle, dx, dy) {
    const { view, ofInverse } = this.grip();
    const frame = [...(ofInverse ? inverse(theta) : theta)];
    frame[COLUMNS[handle]] += dx / view.unit[0];
    frame[COLUMNS[handle] + 3] += dy / view.unit[1];
    const moved = ofInverse ? inverse(frame) : frame;
    return moved ? { theta: moved, parts: null } : {};
  }
}
