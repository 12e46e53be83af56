"""ReplayLab without a browser: each recorded step is shown as it was, nothing is trained."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure
from torch import nn

from stn_course import clutter, grids, models, samplers, training, transforms
from stn_course.widgets import ReplayLab


@pytest.fixture(scope="module")
def recording():
    return training.load_recording()


@pytest.fixture
def lab(recording):
    lab = ReplayLab(recording)
    yield lab
    lab.close()


def test_it_opens_on_the_end_of_the_training(recording, lab):
    """So that its figure shows what came of it; Play begins again at the first step."""
    last = len(recording.probe_steps) - 1
    assert lab.index == lab.player.value == lab.player.max == last
    assert lab.text.startswith(f"Step {recording.probe_steps[-1]} of {recording.probe_steps[-1]}")


def test_its_figure_and_words_follow_the_slider(recording, lab):
    lab.slider.set_state({"value": 3})
    assert lab.index == 3
    first = ReplayLab(recording, index=3)
    assert lab.text == first.text
    right = int(recording.probe_right[3].sum())
    assert f"read correctly: {right} of" in lab.figure().get_suptitle()
    first.close()


class OfAFeatureMap(training.History):
    reads_pictures = False


def test_a_theta_of_a_feature_map_warps_no_picture(recording):
    """It belongs to what the layers before have made of the picture."""
    lab = ReplayLab(OfAFeatureMap(**vars(recording)), index=100)
    assert lab.canvas.data["film"]["size"] is None
    assert "output" not in lab.canvas.data["film"]["titles"]
    assert "reads a feature map, not these pictures" in lab.text
    with pytest.raises(ValueError, match="reads a feature map"):
        lab.outputs()
    assert isinstance(lab.figure(), Figure)
    lab.close()


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_step_is_as_it_was_recorded(recording, lab, share):
    lab.index = index = int(share * (len(recording.probe_steps) - 1))
    thetas = recording.probe_thetas[index]
    expected = samplers.warp(recording.probe_images, thetas, padding_mode="border")
    assert torch.equal(lab.outputs(), expected)
    step, right = recording.probe_steps[index], int(recording.probe_right[index].sum())
    words = f"read correctly: {right} of {training.PROBE} digits"
    assert lab.text.startswith(f"Step {step} of {recording.probe_steps[-1]}: {words}; their grids")
    angles = transforms.to_pose(thetas).rotation
    assert f"turned by {angles.min():.0f} to {angles.max():.0f} degrees" in lab.text
    assert lab.canvas.data["steps"][index] == {"title": f"{words} at step {step}", "text": lab.text}


def test_a_question_is_answered_with_the_outputs_of_its_step(recording, lab, device):
    question = {"index": 50, "device": str(device), "serial": 0.25}
    lab.canvas.set_state({"question": question})
    answer = lab.canvas.answer
    outputs = torch.frombuffer(bytearray(answer["outputs"]), dtype=torch.float32)
    thetas = recording.probe_thetas[50]
    expected = samplers.warp(recording.probe_images, thetas, padding_mode="border")
    assert torch.allclose(outputs.reshape(expected.shape), expected, atol=1e-5)
    assert (answer["device"], answer["serial"]) == (str(device), 0.25)


def test_the_digits_straighten_up(lab):
    assert lab.angles(0).abs().max() == 0
    assert lab.angles(len(lab.steps) - 1).std() > 20


def test_a_recording_that_does_not_say_which_are_read_correctly_shows_the_loss(recording):
    older = replace(recording, probe_right=[])
    lab = ReplayLab(older)
    words = f"loss on these digits: {older.probe_losses[-1]:.2f}"
    assert f": {words}; their grids" in lab.text
    assert lab.canvas.data["steps"][-1]["title"].startswith(words)
    most = max(older.probe_losses)
    assert lab.canvas.data["chart"]["ends"][-1] == f"{most:.1f}"
    heights = [y for _, y in lab.canvas.data["chart"]["points"]]
    assert heights == pytest.approx([loss / most for loss in older.probe_losses], abs=1e-4)
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


@pytest.mark.parametrize("antialias", [False, True])
def test_pictures_larger_than_their_outputs_are_shown_as_they_were_read(search, antialias):
    assert search.probe_thetas[-1].ne(transforms.identity()).any()
    lab = ReplayLab(search, padding_mode="zeros", output_size=(28, 28), antialias=antialias)
    thetas, options = search.probe_thetas[-1], {"antialias": antialias}
    expected = samplers.warp(search.probe_images, thetas, (28, 28), **options)
    assert torch.equal(lab.outputs(), expected)
    film = lab.canvas.data["film"]
    assert (film["size"], film["antialias"]) == ([28, 28], antialias)
    lab.close()


BENT = grids.control_lattice(4).expand(12, 16, 2) * torch.linspace(0.5, 1.2, 12)[:, None, None]
TILTED = torch.eye(3).expand(12, 3, 3).clone()
TILTED[:, 2, 0] = torch.linspace(-0.5, 0.5, 12)


@pytest.mark.parametrize("thetas", [TILTED, BENT], ids=["projective", "tps"])
def test_a_theta_of_another_family_is_replayed(recording, thetas):
    steps = {"probe_steps": [0], "probe_losses": [1.0], "probe_right": []}
    lab = ReplayLab(replace(recording, probe_thetas=[thetas], **steps))
    places = grids.grid_of(thetas, (12, 1, 28, 28))
    options = {"padding_mode": "border", "align_corners": False}
    expected = F.grid_sample(recording.probe_images, places, **options)
    assert (lab.outputs() - expected).abs().max() <= 1e-5
    turns = transforms.to_pose(transforms.nearest_affine(thetas)).rotation
    assert torch.allclose(lab.angles(0).float(), turns, atol=1e-3)
    assert "their grids are turned by" in lab.text
    assert isinstance(lab.figure(), Figure)
    lab.close()


def test_a_theta_that_no_grid_is_known_of_is_named(recording):
    run = replace(recording, probe_thetas=[torch.zeros(12, 1)])
    with pytest.raises(ValueError, match=r"shape \(B, 2, 3\), .*; got .*\(12, 1\)"):
        ReplayLab(run)


def test_words_for_windows_say_how_large_and_where(search):
    spots = torch.linspace(-0.5, 0.5, training.PROBE)
    windows = [transforms.attention(1 - way, way * spots, -way * spots) for way in (0.0, 0.5)]
    run = replace(search, probe_steps=[0, 5], probe_losses=[2.0, 1.0], probe_thetas=windows)
    lab = ReplayLab(run, output_size=(28, 28), index=0)
    assert "their grids are 1.00 to 1.00 times as wide as the picture, 0.00 to 0.00" in lab.text
    lab.index = 1
    far = 0.25 * 2**0.5
    assert f"are 0.50 to 0.50 times as wide as the picture, 0.03 to {far:.2f} from its" in lab.text
    lab.close()


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
