"""ThetaLab's Python half: what it gives the browser, what it hears, what PyTorch answers."""

import numpy
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure

from stn_course import data, samplers, transforms
from stn_course.device import available_devices
from stn_course.widgets import ThetaLab, theta_lab
from stn_course.widgets.images import LARGEST, reduced

DIGIT = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def lab():
    lab = ThetaLab(DIGIT)
    yield lab
    lab.close()


def sent_image(lab, index: int) -> torch.Tensor:
    """An image as the browser is given it, (C, H, W)."""
    return read_image(lab.canvas.data["images"][index])


def read_image(sent: dict) -> torch.Tensor:
    values = torch.frombuffer(bytearray(sent["values"]), dtype=torch.float32)
    return values.reshape(sent["channels"], sent["rows"], sent["columns"])


def ask(lab, **part) -> dict:
    """What the lab answers when the browser asks about its present state, but for `part`."""
    question = {
        "theta": lab.theta.double().flatten().tolist(),
        "size": list(lab.output_size),
        "image": lab.source.index,
        "device": lab.choices["device"].value,
        "options": {"mode": "bilinear", "padding_mode": "zeros", "align_corners": False},
        "serial": torch.rand(()).item(),
    }
    lab.canvas.set_state({"question": question | part})
    assert lab.canvas.answer["serial"] == lab.canvas.question["serial"]
    return lab.canvas.answer


def test_it_starts_at_the_identity_with_the_image(lab):
    assert torch.equal(lab.theta, transforms.identity())
    assert torch.equal(sent_image(lab, 0)[0], DIGIT)
    assert torch.allclose(lab.output()[0, 0], DIGIT, atol=1e-5)


def test_presets_do_what_they_are_called():
    thetas = {name: torch.tensor([theta]) for name, theta in theta_lab.PRESETS.items()}
    seven = data.load_digits("test")[0][:1]
    seen = {name: samplers.warp(seven, theta)[0, 0] for name, theta in thetas.items()}
    assert torch.allclose(seen["Identity"], seven[0, 0], atol=1e-6)
    assert torch.allclose(seen["Quarter turn"], seven[0, 0].rot90(), atol=1e-5)
    assert torch.allclose(seen["Mirror"], seven[0, 0].flip(1), atol=1e-5)
    assert seen["Zoom in"].sum() > 2 * seven.sum() > 2 * 2 * seen["Zoom out"].sum()
    assert seen["Everything outside"].abs().max() == 0


def test_theta_comes_from_the_browser(lab):
    """Nine decimals and more; the last state counts."""
    for x in (0.25, 1 / 3):
        lab.canvas.set_state({"state": lab.state | {"theta": [1, 0, x, 0, 1, 0], "by": 0}})
    assert torch.allclose(lab.theta, transforms.translation(x=1 / 3))


def test_theta_can_be_set_read_and_is_a_copy(lab):
    lab.theta = torch.tensor([[0.5, 0.0, 0.2], [0.0, 0.7, -0.1]])
    assert lab.canvas.state["theta"] == pytest.approx([0.5, 0, 0.2, 0, 0.7, -0.1])
    lab.theta[0, 0, 0] = 9
    assert lab.theta[0, 0, 0] == 0.5
    lab.theta = [[1, 0, 0], [0, 1, 0]]
    assert torch.equal(lab.theta, transforms.identity())


def test_a_theta_of_double_precision_is_kept(lab):
    lab.theta = transforms.rotation(degrees=torch.tensor(30.0, dtype=torch.float64))
    assert lab.canvas.state["theta"][0] == pytest.approx(3**0.5 / 2, abs=1e-12)


@pytest.mark.parametrize("mode", samplers.MODES)
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_pytorch_answers_as_it_is_asked(lab, mode, padding_mode, align_corners):
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    theta = transforms.similarity(degrees=20, scale=1.4)
    answer = ask(lab, theta=theta.flatten().tolist(), size=[7, 50], options=options)
    expected = samplers.warp(lab.image[None], theta, (7, 50), **options)[0]
    assert torch.equal(read_image(answer["output"]), expected)
    assert answer["device"] == "cpu" and answer["milliseconds"] > 0
    assert not answer["reduced"]


def test_each_device_answers_the_same(device):
    lab = ThetaLab(DIGIT, device=str(device))
    assert lab.choices["device"].value == device.type
    theta = transforms.similarity(degrees=33, scale=0.9)
    answer = ask(lab, theta=theta.flatten().tolist())
    assert answer["device"] == device.type
    expected = samplers.warp(lab.image[None], theta)[0]
    assert torch.allclose(read_image(answer["output"]), expected, atol=1e-4)


def test_a_readout_is_given_the_output(lab):
    seen = []
    lab.readout = lambda output: seen.append(output) or f"got {tuple(output.shape)}"
    assert ask(lab, size=[14, 20])["readout"] == "got (1, 1, 14, 20)"
    assert seen[0].device.type == "cpu"


def test_an_error_in_a_readout_is_answered_with_its_line(lab):
    def broken(output):
        raise RuntimeError("no answer")

    lab.readout = broken
    assert ask(lab)["error"].startswith("RuntimeError: no answer (in broken: raise RuntimeError")
    lab.readout = None
    assert "error" not in ask(lab)


def test_a_large_picture_is_computed_in_full_and_sent_reduced():
    image, seen = torch.rand(3, 600, 1400), []
    lab = ThetaLab(image, readout=lambda output: seen.append(output.shape) or "seen")
    assert lab.output_size == (600, 1400)
    assert lab.output().shape == (1, 3, 600, 1400)
    assert torch.equal(sent_image(lab, 0), reduced(image))
    assert lab.canvas.data["images"][0]["full"] == [600, 1400]
    answer = ask(lab)
    assert answer["reduced"] and seen == [(1, 3, 600, 1400)]
    assert torch.allclose(read_image(answer["output"]), reduced(image), atol=1e-4)
    assert repr(lab).startswith("ThetaLab, 600×1400 → 600×1400 pixels")
    lab.close()


def test_a_picture_as_large_as_the_canvas_is_sent_as_it_is():
    image = torch.rand(LARGEST, 2)
    lab = ThetaLab(image)
    assert torch.equal(sent_image(lab, 0)[0], image)
    assert not ask(lab)["reduced"]
    lab.close()


@pytest.mark.parametrize("size", [(600, 20), (20, 5000)])
def test_the_output_has_the_size_asked_for(size):
    lab = ThetaLab(DIGIT, size)
    assert lab.output_size == tuple(lab.output().shape[-2:]) == size
    assert [lab.canvas.data["first"][name] for name in ("height", "width")] == list(size)
    lab.close()


def test_another_digit_can_be_chosen(lab):
    images, labels = data.load_digits("test")
    for digit in range(10):
        lab.source.value = digit
        assert torch.equal(lab.image, images[labels == digit][0])
        assert torch.equal(sent_image(lab, 1 + digit), lab.image)
        assert torch.allclose(read_image(ask(lab)["output"]), lab.image, atol=1e-5)


def test_a_chosen_image_brings_its_size_before_a_browser_has_seen_it():
    lab = ThetaLab(torch.zeros(2, 5000), (10, 10))
    assert lab.output_size == (10, 10)
    lab.source.value = 3
    assert lab.output_size == (28, 28)
    lab.source.value = -1
    assert lab.output_size == (10, 10)
    lab.close()


def test_other_digits_do_not_unpack_all_of_them_again(lab, monkeypatch):
    monkeypatch.setattr("gzip.decompress", None)
    lab.source.value = 3
    lab.image.zero_()  # a learner's own business
    assert lab.image.sum() > 10
    ThetaLab().close()


def test_without_an_image_it_shows_a_digit_and_offers_no_other():
    lab = ThetaLab()
    assert lab.image.shape == (1, 28, 28)
    assert [label for label, _ in lab.source.options] == [f"digit {n}" for n in range(10)]


def test_devices_are_those_present(lab):
    assert lab.choices["device"].options == available_devices()


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
    assert torch.equal(sent_image(lab, 0), lab.image)


def test_figure_is_the_lab_as_it_stands(lab):
    lab.theta = transforms.rotation(degrees=30)
    figure = lab.figure("title")
    assert isinstance(figure, Figure)
    right = torch.as_tensor(figure.axes[1].images[0].get_array())
    assert torch.allclose(right, lab.output()[0, 0], atol=1e-6)


def test_closing_frees_every_widget():
    lab = ThetaLab(DIGIT)
    controls = list(lab.controls.values())
    parts = [*controls, lab.canvas]
    parts += [part.layout for part in controls] + [part.style for part in controls]
    assert all(part.comm is not None for part in parts)
    lab.close()
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
    other.theta = transforms.rotation(degrees=40)
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
