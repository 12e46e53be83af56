"""Two flows, one after the other."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import samplers
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.grids import flow_grid


def compose_flows(first: Tensor, second: Tensor) -> Tensor:
    """One flow in place of two: read through `first`, and what is read, through `second`."""
    options = {"padding_mode": "border", "align_corners": False}
    return second + F.grid_sample(first.movedim(3, 1), flow_grid(second), **options).movedim(1, 3)


def in_pixels(first: Tensor, second: Tensor) -> Tensor:
    """Without any normalised coordinate: `first` read in pixels, by the course's own sampler."""
    height, width = first.shape[1:3]
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    x = (column + second[..., 0]).clamp(0, width - 1)
    y = (row + second[..., 1]).clamp(0, height - 1)
    return second + samplers.bilinear(first.movedim(3, 1), x, y).movedim(1, 3)


def cases() -> list[Case]:
    """A flow that differs from pixel to pixel after a step; then random ones, uneven sizes."""
    generator = torch.Generator().manual_seed(10)
    ramp = torch.arange(4.0).reshape(1, 1, 4, 1) * torch.tensor([1.0, 0.5])
    step = torch.tensor([1.0, 0.0]).expand(1, 1, 4, 2).contiguous()
    random = [torch.randn(2, 2, 3, 5, 2, generator=generator) for _ in range(2)]
    return [Case((ramp, step)), *(Case(tuple(pair)) for pair in random)]


EXERCISE = FunctionExercise(
    attempt="my_compose_flows",
    solution=compose_flows,
    oracle=in_pixels,
    against="the flows read in pixels by samplers.bilinear",
    cases=cases,
    hints=(
        "An output pixel first goes where `second` sends it. Which pixel's `first` counts there?",
        "That of the place it has reached, not its own: read `first` through "
        "grids.flow_grid(second), as if it were a picture with two channels.",
        "F.grid_sample(first.movedim(3, 1), grids.flow_grid(second), padding_mode='border', "
        "align_corners=False), its channels moved back, plus second.",
    ),
    misconceptions=(
        Misconception(
            "added",
            "the two are added at the pixel itself. After `second`, it is elsewhere: read `first` "
            "there.",
            lambda first, second: first + second,
            typed="return first + second",
        ),
        Misconception(
            "the other order",
            "`second` is read where `first` leads. The output is looked up through `second` first.",
            lambda first, second: in_pixels(second, first),
            typed="""
                options = {"padding_mode": "border", "align_corners": False}
                grid = grids.flow_grid(first)
                return first + F.grid_sample(second.movedim(3, 1), grid, **options).movedim(1, 3)
            """,
        ),
        Misconception(
            "first twice",
            "`first` is read where `first` itself leads. An output pixel first goes where `second` "
            "sends it.",
            lambda first, second: in_pixels(first, first),
            typed="""
                options = {"padding_mode": "border", "align_corners": False}
                grid = grids.flow_grid(first)
                return first + F.grid_sample(first.movedim(3, 1), grid, **options).movedim(1, 3)
            """,
        ),
        Misconception(
            "second forgotten",
            "this is `first`, read where `second` leads. Add the way there.",
            lambda first, second: in_pixels(first, second) - second,
            typed="""
                options = {"padding_mode": "border", "align_corners": False}
                grid = grids.flow_grid(second)
                return F.grid_sample(first.movedim(3, 1), grid, **options).movedim(1, 3)
            """,
        ),
    ),
)
