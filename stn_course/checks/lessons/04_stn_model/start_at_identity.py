"""The identity start."""

from functools import partial

import torch
from torch import nn

from stn_course import models
from stn_course.checks.engine.networks import IDENTITY, ask_for_gradients, flag, learns, seeded
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def run_start(attempt, look: str):
    """Give the attempt a head of 3 features; look at its theta, or what learns, or which it is."""
    given = seeded(lambda: nn.Linear(3, 6))
    answer = attempt(given)
    head = answer if isinstance(answer, nn.Module) else given
    if look == "same":
        return flag(head is given)
    thetas = head(torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]]))
    if look == "theta":
        return thetas
    ask_for_gradients(thetas)
    return flag(*map(learns, head.parameters()))


def _start(weight, bias, head):
    """A start from a change of the weights and six numbers for the bias."""
    with torch.no_grad():
        head.weight.copy_(weight(head.weight))
        head.bias.copy_(torch.tensor(bias))
    return head


def _weight_frozen(head):
    head.weight.requires_grad_(False).zero_()
    head.bias.data = torch.tensor(IDENTITY)
    return head


def _bias_as_theta(head):
    head.bias = nn.Parameter(torch.eye(2, 3))
    return head


EXERCISE = FunctionExercise(
    attempt="my_start",
    solution=models.start_at_identity,
    run=run_start,
    oracle=lambda look: {
        "theta": torch.tensor([IDENTITY, IDENTITY]),
        "learns": flag(1, 1),
        "same": flag(1),
    }[look],
    against="the identity theta, whatever comes in, and all of the head can learn",
    cases=lambda: [
        Case(("theta",), "head = nn.Linear(3, 6): its answer to two different features"),
        Case(("learns",), "does a gradient reach the head's weight and its bias? (1 is yes)"),
        Case(("same",), "is it the given head that now starts at the identity? (1 is yes)"),
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
            partial(_start, torch.clone, IDENTITY),
            typed="""
                with torch.no_grad():
                    head.bias[:] = torch.tensor([1.0, 0, 0, 0, 1, 0])
                return head
            """,
        ),
        Misconception(
            "bias zero",
            "the bias is zero, too: every output pixel would read the same place, the centre.",
            partial(_start, torch.zeros_like, [0.0] * 6),
            typed="""
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)
                return head
            """,
        ),
        Misconception(
            "wrong order",
            "the bias is (1, 0, 0, 1, 0, 0), the identity of a 2×2 matrix. Theta is 2×3: (1, 0, "
            "0) and then (0, 1, 0).",
            partial(_start, torch.zeros_like, [1.0, 0, 0, 1, 0, 0]),
            typed="""
                nn.init.zeros_(head.weight)
                head.bias.data = torch.tensor([1.0, 0, 0, 1, 0, 0])
                return head
            """,
        ),
        Misconception(
            "ones",
            "the bias is all ones. The identity has a 1 twice only: x from x, y from y.",
            partial(_start, torch.zeros_like, [1.0] * 6),
            typed="""
                nn.init.zeros_(head.weight)
                nn.init.ones_(head.bias)
                return head
            """,
        ),
        Misconception(
            "frozen",
            "the start is right, but the head cannot learn any more: requires_grad is off.",
            lambda head: _start(torch.zeros_like, IDENTITY, head).requires_grad_(False),
            typed="""
                for parameter in head.parameters():
                    parameter.requires_grad = False
                head.weight.zero_()
                head.bias.copy_(torch.eye(2, 3).flatten())
                return head
            """,
        ),
        Misconception(
            "weight frozen",
            "the start is right, but the weight cannot learn any more: its requires_grad is off. "
            "Zero is a start, not the end.",
            _weight_frozen,
            typed="""
                head.weight = nn.Parameter(torch.zeros(6, head.in_features), requires_grad=False)
                head.bias.data = torch.eye(2, 3).flatten()
                return head
            """,
        ),
        Misconception(
            "unchanged",
            "the head answers as it came: neither its weight nor its bias has changed. Change "
            "them in place, under torch.no_grad(), with zero_() and copy_(…).",
            lambda head: head,
            typed="""
                head.weight.data * 0
                torch.tensor([1.0, 0, 0, 0, 1, 0])
                return head
            """,
        ),
        Misconception(
            "another layer",
            "another layer is returned in place of the given head. Change head's own weight and "
            "bias, with zero_() and copy_(…).",
            lambda head: _start(torch.zeros_like, IDENTITY, nn.Linear(3, 6)),
            typed="""
                fresh = nn.Linear(head.in_features, 6)
                nn.init.zeros_(fresh.weight)
                fresh.bias.data = torch.eye(2, 3).flatten()
                return fresh
            """,
        ),
        Misconception(
            "bias as a theta",
            "the bias is 2×3 now. A Linear layer wants six numbers in a row: (1, 0, 0, 0, 1, 0).",
            _bias_as_theta,
            typed="""
                nn.init.zeros_(head.weight)
                head.bias = nn.Parameter(torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
                return head
            """,
        ),
    ),
)
