"""What all labs share, shown by the lab that CONTRIBUTING.md adds."""

import re
import types

import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

DIGIT = torch.rand(20, 30, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def lab(root):
    """As CONTRIBUTING.md shows it."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a lab")[1]
    module = types.ModuleType("shift_lab")
    exec(re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1], vars(module))
    lab = module.ShiftLab(DIGIT)
    yield lab
    lab.close()


def test_a_moved_slider_changes_the_picture_and_the_words(lab):
    lab.slider.set_state({"value": 0.5})
    theta = torch.tensor([[[1, 0, 0.5], [0, 1, 0]]])
    grid = F.affine_grid(theta, (1, 1, 20, 30), align_corners=False)
    expected = F.grid_sample(DIGIT[None, None], grid, align_corners=False)[0, 0]
    picture = lab.canvas.scene.panels[0].marks[0].picture
    shown = torch.frombuffer(bytearray(picture.pixels), dtype=torch.uint8)[::4].reshape(20, 30)
    assert (shown - expected * 255).abs().max() <= 1
    assert lab.text == "The grid is moved by 0.50 in x."


def test_its_figure_needs_no_code_of_its_own(lab):
    assert isinstance(lab.figure(), Figure)


def test_several_changes_are_painted_once(lab):
    seen = []
    lab.canvas.observe(lambda change: seen.append(change["new"].text), "scene")
    with lab.all_at_once():
        lab.slider.value = 0.1
        lab.slider.value = 0.2
    assert seen == ["The grid is moved by 0.20 in x."]


def test_an_error_in_the_scene_stands_in_the_lab_until_it_is_gone(lab):
    image, lab.image = lab.image, None
    lab.slider.value = 0.1
    assert lab.canvas.alert.startswith("TypeError:")
    lab.image = image
    lab.paint()
    assert lab.canvas.alert == ""
