"""Attention: a head that may only scale and shift."""

import torch
from torch import Tensor, nn

from stn_course import transforms
from stn_course.checks.engine.networks import flag, learns, seeded, shaken
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

FEATURES = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])


def attention_head(features: int) -> nn.Module:
    """A layer (B, features) -> theta (B, 2, 3) that scales and shifts; at first the identity."""

    class AttentionHead(nn.Module):
        def __init__(self):
            super().__init__()
            self.numbers = nn.Linear(features, 3)  # scale, x, y
            nn.init.zeros_(self.numbers.weight)
            with torch.no_grad():
                self.numbers.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))

        def forward(self, x):
            return transforms.attention(*self.numbers(x).unbind(-1))

    return AttentionHead()


def run_attention(attempt, look: str):
    """Ask for a head of 3 features; look at its theta at the start, or how it can move."""
    head = seeded(lambda: attempt(3))
    if not isinstance(head, nn.Module):
        return head
    theta = head(FEATURES)
    if look == "start" or not isinstance(theta, Tensor) or theta.shape != (2, 2, 3):
        return theta
    if look == "learns":
        if theta.requires_grad:
            (theta * torch.arange(1.0, 7.0).view(2, 3)).sum().backward()
        return flag(any(map(learns, head.parameters())))
    with torch.no_grad():
        theta = shaken(head, 0.3)(FEATURES)
    if look == "window":
        zeros = theta[:, 0, 1], theta[:, 1, 0], theta[:, 0, 0] - theta[:, 1, 1]
        return flag(*(number.abs().max() < 1e-5 for number in zeros))
    moved = (theta[0] - theta[1]).abs() > 1e-4
    return flag(moved[0, 0], moved[0, 2], moved[1, 2])


def _head(make, bias: list[float], weight: float = 0.0):
    """What builds a head: a Linear layer with this start, and the theta that is made of it."""

    class Head(nn.Module):
        def __init__(self, features: int):
            super().__init__()
            self.numbers = nn.Linear(features, len(bias))
            with torch.no_grad():
                self.numbers.weight.mul_(weight)
                self.numbers.bias.copy_(torch.tensor(bias))

        def forward(self, features: Tensor) -> Tensor:
            return make(*self.numbers(features).unbind(-1))

    return Head


def _rows(*numbers: Tensor) -> Tensor:
    return torch.stack(numbers, dim=-1).view(-1, 2, 3)


def _shift_only(x: Tensor, y: Tensor) -> Tensor:
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return _rows(one, zero, x, zero, one, y)


def _shift_in_second_column(scale: Tensor, x: Tensor, y: Tensor) -> Tensor:
    zero = torch.zeros_like(x)
    return _rows(scale, x, zero, y, scale, zero)


def _two_scales(a: Tensor, d: Tensor, x: Tensor, y: Tensor) -> Tensor:
    zero = torch.zeros_like(x)
    return _rows(a, zero, x, zero, d, y)


def _detached(scale: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return transforms.attention(scale.detach(), x.detach(), y.detach())


class _SameForAll(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([1.0, 0.0, 0.0]))

    def forward(self, features: Tensor) -> Tensor:
        return transforms.attention(*self.numbers.expand(len(features), 3).unbind(-1))


EXERCISE = FunctionExercise(
    attempt="my_attention_head",
    solution=attention_head,
    run=run_attention,
    returns="an nn.Module that answers theta (B, 2, 3)",
    oracle=lambda look: {
        "start": torch.eye(2, 3).repeat(2, 1, 1),
        "window": flag(1, 1, 1),
        "free": flag(1, 1, 1),
        "learns": flag(1),
    }[look],
    against="the identity at the start, and after it an upright square window that can learn",
    cases=lambda: [
        Case(("start",), "theta of two different features at the start"),
        Case(
            ("window",),
            "after its weights have moved: are theta[0, 1] and theta[1, 0] still 0, and the two "
            "scales equal? (1 is yes)",
        ),
        Case(
            ("free",),
            "after its weights have moved: do scale, x and y depend on the features? (1 is yes)",
        ),
        Case(("learns",), "does a gradient arrive? (1 is yes)"),
    ],
    hints=(
        "Three numbers for each image: a scale, x and y. Which layer makes three numbers of the "
        "features, and where does each number stand in theta?",
        "A module has two methods: __init__ makes nn.Linear(features, 3), and forward makes theta "
        "of its answer. transforms.attention(scale, x, y) takes tensors, too.",
        "At the start the three numbers must be 1, 0, 0, whatever the features: zero weights, and "
        "a bias of (1, 0, 0).",
        "In forward: scale, x, y = self.numbers(features).unbind(-1), and then "
        "transforms.attention(scale, x, y).",
    ),
    misconceptions=(
        Misconception(
            "six numbers",
            "the start is right, but all six numbers of theta can move: the window may turn and "
            "shear. Only three numbers may come from the features.",
            _head(_rows, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = models.start_at_identity(nn.Linear(features, 6))
                    def forward(self, x):
                        return self.linear(x).view(-1, 2, 3)
                return Head()
            """,
        ),
        Misconception(
            "two scales",
            "the window has two scales, one along x and one along y: it may become a rectangle. "
            "Use one number for both.",
            _head(_two_scales, [1.0, 1.0, 0.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 4)
                        nn.init.zeros_(self.linear.weight)
                        self.linear.bias.data = torch.tensor([1.0, 0, 1, 0])

                    def forward(self, z):
                        theta = z.new_zeros(len(z), 2, 3)
                        theta[:, 0, 0], theta[:, 0, 2], theta[:, 1, 1], theta[:, 1, 2] = (
                            self.linear(z).T
                        )
                        return theta

                return Head()
            """,
        ),
        Misconception(
            "scale zero",
            "the scale starts at 0: every output pixel reads the middle of the image. The identity "
            "has the scale 1.",
            _head(transforms.attention, [0.0, 0.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 3)
                        nn.init.zeros_(self.linear.weight)
                        nn.init.zeros_(self.linear.bias)
                    def forward(self, z):
                        scale, x, y = self.linear(z).unbind(1)
                        return transforms.attention(scale, x, y)
                return Head()
            """,
        ),
        Misconception(
            "weights left",
            "the bias is right, but the weights are not zero: the features move theta from the "
            "start.",
            _head(transforms.attention, [1.0, 0.0, 0.0], weight=1.0),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 3)
                        self.linear.bias.data = torch.tensor([1.0, 0, 0])
                    def forward(self, z):
                        scale, x, y = self.linear(z).unbind(1)
                        return transforms.attention(scale, x, y)
                return Head()
            """,
        ),
        Misconception(
            "shift only",
            "the window can be moved, but its scale stays 1: it cannot zoom.",
            _head(_shift_only, [0.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 2)
                        nn.init.zeros_(self.linear.weight)
                        nn.init.zeros_(self.linear.bias)
                    def forward(self, z):
                        x, y = self.linear(z).unbind(1)
                        return transforms.translation(x, y)
                return Head()
            """,
        ),
        Misconception(
            "second column",
            "x and y stand in theta's second column, where they shear and turn. A shift stands in "
            "the third.",
            _head(_shift_in_second_column, [1.0, 0.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 3)
                        nn.init.zeros_(self.linear.weight)
                        self.linear.bias.data = torch.tensor([1.0, 0, 0])

                    def forward(self, z):
                        s, x, y = self.linear(z).unbind(1)
                        o = torch.zeros_like(s)
                        return torch.stack(
                            [torch.stack([s, x, o], -1), torch.stack([y, s, o], -1)], 1
                        )

                return Head()
            """,
        ),
        Misconception(
            "detached",
            "theta is right, but no gradient arrives: it is made under no_grad, from detached "
            "numbers, or from plain Python numbers.",
            _head(_detached, [1.0, 0.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 3)
                        nn.init.zeros_(self.linear.weight)
                        self.linear.bias.data = torch.tensor([1.0, 0, 0])
                    def forward(self, z):
                        rows = [[[s, 0, x], [0, s, y]] for s, x, y in self.linear(z).tolist()]
                        return torch.tensor(rows)
                return Head()
            """,
        ),
        Misconception(
            "same for all",
            "the three numbers do not depend on the features: every image gets the same window.",
            _SameForAll,
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.scale = nn.Parameter(torch.ones(1))
                        self.place = nn.Parameter(torch.zeros(2))
                    def forward(self, z):
                        theta = transforms.attention(self.scale, *self.place)
                        return theta.expand(len(z), 2, 3)
                return Head()
            """,
        ),
        Misconception(
            "flat",
            "the numbers are right, but they stand in one row of six. Theta has shape (B, 2, 3).",
            _head(lambda *numbers: transforms.attention(*numbers).flatten(1), [1.0, 0.0, 0.0]),
            typed="""
                class Head(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.linear = nn.Linear(features, 3)
                        nn.init.zeros_(self.linear.weight)
                        self.linear.bias.data = torch.tensor([1.0, 0, 0])
                    def forward(self, z):
                        s, x, y = self.linear(z).unbind(1)
                        o = torch.zeros_like(s)
                        return torch.stack([s, o, x, o, s, y], dim=1)
                return Head()
            """,
        ),
    ),
)
