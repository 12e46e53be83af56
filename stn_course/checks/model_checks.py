"""The exercises of notebook 04: the identity start, plugging in, and what to look for."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import models
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception, PredictionExercise

NOTEBOOK = "04_stn_model"


def seeded(make, seed: int = 5):
    """What `make()` makes from random numbers that are always the same, leaving all others be."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def flag(*truths) -> Tensor:
    """Truths as numbers: 1.0 for yes, 0.0 for no."""
    return torch.tensor([float(bool(truth)) for truth in truths])


def learns(parameter: Tensor) -> bool:
    """Whether a gradient arrived that is not 0 everywhere."""
    return parameter.grad is not None and bool((parameter.grad != 0).any())


def run_start(attempt, look: str):
    """Give the attempt a head of 3 features; look at its theta, or at what can still learn."""
    head = seeded(lambda: nn.Linear(3, 6))
    given = attempt(head)
    head = given if isinstance(given, nn.Module) else head
    thetas = head(torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]]))
    if look == "theta":
        return thetas
    if thetas.requires_grad:
        thetas.square().sum().backward()
    return flag(*map(learns, head.parameters()))


def _start(weight, bias, frozen=False):
    """A start from a change of the weights (None leaves them) and six numbers for the bias."""

    def start(head):
        with torch.no_grad():
            if weight is not None:
                head.weight.copy_(weight(head.weight))
            head.bias.copy_(torch.tensor(bias))
        return head.requires_grad_(not frozen)

    return start


IDENTITY = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]

START_AT_IDENTITY = FunctionExercise(
    name="start_at_identity",
    notebook=NOTEBOOK,
    title="The identity start",
    attempt="my_start",
    solution=models.start_at_identity,
    run=run_start,
    oracle=lambda look: torch.tensor([IDENTITY, IDENTITY]) if look == "theta" else flag(1, 1),
    against="the identity theta, whatever comes in, and all of the head can learn",
    cases=lambda: [
        Case(("theta",), "head = nn.Linear(3, 6): its answer to two different features"),
        Case(("learns",), "does a gradient reach the head's weight and its bias? (1 is yes)"),
    ],
    hints=(
        "A Linear layer answers weight · features + bias. When does it answer the same, whatever "
        "the features?",
        "Zero weights. Then the bias alone is the answer, and it must be the identity theta, row "
        "by row.",
        "with torch.no_grad(): head.weight.zero_() and head.bias.copy_(torch.tensor([1.0, 0, 0, "
        "0, 1, 0])).",
    ),
    misconceptions=(
        Misconception(
            "weights left",
            "the bias is right, but the weights are not zero: the features still move theta.",
            _start(None, IDENTITY),
        ),
        Misconception(
            "bias zero",
            "the bias is zero, too: every output pixel would read the same place, the centre.",
            _start(torch.zeros_like, [0.0] * 6),
        ),
        Misconception(
            "wrong order",
            "the bias is (1, 0, 0, 1, 0, 0), the identity of a 2×2 matrix. Theta is 2×3: (1, 0, "
            "0) and then (0, 1, 0).",
            _start(torch.zeros_like, [1.0, 0, 0, 1, 0, 0]),
        ),
        Misconception(
            "ones",
            "the bias is all ones. The identity has a 1 twice only: x from x, y from y.",
            _start(torch.zeros_like, [1.0] * 6),
        ),
        Misconception(
            "frozen",
            "the start is right, but the head cannot learn any more: requires_grad is off.",
            _start(torch.zeros_like, IDENTITY, frozen=True),
        ),
    ),
)


def run_plugged(attempt, look: str):
    """Give the attempt a CNN for 20×20; look at its output, or at which part can learn."""
    cnn = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(400, 10)))
    images = seeded(lambda: torch.rand(2, 1, 28, 28))
    net = attempt(cnn)
    if not isinstance(net, nn.Module):
        return net
    output = net(images)
    if look == "output":
        return output
    if output.requires_grad:
        output.square().sum().backward()
    own = {id(parameter) for parameter in cnn.parameters()}
    added = [parameter for parameter in net.parameters() if id(parameter) not in own]
    return flag(any(map(learns, added)), all(map(learns, cnn.parameters())))


def read_at_20(look: str) -> Tensor:
    """The CNN's answer to the images as the identity reads them at 20×20; or: both learn."""
    if look != "output":
        return flag(1, 1)
    cnn = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(400, 10)))
    images = seeded(lambda: torch.rand(2, 1, 28, 28))
    grid = F.affine_grid(torch.eye(2, 3).repeat(2, 1, 1), (2, 1, 20, 20), align_corners=False)
    return cnn(F.grid_sample(images, grid, align_corners=False)).detach()


class Cropped(nn.Module):
    """The middle 20×20 pixels."""

    def forward(self, input: Tensor) -> Tensor:
        return input[..., 4:24, 4:24]


def _plugged(change):
    """The right network with a change, a function of (transformer, cnn)."""

    def plug(cnn):
        net = solutions.plug_in(cnn)
        change(net[0], cnn)
        return net

    return plug


PLUG_IN = FunctionExercise(
    name="plug_in",
    notebook=NOTEBOOK,
    title="A transformer before a CNN of your own",
    attempt="my_network",
    solution=solutions.plug_in,
    run=run_plugged,
    oracle=read_at_20,
    against="the CNN's answer to the picture read at 20×20 by the identity, and both parts learn",
    cases=lambda: [
        Case(("output",), "two pictures of 28×28, before any training"),
        Case(("learns",), "does a gradient reach the transformer, and the CNN? (1 is yes)"),
    ],
    hints=(
        "Three parts, in this order: a localization network, a SpatialTransformer around it, the "
        "CNN. nn.Sequential joins them.",
        "models.localization_cnn(in_channels=1) answers with six numbers for each picture. "
        "SpatialTransformer(…) sets them to the identity at the start.",
        "The CNN wants 20×20 pixels: SpatialTransformer(localization, output_size=(20, 20)).",
    ),
    misconceptions=(
        Misconception(
            "28 pixels",
            "the CNN got 28×28 pixels, 784 numbers, and wants 20×20, 400. The transformer's "
            "output_size decides.",
            lambda cnn: cnn,
        ),
        Misconception(
            "pooled",
            "the picture is only made smaller, by averaging: nothing in it chooses where to look.",
            lambda cnn: nn.Sequential(nn.AdaptiveAvgPool2d(20), cnn),
        ),
        Misconception(
            "cropped",
            "the picture is only cut to its middle: nothing in it chooses where to look, and the "
            "edges are lost.",
            lambda cnn: nn.Sequential(Cropped(), cnn),
        ),
        Misconception(
            "no learning",
            "the output is right, but no gradient reaches the transformer: is it frozen, or "
            "bypassed?",
            _plugged(lambda transformer, cnn: transformer.requires_grad_(False)),
        ),
        Misconception(
            "frozen CNN",
            "the output is right, but no gradient reaches the CNN: it is frozen.",
            _plugged(lambda transformer, cnn: cnn.requires_grad_(False)),
        ),
        Misconception(
            "random start",
            "at the start it changes the picture already. Does the localization network end with "
            "the identity, and is nothing else in between?",
            _plugged(lambda transformer, cnn: nn.init.normal_(transformer.localization[-1].bias)),
            sign=lambda expected, received: expected.shape == received.shape == (2, 10),
        ),
    ),
)


def run_head(attempt, bias: tuple[float, ...], spread: float):
    """Give the attempt a head with that bias and weights of that spread, and two features."""
    head = seeded(lambda: nn.Linear(4, 6))
    with torch.no_grad():
        head.weight.mul_(spread)
        head.bias.copy_(torch.tensor(bias))
    result = attempt(head, seeded(lambda: torch.randn(2, 4)))
    return result.detach() if isinstance(result, Tensor) else result


def _squeezed(squeeze):
    return lambda head, features: squeeze(head(features)).view(-1, 2, 3)


def tanh_on_theta(head, features):
    """The broken program of the exercise `bounded_theta`."""
    return torch.tanh(head(features)).view(-1, 2, 3)


BOUNDED_THETA = FunctionExercise(
    name="bounded_theta",
    notebook=NOTEBOOK,
    title="Repair: tanh on theta",
    attempt="my_theta",
    solution=solutions.theta_unbounded,
    run=run_head,
    oracle=lambda bias, spread: run_head(solutions.theta_unbounded, bias, spread),
    against="the head's own six numbers",
    cases=lambda: [
        Case((tuple(IDENTITY), 0.0), "a head with zero weights and the identity as its bias"),
        Case((tuple(IDENTITY), 0.2), "a head that has learned a little: weights not zero"),
        Case(((1.6, 0.0, 0.3, 0.0, 1.6, -0.2), 0.0), "a head that zooms out by 1.6"),
    ],
    broken=tanh_on_theta,
    hints=(
        "Print tanh(1). Can tanh give the 1 that the identity needs?",
        "Theta may well be larger than 1: zooming out is 1.6, for example. Anything that squeezes "
        "it forbids that.",
        "Leave the squeezing out: head(features).view(-1, 2, 3).",
    ),
    misconceptions=(
        Misconception(
            "tanh",
            "tanh squeezes theta still: tanh(1) is 0.76, so the start is a zoom and the identity "
            "is never reached.",
            _squeezed(torch.tanh),
        ),
        Misconception(
            "sigmoid",
            "the sigmoid squeezes theta between 0 and 1: no negative number, so no rotation, and "
            "no identity.",
            _squeezed(torch.sigmoid),
        ),
        Misconception(
            "clamped",
            "the identity is right now, but clamp forbids every number above 1: no zooming out, "
            "and no gradient there.",
            _squeezed(lambda t: t.clamp(-1, 1)),
        ),
        Misconception(
            "stretched tanh",
            "the identity is right now, but every other theta is bent. Leave out the squeezing.",
            _squeezed(lambda t: torch.tanh(t) / torch.tanh(torch.ones(()))),
        ),
        Misconception(
            "columns for rows",
            "the six numbers are read column by column. Theta is (B, 2, 3), row by row.",
            lambda head, f: head(f).view(-1, 3, 2).mT,
        ),
        Misconception(
            "always the identity",
            "the answer is the identity, whatever the head says.",
            lambda head, f: torch.eye(2, 3).repeat(2, 1, 1),
        ),
    ),
)


def run_forward(attempt, look: str):
    """Give the attempt the tutorial's network with a theta off the identity, and two pictures."""
    net = seeded(models.TutorialNet).eval()
    with torch.no_grad():
        net.fc_loc[-1].bias += torch.tensor([-0.2, -0.3, 0.1, 0.3, -0.2, 0.0])
    scores = attempt(net, seeded(lambda: torch.rand(2, 1, 28, 28)))
    if look == "scores" or not isinstance(scores, Tensor):
        return scores
    if scores.requires_grad:
        scores.square().sum().backward()
    return flag(learns(net.fc_loc[-1].bias), learns(net.conv1.weight))


def bypassed_forward(net, x):
    """The broken program of the exercise `bypassed`."""
    transformed = net.stn(x)  # noqa: F841
    return net.classify(x)


BYPASSED = FunctionExercise(
    name="bypassed",
    notebook=NOTEBOOK,
    title="Repair: the bypassed transformer",
    attempt="my_forward",
    solution=solutions.forward_through,
    run=run_forward,
    oracle=lambda look: run_forward(lambda net, x: net(x), look).detach(),
    against="the tutorial's network, and its theta learns",
    cases=lambda: [
        Case(("scores",), "the scores of two pictures, under a theta that is not the identity"),
        Case(("learns",), "does a gradient reach theta's layer, and the classifier? (1 is yes)"),
    ],
    broken=bypassed_forward,
    hints=(
        "Follow x. Through which lines does it come to the scores?",
        "`transformed` is computed, and then nobody looks at it.",
        "Classify what the transformer gives: net.classify(transformed).",
    ),
    misconceptions=(
        Misconception(
            "bypassed",
            "the transformer is still bypassed: its output is not what the classifier reads.",
            lambda net, x: net.classify(x),
        ),
        Misconception(
            "twice",
            "the picture goes through the transformer twice. net(…) has a transformer of its own; "
            "classify has none.",
            lambda net, x: net(net.stn(x)),
        ),
        Misconception(
            "detached",
            "the scores are right, but detach cuts the gradient off: theta cannot learn.",
            lambda net, x: net.classify(net.stn(x).detach()),
        ),
        Misconception(
            "without gradient",
            "the scores are right, but nothing learns: no_grad or detach cuts the gradient off at "
            "the end.",
            lambda net, x: net(x).detach(),
        ),
        Misconception(
            "both",
            "the classifier gets a mixture of both pictures. It should read the transformed one.",
            lambda net, x: net.classify((x + net.stn(x)) / 2),
        ),
        Misconception(
            "probabilities",
            "these are probabilities. The network gives their logarithms, as nll_loss takes them.",
            lambda net, x: net(x).exp(),
        ),
    ),
)

HEAD_PARAMETERS = PredictionExercise(
    name="head_parameters",
    notebook=NOTEBOOK,
    title="Predict: how many parameters has the head?",
    attempt="guess",
    answer=306.0,
    tolerance=0.0,
    reason="50 · 6 weights and 6 biases.",
    wrong=(
        (300.0, "each of the six outputs has a bias, too."),
        (350.0, "a bias belongs to an output, not to a feature: there are 6."),
        (6.0, "those are the biases alone."),
    ),
    hints=(
        "A Linear layer has a weight for every pair of an input and an output.",
        "And a bias for each output.",
        "50 · 6 + 6.",
    ),
)

MODEL_EXERCISES = (START_AT_IDENTITY, PLUG_IN, BOUNDED_THETA, BYPASSED, HEAD_PARAMETERS)
