"""The exercises of notebook 03 on the four weights, and the slope along x."""

from functools import partial

import torch
from torch import Tensor

from stn_course import samplers
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception
from stn_course.checks.sampler_checks import read_by_pytorch, reading_cases

NOTEBOOK = "03_sampling"


def weight_cases() -> list[Case]:
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


BILINEAR_WEIGHTS = FunctionExercise(
    name="bilinear_weights",
    notebook=NOTEBOOK,
    title="The four weights",
    attempt="my_bilinear_weights",
    solution=solutions.bilinear_weights,
    oracle=weights_by_pytorch,
    against="the gradient of torch.nn.functional.grid_sample to its pixels",
    cases=weight_cases,
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
            "the weights are turned round: the nearest pixel has the smallest. The pixel at "
            "distance d gets 1 - d, not d.",
            partial(_weights, lambda left, r, u, d: [r * d, left * d, r * u, left * u]),
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: top right and bottom left have changed places.",
            partial(_weights, lambda left, r, u, d: [left * u, left * d, r * u, r * d]),
        ),
        Misconception(
            "order round the clock",
            "the four are right, but the last two have changed places: the order is top left, top "
            "right, bottom left, bottom right.",
            partial(_weights, lambda left, r, u, d: [left * u, r * u, r * d, left * d]),
        ),
        Misconception(
            "all the same",
            "all four have a quarter. The weights depend on where between the pixels the place "
            "lies.",
            partial(_weights, lambda left, r, u, d: [torch.full_like(left, 0.25)] * 4),
        ),
        Misconception(
            "cut off for floor",
            "left of 0 the parts are wrong: .int() and .trunc() cut towards 0, floor goes to the "
            "left.",
            _cut_off,
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
        ),
    ),
)


def slope_cases() -> list[Case]:
    """Between pixels, where there is one slope: inside, across the border, outside. Then on one.

    On a pixel PyTorch takes the slope to the right, as eq. 7 with floor and floor + 1 does.
    """
    return reading_cases(
        [0.25, 1.5, 1.6, 2.4, -0.6, 0.5, 5.3, 1.0], [0.25, 0.75, 0.2, 0.5, 0.4, 1.3, 0.1, 0.25]
    )


def slope_by_autograd(input: Tensor, x: Tensor, y: Tensor, along: int = 0) -> Tensor:
    """The gradient of F.grid_sample along x (0) or y (1), in values a pixel: (B, C, H', W')."""
    slopes = []
    for channel in input.split(1, dim=1):
        places = [x.clone().requires_grad_(), y.clone().requires_grad_()]
        output = read_by_pytorch(channel, *places, "bilinear")
        slopes.append(torch.autograd.grad(output.sum(), places[along])[0])
    return torch.stack(slopes, dim=1)


def _upper_only(input, x, y):
    left, top = x.floor(), y.floor()
    return samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(input, left, top)


GRADIENT_X = FunctionExercise(
    name="gradient_x",
    notebook=NOTEBOOK,
    title="The gradient along x, by hand",
    attempt="my_gradient_x",
    solution=solutions.gradient_x,
    oracle=slope_by_autograd,
    against="autograd through torch.nn.functional.grid_sample",
    cases=slope_cases,
    hints=(
        "Equation 7 stands above, under The gradient: the slope between left and right, once for "
        "the upper pair and once for the lower.",
        "Upper slope: top right minus top left. Lower slope: bottom right minus bottom left. "
        "read_pixels fetches the four.",
        "Weigh the two with b = y - y.floor(): (1 - b) · upper + b · lower. Put an axis in, b[:, "
        "None], since the pixels are (B, C, H', W').",
    ),
    misconceptions=(
        Misconception(
            "along y",
            "this is the gradient along y: bottom minus top. Along x it is right minus left.",
            lambda *a: slope_by_autograd(*a, along=1),
        ),
        Misconception(
            "wrong sign",
            "the sign is turned round: right minus left, since x grows to the right.",
            lambda *a: -slope_by_autograd(*a),
        ),
        Misconception(
            "upper pair alone",
            "only the upper pair is used. Between two rows both count: (1 - b) · upper + b · "
            "lower.",
            _upper_only,
        ),
        Misconception(
            "weights of the pairs swapped",
            "the weights of the two pairs are swapped: the nearer row counts more, so the upper "
            "pair has 1 - b.",
            lambda i, x, y: slope_by_autograd(i, x, 2 * y.floor() + 1 - y),
        ),
        Misconception(
            "weighted by x",
            "the pairs are weighted by x's part. Between the rows y decides: b = y - y.floor().",
            lambda i, x, y: slope_by_autograd(i, x, y.floor() + x - x.floor()),
        ),
        Misconception(
            "ceil for floor + 1",
            "right between pixels, and 0 on one: there x.ceil() is x.floor(). The right neighbour "
            "is x.floor() + 1.",
            lambda i, x, y: slope_by_autograd(i, x, y) * (x != x.floor())[:, None],
        ),
        Misconception(
            "one pixel further",
            "this is the change over a whole pixel from (x, y) on, which crosses into the next "
            "cell. Asked was the slope in the cell itself: right pixel minus left pixel.",
            lambda i, x, y: samplers.bilinear(i, x + 1, y) - samplers.bilinear(i, x, y),
        ),
        Misconception(
            "pairs added",
            "the two pairs are added as they are. They are weighed: (1 - b) · upper + b · lower.",
            lambda i, x, y: _upper_only(i, x, y) + _upper_only(i, x, y + 1),
        ),
        Misconception(
            "nothing",
            "it is 0 everywhere, as for nearest. Bilinear has a slope between pixels.",
            lambda i, x, y: slope_by_autograd(i, x, y) * 0,
        ),
        Misconception(
            "normalised units",
            "this is the gradient to normalised x, where one unit is half the width. Asked was "
            "one pixel.",
            lambda i, x, y: slope_by_autograd(i, x, y) * i.shape[-1] / 2,
        ),
    ),
)

SLOPE_EXERCISES = (BILINEAR_WEIGHTS, GRADIENT_X)
