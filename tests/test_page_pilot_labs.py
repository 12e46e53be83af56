"""PilotLab and FindLab in a browser without a kernel: frames and boxes in hand, the classifier."""

import lab_page
import pytest
import torch
from lab_by_hand import check, move, note, painted, put, rest, state, value, words
from lab_in_page import answer, show_lab
from localization_networks import Told
from torch import nn

from stn_course import clutter, data, models, samplers, transforms
from stn_course.plotting import COLOURS
from stn_course.widgets import FindLab, PilotLab

UNIT = {"pilot": 252 / 2 * 1.2 / 2, "find": 240 / 2}  # canvas pixels to the picture's edge
SIDE, TOP = 252, 26  # canvas pixels of the first two panels


class OfALearner(models.PlainNet):
    """A classifier that the browser does not know."""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1000, "height": 800}, device_scale_factor=1)
    yield page
    page.close()


def upright(kind=models.PlainNet) -> nn.Module:
    """The classifier of upright digits."""
    made = kind().eval()
    made.load_state_dict(models.load_straightener().state_dict(), strict=False)
    return made


@pytest.fixture(scope="module")
def turned(digits):
    images, labels = digits
    degrees = torch.tensor([59.0, -67, 73, 58])
    return data.rotate(images[:4], degrees), labels[:4], transforms.rotation(degrees=-degrees)


@pytest.fixture
def pilot(page, turned):
    """A lab on four turned digits, shown in the page; its network knows how they are turned."""
    images, labels, thetas = turned
    lab = PilotLab(images, labels, upright(), Told(thetas))
    show_lab(page, lab, "Pilot")
    yield lab
    lab.close()


@pytest.fixture
def find(page, digits):
    """A lab on four cluttered pictures; its network looks upwards."""
    pictures, _ = clutter.random_clutter()(digits[0][:4], torch.Generator().manual_seed(0))
    looks_upwards = Told(transforms.attention(0.5, y=-0.4).expand(4, 2, 3))
    lab = FindLab(pictures, digits[1][:4], upright(), looks_upwards)
    show_lab(page, lab, "FindLab")
    yield lab
    lab.close()


def thetas_in(page) -> torch.Tensor:
    return torch.tensor(state(page)["thetas"]).reshape(-1, 2, 3)


def assert_theta(page, expected, index: int = 0) -> None:
    assert torch.allclose(thetas_in(page)[[index]], expected, atol=1e-6)


def drag(page, handle: str, x: float, y: float, unit: float) -> None:
    """Take a handle and move it by a normalised (x, y)."""
    found = page.query_selector(f"[data-handle={handle}]")
    lab_page.drag(page, found, x * unit, y * unit)
    rest(page)


def press(page, button: str) -> None:
    page.click(f'button:text-is("{button}")')
    rest(page)


def assert_seen_as_pytorch_reads(page, lab, index: int = 0) -> None:
    """The second panel, the bars and the words are PyTorch's for the thetas in the page."""
    outputs, shares = lab.judge(thetas_in(page))
    shown = painted(page, (SIDE + 16, TOP, SIDE, SIDE))[4::9, 4::9, 0]
    assert (shown - 255 * outputs[index, 0]).abs().max() <= 1
    best = shares[index].argmax().item()
    said = f"says {best} with {100 * shares[index, best]:.0f} percent certainty."
    assert said in words(page)
    right = shares[torch.arange(len(shares)), lab.labels]
    assert f"Your score is {right.sum():.2f} of {len(shares)}." in words(page)
    assert f"{right.sum():.2f} of {len(shares)}" in note(page, "score")
    orange = torch.tensor([0xE6, 0x9F, 0x00]).float()
    row = painted(page, (2 * (SIDE + 16) + 20, TOP + round((best + 0.5) * 25.2), 165, 1))[0]
    filled = ((row - orange).abs().max(dim=-1).values <= 2).sum().item()
    assert filled / 165 == pytest.approx(shares[index, best].item(), abs=0.03)


def test_sliders_and_handles_steer_and_the_classifier_answers_as_in_pytorch(page, pilot):
    assert words(page).startswith("Digit 1 of 4, a 7. The grid is rotated 0 degrees")
    assert_seen_as_pytorch_reads(page, pilot)
    move(page, "rotation", -59)
    assert_theta(page, transforms.rotation(degrees=-59))
    assert_seen_as_pytorch_reads(page, pilot)
    before = thetas_in(page)[0]
    drag(page, "x", 0, 0.4, UNIT["pilot"])
    before[1, 0] += 0.4
    assert_theta(page, before[None])
    assert_seen_as_pytorch_reads(page, pilot)


def test_each_digit_keeps_its_theta_and_after_the_last_comes_the_first(page, pilot):
    move(page, "rotation", 20)
    press(page, "Next digit")
    assert words(page).startswith("Digit 2 of 4, a 2. The grid is rotated 0 degrees")
    move(page, "rotation", -35)
    move(page, "digit", 0)
    assert value(page, "rotation") == pytest.approx(20)
    assert_theta(page, transforms.rotation(degrees=-35), 1)
    press(page, "Reset this digit")
    assert_theta(page, transforms.identity())
    assert_theta(page, transforms.rotation(degrees=-35), 1)
    for _ in range(4):
        press(page, "Next digit")
    assert words(page).startswith("Digit 1 of 4")


def test_the_networks_theta_is_shown_beside_yours_and_nothing_jumps(page, pilot, turned):
    def places():
        selector = ".stn-buttons button, .stn-notes figure, canvas"
        return [element.bounding_box() for element in page.query_selector_all(selector)]

    before, score = places(), pilot.score(pilot.network_thetas)
    assert f"network {score:5.2f} of 4" in note(page, "score")  # at once: the score to beat
    assert note(page, "the network's theta").startswith("hidden until you press")
    button = page.query_selector("button:has-text('network')")
    button.click()
    rest(page)
    assert button.inner_text() == "Hide the network's theta"
    assert button.get_attribute("aria-pressed") == "true"
    assert f"network {score:5.2f} of 4" in note(page, "score")
    assert score > pilot.score(pilot.thetas) + 1
    for now, then in zip(places(), before, strict=True):
        assert (now["x"], now["y"], now["height"]) == (then["x"], then["y"], then["height"])
    their = [f"{number:+.3f}" for number in turned[2][0].flatten()]
    assert note(page, "the network's theta").split() == their


def colours_of(page, box) -> set[str]:
    seen = painted(page, box).reshape(-1, 3).long().unique(dim=0).tolist()
    return {"#{:02X}{:02X}{:02X}".format(*colour) for colour in seen}


def test_the_networks_frame_has_a_colour_of_its_own(page, pilot):
    """Its arrows, too; the learner's keep theirs."""
    panel = (0, TOP, SIDE, SIDE)
    assert COLOURS["other"] not in colours_of(page, panel)
    press(page, "Show the network's theta")
    assert {COLOURS[name] for name in ("output", "x", "y", "other")} <= colours_of(page, panel)


def test_pytorch_checks_outputs_and_certainties_when_the_hand_rests(page, pilot):
    move(page, "rotation", 40)
    answer(page, pilot)
    assert check(page).startswith("PyTorch on cpu agrees: 0.00")
    assert "certainties to 0.00 %" in check(page)


def test_a_classifier_that_the_browser_cannot_compute_is_asked_in_the_kernel(page, turned):
    images, labels, thetas = turned
    lab = PilotLab(images, labels, upright(OfALearner), Told(thetas))
    show_lab(page, lab, "Pilot")
    assert words(page).endswith("The classifier has not answered yet.")
    answer(page, lab)
    rest(page)
    assert_seen_as_pytorch_reads(page, lab)
    move(page, "rotation", -59)
    assert words(page).endswith("The classifier has not answered yet.")
    assert "…" in note(page, "score")
    answer(page, lab)
    rest(page)
    assert_seen_as_pytorch_reads(page, lab)
    lab.close()


def test_python_sets_what_the_page_shows(page, pilot):
    pilot.theta = transforms.rotation(degrees=30)
    put(page, state=pilot.canvas.state)
    assert "rotated 30 degrees" in words(page)
    pilot.compared = True
    put(page, state=pilot.canvas.state)
    assert page.query_selector("button:has-text('Hide the network')")


def test_the_box_is_dragged_and_resized_and_read_without_aliasing(page, find):
    assert_seen_as_pytorch_reads(page, find)  # of the whole picture: two levels of a pyramid
    find.theta = transforms.attention(0.5, 0.1, 0.2)
    put(page, state=find.canvas.state)
    drag(page, "centre", -0.3, 0.2, UNIT["find"])
    assert_theta(page, transforms.attention(0.5, -0.2, 0.4))
    drag(page, "corner", 0.2, 0.2, UNIT["find"])
    assert_theta(page, transforms.attention(0.7, -0.2, 0.4))
    drag(page, "corner", -0.2, 0, UNIT["find"])  # beside the diagonal: to the nearest place on it
    assert_theta(page, transforms.attention(0.6, -0.2, 0.4))
    assert_seen_as_pytorch_reads(page, find)
    assert "The box is 0.6 times as wide as the picture, around x -0.2 and y 0.4." in words(page)
    values = [value(page, name) for name in ("scale", "x", "y")]
    assert values == pytest.approx([0.6, -0.2, 0.4], abs=0.005)
    smooth = samplers.warp(find.images, find.thetas.float(), (28, 28), antialias=True)
    assert torch.allclose(find.judge(find.thetas)[0], smooth)


def test_a_corner_dragged_beyond_the_middle_and_back_loses_no_movement(page, find):
    find.theta = transforms.attention(0.5)
    put(page, state=find.canvas.state)
    box = page.query_selector("[data-handle=corner]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 2 * UNIT["find"], y - 2 * UNIT["find"])
    assert_theta(page, transforms.attention(0.1))
    page.mouse.move(x, y)
    page.mouse.up()
    assert_theta(page, transforms.attention(0.5))


@pytest.mark.parametrize(("handle", "expected"), [("centre", (0.5, 0.02)), ("corner", (0.52, 0))])
def test_an_arrow_key_takes_a_step_of_the_same_size_at_both_handles(page, find, handle, expected):
    find.theta = transforms.attention(0.5)
    put(page, state=find.canvas.state)
    page.focus(f"[data-handle={handle}]")
    page.keyboard.press("ArrowRight")
    rest(page)
    assert_theta(page, transforms.attention(*expected))


def test_a_box_typed_too_small_is_not_taken_in_silence(page, find):
    page.evaluate("async () => { lab.hear('scale', 0.05); await rested(); }")
    assert_theta(page, transforms.attention(0.1))
    said = "A box is at least 0.1 times as wide as the picture, not 0.05."
    assert page.inner_text("[role=alert]") == said


def test_the_handles_lie_on_the_box(page, find):
    find.theta = transforms.attention(0.5, 0.25, -0.25)
    put(page, state=find.canvas.state)
    frame = page.query_selector(".stn-frame").bounding_box()
    middle = frame["x"] + SIDE / 2, frame["y"] + TOP + SIDE / 2
    for name, (x, y) in {"centre": (0.25, -0.25), "corner": (0.75, 0.25)}.items():
        box = page.query_selector(f"[data-handle={name}]").bounding_box()
        place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        expected = middle[0] + x * UNIT["find"], middle[1] + y * UNIT["find"]
        assert place == pytest.approx(expected, abs=0.5)
    labels = [page.get_attribute(f"[data-handle={n}]", "aria-label") for n in ("centre", "corner")]
    assert labels == [
        "centre of the box, x 0.25, y -0.25; arrow keys move it",
        "corner of the box, scale 0.5; arrow keys resize it",
    ]


def test_a_narrow_page_has_the_parts_one_under_the_other(page, pilot):
    page.set_viewport_size({"width": 390, "height": 800})
    rest(page)
    width = page.evaluate("document.querySelector('canvas').width")
    shown = page.query_selector("canvas").bounding_box()["width"]
    page.set_viewport_size({"width": 1000, "height": 800})
    assert width == shown == 340  # nothing is made smaller
