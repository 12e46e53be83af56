"""canvas.js shows every field of every part of a scene, in a page without a kernel."""

import base64
import io
import json

import lab_page
import numpy
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from painted_marks import CHANGED, HEIGHT, KINDS, NAMED, NAMES, WIDTH, scene_of
from PIL import Image as PILImage

from stn_course.widgets.esm import joined
from stn_course.widgets.scene import Dots, Handle, Image, Path, Scene, plain_data
from stn_course.widgets.static_figure import static_figure

# canvas.js in the page, with a model that keeps what it is told; the alert, or the canvas as a URL.
PAINT = """async ({ source, state }) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const revive = (_, value) => value?.base64 === undefined ? value : bytes(value.base64);
    const values = { hand: {}, releases: 0, alert: "", ...JSON.parse(state, revive) };
    const set = (name, value) => (values[name] = value);
    const model = { get: name => values[name], set, on() {}, off() {}, save_changes() {} };
    const { default: widget } = await import(`data:text/javascript;base64,${source}`);
    const el = document.createElement("div");
    window.end?.();
    el.className = "stn-lab";
    document.body.replaceChildren(el);
    window.end = widget.render({ model, el });
    window.model = model;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return el.querySelector("[role=alert]").textContent || el.querySelector("canvas").toDataURL();
}"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(device_scale_factor=1)
    yield page
    page.close()


@pytest.fixture(scope="module")
def show(page):
    """A function: give a scene, as plain data, to canvas.js; what PAINT returns."""
    source = base64.b64encode(joined("python_scene.js").encode()).decode()

    def shown(scene: dict) -> str:
        state = json.dumps(
            {"scene": scene, "images": plain_data(NAMED)},
            default=lambda part: {"base64": base64.b64encode(part).decode()},
        )
        return page.evaluate(PAINT, {"source": source, "state": state})

    return shown


@pytest.fixture(scope="module")
def paint(show):
    """A function: a scene's pixels as the browser paints them, (height, width, 3)."""

    def painted(scene):
        url = show(plain_data(scene))
        assert url.startswith("data:image/png;base64,"), url
        picture = PILImage.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        return numpy.asarray(picture.convert("RGB"))

    return painted


@pytest.mark.parametrize(("part", "other"), CHANGED, ids=NAMES)
def test_the_page_shows_every_field(page, paint, part, other):
    """In the canvas, or in the handles and notes beside it."""
    before, elements = paint(scene_of(part)), page.inner_html("body")
    after = paint(scene_of(other))
    assert before.shape == after.shape == (HEIGHT, WIDTH, 3)
    assert (before != after).any() or page.inner_html("body") != elements


def test_a_mark_without_a_painter_is_refused_by_name(show):
    scene = plain_data(scene_of(*KINDS.values()))
    scene["panels"][0]["marks"][0]["kind"] = "spiral"
    assert "no painter for spiral" in show(scene)


@pytest.mark.parametrize("kind", [Dots, Image, Path])  # letters differ between two programs
def test_both_painters_paint_the_same(paint, kind):
    """But for the edges, where they blend the colours in ways of their own."""
    mark = KINDS[kind]
    agg = FigureCanvasAgg(static_figure(scene_of(mark), NAMED))
    agg.draw()
    static = numpy.asarray(agg.buffer_rgba())[..., :3].astype(int)
    far = (numpy.abs(static - paint(scene_of(mark))).max(axis=-1) > 128).mean()
    marked = (static != 0x88).any(axis=-1).mean()
    assert marked > 0
    assert far < 0.1 * marked


def hand(page) -> list:
    """What the handle named point has told the model: how far it was moved, how often let go."""
    return page.evaluate('[...(model.get("hand").point ?? [0, 0]), model.get("releases")]')


@pytest.fixture
def handle(page, paint):
    """A handle at (100, 40), one press of an arrow key 2 pixels long, in focus."""
    point = Handle("point", 100, 40, "the point", "#0000FF", 2)
    paint(Scene(WIDTH, HEIGHT, scene_of().panels, [point]))
    handle = page.query_selector("[data-handle=point]")
    handle.focus()
    return handle


def test_a_drag_is_told_with_its_end(page, handle):
    lab_page.drag(page, handle, 60, -10)
    assert hand(page) == [60, -10, 1]


def test_keys_are_told_with_their_end(page, handle):
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert hand(page) == [2, -20, 2]


def test_a_key_ends_where_the_focus_goes_elsewhere(page, handle):
    """Its keyup is another element's then; the hand has let go all the same."""
    page.keyboard.down("ArrowRight")
    handle.evaluate("handle => handle.blur()")
    page.keyboard.up("ArrowRight")
    assert hand(page) == [2, 0, 1]


def test_letters_typed_in_a_lab_stay_there_and_other_keys_do_not(page, handle):
    page.evaluate("""() => {
        window.heard = [];
        document.onkeydown = event => heard.push(event.key);
    }""")
    for key in ("a", "x", "Tab", "Control+b"):
        handle.focus()
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Tab", "Control", "b"]
