"""The gradient along x, by hand."""

import torch
from torch import Tensor

from stn_course import samplers
from stn_course.checks.engine.oracles import read_by_pytorch, reading_cases
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.samplers import read_pixels


def gradient_x(input: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The slope of bilinear sampling along x, as a change per pixel (paper, eq. 7).

    input: (B, C, H, W). x, y: (B, H', W') in pixels. Returns (B, C, H', W').
    """
    left, top = x.floor(), y.floor()
    lower_part = (y - top)[:, None]
    upper = read_pixels(input, left + 1, top) - read_pixels(input, left, top)
    lower = read_pixels(input, left + 1, top + 1) - read_pixels(input, left, top + 1)
    return (1 - lower_part) * upper + lower_part * lower


def cases() -> list[Case]:
    """Between pixels, where there is one slope: inside, across the border, outside. Then on one.

    On a pixel PyTorch takes the slope to the right, as eq. 7 with floor and floor + 1 does.
    """
    return reading_cases(
        [0.25, 1.5, 1.6, 2.4, -0.6, 0.5, 5.3, 1.0], [0.25, 0.75, 0.2, 0.5, 0.4, 1.3, 0.1, 0.25]
    )


def slope_by_autograd(input: Tensor, x: Tensor, y: Tensor, along: int = 0) -> Tensor:
    """The gradient of F.grid_sample along x (0) or y (1), per pixel: (B, C, H', W')."""
    slopes = []
    for channel in input.split(1, dim=1):
        places = [x.clone().requires_grad_(), y.clone().requires_grad_()]
        output = read_by_pytorch(channel, *places, "bilinear")
        slopes.append(torch.autograd.grad(output.sum(), places[along])[0])
    return torch.stack(slopes, dim=1)


def _upper_only(input, x, y):
    left, top = x.floor(), y.floor()
    return samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(input, left, top)


def _both_sides(input, x, y):
    """The mean of the slopes just right and just left of x: between pixels they are one."""
    cells = x.floor() + 0.5, x.ceil() - 0.5
    return sum(slope_by_autograd(input, cell, y) for cell in cells) / 2


EXERCISE = FunctionExercise(
    attempt="my_gradient_x",
    solution=gradient_x,
    oracle=slope_by_autograd,
    against="autograd through torch.nn.functional.grid_sample",
    cases=cases,
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
            typed="""
                left, top, a = x.floor(), y.floor(), (x - x.floor())[:, None]
                one = samplers.read_pixels(input, left, top + 1) - samplers.read_pixels(
                    input, left, top
                )
                two = samplers.read_pixels(input, left + 1, top + 1) - samplers.read_pixels(
                    input, left + 1, top
                )
                return (1 - a) * one + a * two
            """,
        ),
        Misconception(
            "wrong sign",
            "the sign is wrong: it is right minus left, since x grows to the right.",
            lambda *a: -slope_by_autograd(*a),
            typed="""
                left, top, b = x.floor(), y.floor(), (y - y.floor())[:, None]
                one = samplers.read_pixels(input, left, top) - samplers.read_pixels(
                    input, left + 1, top
                )
                two = samplers.read_pixels(input, left, top + 1) - samplers.read_pixels(
                    input, left + 1, top + 1
                )
                return (1 - b) * one + b * two
            """,
        ),
        Misconception(
            "upper pair alone",
            "only the upper pair is used. Between two rows both count: (1 - b) · upper + b · "
            "lower.",
            _upper_only,
            typed="""
                left, top = x.floor(), y.floor()
                return samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(
                    input, left, top
                )
            """,
        ),
        Misconception(
            "weights of the pairs swapped",
            "the weights of the two pairs are swapped: the nearer row counts more, so the upper "
            "pair has 1 - b.",
            lambda i, x, y: slope_by_autograd(i, x, 2 * y.floor() + 1 - y),
            typed="""
                left, top, b = x.floor(), y.floor(), (y - y.floor())[:, None]
                one = samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(
                    input, left, top
                )
                two = samplers.read_pixels(input, left + 1, top + 1) - samplers.read_pixels(
                    input, left, top + 1
                )
                return b * one + (1 - b) * two
            """,
        ),
        Misconception(
            "weighted by x",
            "the pairs are weighted by x's part. Between the rows y decides: b = y - y.floor().",
            lambda i, x, y: slope_by_autograd(i, x, y.floor() + x - x.floor()),
            typed="""
                left, top, a = x.floor(), y.floor(), (x - x.floor())[:, None]
                one = samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(
                    input, left, top
                )
                two = samplers.read_pixels(input, left + 1, top + 1) - samplers.read_pixels(
                    input, left, top + 1
                )
                return (1 - a) * one + a * two
            """,
        ),
        Misconception(
            "ceil for floor + 1",
            "right between pixels, and 0 on one: there x.ceil() is x.floor(). The right neighbour "
            "is x.floor() + 1.",
            lambda i, x, y: slope_by_autograd(i, x, y) * (x != x.floor())[:, None],
            typed="""
                return samplers.bilinear(input, x.ceil(), y) - samplers.bilinear(
                    input, x.floor(), y
                )
            """,
        ),
        Misconception(
            "one pixel further",
            "this is the change over a whole pixel from (x, y) on, which crosses into the next "
            "cell. The slope in the cell itself is right pixel minus left pixel.",
            lambda i, x, y: samplers.bilinear(i, x + 1, y) - samplers.bilinear(i, x, y),
            typed="return samplers.bilinear(input, x + 1, y) - samplers.bilinear(input, x, y)",
        ),
        Misconception(
            "over two pixels",
            "this is the mean slope from x - 1 to x + 1. Bilinear sampling has one slope between "
            "two centres, and another beyond: right pixel minus left pixel, of this cell alone.",
            lambda i, x, y: (samplers.bilinear(i, x + 1, y) - samplers.bilinear(i, x - 1, y)) / 2,
            typed="""
                before, after = (samplers.bilinear(input, x + step, y) for step in (-1, 1))
                return (after - before) / 2
            """,
        ),
        Misconception(
            "half a pixel to each side",
            "this is the mean slope from x - 0.5 to x + 0.5, which reaches into the next cell. The "
            "slope of one cell is its right pixel minus its left one.",
            lambda i, x, y: samplers.bilinear(i, x + 0.5, y) - samplers.bilinear(i, x - 0.5, y),
            typed="""
                before, after = (samplers.bilinear(input, x + step, y) for step in (-0.5, 0.5))
                return after - before
            """,
        ),
        Misconception(
            "small step to each side",
            "right between pixels. On one, a small step to each side gives the mean of the slopes "
            "on the left and on the right. Take the right one, as PyTorch does.",
            _both_sides,
            typed="""
                step = 0.05
                difference = samplers.bilinear(input, x + step, y) - samplers.bilinear(
                    input, x - step, y
                )
                return difference / (2 * step)
            """,
        ),
        Misconception(
            "pairs added",
            "the two pairs are added as they are. They are weighed: (1 - b) · upper + b · lower.",
            lambda i, x, y: _upper_only(i, x, y) + _upper_only(i, x, y + 1),
            typed="""
                left, top = x.floor(), y.floor()
                one = samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(
                    input, left, top
                )
                two = samplers.read_pixels(input, left + 1, top + 1) - samplers.read_pixels(
                    input, left, top + 1
                )
                return one + two
            """,
        ),
        Misconception(
            "nothing",
            "it is 0 everywhere, as for nearest. Bilinear has a slope between pixels.",
            lambda i, x, y: slope_by_autograd(i, x, y) * 0,
            typed="return torch.zeros(len(input), input.shape[1], *x.shape[1:]).to(input)",
        ),
        Misconception(
            "normalised units",
            "this is the gradient to normalised x, where one unit is half the width. Here "
            "one unit is a pixel.",
            lambda i, x, y: slope_by_autograd(i, x, y) * i.shape[-1] / 2,
            typed="""
                left, top, b = x.floor(), y.floor(), (y - y.floor())[:, None]
                one = samplers.read_pixels(input, left + 1, top) - samplers.read_pixels(
                    input, left, top
                )
                two = samplers.read_pixels(input, left + 1, top + 1) - samplers.read_pixels(
                    input, left, top + 1
                )
                return ((1 - b) * one + b * two) * input.shape[3] / 2
            """,
        ),
    ),
)
