"""The other labs in their notebooks, in a real browser, compared with PyTorch."""

import re

import torch
import torch.nn.functional as F
from hands import assert_moves, press_an_arrow
from hands import drag as drag_by_mouse
from lab_page import (
    answered,
    assert_painted_as_pytorch_computes,
    check_accessibility,
    drag,
    focus_slider,
    lab,
    painted,
    press,
    pytorchs,
    readouts,
    settled,
    seven,
    squares,
    type_at,
    words,
)

from stn_course import data, training, transforms


def test_the_first_lessons_lab_asks_the_network(open_notebook):
    page = open_notebook("01_data.ipynb", 1, "ThetaLab(")
    lab_ = lab(page)
    answered(page, lab_)
    assert re.search(r"The network says 7 with \d+ %", lab_.inner_text())
    press(page, lab_, "Everything outside")
    answered(page, lab_)
    assert not re.search("says 7 with 100 %", lab_.inner_text())
    press(page, lab_, "Quarter turn")
    assert_painted_as_pytorch_computes(lab_, seven())


def test_the_sampler_lab(open_notebook):
    page = open_notebook("03_sampling.ipynb", 2, "Lab(")
    lab_ = lab(page)
    drag(page, lab_.query_selector("[data-handle=point]"), -120, 33)
    settled(page, lab_)
    image = 0.3 + 0.7 * seven()[:, :, 4:14, 8:18]
    pixel = 300 / 14  # canvas pixels for one of the image's
    place = torch.tensor([4.7 - 120 / pixel, 4.8 + 33 / pixel])
    assert f"x {place[0]:.2f}, y {place[1]:.2f} pixels, outside" in words(lab_)
    grid = ((2 * place + 1) / 10 - 1)[None, None, None]
    for i, mode in enumerate(("zeros", "border", "reflection")):
        value = F.grid_sample(image, grid, padding_mode=mode, align_corners=False).item()
        x, y = int(4 + i * 616 / 3 + 20), 26 + 300 + 16 + 20
        assert abs(painted(lab_)[y, x, 0] - 255 * value) <= 1
    lab_.query_selector("[data-handle=point]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    settled(page, lab_)
    assert f"x {place[0]:.2f}, y {place[1] - 0.5:.2f} pixels" in words(lab_)
    check_accessibility(page)


def test_the_pilot_lab(open_notebook):
    page = open_notebook("04_stn_model.ipynb", 1, "PilotLab(")
    lab_ = lab(page)
    press(page, lab_, "Next digit")
    focus_slider(lab_, 0)
    for _ in range(67):
        page.keyboard.press("ArrowRight")
    settled(page, lab_)
    assert words(lab_).startswith("Digit 2 of 10, a 1. The grid is rotated 67 degrees")
    says, percent = re.search(r"says (\d) with (\d+) percent", words(lab_)).groups()
    assert says == "1" and int(percent) > 50  # steered upright, the classifier knows it
    images, labels = data.load_digits("test")
    ten = [(labels == digit).nonzero()[0].item() for digit in range(10)]
    turned, _ = data.random_rotation(90)(images[ten], torch.Generator().manual_seed(5))
    got = squares(painted(lab_), 252 + 16, 26, 252, 28, 28)
    theta = transforms.rotation(degrees=67)
    expected = pytorchs(turned[1:2], theta, padding_mode="border")
    assert (got - expected).abs().max() <= 1
    press(page, lab_, "Show the network's theta")
    assert "network" in lab_.inner_text()
    check_accessibility(page)


def test_the_replay_lab_plays_without_training(browser_page, address):
    """Of notebook 05 only the cells that it needs: the first, and those of the recording."""
    page = browser_page
    page.goto(address.format("05_training.ipynb"))
    page.wait_for_selector("text=| Idle", timeout=120_000)
    for text in ("import tempfile", "def recorded_or_live", "forcing = ", "forced_lab ="):
        page.query_selector(f".jp-CodeCell:has-text('{text}') .cm-content").click()
        page.keyboard.press("Control+Enter")
    page.wait_for_selector(".stn-frame canvas[aria-label]", timeout=60_000)
    lab_ = lab(page)
    recording = training.load_recording()
    last = recording.probe_steps[-1]
    assert words(lab_).startswith(f"Step {last} of")  # from there it plays from the beginning
    play = lab_.query_selector("button[aria-label='Play or pause']")
    play.click()
    page.wait_for_function(
        f"/^Step (?!0 |{last} )/.test(document.querySelector('.stn-frame canvas').ariaLabel)"
    )
    play.click()
    settled(page, lab_)
    step = int(re.match(r"Step (\d+) of", words(lab_)).group(1))
    index = recording.probe_steps.index(step)
    assert 0 < index < len(recording.probe_steps) - 1
    assert readouts(lab_) == [index]
    theta = recording.probe_thetas[index]
    for i in (0, 7, 11):
        got = squares(painted(lab_), 46 + i * 66, 24 + 62 + 24, 62, 28, 28)[2:-2, 2:-2]
        image = recording.probe_images[i : i + 1]
        expected = pytorchs(image, theta[i : i + 1], padding_mode="border")[2:-2, 2:-2]
        assert (got - expected).abs().max() <= 1
    readout, end = lab_.query_selector(".widget-readout"), len(recording.probe_steps) - 1
    type_at(page, readout, str(end + 1))
    refused = f"recording is a whole number from 0 to {end}; it stays {index}."
    assert lab_.query_selector("[role=alert]").inner_text() == refused
    assert readouts(lab_) == [index]
    type_at(page, readout, "3")
    settled(page, lab_)
    assert words(lab_).startswith(f"Step {recording.probe_steps[3]} of")
    assert lab_.query_selector("[role=alert]").inner_text() == ""
    check_accessibility(page)


def test_the_warp_lab_of_registration(open_notebook):
    """Of notebook 10: a point of a digit's thin plate spline, moved by key and mouse."""
    page = open_notebook("10_where_the_idea_lives_on.ipynb", 1, "lab = WarpLab(")
    lab_ = lab(page)
    before = words(lab_)
    grip = page.locator(".stn-lab .stn-handle").nth(5)
    hands = (press_an_arrow, drag_by_mouse)
    assert_moves(page, page.locator(".stn-frame canvas").first, grip, hands)
    settled(page, lab_)
    assert words(lab_) != before
    assert "PyTorch on cpu agrees" in answered(page, lab_)
    check_accessibility(page)
