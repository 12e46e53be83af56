"""Shrink without aliasing."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def shrink(input: Tensor, factor: int) -> Tensor:
    """Each block of factor × factor pixels becomes one pixel, their mean.

    input: (B, C, H, W), with H and W multiples of factor. Returns (B, C, H / factor, W / factor).
    """
    batch, channels, height, width = input.shape
    blocks = input.reshape(batch, channels, height // factor, factor, width // factor, factor)
    return blocks.mean(dim=(3, 5))


def cases() -> list[Case]:
    """Two blocks side by side, then one above the other; a thin line; batches, both dtypes."""
    small = torch.tensor([[[[2.0, 1.0, 4.0, 8.0], [3.0, 6.0, 0.0, 5.0]]]])
    line = torch.tensor([[[[1.0] * 6, [0.0] * 6, [0.0] * 6]]])
    generator = torch.Generator().manual_seed(3)
    cases = [Case((small, 2)), Case((small.mT.contiguous(), 2)), Case((line, 3))]
    for shape, factor, dtype in [
        ((1, 1, 8, 4), 4, torch.float32),
        ((2, 3, 6, 9), 3, torch.float32),
        ((2, 3, 12, 8), 4, torch.float64),
    ]:
        cases.append(Case((torch.randn(shape, generator=generator, dtype=dtype), factor)))
    return cases


def area_by_pytorch(input: Tensor, factor: int) -> Tensor:
    """PyTorch's own, by the size that is wanted."""
    height, width = input.shape[-2:]
    return F.interpolate(input, size=(height // factor, width // factor), mode="area")


def _far_apart(input, factor):
    """The mean of pixels that lie a whole output's width or height apart."""
    height, width = input.shape[-2:]
    rows = sum(input.split(height // factor, dim=2))
    return sum(rows.split(width // factor, dim=3)) / factor**2


def _sides_mixed_up(input, factor):
    """The pixels in reading order, taken for a picture as wide as the other is high."""
    batch, channels, height, width = input.shape
    return area_by_pytorch(input.reshape(batch, channels, width, height), factor)


EXERCISE = FunctionExercise(
    attempt="my_shrink",
    solution=shrink,
    oracle=area_by_pytorch,
    against="torch.nn.functional.interpolate with mode area",
    cases=cases,
    hints=(
        "Which pixels of the input make the output's first pixel? The first `factor` rows of the "
        "first `factor` columns. And the pixel to its right?",
        "With two axes more, no loop is needed: split H into (H / factor, factor), and W likewise. "
        "Then take the mean over the two axes of length factor.",
        "input.reshape(B, C, H // factor, factor, W // factor, factor), then .mean over axes 3 "
        "and 5.",
    ),
    misconceptions=(
        Misconception(
            "every factor-th pixel",
            "this keeps one pixel of each block, the top left one, and skips the others: that is "
            "aliasing itself. Take the mean of the whole block.",
            lambda input, factor: input[..., ::factor, ::factor],
            typed="""
                rows = torch.arange(0, input.shape[2], factor)
                columns = torch.arange(0, input.shape[3], factor)
                return input[:, :, rows][:, :, :, columns]
            """,
        ),
        Misconception(
            "one pixel in the middle",
            "this keeps one pixel near the middle of each block and skips the others, so there is "
            "aliasing all the same. Take the mean of the whole block.",
            lambda input, factor: input[..., factor // 2 :: factor, factor // 2 :: factor],
            typed="""
                y = torch.arange(input.shape[2] // factor) * factor + factor // 2
                x = torch.arange(input.shape[3] // factor) * factor + factor // 2
                return input[:, :, y[:, None], x]
            """,
        ),
        Misconception(
            "bilinear",
            "this is what a bilinear sampler reads: the four pixels around the middle of each "
            "block at most. By 2 that is the whole block, by 3 or 4 it skips the rest.",
            lambda input, factor: F.interpolate(
                input, scale_factor=1 / factor, mode="bilinear", align_corners=False
            ),
            typed="""
                size = (len(input), 1, input.shape[2] // factor, input.shape[3] // factor)
                theta = transforms.identity().to(input).expand(len(input), 2, 3)
                return samplers.grid_sample(input, grids.affine_grid(theta, size))
            """,
        ),
        Misconception(
            "maximum",
            "this is the largest value of each block, as max pooling takes it: thin lines grow "
            "thick. Take the mean.",
            lambda input, factor: F.max_pool2d(input, factor),
            typed="""
                B, C, H, W = input.shape
                return input.view(B, C, H // factor, factor, W // factor, factor).amax(dim=(3, 5))
            """,
        ),
        Misconception(
            "sum",
            "this is the sum of each block. Divide by the number of its pixels, factor · factor.",
            lambda input, factor: area_by_pytorch(input, factor) * factor**2,
            typed="""
                B, C, H, W = input.shape
                return input.view(B, C, H // factor, factor, W // factor, factor).sum(dim=(3, 5))
            """,
        ),
        Misconception(
            "divided by factor",
            "the sum of each block is divided by factor, but a block has factor · factor pixels.",
            lambda input, factor: area_by_pytorch(input, factor) * factor,
            typed="""
                out = 0
                for i in range(factor):
                    for j in range(factor):
                        out = out + input[:, :, i::factor, j::factor]
                return out / factor
            """,
        ),
        Misconception(
            "averaged along x only",
            "the mean is taken along x only; along y one row of each block is kept and the others "
            "are skipped.",
            lambda input, factor: F.avg_pool2d(input, (1, factor), (factor, factor)),
            typed="""
                rows = input[:, :, ::factor]
                return sum(rows[..., j::factor] for j in range(factor)) / factor
            """,
        ),
        Misconception(
            "averaged along y only",
            "the mean is taken along y only; along x one column of each block is kept and the "
            "others are skipped.",
            lambda input, factor: F.avg_pool2d(input, (factor, 1), (factor, factor)),
            typed="""
                columns = input[..., ::factor]
                return sum(columns[:, :, i::factor] for i in range(factor)) / factor
            """,
        ),
        Misconception(
            "axes of the blocks swapped",
            "the pixels that are averaged lie far apart. reshape puts neighbours into the *last* "
            "of the new axes: split H into (H / factor, factor), not into (factor, H / factor).",
            _far_apart,
            typed="""
                B, C, H, W = input.shape
                return input.reshape(B, C, factor, H // factor, factor, W // factor).mean((2, 4))
            """,
        ),
        Misconception(
            "height and width mixed up",
            "height and width are mixed up: an image is (B, C, H, W), the height first.",
            _sides_mixed_up,
            typed="""
                B, C, W, H = input.shape
                return input.reshape(B, C, H // factor, factor, W // factor, factor).mean((3, 5))
            """,
        ),
        Misconception(
            "one block too few",
            "the last block is missing, at the right and at the bottom: range stops before its "
            "end, so the end is H and W, not H - factor and W - factor.",
            lambda input, factor: area_by_pytorch(input, factor)[..., :-1, :-1],
            typed="""
                B, C, H, W = input.shape
                out = input.new_zeros(B, C, H // factor - 1, W // factor - 1)
                for i in range(0, H - factor, factor):
                    for j in range(0, W - factor, factor):
                        block = input[:, :, i : i + factor, j : j + factor]
                        out[:, :, i // factor, j // factor] = block.mean(dim=(2, 3))
                return out
            """,
        ),
        Misconception(
            "overlapping blocks",
            "the blocks overlap: this is the mean around every pixel, which blurs and hardly "
            "shrinks. From one block to the next it is `factor` pixels (stride, or step).",
            lambda input, factor: F.avg_pool2d(input, factor, stride=1),
            typed="return input.unfold(2, factor, 1).unfold(3, factor, 1).mean(dim=(4, 5))",
        ),
    ),
)
