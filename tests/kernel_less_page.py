"""A lab in a page of a browser without JupyterLab and a kernel: its module, and models beside it.

The models are as a widget manager's, as far as a lab's module uses them. `ask` is the kernel: it
brings a question of the page to the lab in Python, and the answer back.
"""

import base64
import io
import json
from pathlib import Path

import torch
from PIL import Image

from stn_course.widgets import browser_lab

CSS = Path(browser_lab.__file__).with_name("canvas.css").read_text(encoding="utf-8")
OPEN = """async ({ source, widgets, css, alive }) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    window.revive = (_, value) => value?.base64 === undefined ? value : bytes(value.base64);
    const flat = (_, part) => part instanceof DataView ? `${new Uint8Array(part.buffer)}` : part;
    const same = (one, two) => JSON.stringify(one, flat) === JSON.stringify(two, flat);
    class Model {
        constructor(attributes) {
            Object.assign(this, { attributes, listeners: [], sent: 0, comm_live: alive });
            this.widget_manager = { get_model: async (id) => models[id] };
        }
        get(name) { return this.attributes[name]; }
        has(name) { return name in this.attributes; }
        set(name, value) {
            if (same(value, this.attributes[name])) return;
            this.attributes[name] = value;
            this.tell(`change:${name}`);
        }
        set_state(state) { Object.entries(state).forEach((pair) => this.set(...pair)); }
        on(event, callback) { this.listeners.push([event, callback]); }
        off(event, callback) {
            this.listeners = this.listeners.filter(([e, f]) => e !== event || f !== callback);
        }
        tell(event) { this.listeners.filter(([e]) => e === event).forEach(([, f]) => f()); }
        save_changes() { this.sent += 1; }
    }
    const states = Object.entries(JSON.parse(widgets, revive));
    window.end?.();
    window.models = Object.fromEntries(states.map(([id, state]) => [id, new Model(state)]));
    window.painted = () => new Promise(done =>
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
    const scheme = '<meta name="color-scheme" content="light dark">';
    document.head.innerHTML = `${scheme}<style>${css}</style>`;
    document.body.innerHTML = '<main class="stn-lab"><div></div></main>';
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    window.lab = await import(url);
    const el = document.querySelector(".stn-lab > div");
    window.end = await lab.default.render({ model: models.canvas, el });
    await painted();
}"""


def open_lab(page, lab, alive: bool = False) -> None:
    """Show a lab of Python's; in the page `models` holds the canvas and the controls by name."""
    widgets = {"canvas": plain(lab.canvas)}
    widgets["canvas"]["controls"] = {name: f"IPY_MODEL_{name}" for name in lab.controls}
    widgets |= {name: plain(control) for name, control in lab.controls.items()}
    sent = {"source": lab.canvas._esm, "widgets": encoded(widgets), "css": CSS, "alive": alive}
    page.evaluate(OPEN, sent)


def plain(widget) -> dict:
    """What a widget sends, without what names other widgets."""
    left_out = {"layout", "style", "controls", "_esm", "_css"}
    return {name: value for name, value in widget.get_state().items() if name not in left_out}


def encoded(part) -> str:
    return json.dumps(part, default=lambda data: {"base64": base64.b64encode(data).decode()})


def state(page) -> dict:
    return page.evaluate("models.canvas.attributes.state")


def words(page) -> str:
    """The picture in words."""
    return page.get_attribute("canvas", "aria-label")


def check(page) -> str:
    """What the lab says about PyTorch."""
    return page.inner_text(".stn-check")


def note(page, title: str) -> str:
    """The text of the note whose title begins so."""
    return page.inner_text(f'.stn-notes figure:has(figcaption:text-matches("^{title}")) pre')


def move(page, control: str, value) -> None:
    """Move a slider to a value, or choose by an index, as a hand does."""
    change = """async ([name, value]) => {
        models.canvas.attributes.question = {};
        const model = models[name];
        model.set(model.has("index") ? "index" : "value", value);
        await painted();
    }"""
    page.evaluate(change, [control, value])


def put(page, **attributes) -> None:
    """Set attributes of the canvas' model, as a message from Python does."""
    change = """async (text) => {
        models.canvas.set_state(JSON.parse(text, revive));
        await painted();
    }"""
    page.evaluate(change, encoded(attributes))


def ask(page, lab) -> dict:
    """The hand rests: bring its question to Python's lab and the answer back; the question."""
    page.wait_for_function("models.canvas.attributes.question.serial !== undefined")
    question = page.evaluate("models.canvas.attributes.question")
    lab.canvas.set_state({"question": question})
    put(page, answer=lab.canvas.answer)
    return question


def painted(page, box) -> torch.Tensor:
    """What the canvas shows in a box of its pixels, (height, width, 3), 0 to 255."""
    url = page.evaluate("document.querySelector('canvas').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    x, y, width, height = (round(n) for n in box)
    levels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    levels = levels.reshape(picture.height, picture.width, 3).float()
    return levels[y : y + height, x : x + width]
