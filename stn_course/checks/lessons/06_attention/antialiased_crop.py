"""A crop that skips no pixel."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import transforms
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.samplers import warp


def antialiased_crop(image: Tensor, theta: Tensor, output_size: tuple[int, int]) -> Tensor:
    """The image (B, 1, H, W) through theta (1, 2, 3) of attention, (B, 1, H', W').

    Where neighbours in the output read 2 or 4 pixels apart, they read from a copy that is pooled by
    as much; the step between them is 1/2, 1, 2 or 4 pixels, along both axes.
    """
    step = theta[0, 0, 0].item() * image.shape[3] / output_size[1]
    if step > 1:
        image = F.avg_pool2d(image, int(step))
    return warp(image, theta, output_size)


def cases() -> list[Case]:
    """Steps of 2, 1, 1/2 and 4 pixels, none of them read in the middle; batches, both dtypes."""
    small = torch.tensor(
        [
            *([2.0, 1.0, 4.0, 8.0, 0.0, 3.0, 7.0, 5.0], [3.0, 6.0, 0.0, 5.0, 1.0, 9.0, 2.0, 4.0]),
            *([5.0, 2.0, 8.0, 1.0, 6.0, 0.0, 3.0, 7.0], [1.0, 4.0, 7.0, 3.0, 2.0, 5.0, 9.0, 6.0]),
        ]
    ).view(1, 1, 4, 8)
    right = transforms.attention(0.5, 0.25, 0.0)
    cases = [Case((small, right, size)) for size in [(1, 2), (2, 4), (4, 8)]]
    generator = torch.Generator().manual_seed(3)
    for shape, (scale, x, y), size, dtype in [
        ((1, 1, 8, 16), (1.0, 0.0, 0.25), (2, 4), torch.float32),
        ((2, 1, 16, 16), (0.5, 0.125, -0.375), (2, 2), torch.float32),
        ((2, 1, 16, 32), (0.5, -0.25, 0.125), (4, 8), torch.float64),
        ((2, 1, 16, 32), (0.25, 0.75, -0.5), (4, 8), torch.float64),
    ]:
        images = torch.rand(shape, generator=generator, dtype=dtype)
        cases.append(Case((images, transforms.attention(scale, x, y).to(dtype), size)))
    return cases


def by_pyramid(image: Tensor, theta: Tensor, output_size: tuple[int, int]) -> Tensor:
    """Read by `warp` from the level of the pyramid whose pixels lie a step apart."""
    return warp(image, theta, output_size, antialias=True)


def _step(image, theta, output_size):
    return theta[0, 0, 0].item() * image.shape[3] / output_size[1]


def _pooled_by(factor, pool=F.avg_pool2d, read=warp):
    """A program with another rule for the factor, from (image, theta, output size), or pooling."""

    def program(image, theta, output_size):
        by = int(max(1, factor(image, theta, output_size)))
        return read(pool(image, by), theta, output_size)

    return program


def _with_theta_changed(change):
    """The right copy, read through another theta: (theta, step) -> theta."""

    def program(image, theta, output_size):
        step = max(1, int(_step(image, theta, output_size)))
        return warp(F.avg_pool2d(image, step), change(theta, step), output_size)

    return program


def _pooled_afterwards(image, theta, output_size):
    step = max(1, int(_step(image, theta, output_size)))
    finer = [side * step for side in output_size]
    return F.avg_pool2d(warp(image, theta, tuple(finer)), step)


def _size_forgotten(image, theta, output_size):
    step = max(1, int(_step(image, theta, output_size)))
    return warp(F.avg_pool2d(image, step), theta)


EXERCISE = FunctionExercise(
    attempt="my_crop",
    solution=antialiased_crop,
    oracle=by_pyramid,
    against="samplers.warp with antialias=True",
    cases=cases,
    picture="images",
    hints=(
        "How many pixels of the image lie under the window? Its width is a share of W: the scale. "
        "And how many pixels does the output have there? The step is the one over the other.",
        "step = theta[0, 0, 0] · W / W'. If it is 1 or less, neighbours in the output read "
        "neighbours in the image, and nothing is skipped: no pooling.",
        "F.avg_pool2d(image, n) takes the mean of blocks of n × n pixels; n is a whole number, "
        "int(step). In the copy the corners are still -1 and 1, so theta stays as it is.",
        "if step > 1: image = F.avg_pool2d(image, int(step)), and then warp(image, theta, "
        "output_size).",
    ),
    misconceptions=(
        Misconception(
            "not pooled",
            "this reads from the image itself whatever the step: with a step of 2 or 4, pixels "
            "between two places are skipped. Pool first.",
            _pooled_by(lambda *_: 1),
            typed="""
                grid = F.affine_grid(theta, (1, 1, *output_size), align_corners=False)
                grid = grid.expand(len(image), -1, -1, -1)
                return F.grid_sample(image, grid, align_corners=False)
            """,
        ),
        Misconception(
            "always pooled by 2",
            "this pools by 2 whatever the step. With a step of 1 or less that only blurs; with 4 "
            "it is too little.",
            _pooled_by(lambda *_: 2),
            typed="return samplers.warp(F.avg_pool2d(image, 2), theta, output_size)",
        ),
        Misconception(
            "pooled by 2 at most",
            "with a step of 4 a copy of half the size is read, and every other pixel of that copy "
            "is skipped. Pool by the step.",
            _pooled_by(lambda *a: min(2, _step(*a))),
            typed="""
                if theta[0, 0, 0] * image.shape[-1] > output_size[1]:
                    image = F.interpolate(image, scale_factor=0.5, mode="area")
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "scale forgotten",
            "it is pooled by W / W', as if the window were the whole image. The window is smaller: "
            "the step is the scale times that.",
            _pooled_by(lambda image, theta, size: image.shape[3] / size[1]),
            typed="""
                n = image.shape[2] // output_size[0]
                if n > 1:
                    image = F.avg_pool2d(image, n)
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "height over width",
            "the image's height is divided by the output's width. Along x the step is the scale "
            "times W / W', along y times H / H'.",
            _pooled_by(lambda image, theta, size: theta[0, 0, 0] * image.shape[2] / size[1]),
            typed="""
                (H, W), (rows, columns) = image.shape[2:], output_size
                n = int(theta[0, 0, 0] * H / columns)
                copy = F.avg_pool2d(image, n) if n > 1 else image
                return samplers.warp(copy, theta, output_size)
            """,
        ),
        Misconception(
            "the other way round",
            "it is pooled where the step is below 1, and not where it is above. A small step reads "
            "each pixel several times; a large one skips some.",
            _pooled_by(lambda *a: 1 / _step(*a)),
            typed="""
                n = output_size[1] / (theta[0, 0, 0].item() * image.shape[3])
                if n > 1:
                    image = F.avg_pool2d(image, round(n))
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "theta divided",
            "the copy is right, but its theta was divided by the step. Normalised coordinates run "
            "from -1 to 1 in every copy: theta stays as it is.",
            _with_theta_changed(lambda theta, step: theta / step),
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n > 1:
                    image, theta = F.avg_pool2d(image, n), theta / n
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "zoomed twice",
            "the copy is right, but the scale was divided by the step. A copy has fewer pixels, "
            "not a smaller part of the picture: theta stays as it is.",
            _with_theta_changed(lambda theta, step: theta * theta.new_tensor([1 / step] * 2 + [1])),
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n > 1:
                    image = F.avg_pool2d(image, n)
                    scale, x, y = theta[0, 0, 0] / n, theta[0, 0, 2], theta[0, 1, 2]
                    theta = transforms.attention(scale, x, y)
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "pooled afterwards",
            "this reads more finely, then pools what was read. No pixel is skipped that way, "
            "either, but it reads 4 or 16 times as many places. Here, pool first, then read.",
            _pooled_afterwards,
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n <= 1:
                    return samplers.warp(image, theta, output_size)
                H, W = output_size
                fine = samplers.warp(image, theta, (n * H, n * W))
                return fine.view(len(image), 1, H, n, W, n).mean(dim=(3, 5))
            """,
        ),
        Misconception(
            "maximum",
            "the copy holds the largest value of each block: thin strokes grow thick. Take the "
            "mean, F.avg_pool2d.",
            _pooled_by(_step, F.max_pool2d),
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n > 1:
                    image = F.adaptive_max_pool2d(image, (image.shape[2] // n, image.shape[3] // n))
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "overlapping blocks",
            "the blocks overlap: with a stride of 1 the copy loses pixels at its right and lower "
            "edge only, so places in it are shifted. Leave the stride to avg_pool2d.",
            _pooled_by(_step, lambda image, n: F.avg_pool2d(image, n, stride=1)),
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n > 1:
                    image = F.conv2d(image, image.new_full((1, 1, n, n), 1 / n**2))
                return samplers.warp(image, theta, output_size)
            """,
        ),
        Misconception(
            "every n-th pixel",
            "the copy keeps one pixel of each block and drops the others: that is aliasing itself. "
            "Take the mean of the block.",
            _pooled_by(_step, lambda image, n: image[..., ::n, ::n]),
            typed="""
                n = max(1, int(theta[0, 0, 0].item() * image.shape[3] / output_size[1]))
                rows = torch.arange(0, image.shape[2], n)
                columns = torch.arange(0, image.shape[3], n)
                return samplers.warp(image[:, :, rows][:, :, :, columns], theta, output_size)
            """,
        ),
        Misconception(
            "border",
            "what lies outside repeats the picture's edge. Here it is 0, as warp reads it by "
            "default.",
            _pooled_by(_step, read=partial(warp, padding_mode="border")),
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n > 1:
                    image = F.avg_pool2d(image, n)
                return samplers.warp(image, theta, output_size, padding_mode="border")
            """,
        ),
        Misconception(
            "output size forgotten",
            "the copy is right, but the output has the copy's size. Hand output_size on to warp.",
            _size_forgotten,
            typed="""
                n = int(theta[0, 0, 0].item() * image.shape[3] / output_size[1])
                if n > 1:
                    image = F.avg_pool2d(image, n)
                return samplers.warp(image, theta)
            """,
        ),
    ),
)
