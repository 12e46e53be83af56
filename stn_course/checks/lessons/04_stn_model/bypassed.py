"""Repair: the bypassed transformer."""

import torch
from torch import Tensor

from stn_course import models
from stn_course.checks.engine.networks import ask_for_gradients, flag, learns, seeded
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def forward_through(net: models.TutorialNet, x: Tensor) -> Tensor:
    """The class scores (B, 10) of digits (B, 1, 28, 28), read through the transformer."""
    transformed = net.stn(x)
    return net.classify(transformed)


def run_forward(attempt, look: str):
    """Give the attempt the tutorial's network with a theta off the identity, and two pictures."""
    net = seeded(models.TutorialNet).eval()
    with torch.no_grad():
        net.fc_loc[-1].bias += torch.tensor([-0.2, -0.3, 0.1, 0.3, -0.2, 0.0])
    scores = attempt(net, seeded(lambda: torch.rand(2, 1, 28, 28)))
    if look == "scores" or not isinstance(scores, Tensor):
        return scores
    ask_for_gradients(scores)
    return flag(learns(net.fc_loc[-1].bias), learns(net.conv1.weight))


def bypassed_forward(net, x):
    """The broken program of the exercise `bypassed`."""
    transformed = net.stn(x)  # noqa: F841
    return net.classify(x)


EXERCISE = FunctionExercise(
    attempt="my_forward",
    solution=forward_through,
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
            typed="""
                net.stn(x)
                return net.classify(x)
            """,
        ),
        Misconception(
            "twice",
            "the picture goes through the transformer twice. net(…) has a transformer of its own; "
            "classify has none.",
            lambda net, x: net(net.stn(x)),
            typed="""
                x = net.stn(x)
                return net.forward(x)
            """,
        ),
        Misconception(
            "detached",
            "the scores are right, but detach or no_grad cuts the gradient off between the "
            "transformer and the classifier: theta cannot learn.",
            lambda net, x: net.classify(net.stn(x).detach()),
            typed="""
                with torch.no_grad():
                    transformed = net.stn(x)
                return net.classify(transformed)
            """,
        ),
        Misconception(
            "without gradient",
            "the scores are right, but nothing learns: no_grad or detach cuts the gradient off at "
            "the end.",
            lambda net, x: net(x).detach(),
            typed="""
                with torch.no_grad():
                    return net.classify(net.stn(x))
            """,
        ),
        Misconception(
            "both",
            "the classifier gets a mixture of both pictures. It should read the transformed one.",
            lambda net, x: net.classify((x + net.stn(x)) / 2),
            typed="return net.classify(0.5 * x + 0.5 * net.stn(x))",
        ),
        Misconception(
            "added",
            "the picture and the transformed one are added, as in a residual network. The "
            "classifier should read the transformed one alone.",
            lambda net, x: net.classify(x + net.stn(x)),
            typed="return net.classify(x + net.stn(x))",
        ),
        Misconception(
            "probabilities",
            "these are probabilities. The network gives their logarithms, as nll_loss takes them.",
            lambda net, x: net(x).exp(),
            typed="return torch.exp(net.classify(net.stn(x)))",
        ),
    ),
)
