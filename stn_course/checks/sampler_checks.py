"""The exercises of notebook 03 on reading: nearest, weights, bilinear, its slope."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import samplers
from stn_course.checks import solutions
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


def _whole(change):
    """A nearest sampler with another way from (x, y) to whole pixels."""

    def sampler(input, x, y):
        column, row = change(input, x, y)
        return samplers.read_pixels(input, column, row)

    return sampler


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
        "read_pixels(input, column, row) fetches whole pixels and answers 0 outside. It wants "
        "whole numbers in a floating dtype.",
        "x.round() is the column, y.round() the row.",
    ),
    misconceptions=(
        Misconception(
            "rounded down",
            "places are rounded down: 1.7 lies nearest to 2. floor takes the pixel to the left "
            "and above.",
            _whole(lambda i, x, y: (x.floor(), y.floor())),
        ),
        Misconception(
            "rounded up",
            "places are rounded up: 0.3 lies nearest to 0.",
            _whole(lambda i, x, y: (x.ceil(), y.ceil())),
        ),
        Misconception(
            "cut off",
            "places are cut off, as by .long(): 1.7 lies nearest to 2, and -0.7 to -1.",
            _whole(lambda i, x, y: (x.trunc(), y.trunc())),
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: x is the column, y the row, and a tensor takes the row first.",
            _whole(lambda i, x, y: (y.round(), x.round())),
        ),
        Misconception(
            "held at the border",
            "outside it reads the border's pixel. Asked was zero padding: 0 outside.",
            _whole(
                lambda i, x, y: (
                    x.round().clamp(0, i.shape[-1] - 1),
                    y.round().clamp(0, i.shape[-2] - 1),
                )
            ),
        ),
        Misconception(
            "negative indices",
            "a negative index counts from the end in Python: -1 reads the last pixel. Outside "
            "must give 0.",
            _whole(_wrapped),
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


def weight_cases() -> list[Case]:
    """One place, then several; both dtypes. All lie inside a 6×6 image."""
    xs, ys = [1.25, 0.0, 2.5, 3.9, 1.75], [2.5, 1.2, 0.5, 4.1, 3.0]
    places = [(xs[:1], ys[:1]), (xs[1:2], ys[1:2]), (xs, ys)]
    dtypes = (torch.float32, torch.float64)
    return [
        Case((torch.tensor(x, dtype=d), torch.tensor(y, dtype=d)))
        for x, y in places
        for d in dtypes
    ]


def weights_by_pytorch(x: Tensor, y: Tensor) -> Tensor:
    """How much each neighbour counts in F.grid_sample: its gradient to the pixels, (N, 4)."""
    images = torch.zeros(len(x), 1, 6, 6, dtype=x.dtype, requires_grad=True)
    output = read_by_pytorch(images, x[:, None, None], y[:, None, None], "bilinear")
    (share,) = torch.autograd.grad(output.sum(), images)
    left, top, n = x.floor().long(), y.floor().long(), torch.arange(len(x))
    places = [(top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)]
    return torch.stack([share[n, 0, row, column] for row, column in places], dim=-1)


def _weights(formula):
    """Weights from the parts (left, right, upper, lower), each (N,)."""

    def weights(x, y):
        right, lower = x - x.floor(), y - y.floor()
        return torch.stack(formula(1 - right, right, 1 - lower, lower), dim=-1)

    return weights


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
            _weights(lambda left, r, u, d: [r * d, left * d, r * u, left * u]),
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: top right and bottom left have changed places.",
            _weights(lambda left, r, u, d: [left * u, left * d, r * u, r * d]),
        ),
        Misconception(
            "order round the clock",
            "the four are right, but the last two have changed places: the order is top left, top "
            "right, bottom left, bottom right.",
            _weights(lambda left, r, u, d: [left * u, r * u, r * d, left * d]),
        ),
        Misconception(
            "all the same",
            "all four have a quarter. The weights depend on where between the pixels the place "
            "lies.",
            _weights(lambda left, r, u, d: [torch.full_like(left, 0.25)] * 4),
        ),
        Misconception(
            "nearest",
            "one weight is 1 and three are 0: that is nearest, not bilinear.",
            _weights(
                lambda left, r, u, d: [
                    (left.round() * u.round()),
                    r.round() * u.round(),
                    left.round() * d.round(),
                    r.round() * d.round(),
                ]
            ),
        ),
        Misconception(
            "weights not summing to 1",
            "the four weights do not add up to 1, so a picture would become lighter or darker. "
            "Multiply the two parts, do not add them.",
            _weights(lambda left, r, u, d: [left + u, r + u, left + d, r + d]),
            sign=lambda expected, received: bool(((received.sum(-1) - 1).abs() > 1e-3).any()),
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


def slope_cases() -> list[Case]:
    """Between pixels only, where there is one slope: inside, across the border, outside."""
    return reading_cases(
        [0.25, 1.5, 1.6, 2.4, -0.6, 0.5, 5.3], [0.25, 0.75, 0.2, 0.5, 0.4, 1.3, 0.1]
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

SAMPLER_EXERCISES = (NEAREST, BILINEAR_WEIGHTS, BILINEAR, GRADIENT_X)
