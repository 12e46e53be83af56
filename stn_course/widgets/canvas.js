// The canvas of the labs. Python computes every place and every pixel; this file paints them, and
// reports how far a hand has moved each handle. Nothing here runs while nothing changes.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PLAYER = ["Play or pause", "Stop and go back to the start", "Repeat"];

/** Change a text only where it differs: the page is laid out anew for each change. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** RGBA bytes from Python as a small canvas, to be enlarged without smoothing. */
function toPicture({ columns, rows, pixels }) {
  const bytes = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const picture = new OffscreenCanvas(columns, rows);
  picture.getContext("2d").putImageData(new ImageData(bytes, columns, rows), 0, 0);
  return picture;
}

/** One for each kind of mark in scene.py, and it takes all of that mark's fields. */
const painters = {
  image(context, { box, picture }, pictures) {
    const shown = typeof picture === "string" ? pictures[picture] : toPicture(picture);
    context.imageSmoothingEnabled = false;
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

  path(context, { places, closed, width, colour, fill, dash }) {
    context.beginPath();
    places.forEach(([x, y]) => context.lineTo(x, y));
    if (closed) context.closePath();
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    context.setLineDash(dash);
    context.lineWidth = width;
    context.strokeStyle = colour;
    if (width > 0) context.stroke();
  },

  label(context, { text, x, y, colour, size, align }) {
    context.font = `${size}px sans-serif`;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.setLineDash([]);
    context.strokeStyle = "white"; // a halo, so that it reads on any ground
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  },
};

function paintMark(context, mark, pictures) {
  if (!(mark.kind in painters)) throw new Error(`no painter for ${mark.kind}`);
  painters[mark.kind](context, mark, pictures);
}

function paint(canvas, scene, pictures) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(scene.width * density), Math.round(scene.height * density)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.fillStyle = "white";
  context.fillRect(0, 0, scene.width, scene.height);
  for (const panel of scene.panels) {
    context.save();
    context.beginPath();
    context.rect(...panel.box);
    context.clip();
    context.fillStyle = panel.ground;
    context.fillRect(...panel.box);
    for (const mark of panel.marks) paintMark(context, mark, pictures);
    context.restore();
  }
  setAttribute(canvas, "aria-label", scene.text);
}

/** One focusable handle: the mouse drags it, arrow keys move it, Shift makes longer steps. */
function makeHandle(name, move, letGo, scale) {
  const button = document.createElement("button");
  button.className = "stn-handle";
  button.dataset.handle = name;
  let last = null; // where the pointer was, while it drags
  let held = false;
  const pull = (dx, dy) => {
    held = true;
    move(name, dx, dy);
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // or the browser would start to select text
    button.focus();
    button.setPointerCapture(event.pointerId);
    last = [event.clientX, event.clientY];
  });
  button.addEventListener("pointermove", (event) => {
    if (last === null) return;
    pull((event.clientX - last[0]) * scale(), (event.clientY - last[1]) * scale());
    last = [event.clientX, event.clientY];
  });
  const release = () => {
    if (held) letGo();
    held = false;
    last = null;
  };
  button.addEventListener("pointerup", release);
  button.addEventListener("lostpointercapture", release);
  button.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    event.stopPropagation(); // or the notebook would select another cell
    const step = Number(button.dataset.step) * (event.shiftKey ? 10 : 1);
    pull(ARROWS[event.key][0] * step, ARROWS[event.key][1] * step);
  });
  button.addEventListener("keyup", (event) => event.key in ARROWS && last === null && release());
  button.addEventListener("blur", () => last === null && release()); // its keyup is another's
  return button;
}

function placeHandles(frame, scene, make) {
  const wanted = new Map(scene.handles.map((handle) => [handle.name, handle]));
  const present = new Map([...frame.querySelectorAll("button")].map((b) => [b.dataset.handle, b]));
  present.forEach((button, name) => wanted.has(name) || button.remove());
  wanted.forEach(({ x, y, label, colour, step }, name) => {
    const button = present.get(name) ?? frame.appendChild(make(name));
    button.style.left = `${(100 * x) / scene.width}%`;
    button.style.top = `${(100 * y) / scene.height}%`;
    button.style.background = colour;
    button.dataset.step = step;
    setAttribute(button, "aria-label", label);
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
  const button = document.createElement("button");
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

/** Names for what ipywidgets leaves nameless: the focusable part of a slider, play buttons. */
function nameControls(lab) {
  for (const slider of lab.querySelectorAll(".widget-slider, .widget-hslider")) {
    const label = slider.querySelector(".widget-label")?.textContent;
    for (const part of slider.querySelectorAll(".noUi-handle, .widget-readout")) {
      setAttribute(part, "aria-label", label);
    }
  }
  for (const player of lab.querySelectorAll(".widget-play")) {
    player.querySelectorAll("button").forEach((button, index) => {
      setAttribute(button, "aria-label", PLAYER[index]);
    });
  }
}

/** What is typed at a lab's controls is not for the notebook, where x cuts the lab's cell. */
function keepLetters(event) {
  const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (letter) event.stopPropagation();
}

function render({ model, el }) {
  const frame = document.createElement("div");
  const canvas = document.createElement("canvas");
  const notes = document.createElement("div");
  const alert = document.createElement("p");
  frame.className = "stn-frame";
  notes.className = "stn-notes";
  alert.className = "stn-alert";
  alert.setAttribute("role", "alert");
  canvas.setAttribute("role", "img");
  frame.append(canvas);
  el.classList.add("stn-canvas");
  el.append(frame, notes, alert);

  let pictures = {};
  let waiting = 0;
  const scale = () => model.get("scene").width / frame.getBoundingClientRect().width;
  // Displacements add up from the beginning, so that none is lost where messages are left out.
  const move = (name, dx, dy) => {
    const [x, y] = model.get("hand")[name] ?? [0, 0];
    model.set("hand", { ...model.get("hand"), [name]: [x + dx, y + dy] });
    model.save_changes();
  };
  const letGo = () => {
    model.set("releases", model.get("releases") + 1);
    model.save_changes();
  };
  const draw = () => {
    waiting = 0;
    const scene = model.get("scene");
    write(alert, model.get("alert"));
    if (scene.panels.length === 0) return;
    frame.style.width = `${scene.width}px`;
    canvas.style.aspectRatio = `${scene.width} / ${scene.height}`;
    try {
      paint(canvas, scene, pictures);
      placeHandles(frame, scene, (name) => makeHandle(name, move, letGo, scale));
      writeNotes(notes, scene.notes);
    } catch (error) {
      alert.textContent = `The picture could not be painted: ${error}`;
    }
  };
  const schedule = () => (waiting ||= requestAnimationFrame(draw)); // at most one painting a frame
  const takePictures = () => {
    const sources = Object.entries(model.get("images"));
    pictures = Object.fromEntries(sources.map(([name, image]) => [name, toPicture(image)]));
    schedule();
  };
  model.on("change:images", takePictures);
  model.on("change:scene", schedule);
  model.on("change:alert", schedule);
  takePictures();

  let observer = null;
  const arrived = requestAnimationFrame(() => {
    const lab = el.closest(".stn-lab");
    if (lab === null) return;
    nameControls(lab);
    lab.addEventListener("keydown", keepLetters);
    observer = new MutationObserver(() => nameControls(lab));
    observer.observe(lab, { childList: true, subtree: true }); // sliders may come later
  });
  return () => {
    cancelAnimationFrame(waiting);
    cancelAnimationFrame(arrived);
    observer?.disconnect();
    model.off("change:images", takePictures);
    model.off("change:scene", schedule);
    model.off("change:alert", schedule);
  };
}

export default { render };
