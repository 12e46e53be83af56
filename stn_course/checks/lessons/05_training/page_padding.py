"""Repair: the page's padding."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import data
from stn_course.checks.engine.oracles import pytorch_inverse
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.samplers import warp


def transform_on_black(images: Tensor, theta: Tensor) -> Tensor:
    """Normalised images (B, 1, H, W) read through theta; outside is black, as at the border."""
    return warp(data.normalise(images), theta, padding_mode="border")


def cases() -> list[Case]:
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


EXERCISE = FunctionExercise(
    attempt="my_transform",
    solution=transform_on_black,
    oracle=black_frame,
    against="pictures read while black was 0, then normalised",
    cases=cases,
    broken=pages_transform,
    picture="images",
    hints=(
        "Which number does it write outside, and which number is black after normalising?",
        "Two remedies: another padding, or another order of reading and normalising.",
        'padding_mode="border" repeats the picture\'s black background.',
    ),
    misconceptions=(
        Misconception(
            "zeros",
            "outside is still 0, and after normalising that is grey: black is -0.4242.",
            lambda i, t: _warp(data.normalise(i), t, "zeros"),
            typed="return samplers.warp(data.normalise(images), theta)",
        ),
        Misconception(
            "reflection",
            "reflection repeats the digit itself, mirrored, around the picture. Outside should be "
            "black.",
            lambda i, t: _warp(data.normalise(i), t, "reflection"),
            typed="return samplers.warp(data.normalise(images), theta, padding_mode='reflection')",
        ),
        Misconception(
            "not normalised",
            "outside is black, but nothing is normalised any more.",
            lambda i, t: _warp(i, t, "border"),
            typed="return samplers.warp(images, theta, padding_mode='zeros')",
        ),
        Misconception(
            "normalised twice",
            "the pictures are normalised twice.",
            lambda i, t: _warp(data.normalise(data.normalise(i)), t, "border"),
            typed="return data.normalise(data.normalise(samplers.warp(images, theta)))",
        ),
        Misconception(
            "align_corners true",
            "outside is black, but both calls have align_corners=True. Give them False, as on the "
            "page.",
            lambda i, t: _warp(data.normalise(i), t, "border", True, True),
            typed="""
                grid = F.affine_grid(theta, images.shape, align_corners=True)
                return data.normalise(F.grid_sample(images, grid, align_corners=True))
            """,
        ),
        Misconception(
            "align_corners that disagree",
            "outside is black, but the two calls disagree in align_corners: write the same into "
            "both, False.",
            lambda i, t: _warp(data.normalise(i), t, "border", False, True),
            typed="""
                grid = F.affine_grid(theta, images.shape, align_corners=False)
                return data.normalise(F.grid_sample(images, grid, align_corners=True))
            """,
        ),
        Misconception(
            "align_corners that disagree the other way",
            "outside is black, but the grid was made with align_corners=True and read with False.",
            lambda i, t: _warp(data.normalise(i), t, "border", True, False),
            typed="""
                grid = F.affine_grid(theta, images.shape, align_corners=True)
                return data.normalise(F.grid_sample(images, grid, align_corners=False))
            """,
        ),
        Misconception(
            "inverted",
            "outside is black, but theta was inverted. It maps output to input already.",
            lambda i, t: _warp(data.normalise(i), pytorch_inverse(t), "border"),
            typed="""
                back = transforms.inverse(theta)
                return samplers.warp(data.normalise(images), back, padding_mode="border")
            """,
        ),
        Misconception(
            "not read",
            "the pictures are normalised, but not read through theta.",
            lambda i, t: data.normalise(i),
            typed="return (images - 0.1307) / 0.3081",
        ),
    ),
)
