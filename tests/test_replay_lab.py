"""ReplayLab without a browser: each recorded step is shown as it was, nothing is trained."""

import itertools
from dataclasses import replace

import pytest
import torch
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure
from torch import nn

from stn_course import clutter, models, samplers, training, transforms
from stn_course.widgets import ReplayLab
from stn_course.widgets.images import to_rgba
from stn_course.widgets.scene import Label, Path


@pytest.fixture(scope="module")
def recording():
    return training.load_recording()


@pytest.fixture
def lab(recording):
    lab = ReplayLab(recording)
    yield lab
    lab.close()


def shown(lab) -> list[torch.Tensor]:
    """The outputs in the canvas, (H, W) from 0 to 255."""
    found = []
    for panel in lab.canvas.scene.panels[2::2]:
        picture = panel.marks[0].picture
        grey = torch.frombuffer(bytearray(picture.pixels), dtype=torch.uint8)[::4]
        found.append(grey.reshape(picture.rows, picture.columns).float())
    return found


def labels(lab) -> list[Label]:
    """The words around the digits and the chart."""
    return [m for m in lab.canvas.scene.panels[0].marks if isinstance(m, Label)]


def test_it_opens_on_the_end_of_the_training(recording, lab):
    """So that its figure shows what came of it; Play begins again at the first step."""
    last = len(recording.probe_steps) - 1
    assert lab.index == lab.player.value == lab.player.max == last
    expected = ReplayLab(recording, index=last)
    assert lab.scene() == expected.scene()
    assert lab.text.startswith(f"Step {recording.probe_steps[-1]} of {recording.probe_steps[-1]}")
    expected.close()


def test_its_figure_follows_the_slider(recording, lab):
    lab.index = 0
    first = ReplayLab(recording, index=0)
    assert lab.scene() == first.scene()
    first.close()


def test_a_theta_of_a_feature_map_warps_no_picture(recording):
    """It belongs to what the layers before have made of the picture."""

    class OfAFeatureMap(training.History):
        reads_pictures = False

    lab = ReplayLab(OfAFeatureMap(**vars(recording)), index=100)
    panels = lab.canvas.scene.panels
    assert lab.canvas.alert == ""
    assert len(panels) == 1 + 2 * training.PROBE
    for i, (above, below) in enumerate(zip(panels[1::2], panels[2::2], strict=True)):
        assert [mark.picture for mark in above.marks] == [to_rgba(recording.probe_images[i])]
        assert {type(mark) for mark in below.marks} == {Path}  # the frame alone
    assert below.marks != panels[2].marks
    assert "reads a feature map, not these pictures" in lab.text
    titles = [m.text for m in labels(lab)]
    assert "output" not in titles
    with pytest.raises(ValueError, match="reads a feature map"):
        lab.outputs()
    assert isinstance(lab.figure(), Figure)
    lab.close()


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_step_is_shown_as_it_was_recorded(recording, lab, share):
    lab.index = index = int(share * (len(recording.probe_steps) - 1))
    thetas = recording.probe_thetas[index]
    outputs = samplers.warp(recording.probe_images, thetas, padding_mode="border")
    assert len(shown(lab)) == training.PROBE
    for got, expected in zip(shown(lab), outputs[:, 0], strict=True):
        assert (got - expected * 255).abs().max() <= 1
    step, right = recording.probe_steps[index], int(recording.probe_right[index].sum())
    words = f"read correctly: {right} of {training.PROBE} digits"
    assert lab.text.startswith(f"Step {step} of {recording.probe_steps[-1]}: {words}; their grids")
    assert any(m.text.startswith(words) for m in labels(lab))
    angles = transforms.to_pose(thetas).rotation
    assert f"turned by {angles.min():.0f} to {angles.max():.0f} degrees" in lab.text


def test_the_digits_straighten_up(lab):
    assert lab.angles(0).abs().max() == 0
    assert lab.angles(len(lab.steps) - 1).std() > 20


def test_the_mark_walks_along_the_curve(recording, lab):
    def mark():
        squares = [m for m in lab.canvas.scene.panels[0].marks if isinstance(m, Path) and m.fill]
        (xs, ys) = zip(*squares[-1].places, strict=True)
        return sum(xs) / 4, sum(ys) / 4

    walked = []
    for index in (0, 50, 100, len(recording.probe_steps) - 1):
        lab.index = index
        walked.append((*mark(), int(recording.probe_right[index].sum())))
    xs, ys, right = zip(*walked, strict=True)
    assert list(xs) == sorted(xs) and xs[0] < xs[-1]
    by_share = [y for _, y in sorted(zip(right, ys, strict=True))]
    assert by_share == sorted(by_share, reverse=True)  # more read correctly stands higher


def test_a_recording_that_does_not_say_which_are_read_rightly_shows_the_loss(recording):
    older = replace(recording, probe_right=[])
    lab = ReplayLab(older)
    words = f"loss on these digits: {older.probe_losses[-1]:.2f}"
    assert f": {words}; their grids" in lab.text
    assert any(m.text.startswith(words) for m in labels(lab))
    assert f"{max(older.probe_losses):.1f}" in {m.text for m in labels(lab)}
    lab.close()


def test_the_player_moves_the_slider_in_the_browser(lab):
    """Their link works without the kernel; here only that it is the right one."""
    assert lab.link.source == (lab.player, "value")
    assert lab.link.target == (lab.slider, "value")
    assert (lab.player.min, lab.player.max) == (lab.slider.min, lab.slider.max)


def test_a_history_of_fit_can_be_replayed(digits, tmp_path):
    images, labels = digits
    some = images[:256], labels[:256]
    model = models.TutorialNet()
    history = training.fit(model, train=some, test=some, epochs=1, progress=False, device="cpu")
    history.save(tmp_path / "run.pt")
    lab = ReplayLab(training.History.load(tmp_path / "run.pt"), padding_mode="zeros")
    lab.index = lab.slider.max
    assert torch.equal(lab.thetas[-1], history.probe_thetas[-1].double())
    lab.close()


@pytest.fixture(scope="module")
def search(digits):
    """A run on cluttered pictures of 60×60 whose transformer gives its classifier 28×28."""
    generator = torch.Generator().manual_seed(0)
    pictures, _ = clutter.random_clutter()(digits[0][:128], generator)
    some = pictures, digits[1][:128]
    localization = models.localization_cnn(in_channels=1)
    transformer = models.SpatialTransformer(localization, output_size=(28, 28))
    model = nn.Sequential(transformer, models.PlainNet())
    return training.fit(model, train=some, test=some, epochs=1, progress=False, device="cpu")


def travelling(search) -> training.History:
    """The same pictures with windows that go from the whole picture to a spot of each one's own."""
    spots = torch.linspace(-0.5, 0.5, training.PROBE)
    thetas = [
        transforms.attention(1 - 0.5 * way, way * spots, -way * spots) for way in (0.0, 0.5, 1.0)
    ]
    return replace(
        search, probe_steps=[0, 5, 10], probe_losses=[2.0, 1.0, 0.5], probe_thetas=thetas
    )


@pytest.mark.parametrize("antialias", [False, True])
def test_pictures_larger_than_their_outputs_are_shown_as_they_were_read(search, antialias):
    assert search.probe_thetas[-1].ne(transforms.identity()).any()
    lab = ReplayLab(search, padding_mode="zeros", output_size=(28, 28), antialias=antialias)
    assert lab.canvas.alert == ""
    thetas, options = search.probe_thetas[-1], {"antialias": antialias}
    expected = samplers.warp(search.probe_images, thetas, (28, 28), **options)
    assert torch.equal(lab.outputs(), expected)
    assert [picture.shape for picture in shown(lab)] == training.PROBE * [(28, 28)]
    for got, output in zip(shown(lab), expected[:, 0], strict=True):
        assert (got - output * 255).abs().max() <= 1
    inputs = [panel.marks[0] for panel in lab.canvas.scene.panels[1::2]]
    assert {(m.picture.rows, m.picture.columns) for m in inputs} == {(60, 60)}
    lab.close()


def test_each_pixel_of_a_larger_picture_can_be_seen(recording, search):
    """Tiles of their own size, in as many rows as they need; none over another."""
    small, large = ReplayLab(recording), ReplayLab(search, output_size=(28, 28))
    boxes = [panel.marks[0].box for panel in large.canvas.scene.panels[1::2]]
    digit = small.canvas.scene.panels[1].marks[0].box
    assert boxes[0].width / 60 == pytest.approx(digit.width / 28, rel=0.1)
    assert large.canvas.scene.width == small.canvas.scene.width  # the page has no more room
    panels = [panel.box for panel in large.canvas.scene.panels[1:]]
    apart = [
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
        for a, b in itertools.combinations(panels, 2)
    ]
    assert all(apart)
    assert all(box.x + box.width <= large.canvas.scene.width for box in panels)
    small.close()
    large.close()


def test_boxes_travel_to_their_places(search):
    run = travelling(search)
    lab = ReplayLab(run, output_size=(28, 28), index=0)
    assert "their grids are 1.00 to 1.00 times as wide as the picture, 0.00 to 0.00" in lab.text
    for index in range(3):
        lab.index = index
        for i, panel in enumerate(lab.canvas.scene.panels[1::2]):
            picture, outline = panel.marks[0].box, panel.marks[1].places
            left, right = outline[0][0], outline[1][0]
            scale, x = run.probe_thetas[index][i, 0, [0, 2]].tolist()
            assert (right - left) / picture.width == pytest.approx(scale, abs=0.01)
            middle = picture.x + picture.width / 2
            assert (left + right) / 2 - middle == pytest.approx(x * picture.width / 2, abs=0.02)
    far = 0.5 * 2**0.5
    assert f"are 0.50 to 0.50 times as wide as the picture, 0.06 to {far:.2f} from its" in lab.text
    lab.close()


def test_each_device_shows_the_same(recording, device):
    lab = ReplayLab(recording, device=str(device))
    lab.index = 100
    thetas = recording.probe_thetas[100]
    expected = samplers.warp(recording.probe_images, thetas, padding_mode="border")
    assert torch.allclose(lab.outputs(), expected, atol=1e-5)


def test_it_can_start_anywhere(recording):
    lab = ReplayLab(recording, index=-2)
    assert lab.index == lab.player.value == len(recording.probe_steps) - 2
    lab.close()
    with pytest.raises(IndexError):
        ReplayLab(recording, index=100_000)


def test_figure_words_and_name(lab):
    assert isinstance(lab.figure(), Figure)
    assert repr(lab) == f"ReplayLab, {len(lab.steps)} recorded steps: run this cell to play them"


def test_closing_leaves_nothing_behind(recording):
    before = set(_instances)
    ReplayLab(recording).close()
    assert set(_instances) == before


def test_bad_input_is_named(recording):
    with pytest.raises(TypeError, match="History; got str"):
        ReplayLab("run.pt")
    without = training.History(training.RECIPES["course"], 0)
    with pytest.raises(ValueError, match="no spatial transformer"):
        ReplayLab(without)
    with pytest.raises(TypeError, match="output_size"):
        ReplayLab(recording, output_size=28)
