"""ThetaLab's module in a page without Jupyter: all its controls agree after any walk."""

import math
import random

import lab_in_page
import numpy
import pytest
import torch
from lab_page import painted, squares

from stn_course import transforms
from stn_course.samplers import MODES, PADDING_MODES, warp
from stn_course.widgets import ThetaLab, theta_lab

DIGIT = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
WALKS, NUMBERS = 100, [f"theta{row}{column}" for row in range(2) for column in range(3)]
POSE = {"rotation": 180, "scale_x": 2.5, "scale_y": 2.5, "shear": 1, "x": 1, "y": 1}
# What the lab shows, all of it but the pixels.
SHOWN = """() => ({
    theta: lab.state.theta,
    sliders: Object.fromEntries(
        Object.entries(controls).filter(([, model]) => model.has("step"))
            .map(([name, model]) => [name, model.get("value")])
    ),
    disabled: controls.rotation.get("disabled"),
    parts: lab.parts,
    notes: Object.fromEntries(lab.shown.notes.map(({ title, text }) => [title, text])),
    handles: lab.shown.handles,
    panels: lab.shown.panels.map(({ box }) => box),
    labels: lab.shown.panels.flatMap(({ marks }) => marks.filter(m => m.kind === "label")),
    view: lab.views[lab.moves ? 1 : 0],
    frame: lab.frame,
    text: lab.shown.text,
    output: [...lab.output.values],
    alert: document.querySelector("[role=alert]").textContent,
})"""


@pytest.fixture(scope="module")
def page(browser):
    yield from lab_in_page.page_without_errors(browser)


@pytest.fixture
def show(page):
    """A function: a ThetaLab of these arguments in the page; what `shown` then says."""

    def opened(*args, **options):
        lab_in_page.show_lab(page, ThetaLab(*args, **options), "ThetaLab")
        return page.evaluate(SHOWN)

    return opened


def do(page, action: str, value=None) -> dict:
    """Do something in the page, and see what the lab shows then."""
    page.evaluate(f"async value => {{ {action}; await rested(); }}", value)
    return page.evaluate(SHOWN)


def made_walk(draw: random.Random) -> list[str]:
    """Up to a dozen movements, as JavaScript."""

    def handle():
        name, reach = draw.choice(["x", "y", "centre"]), 200
        return f"drag('{name}', [{draw.uniform(-reach, reach)}, {draw.uniform(-reach, reach)}])"

    def pose():
        name, most = draw.choice(list(POSE.items()))
        low = 0.1 if name.startswith("scale") else -most
        return f"move('{name}', {draw.uniform(low, most)})"

    kinds = [
        handle,
        pose,
        lambda: f"move('{draw.choice(NUMBERS)}', {draw.uniform(-4, 4)})",
        lambda: f"lab.press('{draw.choice([*theta_lab.PRESETS, 'Reset'])}')",
        lambda: f"move('view', {draw.randrange(2)})",
        lambda: f"move('padding_mode', {draw.randrange(3)})",
        lambda: f"move('align_corners', {draw.randrange(2)})",
        lambda: f"move('mode', {draw.randrange(2)})",
    ]
    return [draw.choice(kinds)() for _ in range(draw.randint(1, 12))]


def numbers_in(text: str) -> torch.Tensor:
    return torch.tensor([float(word) for word in text.split()], dtype=torch.float64)


def test_everything_agrees_after_any_walk(page, show):
    show(DIGIT)
    draw = random.Random(0)
    for _ in range(WALKS):
        walk = made_walk(draw)
        assert_everything_agrees(do(page, "; lab.settle(); ".join(walk)), walk)


def assert_everything_agrees(shown, walk) -> None:
    theta = torch.tensor(shown["theta"], dtype=torch.float64)
    assert shown["alert"] == "", walk
    for name, number in zip(NUMBERS, shown["theta"], strict=True):
        assert shown["sliders"][name] == pytest.approx(number, abs=0.00501), walk
    assert torch.allclose(numbers_in(shown["notes"]["theta: output → input"]), theta, atol=6e-4)
    assert_handles_lie_on_the_frame(shown)
    (a, b, _), (c, d, _) = theta.reshape(2, 3).tolist()
    if min(math.hypot(a, c), math.hypot(b, d)) > 1e-3 and abs(a * d - b * c) > 1e-3:
        assert not shown["disabled"]
        parts = {n: torch.tensor(v, dtype=torch.float64) for n, v in shown["parts"].items()}
        made = transforms.from_pose(**parts).flatten()
        assert torch.allclose(made, theta, atol=1e-6, rtol=1e-6), walk
        undone = numbers_in(shown["notes"]["its inverse: input → output"])
        expected = transforms.inverse(theta.reshape(1, 2, 3)).flatten()
        assert torch.allclose(undone, expected, atol=6e-4, rtol=1e-6), walk


def assert_handles_lie_on_the_frame(shown) -> None:
    """At the frame's columns, or at the panel's edge on the way there; and apart."""
    if shown["frame"] is None:
        assert shown["handles"] == []
        return
    panel = shown["panels"][2 if shown["text"].startswith("The grid") else 3]
    centre = numpy.array([shown["frame"][2], shown["frame"][5]])
    points = {"centre": centre}
    for axis, name in enumerate("xy"):
        points[name] = centre + numpy.array(shown["frame"][axis::3])
    places = {}
    for handle in shown["handles"]:
        place = (
            numpy.array(shown["view"]["centre"])
            + numpy.array(shown["view"]["unit"]) * points[handle["name"]]
        )
        low, high = numpy.array(panel[:2]) + 8, numpy.array(panel[:2]) + panel[2] - 8
        places[handle["name"]] = numpy.clip(place, low, high)
    for handle in shown["handles"]:
        at, wanted = numpy.array([handle["x"], handle["y"]]), places[handle["name"]]
        near = [n for n, p in places.items() if numpy.abs(p - wanted).max() < 45]
        if len(near) == 1:  # else one has made room for the other
            assert at == pytest.approx(wanted, abs=0.01)
    gaps = [
        math.dist((p["x"], p["y"]), (q["x"], q["y"]))
        for p in shown["handles"]
        for q in shown["handles"]
        if p["name"] < q["name"]
    ]
    assert min(gaps) >= 19


UNIT = 70  # canvas pixels to 1, where a panel reaches twice the image's size


@pytest.mark.parametrize("handle", ["centre", "x", "y"])
@pytest.mark.parametrize("view", [0, 1])
def test_a_handle_moves_its_column_and_no_other(page, show, handle, view):
    """Of theta, or where the picture moves of its inverse."""
    show(DIGIT)
    start = transforms.similarity(degrees=30, scale=0.7, x=0.2).double()
    do(page, "lab.steer(value)", start.flatten().tolist())
    shown = do(page, f"move('view', {view}); drag('{handle}', [{0.25 * UNIT}, {-0.1 * UNIT}])")
    expected = transforms.inverse(start) if view else start.clone()
    expected[0, :, {"x": 0, "y": 1, "centre": 2}[handle]] += torch.tensor([0.25, -0.1]).double()
    assert shown["frame"] == pytest.approx(expected.flatten().tolist(), abs=1e-7)


@pytest.mark.parametrize("steps", [1, 20])
def test_a_picture_dragged_through_a_line_and_back_loses_no_movement(page, show, steps):
    """There theta waits, for the picture has no inverse; the hand goes on."""
    show(DIGIT)
    there = [[-2 * UNIT * step / steps, 0] for step in range(1, steps + 1)]
    way = [*there, *reversed(there), [0, 0]]
    shown = do(page, "move('view', 1); drag('x', ...value)", way)
    assert shown["theta"] == pytest.approx([1, 0, 0, 0, 1, 0], abs=1e-9)
    shown = do(page, "drag('x', ...value)", [[-UNIT, 0], [-1.5 * UNIT, 0]])
    assert shown["frame"] == pytest.approx([-0.5, 0, 0, 0, 1, 0], abs=1e-9)


def test_a_theta_without_an_inverse_is_said_and_its_pose_is_a_dash(page, show):
    show(DIGIT)
    shown = do(page, f"drag('x', [{-UNIT}, 0])")
    assert "no pose and no inverse" in shown["text"]
    assert shown["notes"]["its inverse: input → output"].startswith("none")
    assert shown["disabled"]
    handles = {h["name"]: (h["x"], h["y"]) for h in shown["handles"]}
    assert math.dist(handles["x"], handles["centre"]) >= 19  # the centre can be taken, too
    shown = do(page, "move('view', 1)")
    assert shown["handles"] == []
    assert "theta has no inverse, so no frame" in [label["text"] for label in shown["labels"]]
    shown = do(page, f"move('view', 0); drag('x', [{0.5 * UNIT}, 0])")
    assert shown["theta"] == pytest.approx([0.5, 0, 0, 0, 1, 0])
    assert not shown["disabled"]


def test_the_panel_reaches_as_far_as_the_frame_but_not_while_it_is_dragged(page, show):
    unit = show(DIGIT)["view"]["unit"][0]
    hand = "lab.grabbed = lab.state; lab.change(lab.drag(lab.grabbed, 'centre', value, 0))"
    assert do(page, hand, 2.5 * unit)["view"]["unit"][0] == unit
    assert do(page, "lab.grabbed = null; lab.moved()")["view"]["unit"][0] == unit / 2


@pytest.mark.parametrize("x", [0, 1.5, 12, 40])
def test_an_arrow_key_moves_a_handle_as_far_on_the_canvas_however_far_the_panel_reaches(
    page, show, x
):
    show(DIGIT)
    shown = do(page, "lab.steer([1, 0, value, 0, 1, 0])", x)
    assert [handle["step"] for handle in shown["handles"]] == pytest.approx([0.02 * UNIT] * 3)
    assert_handles_lie_on_the_frame(shown)
    assert all(bool(handle["hollow"]) == (x > 1) for handle in shown["handles"])


@pytest.mark.parametrize("theta", [[1.8, 0, 0, 0, 1.8, 0], [-1.9, 0, 0, 0, -1.9, 0]])
def test_the_arrows_names_stay_in_the_panel(page, show, theta):
    show(DIGIT)
    shown = do(page, "lab.steer(value)", theta)
    left, top, width, height = shown["panels"][2]
    for name in "xy":
        (label,) = [label for label in shown["labels"] if label["text"] == name]
        assert left + 5 <= label["x"] <= left + width - 5
        assert top + 5 <= label["y"] <= top + height - 5
        tip = next(handle for handle in shown["handles"] if handle["name"] == name)
        assert math.dist((label["x"], label["y"]), (tip["x"], tip["y"])) > 12


@pytest.mark.parametrize(
    ("size", "columns", "rows"),
    [((28, 28), 28, 28), ((5, 9), 9, 5), ((512, 28), 28, 32), ((224, 224), 32, 32)],
)
def test_dots_are_as_dense_as_they_can_be_on_each_axis(page, show, size, columns, rows):
    show(DIGIT, size)
    places = torch.tensor(
        page.evaluate("[...lab.shown.panels[2].marks.find(mark => mark.kind === 'dots').places]")
    ).reshape(-1, 2)
    assert len(places[:, 0].unique()) == columns
    assert len(places[:, 1].unique()) == rows


def test_a_hand_turns_a_mirrored_theta_all_the_way_round(page, show):
    """No other slider jumps under it, though the other pose would turn less."""
    show(DIGIT)
    do(page, "lab.steer(value)", transforms.from_pose(scale_x=-1.0).flatten().tolist())
    for degrees in (60, 120, 180, -120):
        parts = do(page, "move('rotation', value)", degrees)["parts"]
        assert (parts["rotation"], parts["scale_x"], parts["scale_y"]) == (degrees, -1, 1)


def test_the_mirror_is_a_scale_x_of_minus_one(page, show):
    show(DIGIT)
    shown = do(page, "lab.press('Mirror')")
    assert (shown["sliders"]["rotation"], shown["sliders"]["scale_x"]) == (0, -1)
    assert "rotated 0 degrees, scaled by -1 in x and 1 in y, sheared by 0" in shown["text"]


def test_a_preset_widens_the_sliders_and_reset_restores_all(page, show):
    show(DIGIT)
    do(page, "lab.steer([9, 0, 0, 0, 9, 0]); move('padding_mode', 1); move('view', 1)")
    assert page.evaluate("controls.theta00.get('max')") == 9
    shown = do(page, "lab.press('Reset')")
    assert shown["theta"] == [1, 0, 0, 0, 1, 0]
    assert page.evaluate("[controls.theta00.get('max'), controls.scale_x.get('max')]") == [4, 2.5]
    assert page.evaluate("[controls.padding_mode.get('index'), controls.view.get('index')]") == [
        0,
        0,
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("size", [(28, 28), (7, 50), (1, 1)])
def test_the_output_is_pytorchs(page, show, mode, padding_mode, size):
    image = torch.rand(3, 20, 31)
    show(image, size)
    theta = transforms.similarity(degrees=21, scale=1.3, x=0.11)
    do(page, "lab.steer(value)", theta.double().flatten().tolist())
    shown = do(
        page,
        f"move('mode', {MODES.index(mode)}); "
        f"move('padding_mode', {PADDING_MODES.index(padding_mode)})",
    )
    expected = warp(image[None].double(), theta.double(), size, mode, padding_mode)[0]
    output = torch.tensor(shown["output"], dtype=torch.float64).reshape(expected.shape)
    assert (output - expected).abs().max() < 1e-5


def test_the_output_is_painted(page, show):
    image = torch.rand(20, 20)
    show(image)
    shown = do(page, "lab.press('Quarter turn')")
    assert shown["panels"][3] == [296, 26, 280, 280]
    got = squares(painted(page.query_selector(".stn-lab")), 296, 26, 280, 20, 20)
    assert (got - image.rot90() * 255).abs().max() <= 1


def test_a_chosen_image_brings_its_size(page, show):
    show(torch.zeros(2, 50), (10, 10))
    do(page, "move('image', 4)")
    assert page.evaluate("lab.outputSize") == [28, 28]
    do(page, "move('image', 0)")
    assert page.evaluate("lab.outputSize") == [2, 50]


def test_pixels_are_squares_whatever_the_size(page, show):
    show(torch.rand(20, 40), (30, 10))
    boxes = page.evaluate(
        "lab.shown.panels.flatMap(({ marks }) => "
        "marks.filter(mark => mark.kind === 'image').map(mark => mark.box))"
    )
    for (_, _, width, height), (rows, columns) in zip(boxes, [(20, 40), (30, 10)], strict=True):
        assert width / columns == pytest.approx(height / rows)


def test_a_narrow_page_has_one_picture_under_the_other_and_large_words(page, show):
    page.set_viewport_size({"width": 390, "height": 900})
    shown = show(DIGIT)
    assert shown["panels"][3][0] == 0
    assert shown["panels"][3][1] > shown["panels"][2][1] + 280
    page.set_viewport_size({"width": 1200, "height": 900})
    assert do(page, "")["panels"][3][:2] == [296, 26]


def test_nothing_moves_on_the_page_while_theta_changes(page, show):
    """The notes, the buttons and what is below them stay where they are."""
    show(DIGIT)
    places = """[...document.querySelectorAll('.stn-notes figure, .stn-buttons button, .stn-lines')]
        .map(e => { const { x, y, width, height } = e.getBoundingClientRect();
                    return [x, y, width, height].map(Math.round) })"""
    for width in (1200, 900, 700, 390):
        page.set_viewport_size({"width": width, "height": 900})
        do(page, "lab.press('Reset')")
        before = page.evaluate(places)
        for theta in ([0, 0, 0, 0, 1, 0], [-1.234, 0.5, 3.21, 0.111, -2.5, -3.9]):
            do(page, "lab.steer(value)", theta)
            assert page.evaluate(places) == before, (width, theta)


def test_a_single_pixel_has_no_pixel_matrix_and_says_why(page, show):
    shown = show(DIGIT, (1, 1), align_corners=True)
    (text,) = [t for title, t in shown["notes"].items() if "OpenCV" in title]
    assert text.startswith("none: with align_corners=True a single")


def test_a_large_picture_is_shown_reduced_and_says_so(page, show):
    shown = show(torch.rand(1, 600, 1400))
    assert page.evaluate("[lab.output.rows, lab.output.columns]") == [200, 467]
    words = "The input (600×1400 pixels) and the output (600×1400 pixels) are shown reduced"
    assert words in shown["text"] and words in shown["notes"]["shown reduced"]
    do(page, "controls.height.set('value', 20); controls.width.set('value', 40)")
    words = do(page, "")["text"]
    assert "The input (600×1400 pixels) is shown reduced" in words


def test_the_pixel_matrix_is_opencvs(page, show):
    """As it stands in the lab, ready to copy, `warpAffine` takes it and gives the same picture."""
    cv2 = pytest.importorskip("cv2")
    show(DIGIT, (20, 31))
    theta = transforms.similarity(degrees=25, scale=0.8, x=0.2, y=-0.1)
    shown = do(page, "lab.steer(value)", theta.double().flatten().tolist())
    (text,) = [text for title, text in shown["notes"].items() if "OpenCV" in title]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix = eval(text, {"numpy": numpy})
    output = cv2.warpAffine(DIGIT.numpy(), matrix, (31, 20), flags=flags)
    found = numpy.array(shown["output"]).reshape(20, 31)
    # OpenCV rounds its weights, to 1/32 in older versions.
    assert numpy.abs(output - found).max() < 0.04


def test_words_are_painted_so_that_they_can_be_read_on_a_narrow_page(page, show):
    """At 200 % zoom a page has half as many pixels, and the canvas shrinks."""
    page.evaluate("""() => {
        window.painted = [];
        const fill = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            painted.push(parseFloat(this.font) * this.canvas.clientWidth / this.canvas.width);
            fill.call(this, text, ...place);
        };
    }""")
    for width in (390, 470, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        show(DIGIT)
        sizes = page.evaluate("painted.splice(0)")
        assert len(sizes) >= 6 and min(sizes) >= 10.9, width


def test_outside_the_panels_the_page_itself_is_seen(page, show):
    """No white strips in a dark theme; and the words there have the page's own colour."""
    show(DIGIT)
    pixels = "canvas.getContext('2d').getImageData(0, 0, 280, 26).data"
    read = f"const canvas = document.querySelector('canvas'); const data = {pixels}"
    ink = f"() => {{ {read}; const at = [...data].findIndex((v, i) => i % 4 === 3 && v === 255);"
    for colour, expected in (("rgb(255, 255, 255)", 255), ("rgb(0, 0, 0)", 0)):
        page.evaluate("c => document.querySelector('.stn-canvas').style.color = c", colour)
        do(page, "lab.moved()")
        assert page.evaluate(f"() => {{ {read}; return data[3]; }}") == 0
        assert page.evaluate(f"{ink} return data[at - 3]; }}") == expected


def test_a_finger_finds_handles_of_44_pixels(browser):
    context = browser.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    lab_in_page.show_lab(page, ThetaLab(DIGIT), "ThetaLab")
    boxes = [handle.bounding_box() for handle in page.query_selector_all(".stn-handle")]
    assert [round(box[side]) for box in boxes for side in ("width", "height")] == [44] * 6
    x = next(h["x"] for h in page.evaluate(SHOWN)["handles"] if h["name"] == "x")
    assert boxes[1]["x"] + 22 == pytest.approx(
        x * page.evaluate("document.querySelector('canvas').clientWidth / lab.shown.width")
        + page.query_selector("canvas").bounding_box()["x"],
        abs=1,
    )
    context.close()
