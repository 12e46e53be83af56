"""FindLab in a real browser, in a wide and a narrow page: its box in hand, against PyTorch."""

import re

import lab_page
import nbformat
import pytest
import torch
import torch.nn.functional as F
from lab_page import (
    check_accessibility,
    drag,
    focus_slider,
    lab,
    painted,
    press,
    readouts,
    settled,
    squares,
    words,
)

from stn_course import clutter, data, transforms

CELL = """
import torch
from torch import nn
from stn_course import clutter, data, models, transforms
from stn_course.widgets import FindLab

class LooksUpwards(nn.Module):
    theta = None
    def forward(self, pictures):
        self.theta = transforms.attention(0.5, y=-0.4).expand(len(pictures), 2, 3)
        return pictures

images, labels = data.load_digits("test")
pictures, _ = clutter.random_clutter()(images[:4], torch.Generator().manual_seed(0))
find_lab = FindLab(pictures, labels[:4], models.PlainNet(), LooksUpwards())
find_lab
"""
UNIT = 120  # canvas pixels from the picture's centre to its edge
READ = 252 + 16, 26, 252  # where on the canvas stands what is read, and how wide


@pytest.fixture(scope="module")
def page(open_notebook, notebooks):
    """A notebook with a lab over four cluttered pictures."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(CELL)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "find.ipynb")
    return open_notebook("find.ipynb", 1)


def start_at(page, scale: float, x: float, y: float) -> None:
    """A box for the picture shown, through a cell as a learner would."""
    lab_page.run_code(page, f"find_lab.theta = transforms.attention({scale}, {x}, {y})")
    settled(page, lab(page))


def canvas_pixels(lab_, number: float) -> float:
    """So many of the canvas' pixels in the page's."""
    return number * lab_.query_selector("canvas").bounding_box()["width"] / 776


def assert_reads(lab_, index: int, theta) -> None:
    """The lab's second picture is what PyTorch reads through a theta, and its words say where."""
    images, _ = data.load_digits("test")
    pictures, _ = clutter.random_clutter()(images[:4], torch.Generator().manual_seed(0))
    grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
    read = F.grid_sample(pictures[index : index + 1], grid, align_corners=False)
    assert (squares(painted(lab_), *READ, 28, 28) - 255 * read[0, 0]).abs().max() <= 2
    scale, x, y = (round(n.item(), 2) + 0.0 for n in (theta[0, 0, 0], *theta[0, :, 2]))
    assert f"The box is {scale:g} times as wide as the picture, around x {x:g} and y {y:g}" in (
        words(lab_)
    )
    assert readouts(lab_)[:3] == pytest.approx([scale, x, y], abs=0.0051)


@pytest.mark.parametrize("width", [1400, 900])
def test_a_hand_drags_the_box_and_its_corner(page, width):
    page.set_viewport_size({"width": width, "height": 1400})
    start_at(page, 0.4, 0, 0)
    lab_ = lab(page)
    step = canvas_pixels(lab_, UNIT / 10)  # a tenth of a unit
    drag(page, lab_.query_selector("[data-handle=centre]"), 3 * step, 2 * step)
    settled(page, lab_)
    assert_reads(lab_, 0, transforms.attention(0.4, 0.3, 0.2))
    drag(page, lab_.query_selector("[data-handle=corner]"), -step, -step)
    settled(page, lab_)
    assert_reads(lab_, 0, transforms.attention(0.3, 0.3, 0.2))


def test_arrow_keys_move_the_box_and_its_corner(page):
    start_at(page, 0.4, 0, 0)
    lab_ = lab(page)
    lab_.query_selector("[data-handle=centre]").focus()
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowDown"):
        page.keyboard.press(key)
    lab_.query_selector("[data-handle=corner]").focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    settled(page, lab_)
    assert_reads(lab_, 0, transforms.attention(0.36, -0.04, 0.2))
    assert page.evaluate("document.activeElement.dataset.handle") == "corner"


def test_a_slider_resizes_the_box_of_the_next_picture(page):
    lab_ = lab(page)
    press(page, lab_, "Next digit")
    start_at(page, 0.4, 0.2, 0.1)
    focus_slider(lab_, 0)
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    settled(page, lab_)
    assert_reads(lab_, 1, transforms.attention(0.35, 0.2, 0.1))


HEIGHTS = """notes => notes.map(note => {
    const now = note.clientHeight;
    note.style.whiteSpace = "pre";
    const unbroken = note.clientHeight;
    note.style.whiteSpace = "";
    return [now, unbroken];
})"""


@pytest.mark.parametrize("width", [1400, 900])
def test_no_number_of_a_theta_is_broken_over_two_lines(page, width):
    page.set_viewport_size({"width": width, "height": 1400})
    lab(page)
    for now, unbroken in page.eval_on_selector_all(".stn-notes pre", HEIGHTS):
        assert now == unbroken > 0


def test_the_networks_boxes_and_score_appear_and_nothing_goes_wrong(page):
    lab_ = lab(page)
    assert re.search(r"network +[\d.]+ of 4", lab_.inner_text())  # the score to beat
    theta = "+0.500 +0.000 +0.000 +0.000 +0.500 -0.400"
    assert theta not in " ".join(lab_.inner_text().split())
    press(page, lab_, "Show the network's boxes")
    assert theta in " ".join(lab_.inner_text().split())
    left = 126 - UNIT / 2  # of the network's box: sky blue
    blue = torch.tensor([0x56, 0xB4, 0xE9]).float()
    column = painted(lab_)[26 + 126 - 48 : 26 + 126, round(left)]
    assert (column - blue).abs().max() <= 2
    check_accessibility(page)
    press(page, lab_, "Hide the network's boxes")
    assert lab_page.answered(page, lab_).startswith("PyTorch on cpu agrees: 0.00")
    assert lab_page.errors(page) == []
