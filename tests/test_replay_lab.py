"""ReplayLab without a browser: each recorded step is shown as it was, nothing is trained."""

from dataclasses import replace

import pytest
import torch
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure

from stn_course import models, samplers, training, transforms
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
    words = f"read rightly: {right} of {training.PROBE} digits"
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
    assert by_share == sorted(by_share, reverse=True)  # more read rightly stands higher


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
