"""FindLab without a browser: a box over cluttered pictures, what is read in it, the network's."""

import pytest
import torch
import torch.nn.functional as F
from ipywidgets.widgets.widget import _instances
from lab_scene import handles
from matplotlib.figure import Figure
from torch import nn

from stn_course import clutter, data, models, samplers, transforms
from stn_course.plotting import COLOURS
from stn_course.widgets import FindLab
from stn_course.widgets.scene import Image, Label, Path


class KnowsTheBoxes(nn.Module):
    """A transformer that has been told where the digits are."""

    def __init__(self, thetas):
        super().__init__()
        self.told, self.theta = thetas, None

    def forward(self, pictures):
        self.theta = self.told.clone()
        return pictures


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
    lab = FindLab(pictures, labels, classifier, KnowsTheBoxes(thetas))
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
    assert f"Your score is {right:.2f} of 6" in lab.text


@pytest.mark.parametrize("antialias", [True, False])
def test_a_large_box_is_read_with_or_without_aliasing(found, classifier, antialias):
    pictures, labels, thetas = found
    whole, network = transforms.identity(6), KnowsTheBoxes(thetas)
    lab = FindLab(pictures, labels, classifier, network, antialias=antialias)
    smooth = samplers.warp(pictures, whole, (28, 28), antialias=True)
    expected = smooth if antialias else read(pictures, whole)
    assert (smooth - read(pictures, whole)).abs().max() > 0.3
    assert torch.allclose(lab.judge(lab.thetas)[0], expected, atol=1e-5)
    lab.close()


def test_the_canvas_shows_the_whole_picture_and_what_is_read(found, lab):
    pictures, _, thetas = found
    lab.theta = thetas[0]
    assert lab.canvas.images["input"].rows == lab.canvas.images["input"].columns == 60
    (shown,) = [m.picture for m in lab.canvas.scene.panels[2].marks if isinstance(m, Image)]
    grey = torch.frombuffer(bytearray(shown.pixels), dtype=torch.uint8)[::4].reshape(28, 28)
    assert (grey - 255 * read(pictures[:1], thetas[:1])[0, 0]).abs().max() <= 1


def drag(lab, handle: str, x: float, y: float) -> None:
    """A hand moves a handle by a normalised (x, y), and still holds it."""
    unit = lab._view(0).unit[0]
    before = lab.canvas.hand.get(handle, [0, 0])
    moved = [before[0] + x * unit, before[1] + y * unit]
    lab.canvas.set_state({"hand": lab.canvas.hand | {handle: moved}})


def test_the_middle_moves_the_box_and_the_corner_resizes_it(lab):
    lab.theta = transforms.attention(0.5, 0.1, 0.2)
    drag(lab, "centre", -0.3, 0.2)
    assert torch.allclose(lab.theta, transforms.attention(0.5, -0.2, 0.4), atol=1e-6)
    drag(lab, "corner", 0.2, 0.2)
    assert torch.allclose(lab.theta, transforms.attention(0.7, -0.2, 0.4), atol=1e-6)
    drag(lab, "corner", -0.2, 0)  # beside the diagonal: to the nearest place on it
    assert torch.allclose(lab.theta, transforms.attention(0.6, -0.2, 0.4), atol=1e-6)
    assert [s.value for s in lab.sliders.pose.values()] == pytest.approx([0.6, -0.2, 0.4])


def test_a_corner_dragged_beyond_the_middle_and_back_loses_no_movement(lab):
    lab.theta = transforms.attention(0.5)
    drag(lab, "corner", -2, -2)
    assert torch.allclose(lab.theta, transforms.attention(0.1), atol=1e-6)
    drag(lab, "corner", 2, 2)
    assert torch.allclose(lab.theta, transforms.attention(0.5), atol=1e-6)
    assert lab.canvas.alert == ""


def test_the_handles_lie_on_the_box(lab):
    lab.theta = transforms.attention(0.5, 0.25, -0.25)
    view = lab._view(0)
    for name, point in (("centre", (0.25, -0.25)), ("corner", (0.75, 0.25))):
        (place,) = view.places(torch.tensor(point))
        assert [handles(lab)[name].x, handles(lab)[name].y] == pytest.approx(place)
    assert handles(lab)["centre"].label == "centre of the box, x 0.25, y -0.25; arrow keys move it"
    assert handles(lab)["corner"].label == "corner of the box, scale 0.5; arrow keys resize it"


@pytest.mark.parametrize(("handle", "expected"), [("centre", (0.5, 0.02)), ("corner", (0.52, 0))])
def test_an_arrow_key_takes_a_step_of_the_same_size_at_both_handles(lab, handle, expected):
    lab.theta = transforms.attention(0.5)
    drag(lab, handle, handles(lab)[handle].step / lab._view(0).unit[0], 0)
    assert torch.allclose(lab.theta, transforms.attention(*expected), atol=1e-6)


def test_three_sliders_steer_too(lab):
    sliders = lab.sliders.pose
    assert list(sliders) == ["scale", "x", "y"]
    sliders["scale"].value, sliders["x"].value, sliders["y"].value = 0.4, -0.5, 0.3
    assert torch.allclose(lab.theta, transforms.attention(0.4, -0.5, 0.3))
    assert handles(lab)["centre"].x == pytest.approx(lab._view(0).places(lab.theta[0, :, 2])[0][0])


def test_the_networks_boxes_and_score_are_beside_the_learners_in_another_colour(
    found, classifier, lab
):
    pictures, labels, thetas = found
    assert len(outlines(lab)) == 1
    lab.compare.value = True
    assert lab.compare.description == "Hide the network's boxes"
    theirs, own = outlines(lab)
    assert theirs.colour == COLOURS["other"] != own.colour == COLOURS["output"]
    corner = thetas[0, :, 2] - thetas[0, 0, 0]
    assert theirs.places[0] == pytest.approx(lab._view(0).places(corner)[0])
    score = certainty(classifier, read(pictures, thetas), labels).sum().item()
    assert f"network {score:5.2f} of 6" in lab.canvas.scene.notes[0].text
    assert score > lab.score(lab.thetas) + 3


def outlines(lab) -> list[Path]:
    """The boxes over the picture; the picture's own frame comes before them."""
    return [mark for mark in lab.canvas.scene.panels[1].marks if isinstance(mark, Path)][1:]


def test_a_network_with_a_transformer_in_it_will_do(found, classifier):
    pictures, labels, thetas = found
    network = nn.Sequential(KnowsTheBoxes(thetas), nn.Flatten(), nn.Linear(3600, 10))
    lab = FindLab(pictures, labels, classifier, network)
    assert torch.allclose(lab.network_thetas, thetas)
    lab.close()


def test_each_device_says_the_same(found, classifier, device):
    pictures, labels, thetas = found
    lab = FindLab(pictures, labels, classifier, KnowsTheBoxes(thetas), device=str(device))
    expected = certainty(classifier, read(pictures, thetas), labels).sum().item()
    assert lab.score(thetas) == pytest.approx(expected, abs=1e-3)
    lab.close()


def test_figure_words_and_name(lab):
    lab.theta = transforms.attention(0.5, -0.25, 0.1)
    assert isinstance(lab.figure(), Figure)
    assert lab.text.startswith(
        "Digit 1 of 6, a 7. The box is 0.5 times as wide as the picture, around x -0.25 and y 0.1."
    )
    titles = [m.text for m in lab.canvas.scene.panels[0].marks if isinstance(m, Label)]
    assert "drag the box: this is a 7" in titles
    assert repr(lab) == "FindLab, 6 pictures: run this cell to look for the digits"


def test_closing_leaves_nothing_behind(found, classifier):
    pictures, labels, thetas = found
    before = set(_instances)
    FindLab(pictures, labels, classifier, KnowsTheBoxes(thetas)).close()
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
        FindLab(pictures, labels, classifier, KnowsTheBoxes(thetas), output_size=28)
