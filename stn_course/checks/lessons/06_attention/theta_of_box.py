"""Attention's theta of a box in pixels."""

import torch
from torch import Tensor

from stn_course import transforms
from stn_course.checks.engine.oracles import pytorch_inverse
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def theta_of_box(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> Tensor:
    """Attention's theta (1, 2, 3) with the smallest window around the box, centred on it.

    The box is `width` × `height` pixels, from column `left` and row `top` on; size: (H, W) of the
    picture; align_corners=False.
    """
    image_height, image_width = size
    scale = max(width / image_width, height / image_height)
    x = (2 * left + width) / image_width - 1  # the middle of the box
    y = (2 * top + height) / image_height - 1
    return transforms.attention(scale, x, y)


def cases() -> list[Case]:
    """A high box, a wide one, one that fits exactly, squares, and the whole picture."""
    boxes = [
        (1, 0, 2, 3, (4, 10)),
        (2, 1, 6, 1, (4, 10)),
        (3, 1, 5, 2, (4, 10)),
        (1, 2, 3, 4, (7, 5)),
        (32, 5, 28, 28, (60, 60)),
        (0, 0, 10, 7, (7, 10)),
    ]
    return [Case(box) for box in boxes]


def window_from_edges(left, top, width, height, size) -> Tensor:
    """Scale and middle that take -1 and 1 to the box's edges, solved on each axis; the larger."""
    ends = torch.tensor([[-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)  # (x_t, 1) at both ends
    rows = []
    for start, length, n in ((left, width, size[1]), (top, height, size[0])):
        edges = torch.tensor([start, start + length], dtype=torch.float64) * 2 / n - 1
        rows.append(torch.linalg.solve(ends, edges))
    (a, x), (d, y) = rows
    larger = torch.maximum(a, d)
    return torch.tensor([[[larger, 0, x], [0, larger, y]]]).float()


def _share(start, length, n):
    return length / n


def _middle(start, length, n):
    return (2 * start + length) / n - 1


def _window(share=_share, middle=_middle, one=max):
    """A program with other formulas of (start, length, n), or another one of the two shares."""

    def program(left, top, width, height, size):
        x, y = (left, width, size[1]), (top, height, size[0])
        return transforms.attention(one(share(*x), share(*y)), middle(*x), middle(*y))

    return program


def _two_scales(left, top, width, height, size):
    theta = window_from_edges(left, top, width, height, size)
    theta[0, 0, 0], theta[0, 1, 1] = width / size[1], height / size[0]
    return theta


def _shift_scaled(*box):
    s, _, x, _, _, y = window_from_edges(*box).flatten()
    return transforms.attention(s, s * x, s * y)


def _longer_side(left, top, width, height, size):
    *_, x, _, _, y = window_from_edges(left, top, width, height, size).flatten()
    return transforms.attention(max(width, height) / size[1], x, y)


EXERCISE = FunctionExercise(
    attempt="my_theta_of_box",
    solution=theta_of_box,
    oracle=window_from_edges,
    against="the box's edges, solved for theta on each axis, and the larger scale of the two",
    cases=cases,
    hints=(
        "Which share of the picture's width does the box have, and which of its height? Attention "
        "has one scale for both: which of the two shares lets nothing stick out?",
        "scale = max(width / W, height / H). The last column is where the middle of the window "
        "reads: the middle of the box, left + width / 2 pixels from the picture's left edge.",
        "From pixels, counted from the edge, to normalised: 2 · pixels / W - 1. So x = (2 · left + "
        "width) / W - 1, and y likewise with top, height and H.",
        "transforms.attention(scale, x, y) makes theta (1, 2, 3) of the three numbers.",
    ),
    misconceptions=(
        Misconception(
            "two scales",
            "this fits the box exactly, with a scale for each axis. Attention has one scale: take "
            "the larger of the two for both.",
            _two_scales,
            typed="""
                H, W = size
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return torch.tensor([[[width / W, 0, x], [0, height / H, y]]])
            """,
        ),
        Misconception(
            "smaller share",
            "the smaller share is taken for the scale, so the box sticks out of its window. Take "
            "the larger one.",
            _window(one=min),
            typed="""
                H, W = size
                s = min(width / W, height / H)
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return torch.tensor([[[s, 0, x], [0, s, y]]])
            """,
        ),
        Misconception(
            "mean of both",
            "the scale is the mean of the two shares: along one axis the box still sticks out. "
            "Take the larger one.",
            _window(one=lambda a, d: (a + d) / 2),
            typed="""
                H, W = size
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return transforms.attention((width / W + height / H) / 2, x, y)
            """,
        ),
        Misconception(
            "longer side in pixels",
            "the longer side in pixels is divided by the picture's width. First the shares, width "
            "/ W and height / H, then the larger of the two.",
            _longer_side,
            typed="""
                H, W = size
                side = width if width > height else height
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return transforms.attention(side / W, x, y)
            """,
        ),
        Misconception(
            "forward",
            "this is the way forward, from input to output. Theta maps output to input: its scale "
            "is small where the box is small, and its last column is the box's middle.",
            lambda *box: pytorch_inverse(window_from_edges(*box)),
            typed="""
                H, W = size
                zoom = min(W / width, H / height)
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return torch.tensor([[[zoom, 0, -zoom * x], [0, zoom, -zoom * y]]])
            """,
        ),
        Misconception(
            "scale inverted",
            "the middle is right, but the scale is the wrong way round: a box of half the width "
            "has the scale 1/2, not 2.",
            _window(share=lambda s, k, n: n / k, one=min),
            typed="""
                H, W = size
                zoom = min(W / width, H / height)
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return torch.tensor([[[zoom, 0, x], [0, zoom, y]]])
            """,
        ),
        Misconception(
            "twice the share",
            "the scale is twice too large: from -1 to 1 is 2, for the box as for the picture, so "
            "the 2 cancels.",
            _window(share=lambda s, k, n: 2 * k / n),
            typed="""
                H, W = size
                s = 2 * max(width / W, height / H)
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return torch.tensor([[[s, 0, x], [0, s, y]]])
            """,
        ),
        Misconception(
            "half the share",
            "the scale is half of what it must be: 1, not 1/2, reads the whole picture, from -1 "
            "to 1.",
            _window(share=lambda s, k, n: k / n / 2),
            typed="""
                H, W = size
                half = max(width / 2 / W, height / 2 / H)
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return torch.tensor([[[half, 0, x], [0, half, y]]])
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: left, width and W belong together, and so do top, height and H.",
            lambda left, top, w, h, size: window_from_edges(top, left, h, w, size),
            typed="""
                H, W = size
                s = max(height / W, width / H)
                x, y = (top + height / 2) * 2 / W - 1, (left + width / 2) * 2 / H - 1
                return transforms.attention(s, x, y)
            """,
        ),
        Misconception(
            "height and width of the picture swapped",
            "height and width of the picture are swapped: size is (H, W), and x goes with W.",
            lambda *a: window_from_edges(*a[:4], a[4][::-1]),
            typed="""
                W, H = size
                s = max(width / W, height / H)
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                return transforms.attention(s, x, y)
            """,
        ),
        Misconception(
            "corner for middle",
            "the last column is the box's top left corner. It must be the box's middle: that is "
            "where the middle of the output reads.",
            _window(middle=lambda s, k, n: 2 * s / n - 1),
            typed="""
                H, W = size
                s = max(width / W, height / H)
                return transforms.attention(s, left * 2 / W - 1, top * 2 / H - 1)
            """,
        ),
        Misconception(
            "shift scaled",
            "the middle is multiplied by the scale. Theta's last column is where the output's "
            "middle reads, whatever the scale: move last, when all is scaled.",
            _shift_scaled,
            typed="""
                H, W = size
                x, y = (left + width / 2) * 2 / W - 1, (top + height / 2) * 2 / H - 1
                zoom = transforms.scale(max(width / W, height / H))
                return transforms.compose(zoom, transforms.translation(x, y))
            """,
        ),
        Misconception(
            "half a pixel",
            "the middle lies half a pixel too far right and down. (2 · n + 1) / W - 1 is the "
            "centre of pixel n; left + width / 2 is counted from the picture's edge.",
            _window(middle=lambda s, k, n: (2 * s + k + 1) / n - 1),
            typed="""
                H, W = size
                x = (2 * (left + width / 2) + 1) / W - 1
                y = (2 * (top + height / 2) + 1) / H - 1
                return transforms.attention(max(width / W, height / H), x, y)
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "these are the formulas for align_corners=True, from centre to centre. With False the "
            "box ends at its pixels' edges: divide by W and H.",
            _window(
                share=lambda s, k, n: (k - 1) / (n - 1),
                middle=lambda s, k, n: (2 * s + k - 1) / (n - 1) - 1,
            ),
            typed="""
                H, W = size
                x0, x1 = 2 * left / (W - 1) - 1, 2 * (left + width - 1) / (W - 1) - 1
                y0, y1 = 2 * top / (H - 1) - 1, 2 * (top + height - 1) / (H - 1) - 1
                s = max((x1 - x0) / 2, (y1 - y0) / 2)
                return transforms.attention(s, (x0 + x1) / 2, (y0 + y1) / 2)
            """,
        ),
        Misconception(
            "from 0 to 1",
            "the last column is a share from 0 to 1. Normalised coordinates run from -1 to 1: "
            "twice the share, minus 1.",
            _window(middle=lambda s, k, n: (s + k / 2) / n),
            typed="""
                H, W = size
                s = max(width / W, height / H)
                return transforms.attention(s, (left + width / 2) / W, (top + height / 2) / H)
            """,
        ),
    ),
)
