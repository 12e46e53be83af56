"""canvas.js paints every field of every kind of mark, in a page without a kernel."""

import base64
import io
import json
from pathlib import Path as FilePath

import numpy
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from painted_marks import CHANGED, HEIGHT, KINDS, NAMED, NAMES, WIDTH, scene_of
from PIL import Image as PILImage

from stn_course.widgets import canvas
from stn_course.widgets.scene import Dots, Image, Path, plain_data
from stn_course.widgets.static_figure import static_figure

# A widget's model in the page, and the canvas as a URL when it has been painted.
PAINT = """async ({ source, state }) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const revive = (_, value) => value?.base64 === undefined ? value : bytes(value.base64);
    const values = { hand: {}, releases: 0, alert: "", ...JSON.parse(state, revive) };
    const model = { get: name => values[name], on() {}, off() {}, set() {}, save_changes() {} };
    const { default: widget } = await import(`data:text/javascript;base64,${source}`);
    const el = document.body.appendChild(document.createElement("div"));
    const end = widget.render({ model, el });
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const url = el.querySelector("canvas").toDataURL();
    const alert = el.querySelector("[role=alert]").textContent;
    end();
    el.remove();
    return alert || url;
}"""


@pytest.fixture(scope="module")
def paint(browser):
    """A function: a scene's pixels as the browser paints them, (height, width, 3)."""
    page = browser.new_page(device_scale_factor=1)
    source = base64.b64encode(
        FilePath(canvas.__file__).with_name("canvas.js").read_bytes()
    ).decode()

    def painted(scene):
        state = json.dumps(
            {"scene": plain_data(scene), "images": plain_data(NAMED)},
            default=lambda part: {"base64": base64.b64encode(part).decode()},
        )
        url = page.evaluate(PAINT, {"source": source, "state": state})
        assert url.startswith("data:image/png;base64,"), url
        picture = PILImage.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        return numpy.asarray(picture.convert("RGB"))

    return painted


@pytest.mark.parametrize(("mark", "other"), CHANGED, ids=NAMES)
def test_the_canvas_shows_every_field(paint, mark, other):
    assert paint(scene_of(mark)).shape == (HEIGHT, WIDTH, 3)
    assert (paint(scene_of(mark)) != paint(scene_of(other))).any()


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
