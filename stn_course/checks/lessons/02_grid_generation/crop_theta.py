"""Theta for a crop box in pixels."""

from functools import partial

import torch
from torch import Tensor

from stn_course.checks.engine.oracles import pytorch_inverse
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def crop_theta(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> Tensor:
    """Theta (1, 2, 3) that reads the box of width × height pixels from column left, row top on.

    size: (H, W) of the whole image; align_corners=False, so the box ends at its pixels' edges.
    """
    image_height, image_width = size
    x = (2 * left + width) / image_width - 1  # the middle of the box
    y = (2 * top + height) / image_height - 1
    return torch.tensor([[[width / image_width, 0, x], [0, height / image_height, y]]])


def cases() -> list[Case]:
    """Boxes in images of uneven sides; the last is the whole image."""
    boxes = [
        (1, 2, 2, 1, (4, 8)),
        (0, 0, 3, 4, (4, 8)),
        (5, 1, 3, 2, (7, 10)),
        (0, 0, 10, 7, (7, 10)),
    ]
    return [Case(box) for box in boxes]


def crop_from_edges(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> Tensor:
    """Theta that takes -1 and 1 to the box's edges: two equations an axis, solved."""
    ends = torch.tensor([[-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)  # (x_t, 1) at both ends
    rows = []
    for start, length, n in ((left, width, size[1]), (top, height, size[0])):
        edges = torch.tensor([start, start + length], dtype=torch.float64) * 2 / n - 1
        rows.append(torch.linalg.solve(ends, edges))
    (a, x), (d, y) = rows
    return torch.tensor([[[a, 0, x], [0, d, y]]]).float()


def _crop_with(scale, middle, left, top, width, height, size):
    """A crop from formulas of (start, length, n), one for the scale, one for the middle."""
    x, y = (left, width, size[1]), (top, height, size[0])
    return torch.tensor([[[scale(*x), 0, middle(*x)], [0, scale(*y), middle(*y)]]]).float()


def _share(start, length, n):
    return length / n


def _middle(start, length, n):
    return (2 * start + length) / n - 1


EXERCISE = FunctionExercise(
    attempt="my_crop_theta",
    solution=crop_theta,
    oracle=crop_from_edges,
    against="the box's edges, solved for theta",
    cases=cases,
    hints=(
        "Columns are arrows: how long is the x arrow, if the output is to cover `width` of all "
        "the image's columns? And where does the output's centre read?",
        "The scale in x is the box's share of the width. The middle of the box lies at left + "
        "width / 2, counted in pixels from the image's left edge.",
        "From pixels, counted from the edge, to normalised: 2 · pixels / image width - 1. So x = "
        "(2 · left + width) / image width - 1, and y likewise.",
    ),
    misconceptions=(
        Misconception(
            "forward",
            "this theta is the way forward, from input to output: it pastes the whole picture "
            "into the box. Theta maps output to input, so it is small where the box is small.",
            lambda *a: pytorch_inverse(crop_from_edges(*a)),
            typed="""
                sx, sy = size[1] / width, size[0] / height
                x, y = (2 * left + width) / size[1] - 1, (2 * top + height) / size[0] - 1
                return torch.tensor([[[sx, 0, -sx * x], [0, sy, -sy * y]]])
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: left and width belong to the first row of theta, top and height "
            "to the second.",
            lambda left, top, w, h, size: crop_from_edges(top, left, h, w, size),
            typed="""
                x, y = (2 * top + height) / size[1] - 1, (2 * left + width) / size[0] - 1
                return torch.tensor([[[height / size[1], 0, x], [0, width / size[0], y]]])
            """,
        ),
        Misconception(
            "height and width swapped",
            "height and width of the image are swapped: size is (H, W), and x goes with W.",
            lambda *a: crop_from_edges(*a[:4], a[4][::-1]),
            typed="""
                W, H = size
                x, y = (2 * left + width) / W - 1, (2 * top + height) / H - 1
                return torch.tensor([[[width / W, 0, x], [0, height / H, y]]])
            """,
        ),
        Misconception(
            "corner for middle",
            "the last column is where the output's centre reads. Here it is the box's top left "
            "corner.",
            partial(_crop_with, _share, lambda s, k, n: 2 * s / n - 1),
            typed="""
                x, y = 2 * left / size[1] - 1, 2 * top / size[0] - 1
                return torch.tensor([[[width / size[1], 0, x], [0, height / size[0], y]]])
            """,
        ),
        Misconception(
            "edge taken for a centre",
            "the middle lies half a pixel too far right and down. (2 · n + 1 - W) / W is for the "
            "centre of pixel n; left + width / 2 is counted from the image's edge, not in pixel "
            "numbers.",
            partial(_crop_with, _share, lambda s, k, n: _middle(s, k, n) + 1 / n),
            typed="""
                H, W = size
                x, y = left + width / 2, top + height / 2
                x, y = (2 * x + 1 - W) / W, (2 * y + 1 - H) / H
                return torch.tensor([[[width / W, 0, x], [0, height / H, y]]])
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "these are the formulas for align_corners=True, from centre to centre. With False the "
            "box ends at its pixels' edges.",
            partial(
                _crop_with,
                lambda s, k, n: (k - 1) / (n - 1),
                lambda s, k, n: (2 * s + k - 1) / (n - 1) - 1,
            ),
            typed="""
                H, W = size
                x0, x1 = 2 * left / (W - 1) - 1, 2 * (left + width - 1) / (W - 1) - 1
                y0, y1 = 2 * top / (H - 1) - 1, 2 * (top + height - 1) / (H - 1) - 1
                return torch.tensor(
                    [[[(x1 - x0) / 2, 0, (x0 + x1) / 2], [0, (y1 - y0) / 2, (y0 + y1) / 2]]]
                )
            """,
        ),
        Misconception(
            "half a box for a box",
            "the scale is twice too large: from -1 to 1 is 2, for the box as for the image, so "
            "the 2 cancels.",
            partial(_crop_with, lambda s, k, n: 2 * k / n, _middle),
            typed="""
                x, y = (2 * left + width) / size[1] - 1, (2 * top + height) / size[0] - 1
                return torch.tensor([[[2 * width / size[1], 0, x], [0, 2 * height / size[0], y]]])
            """,
        ),
        Misconception(
            "not moved",
            "the scale is right, but the centre stays: the last column is where the box's middle "
            "lies.",
            partial(_crop_with, _share, lambda s, k, n: 0),
            typed="return torch.tensor([[[width / size[1], 0, 0], [0, height / size[0], 0]]])",
        ),
        Misconception(
            "scale inverted",
            "the middle is right, but the scale is the wrong way round: a box of half the width "
            "has the scale 1/2, not 2.",
            partial(_crop_with, lambda s, k, n: n / k, _middle),
            typed="""
                x, y = (2 * left + width) / size[1] - 1, (2 * top + height) / size[0] - 1
                return torch.tensor([[[size[1] / width, 0, x], [0, size[0] / height, y]]])
            """,
        ),
        Misconception(
            "moved the other way",
            "the move has the wrong sign: the centre reads where the box is.",
            partial(_crop_with, _share, lambda s, k, n: -_middle(s, k, n)),
            typed="""
                x, y = 1 - (2 * left + width) / size[1], 1 - (2 * top + height) / size[0]
                return torch.tensor([[[width / size[1], 0, x], [0, height / size[0], y]]])
            """,
        ),
        Misconception(
            "from 0 to 1",
            "the last column is a share from 0 to 1. Normalised coordinates run from -1 to 1: "
            "twice the share, minus 1.",
            partial(_crop_with, _share, lambda s, k, n: (s + k / 2) / n),
            typed="""
                x, y = (left + width / 2) / size[1], (top + height / 2) / size[0]
                return torch.tensor([[[width / size[1], 0, x], [0, height / size[0], y]]])
            """,
        ),
        Misconception(
            "in pixels",
            "the last column is in pixels. Theta speaks in normalised coordinates, from -1 to 1.",
            partial(_crop_with, _share, lambda s, k, n: s + k / 2),
            typed="""
                x, y = left + width / 2, top + height / 2
                return torch.tensor([[[width / size[1], 0, x], [0, height / size[0], y]]])
            """,
        ),
    ),
)
