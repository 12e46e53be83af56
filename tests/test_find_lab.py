"""FindLab without a browser: a box over cluttered pictures, what is read in it, the network's."""

import pytest
import torch
import torch.nn.functional as F
from ipywidgets.widgets.widget import _instances
from localization_networks import Told
from matplotlib.figure import Figure
from torch import nn

from stn_course import clutter, data, models, samplers, transforms
from stn_course.widgets import FindLab


def around(boxes) -> torch.Tensor:
    """Theta of windows of 28×28 pixels with boxes (N, 4) of a 60×60 picture in their middle."""
    left, top, width, height = boxes.double().unbind(dim=1)
    return transforms.attention(28 / 60, (2 * left + width) / 60 - 1, (2 * top + height) / 60 - 1)


@pytest.fixture(scope="module")
def found(digits):
    """Six cluttered pictures, their labels, and theta around each digit."""
    images, labels = digits
    pictures, boxes = clutter.random_clutter()(images[:6], torch.Generator().manual_seed(0))
    return pictures, labels[:6], around(boxes)


@pytest.fixture(scope="module")
def classifier():
    """Knows upright digits, and nothing of clutter."""
    made = models.PlainNet().eval()
    made.load_state_dict(models.load_straightener().state_dict(), strict=False)
    return made


@pytest.fixture
def lab(found, classifier):
    pictures, labels, thetas = found
    lab = FindLab(pictures, labels, classifier, Told(thetas))
    yield lab
    lab.close()


def read(pictures, thetas) -> torch.Tensor:
    """By PyTorch's own functions: what lies in the boxes, (N, 1, 28, 28)."""
    grid = F.affine_grid(thetas.float(), (len(pictures), 1, 28, 28), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False)


def certainty(classifier, outputs, labels) -> torch.Tensor:
    with torch.no_grad():
        return classifier(data.normalise(outputs)).exp()[torch.arange(len(labels)), labels]


def test_a_box_around_the_digit_gives_the_digit_to_the_classifier(found, classifier, lab):
    pictures, labels, thetas = found
    before = lab.score(lab.thetas)
    for i in range(6):
        lab.digit.value = i
        lab.theta = thetas[i]
    outputs, _ = lab.judge(lab.thetas)
    assert outputs.shape == (6, 1, 28, 28)
    assert torch.allclose(outputs, read(pictures, thetas), atol=1e-5)
    right = certainty(classifier, outputs, labels).sum().item()
    assert lab.score(lab.thetas) == pytest.approx(right, abs=1e-4)
    assert right > before + 3
    assert f"score: {right:.2f} of 6" in lab.figure().get_suptitle()


@pytest.mark.parametrize("antialias", [True, False])
def test_a_large_box_is_read_with_or_without_aliasing(found, classifier, antialias):
    pictures, labels, thetas = found
    whole, network = transforms.identity(6), Told(thetas)
    lab = FindLab(pictures, labels, classifier, network, antialias=antialias)
    smooth = samplers.warp(pictures, whole, (28, 28), antialias=True)
    expected = smooth if antialias else read(pictures, whole)
    assert (smooth - read(pictures, whole)).abs().max() > 0.3
    assert torch.allclose(lab.judge(lab.thetas)[0], expected, atol=1e-5)
    lab.close()


def test_three_sliders_steer(lab):
    assert {"scale", "x", "y"} < set(lab.controls)
    assert "rotation" not in lab.controls


def test_a_network_with_a_transformer_in_it_will_do(found, classifier):
    pictures, labels, thetas = found
    network = nn.Sequential(Told(thetas), nn.Flatten(), nn.Linear(3600, 10))
    lab = FindLab(pictures, labels, classifier, network)
    assert torch.allclose(lab.network_thetas, thetas)
    lab.close()


def test_each_device_says_the_same(found, classifier, device):
    pictures, labels, thetas = found
    lab = FindLab(pictures, labels, classifier, Told(thetas), device=str(device))
    expected = certainty(classifier, read(pictures, thetas), labels).sum().item()
    assert lab.score(thetas) == pytest.approx(expected, abs=1e-3)
    lab.close()


def test_figure_and_name(lab):
    lab.theta = transforms.attention(0.5, -0.25, 0.1)
    figure = lab.figure()
    assert isinstance(figure, Figure)
    assert len(figure.axes[0].lines) == 1  # the box, without arrows
    assert repr(lab) == "FindLab, 6 pictures: run this cell to look for the digits"


def test_closing_leaves_nothing_behind(found, classifier):
    pictures, labels, thetas = found
    before = set(_instances)
    FindLab(pictures, labels, classifier, Told(thetas)).close()
    assert set(_instances) == before


@pytest.mark.parametrize(
    "theta",
    [transforms.rotation(degrees=20), transforms.scale(0.5, 0.6), transforms.attention(0.05)],
)
def test_what_is_no_box_is_refused_and_the_box_stays(lab, theta):
    lab.theta = transforms.attention(0.5)
    with pytest.raises(ValueError, match=r"theta must be \[\[s, 0, x\], \[0, s, y\]\].*got \[\["):
        lab.theta = theta
    assert torch.equal(lab.theta, transforms.attention(0.5))


def test_bad_input_is_named(found, classifier):
    pictures, labels, thetas = found
    with pytest.raises(ValueError, match="must be or hold a spatial transformer"):
        FindLab(pictures, labels, classifier, nn.Flatten())
    with pytest.raises(TypeError, match="output_size"):
        FindLab(pictures, labels, classifier, Told(thetas), output_size=28)
