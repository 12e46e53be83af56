"""WarpLab in a browser without a kernel: hands that drag its points, its words, PyTorch's check."""

import base64

import lab_in_page
import numpy
import pytest
import torch
import torch.nn.functional as F
from lab_by_hand import check, move, note, painted, put, rest, state, words
from lab_in_page import answer, show_lab
from PIL import Image

from stn_course import grids, samplers, transforms
from stn_course.widgets import WarpLab, page_photograph, warp_lab

IMAGE = torch.rand(1, 20, 30, generator=torch.Generator().manual_seed(0))
UNIT = 320 / 1.2 / 2  # canvas pixels of a normalised unit along the longer side
FAMILIES = {"Affine": 3, "Projective": 4, "Thin plate spline": 16}
OUTPUT = """async () => {
    const { channels, rows, columns, values } = lab.output;
    const reader = new FileReader();
    const read = new Promise(done => (reader.onload = done));
    reader.readAsDataURL(new Blob([values]));
    await read;
    return [channels, rows, columns, reader.result];
}"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def page(browser):
    yield from lab_in_page.page_without_errors(browser)


@pytest.fixture
def show(page):
    """A function: a WarpLab of these arguments in the page, and returned."""
    labs = []

    def opened(*args, live=True, **options):
        labs.append(WarpLab(*args, **options))
        show_lab(page, labs[-1], "WarpLab", live)
        return labs[-1]

    yield opened
    for lab in labs:
        lab.close()


@pytest.fixture(scope="module")
def standing(browser):
    """A page with a WarpLab of IMAGE, opened once, and that lab."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    lab = WarpLab(IMAGE)
    show_lab(page, lab, "WarpLab")
    yield page, lab
    page.close()
    lab.close()


@pytest.fixture
def reset(standing):
    """The standing lab as it was at the beginning, in its page: both."""
    page, lab = standing
    press(page, "Reset")
    lab.canvas.set_state({"state": state(page)})
    return page, lab


def press(page, button: str) -> None:
    page.click(f'.stn-button:text-matches("^{button}")')
    rest(page)


def points(page) -> torch.Tensor:
    return torch.tensor(state(page)["points"], dtype=torch.float64)


def shown_output(page) -> torch.Tensor:
    """The output as the module has computed it, (C, H, W)."""
    *shape, url = page.evaluate(OUTPUT)
    values = bytearray(base64.b64decode(url.split(",")[1]))
    return torch.frombuffer(values, dtype=torch.float64).reshape(shape)


def drag(page, name: str, *ways: tuple[float, float]) -> None:
    """Take a handle with the mouse, and move so far from there, one way after the other."""
    box = page.query_selector(f"[data-handle={name}]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ways:
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    rest(page)


def likeness(one: torch.Tensor, other: torch.Tensor) -> float:
    """How two pictures go together, light and noise aside: 1 is the same."""
    one, other = (F.avg_pool2d(picture[None].double(), 3) for picture in (one, other))
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].item()


def test_four_corners_dragged_onto_the_pages_straighten_it(page, show):
    """With the mouse, on the photograph: the output then is the page as it was drawn."""
    show()
    photograph, drawn, corners = page_photograph()
    before = likeness(shown_output(page), drawn)
    unit = page.evaluate("lab.inputView.unit")
    for i, (start, corner) in enumerate(zip(grids.control_lattice(2), corners, strict=True)):
        dx, dy = ((corner - start) * torch.tensor(unit)).tolist()
        drag(page, f"point{i}", (0, 0), (dx, dy))
    assert (points(page) - corners).abs().max() < 0.005  # half a pixel of the photograph
    after = likeness(shown_output(page), drawn)
    assert before < 0.2 and after > 0.85
    box = page.evaluate("lab.shown.panels[3].box")
    across = (320 - 226) // 2
    seen = painted(page, box)[:, across : across + 226].movedim(-1, 0) / 255
    assert likeness(seen, drawn) > 0.85
    theta = transforms.from_corners(points(page)[None])
    grid = grids.projective_grid(theta, (1, 3, 320, 226))
    expected = F.grid_sample(photograph[None].double(), grid, align_corners=False)[0]
    assert (shown_output(page) - expected).abs().max() < 1e-5


def choose(page, file) -> None:
    """Press the button, and choose a file."""
    with page.expect_file_chooser() as chooser:
        page.click('.stn-button:text-is("Your own image")')
    chooser.value.set_files(file)
    rest(page)


def test_without_a_kernel_a_picture_of_ones_own_is_opened(page, show, tmp_path):
    """Here of 640×960 pixels, in two colours; the points stay where they were."""
    show(live=False)
    press(page, "Fish eye")
    before = points(page)
    colours = numpy.zeros((960, 640, 3), dtype=numpy.uint8)
    colours[:480, :, 0] = colours[480:, :, 2] = 255
    Image.fromarray(colours).save(tmp_path / "holiday.png")
    choose(page, tmp_path / "holiday.png")
    page.wait_for_function("lab.controls.image.value === 'holiday.png'")
    assert torch.equal(points(page), before)
    press(page, "Identity")
    output = shown_output(page)
    assert output.shape == (3, 400, 267)
    assert output[:, 100].mean(dim=1).round(decimals=9).tolist() == [1, 0, 0]
    assert output[:, 300].mean(dim=1).round(decimals=9).tolist() == [0, 0, 1]
    press(page, "Reset")
    assert page.evaluate("lab.controls.image.value") == warp_lab.PHOTOGRAPH


def test_what_is_no_picture_is_refused_in_words(page, show, tmp_path):
    show(live=False)
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    choose(page, tmp_path / "notes.txt")
    refused = "notes.txt is no picture that this browser can read."
    page.wait_for_function("words => lab.canvas.alert.textContent === words", arg=refused)
    assert page.evaluate("lab.controls.image.value") == warp_lab.PHOTOGRAPH


def test_with_a_kernel_python_is_given_ones_own_image(page, show):
    show()
    assert page.query_selector('.stn-button:text-is("Your own image")') is None


@pytest.mark.parametrize("mode", samplers.MODES)
@pytest.mark.parametrize("name", warp_lab.presets())
def test_pytorch_agrees_and_so_do_the_words(reset, name, mode):
    page, lab = reset
    move(page, "mode", samplers.MODES.index(mode))
    move(page, "padding_mode", samplers.PADDING_MODES.index("reflection"))
    press(page, name)
    answer(page, lab)
    assert check(page).startswith("PyTorch on cpu agrees")
    assert ": 0.0" in check(page) and check(page).endswith(" ms")
    lab.canvas.set_state({"state": state(page)})
    assert words(page) == lab.text


def test_pytorch_can_disagree(page, show):
    lab = show(IMAGE)
    page.evaluate("lab.inputs[0].values[300] = 1 - lab.inputs[0].values[300]; lab.moved()")
    answer(page, lab)
    assert check(page).startswith("PyTorch on cpu differs")


@pytest.mark.parametrize("family", ["affine", "projective", "tps"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_each_family_is_pytorchs_with_both_align_corners(page, show, family, align_corners):
    lab = show(IMAGE, family, (24, 17), align_corners=align_corners, padding_mode="border")
    generator = torch.Generator().manual_seed(1)
    lab.points = lab.points + 0.2 * torch.rand(lab.points.shape, generator=generator)
    put(page, state=lab.canvas.state)
    expected = lab.output()[0]
    assert (shown_output(page) - expected).abs().max() < 1e-6
    answer(page, lab)
    assert "agrees: 0.000 of 255" in check(page)


def test_keys_move_a_point_and_a_reader_is_told_where(reset):
    page, _ = reset
    page.focus("[data-handle=point3]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    rest(page)
    x, y = points(page)[3].tolist()
    step = 0.01 * 20 / 30  # in canvas pixels as far along both axes
    assert (x, y) == pytest.approx((1 - step, 1 - 10 * 0.01))
    label = page.get_attribute("[data-handle=point3]", "aria-label")
    assert label == "bottom right corner of the output, x 0.99, y 0.9; arrow keys move it"
    assert "bottom right corner at x 0.99, y 0.9. Nothing is folded." in words(page)
    assert (points(page)[:3] == grids.control_lattice(2)[:3]).all()


def test_a_point_stays_under_the_pointer_out_of_the_panel_and_back(reset):
    page, _ = reset
    drag(page, "point0", (-300, 5), (40, 400), (60, 40))
    unit = torch.tensor([UNIT, UNIT * 20 / 30])
    expected = torch.tensor([-1.0, -1.0]) + torch.tensor([60, 40]) / unit
    assert (points(page)[0] - expected).abs().max() < 1e-6


def test_a_point_far_away_stays_in_the_panel_which_shows_more(reset):
    page, lab = reset
    lab.points = torch.tensor([[-1.0, -1.0], [5.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    put(page, state=lab.canvas.state)
    assert page.evaluate("lab.reach") > 5
    lab.points = torch.tensor([[-1.0, -1.0], [99.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    put(page, state=lab.canvas.state)
    handle = page.evaluate("lab.shown.handles[1]")
    assert handle["x"] == 320 - 8
    press(page, "Identity")
    assert page.evaluate("lab.reach") == 1.2


def test_a_finger_drags_a_point_of_44_pixels_and_all_fits_a_phone(browser):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.set_content('<meta name="viewport" content="width=device-width">')
    lab = WarpLab(family="tps")
    show_lab(page, lab, "WarpLab")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    handles = page.query_selector_all("[data-handle]")
    sizes = [handle.bounding_box() for handle in handles]
    assert [(box["width"], box["height"]) for box in sizes] == [(44, 44)] * 16
    buttons = [button.bounding_box() for button in page.query_selector_all(".stn-button")]
    assert all(box["height"] >= 44 for box in buttons if box)
    x, y = sizes[5]["x"] + 22, sizes[5]["y"] + 22
    finger = context.new_cdp_session(page)
    for kind, dx in (("Start", 0), ("Move", 10), ("Move", 30)):
        touch = {"type": f"touch{kind}", "touchPoints": [{"x": x + dx, "y": y}]}
        finger.send("Input.dispatchTouchEvent", touch)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    rest(page)
    moved = points(page) - grids.control_lattice(4)
    across = 30 * page.evaluate("lab.shown.width / document.querySelector('canvas').clientWidth")
    assert moved[5].tolist() == pytest.approx([across / (UNIT * 240 / 320), 0], abs=1e-3)
    assert moved.abs().sum() == pytest.approx(moved[5, 0].item())
    boxes = page.evaluate("lab.shown.panels.map(({ box }) => box)")
    assert boxes[3][0] == 0 and boxes[3][1] > boxes[2][1] + 320  # one under the other
    lab.close()
    context.close()


def test_another_family_keeps_the_picture_where_it_can(page, show):
    lab = show(IMAGE, "affine", padding_mode="border")
    lab.points = torch.tensor([[-0.8, -0.7], [0.9, -0.4], [-0.6, 0.5]])
    put(page, state=lab.canvas.state)
    first = shown_output(page)
    for family in ("Projective", "Thin plate spline", "Projective", "Affine"):
        press(page, family)
        assert len(points(page)) == FAMILIES[family]
        assert (shown_output(page) - first).abs().max() < 1e-6
        pressed = page.inner_text(".stn-button[aria-pressed=true]")
        assert pressed.startswith(family)
    assert (points(page) - lab.points).abs().max() < 1e-6


def test_sixteen_points_of_a_homography_are_its_own_and_four_of_them_its_corners(reset):
    page, _ = reset
    press(page, "Page in perspective")
    corners = points(page)
    press(page, "Thin plate spline")
    size = (1, 1, 4, 4)
    expected = grids.projective_grid(transforms.from_corners(corners[None]), size, True)
    assert (points(page) - expected.reshape(16, 2)).abs().max() < 1e-9
    press(page, "Projective")
    assert (points(page) - corners).abs().max() < 1e-9


def test_corners_behind_the_horizon_stay_where_they_were_dragged(reset):
    page, _ = reset
    press(page, "Horizon")
    corners = points(page)
    press(page, "Thin plate spline")
    assert (points(page)[[0, 3, 12, 15]] - corners).abs().max() < 1e-9
    assert points(page).abs().max() < 3


@pytest.mark.parametrize(
    ("name", "words_", "level"), [("Fold", "folded", 0), ("Horizon", "behind the horizon", 2)]
)
def test_what_folds_or_lies_behind_is_shaded_and_counted(page, show, name, words_, level):
    """On a white image: red is strongest where it folds, blue behind the horizon."""
    lab = show(torch.ones(1, 40, 40), padding_mode="border")
    press(page, name)
    lab.canvas.set_state({"state": state(page)})
    grid = lab.grid()
    marked = transforms.folded(grid) if name == "Fold" else (grid == grids.OUTSIDE).all(dim=-1)
    share = f"{100 * marked.double().mean().item():.1f} %"
    assert f"{share} of the output is {words_}." in words(page)
    assert f"{words_}: {share}" in note(page, "of the output")
    seen = painted(page, page.evaluate("lab.shown.panels[3].box"))[4::8, 4::8]
    shaded = seen[..., level] - seen[..., 2 - level] > 30
    wrong = shaded != marked[0]
    wrong[-8:, 10:30] = False  # under its label
    assert not wrong.any()


def test_the_grids_lines_lie_where_the_package_puts_them(reset):
    page, lab = reset
    press(page, "Wave")
    lab.canvas.set_state({"state": state(page)})
    found = torch.tensor(
        page.evaluate("""lab.shown.panels[2].marks
            .filter(({ kind, colour, width }) => kind === "path" && colour === "#E69F00")
            .map(({ places }) => places)"""),
        dtype=torch.float64,
    )
    unit = torch.tensor([UNIT, UNIT * 20 / 30], dtype=torch.float64)
    found = (found - torch.tensor([160, 26 + 160])) / unit
    across = grids.thin_plate_spline_grid(lab.points[None].double(), (1, 1, 10, 61), True)[0]
    down = grids.thin_plate_spline_grid(lab.points[None].double(), (1, 1, 61, 10), True)[0]
    assert (found - torch.cat([down.movedim(1, 0), across])).abs().max() < 1e-6


def test_a_line_ends_at_the_horizon(reset):
    page, _ = reset
    press(page, "Horizon")
    marks = page.evaluate("lab.shown.panels[2].marks.filter(({ kind }) => kind === 'path')")
    places = torch.tensor([place for mark in marks[1:] for place in mark["places"]])
    outside = torch.tensor([160 + 10 * UNIT, 186 + 10 * UNIT * 20 / 30])
    assert ((places - outside).abs().amax(dim=1) > 1).all()


def test_notes_are_theta_and_the_points_as_python(reset):
    page, lab = reset
    press(page, "Page in perspective")
    lab.canvas.set_state({"state": state(page)})
    numbers = torch.tensor([float(n) for n in note(page, "theta").split()])
    assert (numbers - lab.theta.flatten()).abs().max() < 6e-4
    import numpy

    made = eval(note(page, "where the points read"), {"numpy": numpy})
    assert abs(made - lab.points.numpy()).max() < 1e-6
    lab.points = made
    press(page, "Thin plate spline")
    assert page.query_selector("figcaption:text-matches('^theta')") is None
    assert note(page, "the grid is a thin plate spline").startswith("32 numbers")


def test_buttons_put_what_python_says_and_reset_puts_the_beginning(page, show):
    show(IMAGE, "tps")
    for name, preset in warp_lab.presets().items():
        press(page, name)
        assert {part: state(page)[part] for part in preset} == preset
    move(page, "padding_mode", 1)
    move(page, "image", 1)
    press(page, "Reset")
    assert (state(page)["family"], page.evaluate("controls.image.get('index')")) == ("tps", 0)
    assert page.evaluate("controls.padding_mode.get('index')") == 0
    assert (points(page) - grids.control_lattice(4)).abs().max() < 1e-6
    press(page, "Fold")
    press(page, "Identity")
    assert "Points moved: 0 of 16. Nothing is folded." in words(page)


def test_another_image_brings_its_size(page, show):
    lab = show()
    move(page, "image", 1 + 7)
    assert shown_output(page).shape == (1, 28, 28)
    lab.source.value = "digit 7"
    assert (shown_output(page) - lab.image).abs().max() < 1e-6


def test_without_a_kernel_it_says_so_and_plays(page, show):
    show(live=False)
    press(page, "Wave")
    page.wait_for_function("lab.toldWords")
    assert check(page) == "Computed in the browser, without a kernel."
    assert page.evaluate("canvasModel.get('question').serial") is None
