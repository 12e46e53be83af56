"""ThetaLab without a browser: set values, pull handles, press buttons; compare with PyTorch."""

import asyncio

import numpy
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from lab_scene import DIGIT, note, pull, pytorchs_output, shown_output
from matplotlib.figure import Figure

from stn_course import data, samplers, transforms
from stn_course.device import available_devices
from stn_course.widgets import ThetaLab, theta_lab
from stn_course.widgets.images import LARGEST, reduced, to_rgba
from stn_course.widgets.scene import Image


@pytest.fixture
def lab():
    lab = ThetaLab(DIGIT)
    yield lab
    lab.close()


def test_it_starts_at_the_identity_and_shows_the_image(lab):
    assert torch.equal(lab.theta, transforms.identity())
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1
    assert (shown_output(lab)[..., 0] - DIGIT * 255).abs().max() <= 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("rotation", 30), ("scale_x", 0.5), ("scale_y", 1.5), ("shear", 0.4), ("x", 0.3), ("y", -1)],
)
def test_a_pose_slider_moves_theta_the_numbers_and_the_picture(lab, name, value):
    lab.sliders.pose[name].value = value
    expected = transforms.from_pose(**{name: value})
    assert torch.allclose(lab.theta, expected, atol=1e-6)
    numbers = torch.tensor([control.value for control in lab.sliders.numbers])
    assert torch.allclose(numbers, expected.flatten(), atol=1e-6)
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


@pytest.mark.parametrize("index", range(6))
def test_a_number_slider_moves_theta_and_the_pose(lab, index):
    lab.sliders.numbers[index].value = 0.4
    expected = transforms.identity().flatten()
    expected[index] = 0.4
    assert torch.allclose(lab.theta.flatten(), expected)
    pose = transforms.to_pose(lab.theta)
    for name, control in lab.sliders.pose.items():
        assert control.value == pytest.approx(getattr(pose, name).item(), abs=1e-5)
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


@pytest.mark.parametrize("name", theta_lab.PRESETS)
def test_presets_set_theta(lab, name):
    lab.buttons[name].click()
    assert torch.allclose(lab.theta[0], torch.tensor(theta_lab.PRESETS[name]))


def test_presets_do_what_they_are_called():
    thetas = {name: torch.tensor([theta]) for name, theta in theta_lab.PRESETS.items()}
    seven = data.load_digits("test")[0][:1]
    seen = {name: samplers.warp(seven, theta)[0, 0] for name, theta in thetas.items()}
    assert torch.allclose(seen["Identity"], seven[0, 0], atol=1e-6)
    assert torch.allclose(seen["Quarter turn"], seven[0, 0].rot90(), atol=1e-5)
    assert torch.allclose(seen["Mirror"], seven[0, 0].flip(1), atol=1e-5)
    assert seen["Zoom in"].sum() > 2 * seven.sum() > 2 * 2 * seen["Zoom out"].sum()
    assert seen["Everything outside"].abs().max() == 0


def test_the_pixel_matrix_is_opencvs(lab):
    """As it stands in the lab, ready to copy, `warpAffine` takes it and gives the same picture."""
    cv2 = pytest.importorskip("cv2")
    lab.theta = transforms.similarity(degrees=25, scale=0.8, x=0.2, y=-0.1)
    lab.sizes[0].value, lab.sizes[1].value = 20, 31
    matrix = eval(note(lab, "OpenCV"), {"numpy": numpy})
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    output = cv2.warpAffine(DIGIT.numpy(), matrix, (31, 20), flags=flags)
    # OpenCV rounds its weights, to 1/32 in older versions.
    assert numpy.abs(output - lab.output()[0, 0].numpy()).max() < 0.04
    assert [n.copy for n in lab.canvas.scene.notes] == [False, False, True]


def test_the_output_size_can_be_chosen(lab):
    lab.sizes[0].value, lab.sizes[1].value = 7, 50
    assert lab.output().shape == (1, 1, 7, 50)
    assert shown_output(lab).shape == (7, 50, 3)
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


def test_a_large_picture_is_computed_in_full_and_shown_reduced():
    image = torch.rand(3, 600, 1400, generator=torch.Generator().manual_seed(0))
    seen = []
    lab = ThetaLab(image, readout=lambda output: seen.append(output) or "seen")
    assert lab.output_size == (600, 1400)
    assert lab.output().shape == seen[-1].shape == (1, 3, 600, 1400)
    shown = to_rgba(reduced(image))
    assert lab.canvas.images["input"] == shown
    assert max(shown.rows, shown.columns) <= LARGEST
    assert (shown.rows, shown.columns) == (200, 467)
    assert (shown_output(lab)[..., 0] - reduced(image)[0] * 255).abs().max() <= 1
    assert repr(lab).startswith("ThetaLab, 600×1400 → 600×1400 pixels")
    words = "The input (600×1400 pixels) and the output (600×1400 pixels) are shown reduced"
    assert words in note(lab, "shown reduced") and words in lab.text
    lab.sizes[0].value, lab.sizes[1].value = 20, 40
    assert note(lab, "shown reduced").startswith("The input (600×1400 pixels) is shown reduced")
    lab.close()


def test_a_picture_as_large_as_the_canvas_is_shown_as_it_is():
    image = torch.rand(LARGEST, 2)
    lab = ThetaLab(image)
    assert lab.canvas.images["input"] == to_rgba(image[None])
    assert not [n for n in lab.canvas.scene.notes if "reduced" in n.title]
    lab.close()


@pytest.mark.parametrize("size", [(600, 20), (20, 5000)])
def test_the_output_has_the_size_asked_for(size):
    lab = ThetaLab(DIGIT, size)
    assert lab.output_size == tuple(lab.output().shape[-2:]) == size
    words = f"The output ({size[0]}×{size[1]} pixels) is shown reduced"
    assert note(lab, "shown reduced").startswith(words)
    lab.buttons["Reset"].click()
    assert lab.output_size == size
    lab.close()


def test_an_own_image_of_any_size_comes_back():
    lab = ThetaLab(torch.zeros(2, 5000), (10, 10))
    lab.source.value = 3
    assert lab.output_size == (28, 28)
    lab.source.value = -1
    assert lab.output_size == (2, 5000)
    lab.close()


def test_pixels_are_squares_whatever_the_size():
    lab = ThetaLab(torch.rand(20, 40), (30, 10))
    for marks in (lab.canvas.scene.panels[i].marks for i in (1, 2)):
        (image,) = [mark for mark in marks if isinstance(mark, Image)]
        rows, columns = (20, 40) if image.picture == "input" else (30, 10)
        assert image.box.width / columns == pytest.approx(image.box.height / rows)


@pytest.mark.parametrize("digit", range(10))
def test_another_digit_can_be_chosen(lab, digit):
    images, labels = data.load_digits("test")
    lab.source.value = digit
    assert torch.equal(lab.image, images[labels == digit][0])
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1
    assert lab.canvas.images["input"].pixels[::4] == bytes(
        (lab.image[0] * 255).round().byte().flatten().tolist()
    )


def test_other_digits_do_not_unpack_all_of_them_again(lab, monkeypatch):
    lab.source.value = 3
    monkeypatch.setattr(data, "load_mnist", None)
    monkeypatch.setattr(data.gzip, "decompress", None)
    for digit in range(10):
        lab.source.value = digit
        assert lab.canvas.alert == ""
    lab.image.zero_()  # a learner's own business
    lab.source.value = 3
    lab.source.value = 9
    assert lab.image.sum() > 10


def test_without_an_image_it_shows_a_digit_and_offers_no_other():
    lab = ThetaLab()
    assert lab.image.shape == (1, 28, 28)
    assert [label for label, _ in lab.source.options] == [f"digit {n}" for n in range(10)]


def test_devices_are_those_present(lab):
    assert lab.choices["device"].options == available_devices()


def test_each_device_computes_the_same(device):
    lab = ThetaLab(DIGIT, device=str(device))
    lab.theta = transforms.similarity(degrees=33, scale=0.9)
    assert lab.choices["device"].value == device.type
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


def test_words_say_the_state(lab):
    lab.theta = transforms.from_pose(rotation=30.0, scale_x=1.2, scale_y=1.2)
    assert lab.text == (
        "The grid is rotated 30 degrees, scaled by 1.2 in x and 1.2 in y, sheared by 0, "
        "and moved by 0 in x and 0 in y."
    )
    lab.view.value = theta_lab.MOVES
    assert lab.text.startswith("The picture is rotated -30 degrees, scaled by 0.83 in x")


def test_in_a_kernel_sliders_are_sent_together_after_the_picture():
    """The picture goes out at once; a hundred movements later each slider is sent once."""

    async def work():
        lab = ThetaLab(DIGIT)
        await asyncio.sleep(0.1)
        sent = []
        for control in lab.sliders.all:
            control.send_state = lambda key=None, name=control.description: sent.append(name)
        lab.canvas.send_state = lambda key=None: sent.append("picture")
        for degrees in range(100):
            lab.sliders.pose["rotation"].set_state({"value": degrees})
        assert set(sent) == {"picture"}
        await asyncio.sleep(0.1)
        lab.close()
        return sent, lab

    sent, lab = asyncio.run(work())
    assert sent.count("theta[0, 0]") == 1
    assert sent.count("picture") >= 99
    assert lab.sliders.numbers[0].value == pytest.approx(numpy.cos(numpy.radians(99)))


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
    assert lab.sliders.pose["scale_y"].value == pytest.approx(0.7)
    lab.theta[0, 0, 0] = 9
    assert lab.theta[0, 0, 0] == 0.5


def test_reset_goes_back_to_the_identity(lab):
    lab.theta = transforms.rotation(degrees=50)
    lab.buttons["Reset"].click()
    assert torch.equal(lab.theta, transforms.identity())
    assert lab.sliders.pose["rotation"].value == 0


def test_reset_brings_back_choices_and_ranges(lab):
    lab.theta = transforms.scale(9.0)
    lab.choices["padding_mode"].value = "border"
    lab.buttons["Reset"].click()
    assert lab.choices["padding_mode"].value == "zeros"
    assert lab.sliders.pose["scale_x"].max == 2.5
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


def test_a_theta_without_a_pose_is_said_in_words(lab):
    lab.theta = torch.tensor([[1e-16, 1.0, 0.0], [0.0, 1.0, 0.0]])
    assert "squeezed into a line" in lab.text
    assert all(control.disabled for control in lab.sliders.pose.values())
    lab.theta = transforms.identity()
    assert not any(control.disabled for control in lab.sliders.pose.values())


def test_an_error_in_a_readout_is_shown_in_the_lab_and_goes_with_its_cause(lab):
    def broken(output):
        if output.mean() < 0.2:
            raise RuntimeError("no answer")
        return "an answer"

    lab = ThetaLab(DIGIT, readout=broken)
    assert lab.canvas.alert == ""
    lab.theta = transforms.translation(x=9.0)
    assert "RuntimeError: no answer" in lab.canvas.alert
    assert "in broken" in lab.canvas.alert
    lab.theta = transforms.identity()
    assert lab.canvas.alert == ""


@pytest.mark.parametrize("size", [(14, 20), (1, 1)])
@pytest.mark.parametrize("align_corners", [False, True])
def test_a_readout_is_given_the_output_and_shown(size, align_corners):
    lab = ThetaLab(
        DIGIT, size, align_corners=align_corners, readout=lambda o: f"got {o.shape[-2:]}"
    )
    assert note(lab, "the output") == f"got {torch.Size(size)}"


@pytest.mark.parametrize(
    ("image", "shape"),
    [
        (torch.rand(28, 28), (1, 28, 28)),
        (torch.rand(1, 20, 31), (1, 20, 31)),
        (torch.rand(3, 16, 24), (3, 16, 24)),
        (numpy.random.default_rng(0).random((16, 24, 3)), (3, 16, 24)),
        (numpy.zeros((9, 8), dtype=numpy.uint8), (1, 9, 8)),
        (numpy.asfortranarray(numpy.ones((5, 6))), (1, 5, 6)),
    ],
)
def test_a_learners_own_image_of_any_size_and_colour(image, shape):
    lab = ThetaLab(image)
    assert lab.image.shape == shape
    assert (shown_output(lab) - pytorchs_output(lab)).abs().max() <= 1


def test_figure_is_the_lab_as_it_stands(lab):
    lab.theta = transforms.rotation(degrees=30)
    figure = lab.figure("title")
    assert isinstance(figure, Figure)
    right = torch.as_tensor(figure.axes[1].images[0].get_array())
    assert torch.allclose(right, lab.output()[0, 0], atol=1e-6)


def test_closing_frees_every_widget():
    lab = ThetaLab(DIGIT)
    controls = [*lab.sliders.all, *lab.choices.values(), *lab.buttons.values(), *lab.sizes]
    parts = [*controls, lab.source, lab.view, lab.canvas]
    parts += [part.layout for part in controls] + [part.style for part in controls]
    assert all(part.comm is not None for part in parts)
    slider, theta = lab.sliders.pose["rotation"], lab.theta
    lab.close()
    slider.value = 77  # nobody listens any more
    assert torch.equal(lab.theta, theta)
    assert all(part.comm is None for part in [*parts, lab])


def test_ten_labs_leave_nothing_behind():
    before = set(_instances)
    labs = [ThetaLab(DIGIT) for _ in range(10)]
    assert len(_instances) > len(before) + 10 * 30
    for lab in labs:
        lab.close()
    assert set(_instances) == before


def test_labs_do_not_hear_each_other(lab):
    other = ThetaLab(DIGIT)
    other.sliders.pose["rotation"].value = 40
    pull(other, "centre", 0.3, 0)
    assert torch.equal(lab.theta, transforms.identity())
    other.close()


def test_without_a_kernel_it_says_how_to_get_it(lab):
    assert repr(lab) == "ThetaLab, 28×28 → 28×28 pixels: run this cell to get its sliders"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ThetaLab([[1.0]]), TypeError, "list"),
        (lambda: ThetaLab(torch.zeros(2, 8, 8)), ValueError, r"\(2, 8, 8\)"),
        (lambda: ThetaLab(torch.zeros(8)), ValueError, r"\(8,\)"),
        (lambda: ThetaLab(torch.zeros(8, 8, 4)), ValueError, r"\(8, 8, 4\)"),
        (lambda: ThetaLab(torch.zeros(8, 8).long()), TypeError, "int64"),
        (lambda: ThetaLab(DIGIT - 0.42), ValueError, "from 0 to 1; got -0.4"),
        (lambda: ThetaLab(DIGIT * torch.nan), ValueError, "finite"),
        (lambda: ThetaLab(DIGIT, 20), TypeError, r"output_size must be .* \(H', W'\); got int 20"),
        (lambda: ThetaLab(DIGIT, (20,)), ValueError, r"two positive .* got \(20,\)"),
        (lambda: ThetaLab(DIGIT, ()), ValueError, "two positive"),
        (lambda: ThetaLab(DIGIT, (20, 0)), ValueError, r"two positive .* got \(20, 0\)"),
        (lambda: ThetaLab(DIGIT, (20, 9.5)), TypeError, r"two positive .* got \(20, 9.5\)"),
        (lambda: ThetaLab(DIGIT, device="tpu"), ValueError, "'tpu'"),
        (lambda: ThetaLab(DIGIT, mode="cubic"), ValueError, "'cubic'"),
        (lambda: ThetaLab(DIGIT, padding_mode="grey"), ValueError, "'grey'"),
        (lambda: setattr(ThetaLab(DIGIT), "theta", torch.zeros(2, 2, 3)), ValueError, "one"),
        (lambda: setattr(ThetaLab(DIGIT), "theta", torch.zeros(3, 3)), ValueError, r"\(1, 3, 3\)"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
