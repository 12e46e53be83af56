"""The lab that CONTRIBUTING.md adds, both halves of it, in a page without a kernel."""

import re
import shutil
import sys
import types

import pytest
import torch
import torch.nn.functional as F
from lab_by_hand import check, move, painted, words
from lab_in_page import answer, show_lab

from stn_course.widgets import esm

DIGIT = torch.rand(20, 20, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(device_scale_factor=1)
    yield page
    page.close()


@pytest.fixture
def lab(root, tmp_path, monkeypatch):
    """As CONTRIBUTING.md shows it."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a lab")[1]
    python, javascript = (
        re.search(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)[1]
        for language in ("python", "js")
    )
    for module in esm.HERE.glob("*.js"):
        shutil.copy(module, tmp_path)
    (tmp_path / "shift_lab.js").write_text(javascript, encoding="utf-8")
    monkeypatch.setattr(esm, "HERE", tmp_path)
    module = types.ModuleType("shift_lab")
    monkeypatch.setitem(sys.modules, "shift_lab", module)
    exec(python, vars(module))
    lab = module.ShiftLab(DIGIT)
    yield lab
    lab.close()


def test_a_moved_slider_changes_the_picture_and_the_words_and_pytorch_agrees(page, lab):
    show_lab(page, lab, "ShiftLab")
    move(page, "x", 0.5)
    theta = torch.tensor([[[1, 0, 0.5], [0, 1, 0]]])
    grid = F.affine_grid(theta, (1, 1, 20, 20), align_corners=False)
    expected = F.grid_sample(DIGIT[None, None], grid, align_corners=False)[0, 0]
    shown = painted(page, (0, 0, 280, 280))[7::14, 7::14, 0]
    assert (shown - expected * 255)[3:].abs().max() <= 1  # under its title
    assert words(page) == "The grid is moved by 0.50 in x."
    answer(page, lab)
    assert check(page).startswith("PyTorch on cpu agrees: 0.000 of 255")
