"""A browser lab in a page without Jupyter: its real module, on models with the widgets' states.

Python's half makes the states, so the values are those that the package sends. In the page stand
`lab`, the lab's object; `canvasModel` and `controls`, its models by name, whose `saved` counts the
messages to the kernel; `rested()`, a promise of the next painting with what follows it; and
`move(name, value)`, what a slider or a choice does when a hand has moved it.
"""

import base64
import json
from collections.abc import Iterator

import ipywidgets

from stn_course.widgets.browser_lab import BrowserLab
from stn_course.widgets.esm import joined

REVIVE = """
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const revive = (_, value) => value?.base64 === undefined ? value : bytes(value.base64);
"""
MODELS = """async ({ source, canvas, controls, css, live }) => {
    REVIVE
    class Model {
        constructor(attributes) {
            Object.assign(this, { attributes, heard: {}, saved: 0, comm_live: live });
        }
        get(name) { return this.attributes[name]; }
        has(name) { return this.attributes[name] !== undefined; }
        set(name, value) { this.set_state({ [name]: value }); }
        set_state(state) {
            const { attributes } = this;
            const changed = Object.keys(state).filter(name => attributes[name] !== state[name]);
            Object.assign(attributes, state);
            changed.forEach(name => this.trigger(`change:${name}`));
        }
        trigger(event) { (this.heard[event] ?? []).forEach(callback => callback()); }
        on(event, callback) { (this.heard[event] ??= []).push(callback); }
        off(event, callback) {
            this.heard[event] = (this.heard[event] ?? []).filter(one => one !== callback);
        }
        save_changes() { this.saved += 1; }
    }
    window.end?.();
    const canvasModel = new Model(JSON.parse(canvas, revive));
    const states = Object.entries(JSON.parse(controls));
    const models = Object.fromEntries(states.map(([name, state]) => [name, new Model(state)]));
    canvasModel.widget_manager = { get_model: async id => models[id] };
    canvasModel.attributes.controls = Object.fromEntries(
        Object.keys(models).map(name => [name, `IPY_MODEL_${name}`]));
    const Tested = (await import(`data:text/javascript;base64,${source}`)).Tested;
    document.body.innerHTML = `<style>${css}</style><div class="stn-lab"><div></div></div>`;
    const found = {};
    const start = Tested.prototype.start;
    Tested.prototype.start = function () { found.lab = this; start.call(this); };
    const el = document.querySelector(".stn-lab div");
    window.end = await Tested.open({ model: canvasModel, el });
    Tested.prototype.start = start;
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const rested = async () => { await frame(); await frame(); };
    const move = (name, value) => {
        const model = models[name];
        model.set(model.has("index") ? "index" : "value", value);
        model.save_changes();
    };
    const drag = (handle, ...steps) => {
        lab.grabbed = lab.state;
        steps.forEach(([dx, dy]) => lab.change(lab.drag(lab.grabbed, handle, dx, dy)));
        lab.grabbed = null;
        lab.moved();
    };
    Object.assign(window, { lab: found.lab, canvasModel, controls: models, rested, move, drag });
    await rested();
}""".replace("REVIVE", REVIVE)
ANSWER = """async text => {
    REVIVE
    canvasModel.set("answer", JSON.parse(text, revive));
    await rested();
}""".replace("REVIVE", REVIVE)


def show_lab(page, lab: BrowserLab, class_name: str, live: bool = True) -> None:
    """Open a lab in a page, in the place of the one before; live: as if it had a kernel."""
    source = f"{joined(lab.module)}\nexport {{ {class_name} as Tested }};\n"
    state = {name: getattr(lab.canvas, name) for name in ("data", "state", "question", "answer")}
    controls = {name: plain_state(control) for name, control in lab.controls.items()}
    page.evaluate(
        MODELS,
        {
            "source": base64.b64encode(source.encode()).decode(),
            "canvas": json.dumps(state, default=as_base64),
            "controls": json.dumps(controls, default=as_base64),
            "css": str(lab.canvas._css),
            "live": live,
        },
    )


def plain_state(control: ipywidgets.Widget) -> dict:
    """What the browser is told of a control."""
    state = control.get_state()
    return {name: value for name, value in state.items() if name not in ("layout", "style")}


def as_base64(part: bytes) -> dict:
    return {"base64": base64.b64encode(part).decode()}


def answer(page, lab: BrowserLab) -> dict:
    """The hand rests: Python's half answers the page's question, and the page shows that."""
    page.wait_for_function("lab.asked")
    lab.canvas.set_state({"question": page.evaluate("canvasModel.get('question')")})
    page.evaluate(ANSWER, json.dumps(lab.canvas.answer, default=as_base64))
    return lab.canvas.answer


def page_without_errors(browser) -> Iterator:
    """For a fixture: a page, in which in the end no script has raised an error."""
    page, errors = browser.new_page(viewport={"width": 1200, "height": 900}), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []
