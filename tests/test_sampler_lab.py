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
from stn_course.widgets.scene import Label, Mark, Path

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


def enlarged(lab) -> list[Mark]:
    return lab.canvas.scene.panels[2].marks


def box_of(mark) -> tuple[float, float]:
    xs, ys = zip(*mark.places, strict=True)
    return max(xs) - min(xs), max(ys) - min(ys)


@pytest.mark.parametrize("mode", samplers.MODES)
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
@settings(max_examples=25)
@given(x=st.floats(-2.4, 10.4), y=st.floats(-2.4, 7.4))
def test_value_gradient_and_neighbours_are_pytorchs(mode, padding_mode, align_corners, x, y):
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    x, y = round(x, 2) + 0.003, round(y, 2) + 0.003  # no ties, where the last bit decides
    lab = SamplerLab(IMAGE, x, y, **options)
    value, gradient = pytorchs(x, y, **options)
    got, slope = lab.read()
    assert got == pytest.approx(value, abs=1e-5)
    assert torch.allclose(torch.tensor(slope), gradient, atol=1e-4)
    found = lab.neighbours()
    assert sum(n["weight"] for n in found) == pytest.approx(1)
    assert sum(n["weight"] * n["value"] for n in found) == pytest.approx(value, abs=1e-4)
    lab.close()


def test_the_areas_are_the_weights(lab):
    """What the square of one pixel covers of each neighbour, measured in the picture."""
    lab.point = (3.7, 2.2)
    expected = [0.3 * 0.8, 0.7 * 0.8, 0.3 * 0.2, 0.7 * 0.2]
    assert [n["weight"] for n in lab.neighbours()] == pytest.approx(expected, abs=1e-5)
    areas = [
        box_of(mark) for mark in enlarged(lab) if len(getattr(mark, "fill", None) or "") == 9
    ]  # with alpha
    shares = [width * height for width, height in areas]
    assert [share / sum(shares) for share in shares] == pytest.approx(expected, abs=1e-4)
    words = [mark.text for mark in enlarged(lab) if isinstance(mark, Label)]
    assert words[:4] == ["0.24", "0.56", "0.06", "0.14"]


def test_the_arrow_is_the_gradient(lab):
    lab.point = (3.7, 2.2)
    (arrow,) = [m for m in enlarged(lab) if isinstance(m, Path) and not m.closed]
    (x0, y0), (x1, y1) = arrow.places
    _, gradient = pytorchs(3.7, 2.2)
    direction = torch.tensor([x1 - x0, y1 - y0])
    assert torch.cosine_similarity(direction, gradient, dim=0) == pytest.approx(1, abs=1e-4)


def test_nearest_reads_one_pixel_and_has_no_arrow(lab):
    lab.point = (3.7, 2.2)
    lab.choices["mode"].value = "nearest"
    assert [(n["column"], n["row"], n["weight"]) for n in lab.neighbours()] == [(4, 2, 1.0)]
    assert lab.read()[1] == (0, 0)
    assert not [m for m in enlarged(lab) if isinstance(m, Path) and not m.closed]


def test_outside_the_three_paddings_differ_and_are_all_shown(lab):
    lab.point = (-1.7, 2.2)
    words = [m.text for m in lab.canvas.scene.panels[0].marks if isinstance(m, Label)]
    for mode in samplers.PADDING_MODES:
        value, _ = pytorchs(-1.7, 2.2, padding_mode=mode)
        assert f"{mode}: {value:.3f}" in words
    assert "outside the image" in lab.text
    lab.choices["padding_mode"].value = "border"
    assert lab.padded()[0] == 0


def test_around_the_image_stands_its_padding(lab):
    for mode in samplers.PADDING_MODES:
        lab.choices["padding_mode"].value = mode
        picture = lab.canvas.scene.panels[1].marks[0].picture
        assert (picture.rows, picture.columns) == (6 + 4, 9 + 4)
        grey = torch.frombuffer(bytearray(picture.pixels), dtype=torch.uint8)[::4].reshape(10, 13)
        assert (grey[2:-2, 2:-2] - IMAGE * 255).abs().max() <= 1
        if mode == "zeros":
            assert grey[:2].sum() == grey[:, :2].sum() == 0
        else:
            assert (grey[2:-2, 1] - IMAGE[:, 0] * 255).abs().max() <= 1  # both begin alike
            column = 0 if mode == "border" else 1
            assert (grey[2:-2, 0] - IMAGE[:, column] * 255).abs().max() <= 1


def test_the_hand_moves_the_point_and_the_sliders(lab):
    x, y = lab.point
    pixel = lab._pixel()
    lab.canvas.set_state({"hand": {"point": [2 * pixel, -1 * pixel]}})
    assert lab.point == pytest.approx((x + 2, y - 1))
    assert [control.value for control in lab.sliders] == pytest.approx([x + 2, y - 1])
    (handle,) = lab.canvas.scene.handles
    assert f"x {x + 2:.2f}, y {y - 1:.2f} pixels" in handle.label


def test_the_point_stays_in_the_picture(lab):
    lab.canvas.set_state({"hand": {"point": [1e6, -1e6]}})
    assert lab.point == (10.5, -2.5)
    assert lab.canvas.alert == ""


def test_the_point_stays_under_the_pointer(lab):
    """Dragged out of the picture and back without letting go, it is where it was."""
    before = lab.point
    for hand in ([-1e3, -400], [-900, 300], [0, 0]):
        lab.canvas.set_state({"hand": {"point": hand}})
    assert lab.point == pytest.approx(before)
    lab.canvas.set_state({"hand": {"point": [-1e3, 0]}, "releases": 1})
    lab.canvas.set_state({"hand": {"point": [-1e3 + lab._pixel(), 0]}})
    assert lab.point[0] == pytest.approx(-2.5 + 1)  # taken anew, from where it lies


def test_a_slider_moves_the_handle(lab):
    before = lab.canvas.scene.handles[0].x
    lab.sliders[0].value += 1.5
    assert lab.canvas.scene.handles[0].x - before == pytest.approx(1.5 * lab._pixel())


def test_the_point_as_normalised_is_the_samplers(lab):
    for align_corners in (False, True):
        lab.choices["align_corners"].value = align_corners
        x, y = lab._normalised(torch.tensor(lab.point))
        back = samplers.to_pixels(x, 9, align_corners), samplers.to_pixels(y, 6, align_corners)
        assert torch.stack(back).tolist() == pytest.approx(lab.point, abs=1e-5)


def test_each_device_reads_the_same(device):
    lab = SamplerLab(IMAGE, 3.7, 2.2, device=str(device))
    assert lab.read()[0] == pytest.approx(pytorchs(3.7, 2.2)[0], abs=1e-5)


def test_colours_become_their_mean():
    lab = SamplerLab(torch.stack([IMAGE, IMAGE * 0, IMAGE * 0]))
    assert torch.allclose(lab.image[0], IMAGE / 3)


def test_figure_words_and_name(lab):
    assert isinstance(lab.figure(), Figure)
    assert lab.text.startswith("The point lies at x 4.20, y 2.80 pixels, inside the image.")
    value, (x, y) = lab.read()
    weights = ", ".join(f"{n['weight']:.2f}" for n in lab.neighbours())
    assert f"Its value is {value:.2f}, from pixels of weight {weights}." in lab.text
    assert lab.text.endswith(f"Its gradient is {x:.2f} in x and {y:.2f} in y.")
    lab.choices["mode"].value = "nearest"
    assert ", from the nearest pixel. Its gradient is 0.00 in x and 0.00 in y." in lab.text
    assert repr(lab) == "SamplerLab, 6×9 pixels: run this cell to move its point"


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
