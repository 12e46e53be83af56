"""PilotLab without a browser: what the classifier says, the score, the network's own theta."""

import pytest
import torch
import torch.nn.functional as F
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure
from torch import nn

from stn_course import data, models, transforms
from stn_course.widgets import PilotLab


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
    assert f"{after.sum().item():.2f} of 6" in lab.figure().get_suptitle()


def test_each_digit_keeps_its_theta(lab):
    lab.theta = transforms.rotation(degrees=20)
    lab.digit.value = 1
    assert torch.equal(lab.theta, transforms.identity())
    lab.theta = transforms.rotation(degrees=-35)
    lab.digit.value = 0
    assert torch.allclose(lab.theta, transforms.rotation(degrees=20))
    assert torch.allclose(lab.thetas[1:2].float(), transforms.rotation(degrees=-35))


def test_all_thetas_are_set_together(lab):
    thetas = transforms.rotation(degrees=torch.linspace(-50, 50, 6))
    lab.thetas = thetas
    assert torch.allclose(lab.thetas.float(), thetas)
    lab.digit.value = 5
    assert torch.allclose(lab.theta, thetas[5:])
    with pytest.raises(ValueError, match=r"thetas must have shape \(6, 2, 3\); got .*\(5, 2, 3\)"):
        lab.thetas = thetas[:5]


def test_a_hand_in_the_browser_steers(lab):
    steered = [*lab.canvas.state["thetas"][:-1], [0.5, 0, 0, 0, 0.5, 0.25]]
    lab.canvas.set_state({"state": lab.canvas.state | {"thetas": steered, "compared": True}})
    assert lab.compared
    lab.digit.value = 5
    assert lab.theta.flatten().tolist() == [0.5, 0, 0, 0, 0.5, 0.25]


def test_the_networks_theta_is_its_own(made, lab):
    images, _, _, network = made
    with torch.no_grad():
        network.stn(data.normalise(images))
    assert torch.allclose(lab.network_thetas.float(), network.theta, atol=1e-6)
    score = certainty(made, network.theta).sum().item()
    assert lab.score(lab.network_thetas) == pytest.approx(score, abs=1e-4)
    assert score > lab.score(lab.thetas) + 1
    axes = len(lab.figure().axes)
    lab.compared = True
    assert len(lab.figure().axes) == axes + 6  # its outputs, too


def test_a_question_is_answered_for_both(made, device):
    lab = PilotLab(*made)
    thetas = transforms.rotation(degrees=torch.linspace(-50, 50, 6))
    question = {"thetas": thetas.flatten(1).tolist(), "device": str(device), "serial": 0.5}
    lab.canvas.set_state({"question": question})
    answer = lab.canvas.answer
    outputs, shares = lab.judge(thetas)
    sent = torch.frombuffer(bytearray(answer["outputs"]), dtype=torch.float32)
    assert torch.allclose(sent.reshape(outputs.shape), outputs, atol=1e-5)
    assert torch.allclose(torch.tensor(answer["shares"]), shares, atol=1e-4)
    theirs = lab.judge(lab.network_thetas)[1]
    assert torch.allclose(torch.tensor(answer["network_shares"]), theirs, atol=1e-4)
    assert (answer["device"], answer["serial"]) == (str(device), 0.5)
    lab.close()


def test_a_classifier_that_the_browser_cannot_compute_has_no_layers(made, lab):
    images, labels, _, network = made
    assert lab.canvas.data["layers"][0]["kind"] == "scaling"  # normalises
    own = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(dim=1)).eval()
    other = PilotLab(images, labels, own, network)
    assert other.canvas.data["layers"] is None
    other.close()


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


def test_figure_and_name(lab):
    assert isinstance(lab.figure(), Figure)
    assert repr(lab) == "PilotLab, 6 digits: run this cell to steer"


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
    lab = PilotLab(*made)
    with pytest.raises(ValueError, match="theta must be one transformation"):
        lab.theta = transforms.identity(2)
    lab.close()
