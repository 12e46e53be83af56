"""The exercise of notebook 05 on the page's padding."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import data
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception
from stn_course.checks.theta_checks import pytorch_inverse

NOTEBOOK = "05_training"


def framed_cases() -> list[Case]:
    """Pictures with a black border, read through thetas that reach outside."""
    dot = F.pad(torch.ones(1, 1, 1, 1), (1, 1, 1, 1))
    some = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(7))
    some = F.pad(some, (1, 1, 1, 1))
    wide = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    moved = torch.tensor([[[1.2, 0.3, 0.8], [-0.2, 1.4, -0.6]]])
    pair = torch.cat([wide, moved])
    # In float32 alone: in float64 the remedy that adds black as a number, -0.4242, would differ.
    return [Case((dot, wide)), Case((some, pair)), Case((some[:1], moved))]


def black_frame(images: Tensor, theta: Tensor) -> Tensor:
    """Read while black is 0, so that outside is black, and normalised after."""
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    return data.normalise(F.grid_sample(images, grid, align_corners=False))


def _warp(images, theta, padding_mode, grid_says=False, sampler_says=False):
    grid = F.affine_grid(theta, images.shape, align_corners=grid_says)
    return F.grid_sample(images, grid, padding_mode=padding_mode, align_corners=sampler_says)


def pages_transform(images, theta):
    """The broken program of the exercise `page_padding`."""
    x = data.normalise(images)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)


PAGE_PADDING = FunctionExercise(
    name="page_padding",
    notebook=NOTEBOOK,
    title="Repair: the page's padding",
    attempt="my_transform",
    solution=solutions.transform_on_black,
    oracle=black_frame,
    against="pictures read while black was 0, then normalised",
    cases=framed_cases,
    broken=pages_transform,
    picture="images",
    hints=(
        "Which number does it write outside, and which number is black after normalising?",
        "Two remedies: another padding, or another order of reading and normalising.",
        'padding_mode="border" repeats the picture\'s own black ground.',
    ),
    misconceptions=(
        Misconception(
            "zeros",
            "outside is still 0, and after normalising that is grey: black is -0.4242.",
            lambda i, t: _warp(data.normalise(i), t, "zeros"),
        ),
        Misconception(
            "reflection",
            "reflection repeats the digit itself, mirrored, around the picture. Outside should be "
            "black.",
            lambda i, t: _warp(data.normalise(i), t, "reflection"),
        ),
        Misconception(
            "not normalised",
            "outside is black, but nothing is normalised any more.",
            lambda i, t: _warp(i, t, "border"),
        ),
        Misconception(
            "normalised twice",
            "the pictures are normalised twice.",
            lambda i, t: _warp(data.normalise(data.normalise(i)), t, "border"),
        ),
        Misconception(
            "align_corners true",
            "outside is black, but both calls have align_corners=True: asked was False, as on "
            "the page.",
            lambda i, t: _warp(data.normalise(i), t, "border", True, True),
        ),
        Misconception(
            "align_corners that disagree",
            "outside is black, but the two calls disagree in align_corners: write the same into "
            "both, False.",
            lambda i, t: _warp(data.normalise(i), t, "border", False, True),
        ),
        Misconception(
            "align_corners that disagree the other way",
            "outside is black, but the grid was made with align_corners=True and read with False.",
            lambda i, t: _warp(data.normalise(i), t, "border", True, False),
        ),
        Misconception(
            "inverted",
            "outside is black, but theta was inverted. It maps output to input already.",
            lambda i, t: _warp(data.normalise(i), pytorch_inverse(t), "border"),
        ),
        Misconception(
            "not read",
            "the pictures are normalised, but not read through theta.",
            lambda i, t: data.normalise(i),
        ),
    ),
)

PADDING_EXERCISES = (PAGE_PADDING,)
