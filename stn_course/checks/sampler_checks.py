"""The exercises of notebook 03 on reading: nearest and bilinear."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import samplers
from stn_course.checks.kinds import Case, FunctionExercise, Misconception

NOTEBOOK = "03_sampling"


def read_by_pytorch(input: Tensor, x: Tensor, y: Tensor, mode: str, padding_mode: str = "zeros"):
    """F.grid_sample at places in pixels: (B, C, H, W), (B, H', W') twice -> (B, C, H', W')."""
    height, width = input.shape[-2:]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(input, grid, mode=mode, padding_mode=padding_mode, align_corners=False)


def reading_cases(xs: list[float], ys: list[float]) -> list[Case]:
    """The places one by one on a small image, then all of them on a batch; both dtypes."""
    small = torch.tensor([[[[1.0, 2.0, 4.0], [3.0, 7.0, 5.0]]]])
    cases = [
        Case((small, torch.tensor([[[x]]]), torch.tensor([[[y]]])))
        for x, y in zip(xs, ys, strict=True)
    ]
    generator = torch.Generator().manual_seed(3)
    for dtype in (torch.float32, torch.float64):
        batch = torch.randn(2, 3, 4, 3, generator=generator, dtype=dtype)
        places = torch.tensor([xs, ys], dtype=dtype)[:, None, None, :].expand(2, 2, 1, -1)
        cases.append(Case((batch, places[0].contiguous(), places[1].contiguous())))
    return cases


def nearest_cases() -> list[Case]:
    """Inside, between, and outside on every side; never exactly between two pixels."""
    return reading_cases([1.0, 0.3, 1.7, 2.2, -0.7, 0.4, 5.0], [1.0, 0.8, 0.2, 0.6, 0.2, -0.6, 0.0])


def _whole(change, input, x, y):
    """A nearest sampler with another way from (x, y) to whole pixels."""
    return samplers.read_pixels(input, *change(input, x, y))


def _taken_for_normalised(input, x, y):
    grid = torch.stack([x, y], dim=-1)
    return F.grid_sample(input, grid, mode="nearest", align_corners=False)


def _wrapped(input, x, y):
    """Python's negative indices: -1 is the last pixel; beyond the end it stops at the last."""
    height, width = input.shape[-2:]
    column, row = x.round().clamp(-width, width - 1), y.round().clamp(-height, height - 1)
    return column % width, row % height


NEAREST = FunctionExercise(
    name="nearest",
    notebook=NOTEBOOK,
    title="The nearest sampler",
    attempt="my_nearest",
    solution=samplers.nearest,
    oracle=lambda input, x, y: read_by_pytorch(input, x, y, "nearest"),
    against="torch.nn.functional.grid_sample with mode nearest",
    cases=nearest_cases,
    hints=(
        "Which whole column lies nearest to x, and which row to y? Then fetch that pixel.",
        "read_pixels(input, column, row) fetches whole pixels and answers 0 outside.",
        "x.round() is the column, y.round() the row.",
    ),
    misconceptions=(
        Misconception(
            "rounded down",
            "places are rounded down: 1.7 lies nearest to 2. floor takes the pixel to the left "
            "and above.",
            partial(_whole, lambda i, x, y: (x.floor(), y.floor())),
        ),
        Misconception(
            "rounded up",
            "places are rounded up: 0.3 lies nearest to 0.",
            partial(_whole, lambda i, x, y: (x.ceil(), y.ceil())),
        ),
        Misconception(
            "cut off",
            "places are cut off, as by .long(): 1.7 lies nearest to 2, and -0.7 to -1.",
            partial(_whole, lambda i, x, y: (x.trunc(), y.trunc())),
        ),
        Misconception(
            "half added, then cut off",
            "adding 0.5 and cutting off is right from 0 on only: -0.7 + 0.5 is -0.2, and .int() "
            "or .long() makes 0 of it. It lies nearest to -1: .round(), or .floor() after adding.",
            partial(_whole, lambda i, x, y: ((x + 0.5).trunc(), (y + 0.5).trunc())),
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: x is the column, y the row, and a tensor takes the row first.",
            partial(_whole, lambda i, x, y: (y.round(), x.round())),
        ),
        Misconception(
            "held at the border",
            "outside it reads the border's pixel. Asked was zero padding: 0 outside.",
            partial(
                _whole,
                lambda i, x, y: (
                    x.round().clamp(0, i.shape[-1] - 1),
                    y.round().clamp(0, i.shape[-2] - 1),
                ),
            ),
        ),
        Misconception(
            "negative indices",
            "a negative index counts from the end in Python: -1 reads the last pixel. Outside "
            "must give 0.",
            partial(_whole, _wrapped),
        ),
        Misconception(
            "taken for normalised",
            "x and y are pixels already. to_pixels and F.grid_sample take them for normalised, "
            "from -1 to 1.",
            _taken_for_normalised,
        ),
        Misconception(
            "bilinear",
            "this is bilinear already: nearest takes one pixel, not four.",
            samplers.bilinear,
        ),
        Misconception(
            "one image for all",
            "every image of the batch was read from the first.",
            lambda i, x, y: samplers.nearest(i[:1].expand_as(i), x, y),
        ),
    ),
)


def bilinear_cases() -> list[Case]:
    """On a pixel, between, across the border, and outside on every side."""
    return reading_cases(
        [1.0, 0.25, 1.5, 2.4, -0.6, 0.5, 5.0], [1.0, 0.0, 0.75, 0.5, 0.5, 1.3, 0.0]
    )


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
    """Bilinear with the weights turned round."""
    mirrored = 2 * x.floor() + 1 - x, 2 * y.floor() + 1 - y
    return samplers.bilinear(input, *mirrored)


BILINEAR = FunctionExercise(
    name="bilinear",
    notebook=NOTEBOOK,
    title="The bilinear sampler",
    attempt="my_bilinear",
    solution=samplers.bilinear,
    oracle=lambda input, x, y: read_by_pytorch(input, x, y, "bilinear"),
    against="torch.nn.functional.grid_sample",
    cases=bilinear_cases,
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
        ),
        Misconception(
            "parts swapped",
            "the neighbours are right, but the weights of x and y are swapped: between left and "
            "right x decides, between upper and lower y.",
            _parts_swapped,
        ),
        Misconception(
            "mean of four",
            "this is the mean of the four neighbours. The nearer one is, the more it counts.",
            _mean_of_four,
        ),
        Misconception(
            "far for near",
            "the weights are turned round: the nearest pixel counts least. The pixel at distance "
            "d gets 1 - d, not d.",
            _far_for_near,
        ),
        Misconception(
            "held at the border",
            "outside it reads the border's pixels. With zero padding a neighbour outside counts "
            "with its weight, and has the value 0.",
            _held,
        ),
        Misconception(
            "padding counted in",
            "near the border it divides by the weights inside. With zeros the neighbours outside "
            "keep their weights, so the value fades towards 0.",
            _renormalised,
        ),
        Misconception(
            "cut off for floor",
            "left of 0 the wrong neighbours are taken: .long() and .trunc() cut towards 0, floor "
            "goes to the left.",
            _truncated,
        ),
        Misconception(
            "ceil for floor + 1",
            "right between pixels, and 0 on one: there x.ceil() is x.floor(), and both weights are "
            "0. The right neighbour is x.floor() + 1.",
            _ceil_for_next,
        ),
        Misconception("nearest", "this is nearest: one pixel is read, not four.", samplers.nearest),
        Misconception(
            "only along x",
            "it reads between columns, but not between rows: y is rounded.",
            lambda i, x, y: samplers.bilinear(i, x, y.floor()),
        ),
        Misconception(
            "only along y",
            "it reads between rows, but not between columns: x is rounded.",
            lambda i, x, y: samplers.bilinear(i, x.floor(), y),
        ),
        Misconception(
            "one image for all",
            "every image of the batch was read from the first.",
            lambda i, x, y: samplers.bilinear(i[:1].expand_as(i), x, y),
        ),
    ),
)

SAMPLER_EXERCISES = (NEAREST, BILINEAR)
