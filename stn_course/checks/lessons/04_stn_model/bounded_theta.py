"""Repair: tanh on theta."""

from functools import partial

import torch
from torch import Tensor, nn

from stn_course.checks.engine.networks import IDENTITY, ask_for_gradients, flag, learns, seeded
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def theta_unbounded(head: nn.Module, features: Tensor) -> Tensor:
    """The head's six numbers as theta, nothing squeezed: (B, N) -> (B, 2, 3)."""
    return head(features).view(-1, 2, 3)


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
    ask_for_gradients(theta)
    return flag(*map(learns, head.parameters()))


def _squeezed(squeeze, head, features):
    return squeeze(head(features)).view(-1, 2, 3)


def tanh_on_theta(head, features):
    """The broken program of the exercise `bounded_theta`."""
    return torch.tanh(head(features)).view(-1, 2, 3)


EXERCISE = FunctionExercise(
    attempt="my_theta",
    solution=theta_unbounded,
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
            typed="""
                theta = head(features).tanh()
                return theta.reshape(-1, 2, 3)
            """,
        ),
        Misconception(
            "sigmoid",
            "the sigmoid squeezes theta between 0 and 1: no negative number, so no rotation, and "
            "no identity.",
            partial(_squeezed, torch.sigmoid),
            typed="return torch.sigmoid(head(features)).view(-1, 2, 3)",
        ),
        Misconception(
            "clamped",
            "the identity is right now, but clamp forbids every number above 1: no zooming out, "
            "and no gradient there.",
            partial(_squeezed, lambda t: t.clamp(-1, 1)),
            typed="return torch.clamp(head(features), -1, 1).view(-1, 2, 3)",
        ),
        Misconception(
            "stretched tanh",
            "the identity is right now, but every other theta is bent. Leave out the squeezing.",
            partial(_squeezed, lambda t: torch.tanh(t) / torch.tanh(torch.ones(()))),
            typed="""
                import math
                return (torch.tanh(head(features)) / math.tanh(1)).view(-1, 2, 3)
            """,
        ),
        Misconception(
            "twice tanh",
            "a tanh times two reaches 1, but bends theta all the same: tanh(1) · 2 is 1.52. Leave "
            "out the squeezing.",
            partial(_squeezed, lambda t: 2 * torch.tanh(t)),
            typed="return 2 * torch.tanh(head(features)).view(-1, 2, 3)",
        ),
        Misconception(
            "identity and tanh",
            "the identity is added to what tanh squeezes. The head's bias is the identity "
            "already: leave out both.",
            partial(_squeezed, lambda t: torch.tanh(t) + t.new_tensor(IDENTITY)),
            typed="return torch.eye(2, 3) + torch.tanh(head(features)).view(-1, 2, 3)",
        ),
        Misconception(
            "identity added",
            "nothing is squeezed, but the identity is added, and the head's bias is that already: "
            "theta starts at two times the identity.",
            partial(_squeezed, lambda t: t + t.new_tensor(IDENTITY)),
            typed="return torch.eye(2, 3) + head(features).view(-1, 2, 3)",
        ),
        Misconception(
            "columns for rows",
            "the six numbers are read column by column. Theta is (B, 2, 3), row by row.",
            lambda head, f: head(f).view(-1, 3, 2).mT,
            typed="return head(features).view(-1, 3, 2).transpose(1, 2)",
        ),
        Misconception(
            "detached",
            "the six numbers are right, but detach or no_grad cuts the gradient off: the head "
            "cannot learn.",
            lambda head, f: head(f).view(-1, 2, 3).detach(),
            typed="""
                with torch.no_grad():
                    return head(features).view(-1, 2, 3)
            """,
        ),
        Misconception(
            "partly squeezed",
            "the head's six numbers do not come out as they are: something still squeezes, adds "
            "or reorders.",
            lambda head, f: head(f).relu().view(-1, 2, 3),
            sign=lambda expected, received: expected.shape == received.shape == (2, 2, 3),
            typed="""
                theta = head(features).view(-1, 2, 3)
                return torch.cat([theta[..., :2].tanh(), theta[..., 2:]], dim=-1)
            """,
        ),
        Misconception(
            "always the identity",
            "the answer is the identity, whatever the head says.",
            lambda head, f: torch.eye(2, 3).repeat(2, 1, 1),
            typed="return torch.eye(2, 3).expand(len(features), 2, 3)",
        ),
    ),
)
