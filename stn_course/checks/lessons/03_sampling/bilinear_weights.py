"""The four weights."""

from functools import partial

import torch
from torch import Tensor

from stn_course.checks.engine.oracles import read_by_pytorch
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def bilinear_weights(x: Tensor, y: Tensor) -> Tensor:
    """The weights of the four neighbours of N places (pixels): (N,), (N,) -> (N, 4).

    Their order is top left, top right, bottom left, bottom right.
    """
    right, lower = x - x.floor(), y - y.floor()
    left, upper = 1 - right, 1 - lower
    return torch.stack([left * upper, right * upper, left * lower, right * lower], dim=-1)


def cases() -> list[Case]:
    """One place, one left of 0, then several; both dtypes."""
    xs, ys = [1.25, -0.6, 2.5, 3.9, 1.75, 0.0], [2.5, 1.2, -1.5, 4.1, 3.0, 1.25]
    places = [(xs[:1], ys[:1]), (xs[1:2], ys[1:2]), (xs, ys)]
    dtypes = (torch.float32, torch.float64)
    return [
        Case((torch.tensor(x, dtype=d), torch.tensor(y, dtype=d)))
        for x, y in places
        for d in dtypes
    ]


def weights_by_pytorch(x: Tensor, y: Tensor) -> Tensor:
    """How much each neighbour counts in F.grid_sample: its gradient to the pixels, (N, 4)."""
    x, y = x + 2, y + 2  # all places into a 10×10 image; whole steps change no weight
    images = torch.zeros(len(x), 1, 10, 10, dtype=x.dtype, requires_grad=True)
    output = read_by_pytorch(images, x[:, None, None], y[:, None, None], "bilinear")
    (share,) = torch.autograd.grad(output.sum(), images)
    left, top, n = x.floor().long(), y.floor().long(), torch.arange(len(x))
    places = [(top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)]
    return torch.stack([share[n, 0, row, column] for row, column in places], dim=-1)


def _weights(formula, x, y):
    """Weights from the parts (left, right, upper, lower), each (N,)."""
    right, lower = x - x.floor(), y - y.floor()
    return torch.stack(formula(1 - right, right, 1 - lower, lower), dim=-1)


def _cut_off(x, y):
    right, lower = x - x.trunc(), y - y.trunc()
    left, upper = 1 - right, 1 - lower
    return torch.stack([left * upper, right * upper, left * lower, right * lower], dim=-1)


EXERCISE = FunctionExercise(
    attempt="my_bilinear_weights",
    solution=bilinear_weights,
    oracle=weights_by_pytorch,
    against="the gradient of torch.nn.functional.grid_sample to its pixels",
    cases=cases,
    hints=(
        "How far is the place from its left neighbour? right_part = x - x.floor(), in [0, 1). "
        "Likewise lower_part from y.",
        "The nearer a pixel, the larger its weight: the left neighbours get 1 - right_part, the "
        "right ones right_part.",
        "Each weight is a product: top left has (1 - right_part) * (1 - lower_part). Stack the "
        "four in the last axis.",
    ),
    misconceptions=(
        Misconception(
            "far for near",
            "the weights are reversed: the nearest pixel has the smallest. The pixel at "
            "distance d gets 1 - d, not d.",
            partial(_weights, lambda left, r, u, d: [r * d, left * d, r * u, left * u]),
            typed="""
                a, b = x - x.floor(), y - y.floor()
                return torch.stack([a * b, (1 - a) * b, a * (1 - b), (1 - a) * (1 - b)], dim=-1)
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: top right and bottom left have changed places.",
            partial(_weights, lambda left, r, u, d: [left * u, left * d, r * u, r * d]),
            typed="""
                b, a = x - x.floor(), y - y.floor()
                return torch.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], dim=-1)
            """,
        ),
        Misconception(
            "order round the clock",
            "the four are right, but the last two have changed places: the order is top left, top "
            "right, bottom left, bottom right.",
            partial(_weights, lambda left, r, u, d: [left * u, r * u, r * d, left * d]),
            typed="""
                a, b = x % 1, y % 1
                return torch.stack([(1 - a) * (1 - b), a * (1 - b), a * b, (1 - a) * b], dim=-1)
            """,
        ),
        Misconception(
            "all the same",
            "all four have a quarter. The weights depend on where between the pixels the place "
            "lies.",
            partial(_weights, lambda left, r, u, d: [torch.full_like(left, 0.25)] * 4),
            typed="return torch.ones(len(x), 4).to(x) / 4",
        ),
        Misconception(
            "cut off for floor",
            "left of 0 the parts are wrong: .int() and .trunc() cut towards 0, floor goes to the "
            "left.",
            _cut_off,
            typed="""
                a, b = x - x.int(), y - y.int()
                return torch.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], dim=-1)
            """,
        ),
        Misconception(
            "nearest",
            "one weight is 1 and three are 0: that is nearest, not bilinear.",
            partial(
                _weights,
                lambda left, r, u, d: [
                    (left.round() * u.round()),
                    r.round() * u.round(),
                    left.round() * d.round(),
                    r.round() * d.round(),
                ],
            ),
            typed="""
                a, b = (x - x.floor()).round(), (y - y.floor()).round()
                left, upper = (1 - (x - x.floor())).round(), (1 - (y - y.floor())).round()
                return torch.stack([left * upper, a * upper, left * b, a * b], dim=-1)
            """,
        ),
        Misconception(
            "weights not summing to 1",
            "the four weights do not add up to 1, so a picture would become lighter or darker. "
            "Multiply the two parts, do not add them.",
            partial(_weights, lambda left, r, u, d: [left + u, r + u, left + d, r + d]),
            sign=lambda expected, received: (
                received.shape == expected.shape
                and bool(((received.sum(-1) - 1).abs() > 1e-3).any())
            ),
            typed="""
                a, b = x - x.floor(), y - y.floor()
                return torch.stack([1 - a + 1 - b, a + 1 - b, 1 - a + b, a + b], dim=-1)
            """,
        ),
    ),
)
