"""SamplerLab without a browser: its numbers are PyTorch's, its weights are areas."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure

from stn_course import samplers
from stn_course.widgets import SamplerLab

IMAGE = torch.rand(6, 9, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def lab():
    lab = SamplerLab(IMAGE)
    yield lab
    lab.close()


def pytorchs(x, y, **options) -> tuple[float, torch.Tensor]:
    """The value of IMAGE at a place in pixels and its gradient per pixel."""
    place = torch.tensor([x, y], requires_grad=True)
    size = torch.tensor([9.0, 6.0])
    if options.get("align_corners"):
        grid = 2 * place / (size - 1) - 1
    else:
        grid = (2 * place + 1) / size - 1
    options = {"align_corners": False} | options
    value = F.grid_sample(IMAGE[None, None], grid[None, None, None], **options).sum()
    return value.item(), torch.autograd.grad(value, place)[0]


@pytest.mark.parametrize("mode", samplers.MODES)
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
@settings(max_examples=5)
@given(x=st.floats(-2.4, 10.4), y=st.floats(-2.4, 7.4))
def test_value_and_gradient_are_pytorchs(mode, padding_mode, align_corners, x, y):
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    x, y = round(x, 2) + 0.003, round(y, 2) + 0.003  # no ties, where the last bit decides
    lab = SamplerLab(IMAGE, x, y, **options)
    value, gradient = pytorchs(x, y, **options)
    got, slope = lab.read()
    assert got == pytest.approx(value, abs=1e-5)
    assert torch.allclose(torch.tensor(slope), gradient, atol=1e-4)
    lab.close()


def test_the_point_is_set_before_any_browser_has_seen_the_lab(lab):
    assert lab.point == pytest.approx((4.2, 2.8))
    lab.point = (3, 2)
    assert lab.point == (3, 2)
    assert lab.canvas.state["point"] == [3, 2]
    assert lab.read()[0] == pytest.approx(IMAGE[2, 3].item())


def test_the_point_stays_in_the_picture(lab):
    lab.point = (1e6, -1e6)
    assert lab.point == (10.5, -2.5)


def test_a_hand_in_the_browser_moves_the_point(lab):
    lab.canvas.set_state({"state": {"point": [1.5, 0.5], "by": 0}})
    assert lab.point == (1.5, 0.5)


def test_a_question_is_answered_by_the_device_chosen(device):
    lab = SamplerLab(IMAGE, device=str(device))
    options = {"mode": "bilinear", "padding_mode": "border", "align_corners": False}
    question = {"point": [-1.7, 2.2], "device": str(device), "options": options, "serial": 0.5}
    lab.canvas.set_state({"question": question})
    value, _ = pytorchs(-1.7, 2.2, padding_mode="border")
    answer = lab.canvas.answer
    assert answer["value"] == pytest.approx(value, abs=1e-5)
    assert (answer["device"], answer["serial"]) == (str(device), 0.5)
    lab.close()


def test_colours_become_their_mean():
    lab = SamplerLab(torch.stack([IMAGE, IMAGE * 0, IMAGE * 0]))
    assert torch.allclose(lab.image[0], IMAGE / 3)


def test_figure_words_and_name(lab):
    assert isinstance(lab.figure(), Figure)
    assert lab.text.startswith("The point lies at x 4.20, y 2.80 pixels, inside the image.")
    value, (x, y) = lab.read()
    assert f"Its value is {value:.2f}, from pixels of weight " in lab.text
    assert lab.text.endswith(f"Its gradient is {x:.2f} in x and {y:.2f} in y.")
    lab.point = (-1, 0)
    assert "outside the image" in lab.text
    assert repr(lab) == "SamplerLab, 6×9 pixels: run this cell to move its point"


def test_its_figure_shows_the_present_point_and_choices(lab):
    lab.point = (-1.7, 2.2)
    lab.choices["padding_mode"].value = "border"
    value, _ = pytorchs(-1.7, 2.2, padding_mode="border")
    assert f"border: {value:.3f}" in lab.figure().get_suptitle()


def test_closing_leaves_nothing_behind():
    before = set(_instances)
    SamplerLab(IMAGE).close()
    assert set(_instances) == before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SamplerLab(torch.zeros(2, 8, 8)), r"\(2, 8, 8\)"),
        (lambda: SamplerLab(IMAGE, mode="cubic"), "'cubic'"),
        (lambda: SamplerLab(IMAGE, device="tpu"), "'tpu'"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
