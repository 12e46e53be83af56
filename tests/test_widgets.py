"""ThetaLab without a browser: set values, press buttons, compare with PyTorch."""

import io

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from stn_course import samplers, transforms
from stn_course.widgets import ThetaLab, exact_slider
from stn_course.widgets.drawing import SIDE

DIGIT = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def lab():
    lab = ThetaLab(DIGIT)
    yield lab
    lab.close()


def picture(lab) -> torch.Tensor:
    """What the image widget shows: (SIDE, width, 3), 0 to 255."""
    shown = Image.open(io.BytesIO(lab._picture.value)).convert("RGB")
    return torch.frombuffer(bytearray(shown.tobytes()), dtype=torch.uint8).reshape(
        shown.height, shown.width, 3
    )


def shown_output(lab) -> torch.Tensor:
    """The output as it stands in the picture, one value a pixel, border pixels left out."""
    height, width = lab.output_size
    right = picture(lab)[:, -SIDE:, 0]
    rows = (torch.arange(height) + 0.5) * SIDE / height
    columns = (torch.arange(width) + 0.5) * SIDE / width
    return right[rows.long()][:, columns.long()][1:-1, 1:-1].float()


def pytorchs_output(lab, **options) -> torch.Tensor:
    grid = F.affine_grid(lab.theta, (1, 1, *lab.output_size), align_corners=False)
    output = F.grid_sample(lab.image[None], grid, align_corners=False, **options)
    return output[0, 0, 1:-1, 1:-1] * 255


def test_it_starts_at_the_identity_and_shows_the_image(lab):
    assert torch.equal(lab.theta, transforms.identity())
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("rotation", 30), ("scale_x", 0.5), ("scale_y", 1.5), ("shear", 0.4), ("x", 0.3), ("y", -1)],
)
def test_a_pose_slider_moves_theta_the_numbers_and_the_picture(lab, name, value):
    lab.pose_sliders[name].value = value
    expected = transforms.from_pose(**{name: value})
    assert torch.allclose(lab.theta, expected, atol=1e-6)
    numbers = torch.tensor([control.value for control in lab.number_sliders])
    assert torch.allclose(numbers, expected.flatten(), atol=1e-6)
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


@pytest.mark.parametrize("index", range(6))
def test_a_number_slider_moves_theta_and_the_pose(lab, index):
    lab.number_sliders[index].value = 0.4
    expected = transforms.identity().flatten()
    expected[index] = 0.4
    assert torch.allclose(lab.theta.flatten(), expected)
    pose = transforms.to_pose(lab.theta)
    for name, control in lab.pose_sliders.items():
        assert control.value == pytest.approx(getattr(pose, name).item(), abs=1e-5)
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


moves = st.lists(
    st.one_of(
        st.tuples(st.just("rotation"), st.floats(-180, 180)),
        st.tuples(st.sampled_from(["scale_x", "scale_y"]), st.floats(0.1, 2.5)),
        st.tuples(st.sampled_from(["shear", "x", "y"]), st.floats(-1, 1)),
        st.tuples(st.integers(0, 5), st.floats(-4, 4)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(moves=moves)
def test_sliders_agree_after_any_walk(moves):
    lab = ThetaLab(DIGIT)
    for name, value in moves:
        control = lab.number_sliders[name] if isinstance(name, int) else lab.pose_sliders[name]
        control.value = value
    numbers = torch.tensor([control.value for control in lab.number_sliders]).reshape(1, 2, 3)
    assert torch.allclose(numbers, lab.theta, atol=1e-6)
    a, b, c, d = (lab.theta[0, i, j] for i in (0, 1) for j in (0, 1))
    if torch.hypot(a, c) > 0.05 and (a * d - b * c).abs() > 0.05:
        pose = {name: torch.tensor(s.value).double() for name, s in lab.pose_sliders.items()}
        assert torch.allclose(transforms.from_pose(**pose).float(), lab.theta, atol=1e-4)
    lab.close()


@pytest.mark.parametrize("mode", samplers.MODES)
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
def test_choices_reach_the_sampler(lab, mode, padding_mode):
    lab.theta = transforms.similarity(degrees=20, scale=1.4)
    lab.choices["mode"].value = mode
    lab.choices["padding_mode"].value = padding_mode
    expected = pytorchs_output(lab, mode=mode, padding_mode=padding_mode)
    assert (shown_output(lab) - expected).abs().max() <= 1


def test_align_corners_reaches_grid_and_sampler(lab):
    lab.theta = transforms.translation(0.3)
    before = lab.output()
    lab.choices["align_corners"].value = True
    assert torch.equal(lab.output(), samplers.warp(lab.image[None], lab.theta, align_corners=True))
    assert not torch.allclose(lab.output(), before, atol=1e-3)


def test_theta_can_be_set_read_and_is_a_copy(lab):
    lab.theta = torch.tensor([[0.5, 0.0, 0.2], [0.0, 0.7, -0.1]])
    assert lab.pose_sliders["scale_y"].value == pytest.approx(0.7)
    lab.theta[0, 0, 0] = 9
    assert lab.theta[0, 0, 0] == 0.5


def test_a_slider_widens_for_a_theta_beyond_it(lab):
    lab.theta = transforms.scale(7.0)
    assert lab.number_sliders[0].value == 7
    assert lab.pose_sliders["scale_x"].value == 7
    assert lab.pose_sliders["scale_x"].max == 7


def test_a_mirrored_theta_is_shown_as_a_negative_scale(lab):
    lab.theta = transforms.from_pose(scale_y=-1.5)
    assert lab.pose_sliders["scale_y"].value == pytest.approx(-1.5)


def from_browser(slider, value):
    """What happens when the browser reports a slider's value."""
    slider.set_state({"value": value})


def test_a_rounded_repeat_from_the_browser_moves_nothing(lab):
    """The browser rounds each value that it is sent, and reports the rounded one."""
    from_browser(lab.pose_sliders["rotation"], 10.0)
    expected = transforms.rotation(degrees=10)
    for control in lab.sliders:
        from_browser(control, round(control.value / control.step) * control.step)
    assert torch.allclose(lab.theta, expected, atol=1e-6)


def test_late_repeats_of_earlier_values_move_nothing(lab):
    late = []
    for degrees in range(1, 30):
        from_browser(lab.pose_sliders["rotation"], float(degrees))
        late += [(c, round(c.value / c.step) * c.step) for c in lab.number_sliders]
    for control, value in late:
        from_browser(control, value)
    assert torch.allclose(lab.theta, transforms.rotation(degrees=29), atol=1e-6)


def test_a_hand_on_a_slider_is_heard_even_at_a_value_it_had_before(lab):
    rotation = lab.pose_sliders["rotation"]
    for degrees in (5.0, 6.0, 5.0, 4.0, 5.0):
        from_browser(rotation, degrees)
        assert torch.allclose(lab.theta, transforms.rotation(degrees=degrees), atol=1e-6)
    from_browser(lab.number_sliders[2], 0.5)
    from_browser(rotation, 8.0)
    assert torch.allclose(lab.theta, transforms.similarity(degrees=8, x=0.5), atol=1e-6)


def test_after_a_second_a_repeat_is_a_movement(lab, monkeypatch):
    lab.theta = transforms.translation(x=0.301)
    now = exact_slider.time.monotonic()
    monkeypatch.setattr(exact_slider.time, "monotonic", lambda: now + 2)
    from_browser(lab.number_sliders[2], 0.30)
    assert lab.theta[0, 0, 2] == pytest.approx(0.30)


def test_reset_goes_back_to_the_identity(lab):
    lab.theta = transforms.rotation(degrees=50)
    lab._reset.click()
    assert torch.equal(lab.theta, transforms.identity())
    assert lab.pose_sliders["rotation"].value == 0


def test_reset_brings_back_choices_and_ranges(lab):
    lab.theta = transforms.scale(9.0)
    lab.choices["padding_mode"].value = "border"
    lab._reset.click()
    assert lab.choices["padding_mode"].value == "zeros"
    assert lab.pose_sliders["scale_x"].max == 2.5
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


def test_half_a_turn_stays_at_the_end_where_the_hand_put_it(lab):
    lab.pose_sliders["rotation"].value = 180
    assert lab.pose_sliders["rotation"].value == 180
    lab.pose_sliders["rotation"].value = -180
    assert lab.pose_sliders["rotation"].value == -180


def test_a_theta_without_a_pose_is_said_in_words(lab):
    lab.theta = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    assert "squeezes" in lab._words.value
    assert all(control.disabled for control in lab.pose_sliders.values())
    lab.theta = transforms.identity()
    assert not any(control.disabled for control in lab.pose_sliders.values())


def test_an_error_in_a_readout_is_shown_in_the_lab():
    def broken(output):
        raise RuntimeError("no <answer>")

    lab = ThetaLab(DIGIT, readout=broken)
    assert 'role="alert"' in lab._words.value
    assert "no &lt;answer&gt;" in lab._words.value


def test_a_readout_is_given_the_output_and_shown():
    lab = ThetaLab(DIGIT, (14, 20), readout=lambda output: f"got {tuple(output.shape)}")
    assert "got (1, 1, 14, 20)" in lab._words.value


@pytest.mark.parametrize("shape", [(28, 28), (1, 20, 31), (3, 16, 24)])
def test_images_of_any_size_and_colour(shape):
    lab = ThetaLab(torch.rand(shape))
    assert lab.image.shape == (shape[0] if len(shape) == 3 else 1, *shape[-2:])
    assert picture(lab).shape[0] == SIDE


def test_whole_numbers_are_grey_levels():
    lab = ThetaLab((DIGIT * 255).byte())
    assert 0.9 < lab.image.max() <= 1


def test_figure_is_the_lab_as_it_stands(lab):
    lab.theta = transforms.rotation(degrees=30)
    figure = lab.figure("title")
    assert isinstance(figure, Figure)
    right = torch.as_tensor(figure.axes[1].images[0].get_array())
    assert torch.allclose(right, lab.output()[0, 0], atol=1e-6)


def test_closing_frees_every_widget():
    lab = ThetaLab(DIGIT)
    parts = [*lab.controls, lab._reset, lab._picture, lab._words]
    assert all(part.comm is not None for part in parts)
    slider, theta = lab.pose_sliders["rotation"], lab.theta
    lab.close()
    slider.value = 77  # nobody listens any more
    assert torch.equal(lab.theta, theta)
    assert all(part.comm is None for part in [*parts, lab])


def test_the_picture_has_no_tooltip(lab):
    """With one, the browser does not make the view of ipywidgets 8.1's Image: no picture shows."""
    lab.theta = transforms.rotation(degrees=3)
    assert lab._picture.tooltip is None


def test_without_a_kernel_it_says_how_to_get_it(lab):
    assert repr(lab) == "ThetaLab, 28×28 → 28×28 pixels: run this cell to get its sliders"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ThetaLab([[1.0]]), TypeError, "list"),
        (lambda: ThetaLab(torch.zeros(2, 8, 8)), ValueError, r"\(2, 8, 8\)"),
        (lambda: ThetaLab(torch.zeros(8)), ValueError, r"\(8,\)"),
        (lambda: ThetaLab(DIGIT, device="tpu"), ValueError, "'tpu'"),
        (lambda: setattr(ThetaLab(DIGIT), "theta", torch.zeros(2, 2, 3)), ValueError, "one"),
        (lambda: setattr(ThetaLab(DIGIT), "theta", torch.zeros(3, 3)), ValueError, r"\(1, 3, 3\)"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
