"""SamplerLab in a browser without a kernel: PyTorch's numbers, its point in hand, its check."""

import lab_page
import pytest
import torch
import torch.nn.functional as F
from lab_by_hand import check, move, note, painted, put, rest, state, value, words
from lab_in_page import answer, show_lab

from stn_course import samplers
from stn_course.widgets import SamplerLab
from stn_course.widgets.esm import joined

IMAGE = torch.rand(6, 9, generator=torch.Generator().manual_seed(0))
PIXEL = 300 / (9 + 4)  # canvas pixels of a pixel of the image
READ = """async ({ source, cases, values }) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { readPoint } = await import(url);
    const image = { channels: 1, rows: 6, columns: 9, values };
    return cases.map(([point, mode, padding, alignCorners]) => {
        const read = readPoint({ image, point, mode, alignCorners }, padding);
        const weight = read.neighbours.reduce((sum, n) => sum + n.weight, 0);
        return [read.value, ...read.gradient, weight];
    });
}"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1000, "height": 800}, device_scale_factor=1)
    yield page
    page.close()


@pytest.fixture
def lab(page):
    """A lab on IMAGE, shown in the page."""
    lab = SamplerLab(IMAGE, 3.7, 2.2)
    show_lab(page, lab, "SamplerLab")
    yield lab
    lab.close()


def pytorchs(point, mode="bilinear", padding_mode="zeros", align_corners=False) -> list[float]:
    """The value of IMAGE at a place in pixels and its gradient per pixel."""
    place, size = torch.tensor(point, requires_grad=True), torch.tensor([9.0, 6.0])
    grid = 2 * place / (size - 1) - 1 if align_corners else (2 * place + 1) / size - 1
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    value = F.grid_sample(IMAGE[None, None], grid[None, None, None], **options).sum()
    return [value.item(), *torch.autograd.grad(value, place)[0].tolist()]


def test_value_and_gradient_are_pytorchs_in_every_mode(page, lab):
    """240 places inside and outside; none on a tie, where the last bit decides."""
    random = torch.Generator().manual_seed(1)
    cases = []
    for mode in samplers.MODES:
        for padding in samplers.PADDING_MODES:
            for align_corners in (False, True):
                places = torch.rand(20, 2, generator=random) * torch.tensor([13.0, 10.0]) - 2.4
                places = (places * 100).round() / 100 + 0.003
                cases += [[point, mode, padding, align_corners] for point in places.tolist()]
    sent = {"source": joined("sampler_scene.js"), "cases": cases}
    found = page.evaluate(READ, sent | {"values": IMAGE.flatten().tolist()})
    expected = torch.tensor([pytorchs(*case) for case in cases])
    assert (torch.tensor(found)[:, :3] - expected).abs().max() < 1e-4
    assert torch.allclose(torch.tensor(found)[:, 3], torch.ones(len(cases)))


def test_words_notes_and_pictures_say_what_pytorch_reads(page, lab):
    value, x, y = pytorchs((3.7, 2.2))
    assert words(page) == (
        f"The point lies at x 3.70, y 2.20 pixels, inside the image. Its value is {value:.2f}, "
        f"from pixels of weight 0.24, 0.56, 0.06, 0.14. "
        f"Its gradient is {x:.2f} in x and {y:.2f} in y."
    )
    assert words(page) == lab.text
    assert note(page, "column, row").endswith(f"sum = {value:.3f}")
    assert note(page, "gradient") == f"in x {x:+.3f}\nin y {y:+.3f}"
    assert note(page, "the point, normalised") == f"x {7.4 / 9 + 1 / 9 - 1:+.3f}\ny -0.100"


@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
def test_around_the_image_stands_its_padding(page, lab, padding_mode):
    move(page, "padding_mode", samplers.PADDING_MODES.index(padding_mode))
    x, y = (2 * torch.arange(-2, n + 2) + 1 for n in (9, 6))
    grid = torch.stack(torch.meshgrid(x / 9 - 1, y / 6 - 1, indexing="xy"), dim=-1)[None]
    options = {"mode": "nearest", "padding_mode": padding_mode, "align_corners": False}
    expected = 255 * F.grid_sample(IMAGE[None, None], grid, **options)[0, 0]
    down, across = (((torch.arange(n + 4) + 0.5) * PIXEL).long() for n in (6, 9))
    shown = painted(page, (0, 26, 300, 300))[down][:, across, 0]
    off = (shown - expected).abs() > 1
    assert off.sum() <= 4  # the dashed line to where it reads, and frames


def test_pytorch_checks_the_value_when_the_hand_rests(page, lab):
    answer(page, lab)
    assert check(page).startswith("PyTorch on cpu agrees: 0.000 of 255, ")
    move(page, "padding_mode", samplers.PADDING_MODES.index("reflection"))
    move(page, "x", -1.7)
    answer(page, lab)
    question = lab.canvas.question
    assert question["point"] == [-1.7, 2.2]
    assert question["options"]["padding_mode"] == "reflection"
    assert "agrees: 0.000 of 255" in check(page)
    put(page, answer=lab.canvas.answer | {"value": 0.1})
    assert "differs: " in check(page)
    move(page, "mode", samplers.MODES.index("nearest"))
    put(page, answer=lab.canvas.answer)
    assert check(page) == "PyTorch checks this picture when the hand rests and the kernel is free."


def test_the_point_stays_under_the_pointer(page, lab):
    """Dragged out of the picture and back without letting go, it is where it was."""
    handle = page.query_selector("[data-handle=point]")
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((-60, 0), (-900, -700), (-300, 400), (0, 0), (2 * PIXEL, PIXEL)):
        page.mouse.move(x + dx, y + dy)
        if dx == -900:
            assert state(page)["point"] == [-2.5, -2.5]
    page.mouse.up()
    assert state(page)["point"] == pytest.approx([5.7, 3.2])
    lab_page.drag(page, handle, -1000, 0)
    lab_page.drag(page, handle, PIXEL, 0)  # taken anew, from where it lies
    assert state(page)["point"][0] == pytest.approx(-1.5)


def test_sliders_keys_and_python_move_the_same_point(page, lab):
    move(page, "y", 4.5)
    assert state(page)["point"] == [3.7, 4.5]
    page.focus("[data-handle=point]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    rest(page)
    assert state(page)["point"] == pytest.approx([3.65, 5.0])
    assert value(page, "y") == pytest.approx(5.0)
    label = page.get_attribute("[data-handle=point]", "aria-label")
    assert label == "the point, x 3.65, y 5.00 pixels; arrow keys move it"
    lab.point = (1.25, -1)
    put(page, state=lab.canvas.state)
    assert "x 1.25, y -1.00 pixels, outside" in words(page)
    for padding_mode in samplers.PADDING_MODES:
        lab.choices["padding_mode"].value = padding_mode
        move(page, "padding_mode", samplers.PADDING_MODES.index(padding_mode))
        assert words(page) == lab.text


def test_a_point_typed_too_far_away_is_not_taken_in_silence(page, lab):
    page.evaluate("async () => { lab.hear('x', 99); await rested(); }")
    assert state(page)["point"] == [10.5, 2.2]
    said = "x 99 lies too far outside: the lab shows 2 pixels of padding."
    assert page.inner_text("[role=alert]") == said
    move(page, "x", 3)
    assert page.inner_text("[role=alert]") == ""


def test_nearest_reads_one_pixel_and_has_no_gradient(page, lab):
    move(page, "mode", samplers.MODES.index("nearest"))
    assert ", from the nearest pixel. Its gradient is 0.00 in x and 0.00 in y." in words(page)
    lab.choices["mode"].value = "nearest"
    assert words(page) == lab.text
    assert note(page, "column, row") == f" 4, 2  {IMAGE[2, 4]:.2f}·1.00 = {IMAGE[2, 4]:.3f}\n" + (
        f"sum = {IMAGE[2, 4]:.3f}"
    )


def test_a_narrow_page_has_the_parts_one_under_the_other(page, lab):
    """So that no letter is small, and nothing cut off."""
    page.set_viewport_size({"width": 390, "height": 800})
    rest(page)
    width, height = page.evaluate("(c => [c.width, c.height])(document.querySelector('canvas'))")
    page.set_viewport_size({"width": 1000, "height": 800})
    assert (width, height) == (300, 2 * (26 + 300) + 16 + 3 * 48 - 4)
