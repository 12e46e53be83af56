"""The nearest sampler."""

from functools import partial

import torch
import torch.nn.functional as F

from stn_course import samplers
from stn_course.checks.engine.oracles import read_by_pytorch, reading_cases
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def cases() -> list[Case]:
    """Inside, between, and outside on every side; last exactly between two rows.

    There PyTorch takes the even row. The images have 2 and 4 rows, so that no rounding on the way
    through normalised coordinates moves the place.
    """
    return reading_cases(
        [1.0, 0.3, 1.7, 2.2, -0.7, 0.4, 5.0, 1.0, 1.0, 1.0],
        [1.0, 0.8, 0.2, 0.6, 0.2, -0.6, 0.0, 0.5, 1.5, 2.5],
    )


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


EXERCISE = FunctionExercise(
    attempt="my_nearest",
    solution=samplers.nearest,
    oracle=lambda input, x, y: read_by_pytorch(input, x, y, "nearest"),
    against="torch.nn.functional.grid_sample with mode nearest",
    cases=cases,
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
            typed="return samplers.read_pixels(input, x.floor(), y.floor())",
        ),
        Misconception(
            "rounded up",
            "places are rounded up: 0.3 lies nearest to 0.",
            partial(_whole, lambda i, x, y: (x.ceil(), y.ceil())),
            typed="return samplers.read_pixels(input, x.ceil(), y.ceil())",
        ),
        Misconception(
            "cut off",
            "places are cut off, as by .long(): 1.7 lies nearest to 2, and -0.7 to -1.",
            partial(_whole, lambda i, x, y: (x.trunc(), y.trunc())),
            typed="return samplers.read_pixels(input, x.long().to(x), y.long().to(y))",
        ),
        Misconception(
            "half added, then cut off",
            "adding 0.5 and cutting off is right from 0 on only: -0.7 + 0.5 is -0.2, and .int() "
            "or .long() makes 0 of it. It lies nearest to -1: use .round().",
            partial(_whole, lambda i, x, y: ((x + 0.5).trunc(), (y + 0.5).trunc())),
            typed="return samplers.read_pixels(input, (x + .5).int(), (y + .5).int())",
        ),
        Misconception(
            "half added, then rounded down",
            "exactly between two pixels, adding 0.5 and rounding down takes the next one. PyTorch "
            "takes the even one, as .round() does: 0.5 goes to 0, and 1.5 to 2.",
            partial(_whole, lambda i, x, y: ((x + 0.5).floor(), (y + 0.5).floor())),
            typed="""
                row, column = torch.floor(y + 0.5), torch.floor(x + 0.5)
                return samplers.read_pixels(input, column, row)
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: x is the column, y the row, and a tensor takes the row first.",
            partial(_whole, lambda i, x, y: (y.round(), x.round())),
            typed="return samplers.read_pixels(input, y.round(), x.round())",
        ),
        Misconception(
            "held at the border",
            "outside it reads the border's pixel. The exercise asks for zero padding: 0 outside.",
            partial(
                _whole,
                lambda i, x, y: (
                    x.round().clamp(0, i.shape[-1] - 1),
                    y.round().clamp(0, i.shape[-2] - 1),
                ),
            ),
            typed="""
                column = x.round().long().clamp(0, input.shape[3] - 1)
                row = y.round().long().clamp(0, input.shape[2] - 1)
                batch = torch.arange(len(input))[:, None, None]
                return input[batch, :, row, column].movedim(-1, 1)
            """,
        ),
        Misconception(
            "negative indices",
            "a negative index counts from the end in Python: -1 reads the last pixel. Outside "
            "must give 0.",
            partial(_whole, _wrapped),
            typed="""
                column = x.round().long().clamp(max=input.shape[3] - 1)
                row = y.round().long().clamp(max=input.shape[2] - 1)
                batch = torch.arange(len(input))[:, None, None]
                return input[batch, :, row, column].movedim(-1, 1)
            """,
        ),
        Misconception(
            "taken for normalised",
            "x and y are pixels already. to_pixels and F.grid_sample take them for normalised, "
            "from -1 to 1.",
            _taken_for_normalised,
            typed="""
                column = samplers.to_pixels(x, input.shape[3]).round()
                row = samplers.to_pixels(y, input.shape[2]).round()
                return samplers.read_pixels(input, column, row)
            """,
        ),
        Misconception(
            "bilinear",
            "this is bilinear already: nearest takes one pixel, not four.",
            samplers.bilinear,
            typed="""
                grid = torch.stack(
                    [(2 * x + 1) / input.shape[3] - 1, (2 * y + 1) / input.shape[2] - 1], dim=-1
                )
                return F.grid_sample(input, grid, align_corners=False)
            """,
        ),
        Misconception(
            "one image for all",
            "every image of the batch was read from the first.",
            lambda i, x, y: samplers.nearest(i[:1].expand_as(i), x, y),
            typed="""
                first = input[:1].repeat(len(input), 1, 1, 1)
                return samplers.read_pixels(first, x.round(), y.round())
            """,
        ),
    ),
)
