"""canvas.js shows every field of every part of a scene, and says what a hand does; in one page."""

import json

import lab_page
import pytest
import torch
from lab_by_hand import encoded, painted
from lab_in_page import REVIVE

from stn_course.widgets.esm import joined

WIDTH, HEIGHT = 240, 80
BOX, LOWER = [10, 20, 60, 40], [20, 30, 60, 40]
RED, GREEN, BLUE = "#FF0000", "#00FF00", "#0000FF"
BLACK_AND_WHITE = {"rows": 1, "columns": 2, "pixels": bytes([0, 0, 0, 255, 255, 255, 255, 255])}
GREY = {"rows": 1, "columns": 1, "pixels": bytes([128, 128, 128, 255])}
FIELDS = [  # an example of each part, and for each of its fields another value
    ("panels", {"box": BOX, "marks": [], "ground": "#FFFFFF"}, {"box": LOWER, "ground": RED}),
    ("marks", {"kind": "image", "box": BOX, "picture": BLACK_AND_WHITE}, {"picture": GREY}),
    ("marks", {"kind": "image", "box": BOX, "picture": BLACK_AND_WHITE}, {"box": LOWER}),
    (
        "marks",
        {"kind": "path", "places": [[12, 30], [60, 30], [60, 70]], "colour": GREEN}
        | {"width": 4, "closed": False, "fill": None, "dash": []},
        {"places": [[12, 50], [60, 30], [60, 70]], "colour": BLUE, "width": 8, "closed": True}
        | {"fill": RED, "dash": [4, 4]},
    ),
    (
        "marks",
        {"kind": "label", "text": "words", "x": 120, "y": 40, "colour": None}
        | {"size": 13, "align": "center"},
        {"text": "other", "x": 150, "y": 20, "colour": RED, "size": 20, "align": "left"},
    ),
    (
        "handles",
        {"name": "x", "x": 90, "y": 10, "label": "a handle", "colour": BLUE, "step": 1}
        | {"hollow": False},
        {"name": "y", "x": 190, "y": 50, "label": "another", "colour": RED, "step": 2}
        | {"hollow": True},
    ),
    ("buttons", {"name": "a", "pressed": False}, {"name": "b", "label": "c", "pressed": True}),
    ("notes", {"title": "title", "text": "text"}, {"title": "a", "text": "b", "copy": True}),
]
CHANGED = [
    (where, part, {field: value})
    for where, part, others in FIELDS
    for field, value in others.items()
]
NAMES = [f"{part.get('kind', where)}-{next(iter(other))}" for where, part, other in CHANGED]
OPEN = """async source => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { openCanvas } = await import(url);
    const el = document.body.appendChild(document.createElement("div"));
    const hand = { grab() {}, press() {} };
    hand.move = (_, dx, dy) => (window.far = [dx, dy]);
    hand.letGo = () => (window.releases += 1);
    window.canvas = openCanvas(el, hand, () => {});
}"""
SHOW = f"""async scene => {{ {REVIVE}
    window.far = [0, 0];
    window.releases = 0;
    canvas.show(JSON.parse(scene, revive));
}}"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(device_scale_factor=1)
    page.evaluate(OPEN, joined("canvas.js"))
    yield page
    page.close()


@pytest.fixture
def show(page):
    """A function: show a scene of one part of a kind on a grey ground."""

    def shown(where: str, *parts: dict) -> None:
        ground = {"box": [0, 0, WIDTH, HEIGHT], "marks": [], "ground": "#888888"}
        scene = {"width": WIDTH, "height": HEIGHT, "panels": [ground], "text": "in words"}
        if where == "marks":
            ground["marks"] = parts
        else:
            scene[where] = [*scene.get(where, []), *parts]
        page.evaluate(SHOW, encoded(scene))

    return shown


def seen(page) -> tuple[torch.Tensor, str]:
    """The canvas' pixels, and the elements around it."""
    return painted(page, (0, 0, WIDTH, HEIGHT)), page.inner_html("body")


@pytest.mark.parametrize(("where", "part", "other"), CHANGED, ids=NAMES)
def test_the_page_shows_every_field(page, show, where, part, other):
    """In the canvas, or in the handles, buttons and notes beside it."""
    show(where, part)
    pixels, elements = seen(page)
    show(where, part | other)
    then, after = seen(page)
    assert not torch.equal(pixels, then) or elements != after


def test_more_pixels_than_a_box_has_are_averaged_and_fewer_are_seen_as_squares(page, show):
    for columns, levels in ((2, {0, 255}), (2 * BOX[2], {127, 128})):
        pixels = bytes([0, 0, 0, 255, 255, 255, 255, 255]) * (columns // 2)
        picture = {"rows": 1, "columns": columns, "pixels": pixels}
        show("marks", {"kind": "image", "box": BOX, "picture": picture})
        x, y, width, height = BOX
        inner = seen(page)[0][y + 2 : y + height - 2, x + 2 : x + width - 2]
        assert set(inner.flatten().tolist()) <= levels


def test_dots_lie_where_they_are_said_to(page, show):
    places = torch.tensor([15.0, 25.0, 40.0, 60.0]).numpy().tobytes()
    show("marks", {"kind": "dots", "places": places, "radius": 2, "colour": RED})
    pixels, _ = seen(page)
    red = (pixels == torch.tensor([255.0, 0, 0])).all(dim=-1)
    assert red.sum() == 2 * 16
    assert red[23:27, 13:17].all() and red[58:62, 38:42].all()


def test_the_picture_is_told_in_words_and_its_ground_is_the_pages_own(page, show):
    show("panels", {"box": BOX, "marks": [], "ground": RED})
    assert page.get_attribute("canvas", "aria-label") == "in words"
    page.evaluate(SHOW, json.dumps({"width": 4, "height": 4, "panels": []}))
    clear = "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 4, 4).data]"
    assert set(page.evaluate(clear)) == {0}


def test_a_mark_without_a_painter_is_refused_by_name(show):
    with pytest.raises(Exception, match="no painter for spiral"):
        show("marks", {"kind": "spiral"})


def hand(page) -> list:
    """How far the handle was moved since it was grabbed, and how often let go."""
    return page.evaluate("[...far, releases]")


@pytest.fixture
def handle(page, show):
    """A handle at (100, 40), one press of an arrow key 2 pixels long, in focus."""
    look = {"label": "the point", "colour": BLUE, "step": 2}
    show("handles", {"name": "point", "x": 100, "y": 40} | look)
    handle = page.query_selector("[data-handle=point]")
    handle.evaluate("handle => Object.assign(handle.style, { position: 'absolute' })")
    handle.focus()
    return handle


def test_a_drag_is_told_with_its_end(page, handle):
    lab_page.drag(page, handle, 60, -10)
    assert hand(page) == [60, -10, 1]


def test_keys_are_told_with_their_end(page, handle):
    page.keyboard.press("ArrowRight")
    assert hand(page) == [2, 0, 1]
    page.keyboard.press("Shift+ArrowUp")
    assert hand(page) == [0, -20, 2]


def test_a_key_ends_where_the_focus_goes_elsewhere(page, handle):
    """Its keyup is another element's then; the hand has let go all the same."""
    page.keyboard.down("ArrowRight")
    handle.evaluate("handle => handle.blur()")
    page.keyboard.up("ArrowRight")
    assert hand(page) == [2, 0, 1]
