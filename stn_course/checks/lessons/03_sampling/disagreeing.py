"""Repair: align_corners that disagree."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def warp_in_agreement(image: Tensor, theta: Tensor) -> Tensor:
    """The image (B, C, H, W) read through theta, both calls with the same `align_corners`."""
    grid = F.affine_grid(theta, image.shape, align_corners=False)
    return F.grid_sample(image, grid, align_corners=False)


def cases() -> list[Case]:
    """The identity first, on images of uneven sides; then a theta, in both dtypes."""
    first = torch.arange(6.0).reshape(1, 1, 2, 3)
    same = torch.eye(2, 3)[None]
    theta = torch.tensor([[[0.8, 0.3, 0.1], [-0.2, 1.1, -0.2]]])
    batch = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(4))
    pair = torch.cat([theta, same])
    calls = [(first, same), (first, theta), (batch, pair), (batch.double(), pair.double())]
    return [Case(call) for call in calls]


def warp_by_pytorch(image: Tensor, theta: Tensor, grid_says=False, sampler_says=False) -> Tensor:
    """PyTorch's two calls: (B, C, H, W), (B, 2, 3) -> (B, C, H, W)."""
    grid = F.affine_grid(theta, image.shape, align_corners=grid_says)
    return F.grid_sample(image, grid, align_corners=sampler_says)


def disagreeing_warp(image, theta):
    """The broken program of the exercise `disagreeing`."""
    grid = F.affine_grid(theta, image.shape, align_corners=True)
    return F.grid_sample(image, grid, align_corners=False)


EXERCISE = FunctionExercise(
    attempt="my_warp",
    solution=warp_in_agreement,
    oracle=warp_by_pytorch,
    against="both calls of PyTorch with align_corners=False",
    cases=cases,
    broken=disagreeing_warp,
    picture="images",
    hints=(
        "Give it the identity. The output should be the input, and is not. By how much does it "
        "drift, and where most?",
        "Two calls speak of -1 and 1. What does each take them for?",
        "Write align_corners=False into both: then a theta has the same effect on images of any "
        "size.",
    ),
    misconceptions=(
        Misconception(
            "still disagreeing",
            "the two still disagree: the grid takes -1 and 1 for centres, the sampler for edges.",
            lambda i, t: warp_by_pytorch(i, t, True, False),
            typed="""
                grid = F.affine_grid(theta, list(image.shape), align_corners=True)
                return F.grid_sample(image, grid, align_corners=False, padding_mode="zeros")
            """,
        ),
        Misconception(
            "disagreeing the other way",
            "now they disagree the other way round: the grid takes -1 and 1 for edges, the "
            "sampler for centres.",
            lambda i, t: warp_by_pytorch(i, t, False, True),
            typed="""
                grid = F.affine_grid(theta, image.shape, align_corners=False)
                return F.grid_sample(image, grid, align_corners=True)
            """,
        ),
        Misconception(
            "both true",
            "the two agree, and the identity changes nothing: well done. But only with False does "
            "a theta have the same effect on images of any size.",
            lambda i, t: warp_by_pytorch(i, t, True, True),
            typed="""
                grid = F.affine_grid(theta, image.shape, align_corners=True)
                return F.grid_sample(image, grid, align_corners=True)
            """,
        ),
        Misconception(
            "not warped",
            "the image comes back as it was, whatever theta says.",
            lambda i, t: i.clone(),
            typed="return image",
        ),
    ),
)
