// What every lab is painted with: panels of marks, titles, handles, buttons, notes. Nothing here
// computes what a lab shows, and nothing runs while nothing changes.
//
// A scene is { width, height, panels, handles, buttons, notes, text }: places are in canvas pixels,
// x to the right, y down. What is left out is empty. Its parts:
//
//   panel   { box, marks, ground }: [x, y, width, height]; marks are cut off at its edge; without a
//           ground it is the page's own
//   image   { box, picture }: a picture, or RGBA { rows, columns, pixels }; each pixel a rectangle,
//           unless there are more of them than the box has
//   dots    { places, radius, colour }: a Float32Array x, y, x, y …; squares of half side `radius`
//   path    { places, colour, width, closed, fill, dash }: see `line` and `rectangle`
//   label   { text, x, y, colour, size, align }: see `label`
//   handle  { name, x, y, label, colour, step, hollow }: step in canvas pixels, for an arrow key
//   button  { name, label, pressed }
//   note    { title, text, copy }: copy for a button that copies the text

import { toNumbers } from "./numbers.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const READABLE = 11; // CSS pixels: no text is painted smaller
/** One thing has one colour in every lab and figure: COLOURS of plotting/drawing.py. */
export const COLOURS = {
  input: "#0072B2",
  grid: "#E69F00",
  x: "#D55E00",
  y: "#009E73",
  output: "#CC79A7",
  text: "#222222",
  other: "#56B4E9",
};
export const GROUND = "#8A8A8A"; // outside the image: neither black nor white, so both are seen

/** Change a text only where it differs: the page is laid out anew for each change. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function makeElement(tag, className, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
}

/** RGBA bytes as a small canvas, to be enlarged without smoothing. */
export function toPicture({ columns, rows, pixels }) {
  const bytes = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const picture = new OffscreenCanvas(columns, rows);
  picture.getContext("2d").putImageData(new ImageData(bytes, columns, rows), 0, 0);
  return picture;
}

/** An image of Python's `to_browser` as geometry.js takes it: its bytes are float32. */
export function toImage({ channels, rows, columns, values }) {
  return { channels, rows, columns, values: toNumbers(values) };
}

/** An image of geometry.js, from 0 to 1, as RGBA bytes; beyond 0 and 1 is cut off. */
export function toPixelBytes({ channels, rows, columns, values }) {
  const places = rows * columns;
  const pixels = new Uint8ClampedArray(4 * places).fill(255); // rounds, and cuts off
  for (let c = 0; c < 3; c += 1) {
    const start = (c % channels) * places;
    for (let at = 0; at < places; at += 1) pixels[4 * at + c] = 255 * values[start + at];
  }
  return { rows, columns, pixels };
}

/** An image of geometry.js in a box; it is made a picture once. */
export function pictureMark(box, image) {
  image.picture ??= toPicture(toPixelBytes(image));
  return { kind: "image", box, picture: image.picture };
}

/** A rectangle as a mark; box: [x, y, width, height]. */
export function rectangle([x, y, width, height], colour, line = 2, fill = null) {
  const [right, low] = [x + width, y + height];
  const places = [[x, y], [right, y], [right, low], [x, low]]; // prettier-ignore
  return { kind: "path", places, colour, width: line, closed: true, fill, dash: [] };
}

export function line(places, colour, width = 3, dash = []) {
  return { kind: "path", places, colour, width, closed: false, fill: null, dash };
}

/** A line of text; without a colour it is the page's own, on the page's ground. */
export function label(text, x, y, { colour = null, size = 13, align = "center" } = {}) {
  return { kind: "label", text, x, y, colour, size, align };
}

/** A place, or the nearest one in a box, so that a handle or a word there can always be seen. */
export function keepInside([x, y, width, height], place, margin = 8) {
  const inside = (at, low, length) => Math.min(Math.max(at, low + margin), low + length - margin);
  return [inside(place[0], x, width), inside(place[1], y, height)];
}

/** One for each kind of mark. */
const painters = {
  image(context, { box, picture }) {
    const shown = picture.pixels ? toPicture(picture) : picture;
    const room = box[2] * context.getTransform().a;
    context.imageSmoothingEnabled = room < shown.width; // or some of its pixels would be left out
    context.drawImage(shown, ...box);
  },

  dots(context, { places, radius, colour }) {
    const values = new DataView(places.buffer, places.byteOffset, places.byteLength);
    context.fillStyle = colour;
    for (let at = 0; at < values.byteLength; at += 8) {
      const x = values.getFloat32(at, true);
      const y = values.getFloat32(at + 4, true);
      context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
  },

  path(context, { places, closed, width, colour, fill, dash }, { ink }) {
    context.beginPath();
    places.forEach(([x, y]) => context.lineTo(x, y));
    if (closed) context.closePath();
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    context.setLineDash(dash);
    context.lineWidth = width;
    context.strokeStyle = colour ?? ink;
    if (width > 0) context.stroke();
  },

  label(context, { text, x, y, colour, size, align }, { ink, smallest }) {
    context.font = `${Math.max(size, smallest)}px sans-serif`;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.setLineDash([]);
    context.strokeStyle = "white"; // a halo, so that it reads on any picture
    if (colour) context.strokeText(text, x, y);
    context.fillStyle = colour ?? ink;
    context.fillText(text, x, y);
  },
};

function paintMark(context, mark, around) {
  if (!(mark.kind in painters)) throw new Error(`no painter for ${mark.kind}`);
  painters[mark.kind](context, mark, around);
}

function paint(canvas, scene) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(scene.width * density), Math.round(scene.height * density)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const smallest = (READABLE * scene.width) / (canvas.clientWidth || scene.width);
  const around = { smallest, ink: getComputedStyle(canvas).color };
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, scene.width, scene.height);
  for (const panel of scene.panels) {
    context.save();
    context.beginPath();
    context.rect(...panel.box);
    context.clip();
    context.fillStyle = panel.ground ?? "transparent"; // the page's own
    context.fillRect(...panel.box);
    for (const mark of panel.marks) paintMark(context, mark, around);
    context.restore();
  }
  setAttribute(canvas, "aria-label", scene.text);
}

/**
 * One focusable handle: the mouse drags it, arrow keys move it, Shift makes longer steps. The hand
 * is told how far in all since it has grabbed the handle, so that nothing adds up to an error.
 */
function makeHandle(name, hand, scale) {
  const button = makeElement("button", "stn-handle");
  button.dataset.handle = name;
  let from = null; // where the pointer was, when it took hold
  let held = false;
  const grab = () => {
    held = true;
    hand.grab(name);
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // or the browser would start to select text
    button.focus();
    button.setPointerCapture(event.pointerId);
    from = [event.clientX, event.clientY];
    grab();
  });
  button.addEventListener("pointermove", (event) => {
    if (from === null) return;
    hand.move(name, (event.clientX - from[0]) * scale(), (event.clientY - from[1]) * scale());
  });
  const release = () => {
    if (held) hand.letGo();
    held = false;
    from = null;
  };
  button.addEventListener("pointerup", release);
  button.addEventListener("lostpointercapture", release);
  button.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    event.stopPropagation(); // or the notebook would select another cell
    const step = Number(button.dataset.step) * (event.shiftKey ? 10 : 1);
    grab();
    hand.move(name, ARROWS[event.key][0] * step, ARROWS[event.key][1] * step);
  });
  button.addEventListener("keyup", (event) => event.key in ARROWS && from === null && release());
  button.addEventListener("blur", () => from === null && release()); // its keyup is another's
  return button;
}

/** Elements by name: those that are no longer wanted go, new ones are made. */
function matchElements(parent, parts, key, make) {
  const wanted = new Set(parts.map(({ name }) => name));
  const present = new Map([...parent.children].map((child) => [child.dataset[key], child]));
  present.forEach((child, name) => name === undefined || wanted.has(name) || child.remove());
  return parts.map(({ name }) => present.get(name) ?? parent.appendChild(make(name)));
}

function placeHandles(frame, scene, make) {
  const handles = scene.handles ?? [];
  const buttons = matchElements(frame, handles, "handle", make);
  handles.forEach(({ x, y, label: words, colour, step, hollow }, index) => {
    const button = buttons[index];
    button.style.left = `${(100 * x) / scene.width}%`;
    button.style.top = `${(100 * y) / scene.height}%`;
    button.style.setProperty("--colour", colour);
    button.classList.toggle("stn-hollow", Boolean(hollow)); // what lies under it is seen
    button.dataset.step = step;
    setAttribute(button, "aria-label", words);
  });
}

/** The lab's own buttons: pressed here, they need no kernel. */
function placeButtons(bar, buttons, press) {
  const make = (name) => {
    const button = makeElement("button", "stn-button");
    button.dataset.press = name;
    button.addEventListener("click", () => press(name));
    return button;
  };
  matchElements(bar, buttons, "press", make).forEach((button, index) => {
    const { name, label: words = name, pressed } = buttons[index];
    write(button, words);
    if (pressed !== undefined) setAttribute(button, "aria-pressed", String(pressed));
  });
}

/** The matrices and words beside the picture; those meant for it have a button that copies them. */
function writeNotes(list, notes) {
  while (list.children.length > notes.length) list.lastChild.remove();
  notes.forEach(({ title, text, copy }, index) => {
    const note = list.children[index] ?? list.appendChild(makeNote());
    write(note.querySelector("figcaption"), title);
    write(note.querySelector("pre"), text);
    const button = note.querySelector("button");
    button.hidden = !copy;
    nameButton(button, title);
  });
}

/** What it says, and of what: also to those who hear it. */
function nameButton(button, title) {
  setAttribute(button, "aria-label", `${button.textContent}: ${title}`);
}

/** Copy an element's text, or select it where the page may not copy, as over plain http. */
async function copyOrSelect(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    return `Selected: ${navigator.platform.startsWith("Mac") ? "⌘C" : "Ctrl+C"} copies it`;
  }
}

function makeNote() {
  const note = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const text = document.createElement("pre");
  const button = makeElement("button", "stn-button");
  const say = (words) => {
    button.textContent = words;
    nameButton(button, caption.textContent);
  };
  button.textContent = "Copy";
  button.addEventListener("click", async () => say(await copyOrSelect(text)));
  button.addEventListener("blur", () => say("Copy"));
  note.append(caption, text, button);
  return note;
}

/** Call back when the page's theme changes, which the page's own ground and ink follow. */
function onThemeChange(callback) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", callback);
  const observer = new MutationObserver(callback);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributeFilter: ["class", "data-theme", "data-jp-theme-light"] });
  }
  return () => {
    dark.removeEventListener("change", callback);
    observer.disconnect();
  };
}

/**
 * A canvas in an element. hand: what to call when a hand does something: grab(handle),
 * move(handle, dx, dy) in canvas pixels since it grabbed, letGo(), press(button). draw: what to
 * call, at most once a frame, when it has to be painted; `schedule` asks for that.
 */
export function openCanvas(el, hand, draw) {
  const frame = makeElement("div", "stn-frame");
  const canvas = makeElement("canvas", "", { role: "img" });
  const notes = makeElement("div", "stn-notes");
  const buttons = makeElement("div", "stn-buttons", { role: "group", "aria-label": "actions" });
  const lines = makeElement("div", "stn-lines");
  const alert = makeElement("p", "stn-alert", { role: "alert" });
  const check = makeElement("p", "stn-check");
  const status = makeElement("p", "stn-status", { role: "status" });
  frame.append(canvas);
  lines.append(alert, check, status);
  el.classList.add("stn-canvas");
  el.append(frame, notes, buttons, lines);

  let waiting = 0;
  const drawNow = () => {
    waiting = 0;
    draw();
  };
  const schedule = () => (waiting ||= requestAnimationFrame(drawNow)); // one painting a frame
  const sizes = new ResizeObserver(schedule);
  sizes.observe(el);
  const endThemes = onThemeChange(schedule);
  let scene = { width: 1 };
  const scale = () => scene.width / frame.getBoundingClientRect().width;
  const show = (next) => {
    scene = next;
    frame.style.width = `${scene.width}px`;
    canvas.style.aspectRatio = `${scene.width} / ${scene.height}`;
    paint(canvas, scene);
    placeHandles(frame, scene, (name) => makeHandle(name, hand, scale));
    placeButtons(buttons, scene.buttons ?? [], hand.press);
    writeNotes(notes, scene.notes ?? []);
  };
  const close = () => {
    cancelAnimationFrame(waiting);
    sizes.disconnect();
    endThemes();
  };
  return { show, schedule, close, alert, check, status };
}
