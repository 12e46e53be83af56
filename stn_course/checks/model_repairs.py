"""The repairs of notebook 04: tanh on theta, and the bypassed transformer."""

from functools import partial

import torch
from torch import Tensor, nn

from stn_course import models
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception
from stn_course.checks.model_checks import IDENTITY, flag, learns, seeded

NOTEBOOK = "04_stn_model"


def run_head(attempt, bias: tuple[float, ...], spread: float, look: str = "theta"):
    """Give the attempt a head with that bias and weights of that spread, and two features.

    Look at its theta, or at whether the head can learn from it.
    """
    head = seeded(lambda: nn.Linear(4, 6))
    with torch.no_grad():
        head.weight.mul_(spread)
        head.bias.copy_(torch.tensor(bias))
    theta = attempt(head, seeded(lambda: torch.randn(2, 4)))
    if look == "theta" or not isinstance(theta, Tensor):
        return theta
    if theta.requires_grad:
        theta.square().sum().backward()
    return flag(*map(learns, head.parameters()))


def _squeezed(squeeze, head, features):
    return squeeze(head(features)).view(-1, 2, 3)


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
    oracle=lambda *args: run_head(lambda head, f: head(f).reshape(-1, 2, 3), *args).detach(),
    against="the head's own six numbers, and the head can learn",
    cases=lambda: [
        Case((tuple(IDENTITY), 0.0), "a head with zero weights and the identity as its bias"),
        Case((tuple(IDENTITY), 0.2), "a head that has learned a little: weights not zero"),
        Case(((1.6, 0.0, 0.3, 0.0, 1.6, -0.2), 0.0), "a head that zooms out by 1.6"),
        Case(
            (tuple(IDENTITY), 0.2, "learns"),
            "does a gradient reach the head's weight and its bias? (1 is yes)",
        ),
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
            partial(_squeezed, torch.tanh),
        ),
        Misconception(
            "sigmoid",
            "the sigmoid squeezes theta between 0 and 1: no negative number, so no rotation, and "
            "no identity.",
            partial(_squeezed, torch.sigmoid),
        ),
        Misconception(
            "clamped",
            "the identity is right now, but clamp forbids every number above 1: no zooming out, "
            "and no gradient there.",
            partial(_squeezed, lambda t: t.clamp(-1, 1)),
        ),
        Misconception(
            "stretched tanh",
            "the identity is right now, but every other theta is bent. Leave out the squeezing.",
            partial(_squeezed, lambda t: torch.tanh(t) / torch.tanh(torch.ones(()))),
        ),
        Misconception(
            "twice tanh",
            "a tanh times two reaches 1, but bends theta all the same: tanh(1) · 2 is 1.52. Leave "
            "out the squeezing.",
            partial(_squeezed, lambda t: 2 * torch.tanh(t)),
        ),
        Misconception(
            "identity and tanh",
            "the identity is added to what tanh squeezes. The head's bias is the identity "
            "already: leave out both.",
            partial(_squeezed, lambda t: torch.tanh(t) + t.new_tensor(IDENTITY)),
        ),
        Misconception(
            "identity added",
            "nothing is squeezed, but the identity is added, and the head's bias is that already: "
            "theta starts at two times the identity.",
            partial(_squeezed, lambda t: t + t.new_tensor(IDENTITY)),
        ),
        Misconception(
            "columns for rows",
            "the six numbers are read column by column. Theta is (B, 2, 3), row by row.",
            lambda head, f: head(f).view(-1, 3, 2).mT,
        ),
        Misconception(
            "detached",
            "the six numbers are right, but detach or no_grad cuts the gradient off: the head "
            "cannot learn.",
            lambda head, f: head(f).view(-1, 2, 3).detach(),
        ),
        Misconception(
            "partly squeezed",
            "the head's six numbers do not come out as they are: something still squeezes, adds "
            "or reorders.",
            lambda head, f: head(f).relu().view(-1, 2, 3),
            sign=lambda expected, received: expected.shape == received.shape == (2, 2, 3),
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
            "the scores are right, but detach or no_grad cuts the gradient off between the "
            "transformer and the classifier: theta cannot learn.",
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
            "added",
            "the picture and the transformed one are added, as in a residual network. The "
            "classifier should read the transformed one alone.",
            lambda net, x: net.classify(x + net.stn(x)),
        ),
        Misconception(
            "probabilities",
            "these are probabilities. The network gives their logarithms, as nll_loss takes them.",
            lambda net, x: net(x).exp(),
        ),
    ),
)

MODEL_REPAIRS = (BOUNDED_THETA, BYPASSED)
