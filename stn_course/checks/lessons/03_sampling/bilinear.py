"""The bilinear sampler."""

from functools import partial

import torch

from stn_course import samplers
from stn_course.checks.engine.oracles import read_by_pytorch, reading_cases
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def cases() -> list[Case]:
    """On a pixel, between, across the border, and outside on every side."""
    return reading_cases(
        [1.0, 0.25, 1.5, 2.4, -0.6, 0.5, 5.0], [1.0, 0.0, 0.75, 0.5, 0.5, 1.3, 0.0]
    )


def _extrapolated(input, x, y):
    """Neighbours held at the border, and weights that go on below 0 and above 1."""
    size = input.shape[-1], input.shape[-2]
    left, top = (v.floor().clamp(0, n - 1) for v, n in zip((x, y), size, strict=True))
    pixel = partial(samplers.read_pixels, input)
    right, lower = (left + 1).clamp(max=size[0] - 1), (top + 1).clamp(max=size[1] - 1)
    a, b = (x - left)[:, None], (y - top)[:, None]
    upper_pair = torch.lerp(pixel(left, top), pixel(right, top), a)
    return torch.lerp(upper_pair, torch.lerp(pixel(left, lower), pixel(right, lower), a), b)


def _renormalised(input, x, y):
    inside = samplers.bilinear(torch.ones_like(input), x, y)
    return torch.where(inside > 0, samplers.bilinear(input, x, y) / inside, 0)


def _held(input, x, y):
    height, width = input.shape[-2:]
    return samplers.bilinear(input, samplers.clip(x, width), samplers.clip(y, height))


def _truncated(input, x, y):
    """Bilinear with the parts counted from trunc: towards 0, not towards the left."""
    left, top = x.trunc(), y.trunc()
    right, lower = (x - left)[:, None], (y - top)[:, None]
    pixel = {(i, j): samplers.read_pixels(input, left + i, top + j) for i in (0, 1) for j in (0, 1)}
    upper = (1 - right) * pixel[0, 0] + right * pixel[1, 0]
    return (1 - lower) * upper + lower * ((1 - right) * pixel[0, 1] + right * pixel[1, 1])


def _parts_swapped(input, x, y):
    """Bilinear with the right neighbours, and each axis weighted by the other's part."""
    return samplers.bilinear(input, x.floor() + y - y.floor(), y.floor() + x - x.floor())


def _mean_of_four(input, x, y):
    return samplers.bilinear(input, x.floor() + 0.5, y.floor() + 0.5)


def _ceil_for_next(input, x, y):
    value = samplers.bilinear(input, x, y)
    whole = (x == x.floor()) | (y == y.floor())
    return torch.where(whole[:, None], 0, value)


def _far_for_near(input, x, y):
    """Bilinear with the weights of near and far exchanged."""
    mirrored = 2 * x.floor() + 1 - x, 2 * y.floor() + 1 - y
    return samplers.bilinear(input, *mirrored)


EXERCISE = FunctionExercise(
    attempt="my_bilinear",
    solution=samplers.bilinear,
    oracle=lambda input, x, y: read_by_pytorch(input, x, y, "bilinear"),
    against="torch.nn.functional.grid_sample",
    cases=cases,
    hints=(
        "Four neighbours: columns x.floor() and x.floor() + 1, rows y.floor() and y.floor() + 1. "
        "read_pixels fetches each, with 0 outside.",
        "read_pixels gives (B, C, H', W'), the weights are (B, H', W'): put an axis in, weight[:, "
        "None].",
        "Eq. 5 as a sum of four terms: (1 - a) (1 - b) · top left + a (1 - b) · top right + (1 - "
        "a) b · bottom left + a b · bottom right, with a = x - x.floor(), b = y - y.floor().",
    ),
    misconceptions=(
        Misconception(
            "x and y swapped",
            "x and y are swapped: x chooses the columns, y the rows.",
            lambda i, x, y: samplers.bilinear(i, y, x),
            typed="""
                a, b = (y - y.floor())[:, None], (x - x.floor())[:, None]
                p = [
                    [samplers.read_pixels(input, y.floor() + i, x.floor() + j) for i in (0, 1)]
                    for j in (0, 1)
                ]
                return (1 - b) * ((1 - a) * p[0][0] + a * p[0][1]) + b * (
                    (1 - a) * p[1][0] + a * p[1][1]
                )
            """,
        ),
        Misconception(
            "parts swapped",
            "the neighbours are right, but the weights of x and y are swapped: between left and "
            "right x decides, between upper and lower y.",
            _parts_swapped,
            typed="""
                b, a = (x - x.floor())[:, None], (y - y.floor())[:, None]
                p = [
                    [samplers.read_pixels(input, x.floor() + i, y.floor() + j) for i in (0, 1)]
                    for j in (0, 1)
                ]
                return (1 - b) * ((1 - a) * p[0][0] + a * p[0][1]) + b * (
                    (1 - a) * p[1][0] + a * p[1][1]
                )
            """,
        ),
        Misconception(
            "mean of four",
            "this is the mean of the four neighbours. The nearer one is, the more it counts.",
            _mean_of_four,
            typed="""
                p = [
                    samplers.read_pixels(input, x.floor() + i, y.floor() + j)
                    for i in (0, 1)
                    for j in (0, 1)
                ]
                return sum(p) / 4
            """,
        ),
        Misconception(
            "far for near",
            "the weights are reversed: the nearest pixel counts least. The pixel at distance "
            "d gets 1 - d, not d.",
            _far_for_near,
            typed="""
                a, b = (x - x.floor())[:, None], (y - y.floor())[:, None]
                p = [
                    [samplers.read_pixels(input, x.floor() + i, y.floor() + j) for i in (0, 1)]
                    for j in (0, 1)
                ]
                return b * (a * p[0][0] + (1 - a) * p[0][1]) + (1 - b) * (
                    a * p[1][0] + (1 - a) * p[1][1]
                )
            """,
        ),
        Misconception(
            "held at the border",
            "outside it reads the border's pixels. With zero padding a neighbour outside counts "
            "with its weight, and has the value 0.",
            _held,
            typed="""
                grid = torch.stack(
                    [(2 * x + 1) / input.shape[3] - 1, (2 * y + 1) / input.shape[2] - 1], dim=-1
                )
                return F.grid_sample(input, grid, padding_mode="border", align_corners=False)
            """,
        ),
        Misconception(
            "neighbours held, weights not",
            "the neighbours are clamped to the picture, and the weights are counted from there: "
            "outside they lie below 0 or above 1. Count them from x.floor(), and do not clamp: "
            "read_pixels gives 0 outside.",
            _extrapolated,
            typed="""
                H, W = input.shape[2:]
                x0, y0 = x.floor().clamp(0, W - 1), y.floor().clamp(0, H - 1)
                x1, y1 = (x0 + 1).clamp(0, W - 1), (y0 + 1).clamp(0, H - 1)
                a, b = (x - x0)[:, None], (y - y0)[:, None]
                p = [[samplers.read_pixels(input, i, j) for i in (x0, x1)] for j in (y0, y1)]
                return (1 - b) * ((1 - a) * p[0][0] + a * p[0][1]) + b * (
                    (1 - a) * p[1][0] + a * p[1][1]
                )
            """,
        ),
        Misconception(
            "padding counted in",
            "near the border it divides by the weights inside. With zeros the neighbours outside "
            "keep their weights, so the value fades towards 0.",
            _renormalised,
            typed="""
                grid = torch.stack(
                    [(2 * x + 1) / input.shape[3] - 1, (2 * y + 1) / input.shape[2] - 1], dim=-1
                )
                value = F.grid_sample(input, grid, align_corners=False)
                weight = F.grid_sample(torch.ones_like(input), grid, align_corners=False)
                return torch.where(weight > 0, value / weight.clamp(min=1e-9), 0)
            """,
        ),
        Misconception(
            "cut off for floor",
            "left of 0 the wrong neighbours are taken: .long() and .trunc() cut towards 0, floor "
            "goes to the left.",
            _truncated,
            typed="""
                left, top = x.long().to(x), y.long().to(y)
                a, b = (x - left)[:, None], (y - top)[:, None]
                p = [
                    [samplers.read_pixels(input, left + i, top + j) for i in (0, 1)] for j in (0, 1)
                ]
                return (1 - b) * ((1 - a) * p[0][0] + a * p[0][1]) + b * (
                    (1 - a) * p[1][0] + a * p[1][1]
                )
            """,
        ),
        Misconception(
            "ceil for floor + 1",
            "right between pixels, and 0 on one: there x.ceil() is x.floor(), and both weights are "
            "0. The right neighbour is x.floor() + 1.",
            _ceil_for_next,
            typed="""
                x0, x1, y0, y1 = x.floor(), x.ceil(), y.floor(), y.ceil()
                p = [[samplers.read_pixels(input, i, j) for i in (x0, x1)] for j in (y0, y1)]
                upper = (x1 - x)[:, None] * p[0][0] + (x - x0)[:, None] * p[0][1]
                lower = (x1 - x)[:, None] * p[1][0] + (x - x0)[:, None] * p[1][1]
                return (y1 - y)[:, None] * upper + (y - y0)[:, None] * lower
            """,
        ),
        Misconception(
            "nearest",
            "this is nearest: one pixel is read, not four.",
            samplers.nearest,
            typed="return samplers.read_pixels(input, x.round(), y.round())",
        ),
        Misconception(
            "only along x",
            "it reads between columns, but not between rows: y is rounded.",
            lambda i, x, y: samplers.bilinear(i, x, y.floor()),
            typed="""
                a = (x - x.floor())[:, None]
                left = samplers.read_pixels(input, x.floor(), y.floor())
                right = samplers.read_pixels(input, x.floor() + 1, y.floor())
                return (1 - a) * left + a * right
            """,
        ),
        Misconception(
            "only along y",
            "it reads between rows, but not between columns: x is rounded.",
            lambda i, x, y: samplers.bilinear(i, x.floor(), y),
            typed="""
                b = (y - y.floor())[:, None]
                upper = samplers.read_pixels(input, x.floor(), y.floor())
                lower = samplers.read_pixels(input, x.floor(), y.floor() + 1)
                return (1 - b) * upper + b * lower
            """,
        ),
        Misconception(
            "one image for all",
            "every image of the batch was read from the first.",
            lambda i, x, y: samplers.bilinear(i[:1].expand_as(i), x, y),
            typed="""
                first = input[:1].repeat(len(input), 1, 1, 1)
                grid = torch.stack(
                    [(2 * x + 1) / input.shape[3] - 1, (2 * y + 1) / input.shape[2] - 1], dim=-1
                )
                return F.grid_sample(first, grid, align_corners=False)
            """,
        ),
    ),
)
