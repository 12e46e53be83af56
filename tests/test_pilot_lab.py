"""PilotLab without a browser: what the classifier says, the score, the network's own theta."""

import pytest
import torch
import torch.nn.functional as F
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure

from stn_course import data, models, transforms
from stn_course.plotting import COLOURS
from stn_course.widgets import PilotLab
from stn_course.widgets.scene import Label, Path


@pytest.fixture(scope="module")
def made(digits):
    """Turned digits, their labels, the classifier of upright digits, the network."""
    images, labels = digits
    degrees = torch.tensor([59.0, -67, 73, 58, 76, -69])
    network = models.load_straightener()
    classifier = models.PlainNet().eval()
    classifier.load_state_dict(network.state_dict(), strict=False)
    return data.rotate(images[:6], degrees), labels[:6], classifier, network


@pytest.fixture
def lab(made):
    lab = PilotLab(*made)
    yield lab
    lab.close()


def certainty(made, thetas) -> torch.Tensor:
    """By PyTorch's own functions: the probability of the right digit, (N,)."""
    images, labels, classifier, _ = made
    grid = F.affine_grid(thetas.float(), images.shape, align_corners=False)
    output = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    with torch.no_grad():
        return classifier(data.normalise(output)).exp()[torch.arange(len(labels)), labels]


def test_the_score_is_the_certainty_of_the_right_digits(made, lab):
    expected = certainty(made, transforms.identity(6))
    assert lab.score(lab.thetas) == pytest.approx(expected.sum().item(), abs=1e-4)
    lab.digit.value = 1
    lab.theta = theta = transforms.rotation(degrees=67)
    steered = torch.cat([transforms.identity(1), theta, transforms.identity(4)])
    assert torch.allclose(lab.thetas.float(), steered)
    after = certainty(made, steered)
    assert after[1] > expected[1] + 0.5  # straightened, it is read
    assert lab.score(lab.thetas) == pytest.approx(after.sum().item(), abs=1e-4)
    assert f"{after.sum().item():.2f} of 6" in lab.canvas.scene.notes[0].text
    assert f"Your score is {after.sum().item():.2f} of 6" in lab.text


def test_the_bars_are_the_probabilities(made, lab):
    marks = lab.canvas.scene.panels[0].marks
    widths = []
    for mark in marks:
        if isinstance(mark, Path) and mark.fill and mark.width == 0:
            xs = [x for x, _ in mark.places]
            widths.append(max(xs) - min(xs))
    shares = lab.judge(lab.thetas)[1][0]
    assert len(widths) == 10
    assert torch.allclose(torch.tensor(widths) / sum(widths), shares, atol=1e-3)
    assert f"{100 * shares.max():.0f} %" in [m.text for m in marks if isinstance(m, Label)]


def test_each_digit_keeps_its_theta(lab):
    lab.sliders.pose["rotation"].value = 20
    lab.next.click()
    assert torch.equal(lab.theta, transforms.identity())
    lab.sliders.pose["rotation"].value = -35
    lab.digit.value = 0
    assert lab.sliders.pose["rotation"].value == pytest.approx(20)
    assert torch.allclose(lab.thetas[1:2].float(), transforms.rotation(degrees=-35))
    lab.reset.click()
    assert torch.equal(lab.theta, transforms.identity())
    assert not torch.equal(lab.thetas[1], lab.thetas[0])


def test_after_the_last_digit_comes_the_first(lab):
    for _ in range(6):
        lab.next.click()
    assert lab.digit.value == 0


def test_the_hand_steers_too(lab):
    unit = lab._view(0).unit[0]
    lab.canvas.set_state({"hand": {"x": [0, 0.5 * unit]}})
    assert torch.allclose(lab.theta, torch.tensor([[[1, 0, 0], [0.5, 1, 0]]]), atol=1e-6)


def test_the_networks_theta_is_its_own(made, lab):
    images, _, _, network = made
    with torch.no_grad():
        network.stn(data.normalise(images))
    assert torch.allclose(lab.network_thetas.float(), network.theta, atol=1e-6)
    titles = [note.title for note in lab.canvas.scene.notes]
    assert "the network's theta" not in titles
    lab.compare.value = True
    notes = {note.title: note.text for note in lab.canvas.scene.notes}
    assert "the network's theta" in notes
    score = certainty(made, network.theta).sum().item()
    assert f"network {score:5.2f} of 6" in notes["score: certainty of the right digit, summed"]
    assert score > lab.score(lab.thetas) + 1


def test_the_networks_frame_and_arrows_have_a_colour_of_their_own(lab):
    own = {mark.colour for mark in over_the_input(lab)}
    assert own == {COLOURS[name] for name in ("output", "x", "y")}
    lab.compare.value = True
    theirs = over_the_input(lab)[: -len(own)]
    assert {mark.colour for mark in theirs} == {COLOURS["other"]}


def over_the_input(lab) -> list[Path]:
    """Frames and arrows over the digit, the learner's last; the digit's own frame comes first."""
    return [mark for mark in lab.canvas.scene.panels[1].marks if isinstance(mark, Path)][1:]


def test_training_the_classifier_on_changes_nothing_here(made):
    images, labels, classifier, network = made
    classifier.train()
    lab = PilotLab(images, labels, classifier, network)
    assert classifier.training  # and the learner's own is left as it is
    classifier.eval()
    expected = certainty(made, transforms.identity(6)).sum().item()
    assert lab.score(lab.thetas) == pytest.approx(expected, abs=1e-4)
    lab.close()


def test_each_device_says_the_same(made, device):
    lab = PilotLab(*made, device=str(device))
    expected = certainty(made, transforms.identity(6)).sum().item()
    assert lab.score(lab.thetas) == pytest.approx(expected, abs=1e-3)


def test_figure_words_and_name(lab):
    assert isinstance(lab.figure(), Figure)
    assert lab.text.startswith("Digit 1 of 6, a 7. The grid is rotated 0 degrees")
    assert repr(lab) == "PilotLab, 6 digits: run this cell to steer"


def test_words_say_what_the_classifier_says(made):
    """Digit by digit, an eight among them, as computed and not as remembered."""
    images, labels, classifier, network = made
    labels = labels.clone()
    labels[1] = 8
    lab = PilotLab(images, labels, classifier, network)
    with torch.no_grad():
        shares = classifier(data.normalise(images)).exp()
    for i, (share, digit) in enumerate(zip(*shares.max(dim=1), strict=True)):
        lab.digit.value = i
        assert f"says {digit} with {100 * share:.0f} percent certainty." in lab.text
        article = "an" if labels[i] == 8 else "a"
        assert lab.text.startswith(f"Digit {i + 1} of 6, {article} {labels[i]}.")
        titles = [m.text for m in lab.canvas.scene.panels[0].marks if isinstance(m, Label)]
        assert f"steer the frame: this is {article} {labels[i]}" in titles
    lab.close()


def test_closing_leaves_nothing_behind(made):
    before = set(_instances)
    PilotLab(*made).close()
    assert set(_instances) == before


def test_bad_input_is_named(made):
    images, labels, classifier, network = made
    with pytest.raises(ValueError, match="got 6 and 5"):
        PilotLab(images, labels[:5], classifier, network)
    with pytest.raises(TypeError, match="uint8"):
        PilotLab(images.byte(), labels, classifier, network)
    with pytest.raises(ValueError, match="'tpu'"):
        PilotLab(images, labels, classifier, network, device="tpu")
