"""What an output pixel reads at its place in the input: the sampler.

The functions here are written to be read and equal PyTorch's `F.grid_sample`. `warp` is the fast
way, grid and PyTorch's own sampler in one call; models, data and labs use it.

Inside this module x and y are in pixels: 0 is the centre of the first pixel, size - 1 of the last.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.grids import grid_of
from stn_course.validation import (
    check_antialias,
    check_grid_sample,
    check_output_size,
    check_same_batch,
    check_warp,
)

MODES = ("bilinear", "nearest")  # the paper's, which the labs show
ALL_MODES = (*MODES, "bicubic")
PADDING_MODES = ("zeros", "border", "reflection")


def to_pixels(coordinate: Tensor, size: int, align_corners: bool = False) -> Tensor:
    """From normalised coordinates to pixels.

    Args:
        coordinate: x or y, any shape; -1 and 1 are the two ends of the image.
        size: how many pixels the image has along that axis.
        align_corners: what -1 and 1 are.

    Returns:
        The same shape, in pixels; 0 is the centre of the first one.

    Example:
        >>> to_pixels(torch.tensor([-1.0, 0.0, 1.0]), size=4)
        tensor([-0.5000,  1.5000,  3.5000])
    """
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)  # -1 and 1 are the centres of the border pixels
    return ((coordinate + 1) * size - 1) / 2  # -1 and 1 are the outer edges of the border pixels


def clip(x: Tensor, size: int) -> Tensor:
    """Move pixel coordinates outside the image to the nearest centre in it; gradient 0 there.

    Args:
        x: pixel coordinates along one axis, any shape.
        size: how many pixels the image has along that axis.

    Returns:
        The same shape, from 0 to size - 1.

    Example:
        >>> clip(torch.tensor([-0.5, 1.5, 9.0]), size=4)
        tensor([0.0000, 1.5000, 3.0000])
    """
    inside = (x > 0) & (x < size - 1)
    return torch.where(inside, x, x.detach().clamp(0, size - 1))


def reflect(x: Tensor, size: int, align_corners: bool = False) -> Tensor:
    """Fold pixel coordinates back into the image, as between two mirrors.

    The mirrors stand at the centres of the border pixels, or at their outer edges.

    Args:
        x: pixel coordinates along one axis, any shape.
        size: how many pixels the image has along that axis.
        align_corners: True for mirrors at the centres, False for mirrors at the edges.

    Returns:
        The same shape, between the mirrors.

    Example:
        >>> reflect(torch.tensor([-1.5, 1.0, 4.5]), size=4)  # at -0.5 and 3.5
        tensor([0.5000, 1.0000, 2.5000])
    """
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return torch.zeros_like(x)  # a single pixel between mirrors: always that pixel
    distance = (x - low).abs()
    folds, rest = distance.div(span, rounding_mode="floor"), distance.fmod(span)
    return torch.where(folds % 2 == 0, rest, span - rest) + low


def pad(x: Tensor, size: int, padding_mode: str = "zeros", align_corners: bool = False) -> Tensor:
    """Where to read instead when x lies outside: the padding as a change of coordinates.

    Args:
        x: pixel coordinates along one axis, any shape.
        size: how many pixels the image has along that axis.
        padding_mode: "zeros", "border" or "reflection". With "zeros" the coordinate stays, and
            `read_pixels` answers 0 out there.
        align_corners: what -1 and 1 are; where the mirrors of "reflection" stand.

    Returns:
        The same shape, in pixels.

    Example:
        >>> pad(torch.tensor([-1.5, 1.0, 4.5]), size=4, padding_mode="border")
        tensor([0., 1., 3.])
    """
    if padding_mode == "border":
        return clip(x, size)
    if padding_mode == "reflection":
        return clip(reflect(x, size, align_corners), size)
    return x


def read_pixels(input: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """The values of whole pixels, 0 outside the image.

    Args:
        input: (B, C, H, W).
        column: (B, H', W'), whole numbers in a floating dtype.
        row: the same for the rows.

    Returns:
        (B, C, H', W').

    Example:
        >>> image = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
        >>> column, row = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 1.0]]])
        >>> read_pixels(image, column, row)  # there is no column 2
        tensor([[[[3., 0.]]]])
    """
    height, width = input.shape[-2:]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    batch = torch.arange(input.shape[0], device=input.device)[:, None, None]
    m = torch.where(inside, column, 0).long()
    n = torch.where(inside, row, 0).long()
    values = input[batch, :, n, m].movedim(-1, 1)  # (B, H', W', C) -> (B, C, H', W')
    return torch.where(inside[:, None], values, 0)


def nearest(input: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The value of the nearest pixel (paper, eq. 4).

    Its gradient to x and y is 0 everywhere: a small step changes nothing. Exactly between two
    pixels the even one is taken, as far as rounding errors let the middle be hit.

    Args:
        input: (B, C, H, W).
        x: (B, H', W') in pixels.
        y: the same for the rows.

    Returns:
        (B, C, H', W').

    Example:
        >>> image = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
        >>> x, y = torch.tensor([[[0.4, 0.6]]]), torch.tensor([[[0.0, 0.0]]])
        >>> nearest(image, x, y)
        tensor([[[[0., 1.]]]])
    """
    return read_pixels(input, x.round(), y.round())


def bilinear(input: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The weighted mean of the four neighbours (paper, eq. 5).

    The weight of the pixel in column m, row n is `max(0, 1 - |x - m|) max(0, 1 - |y - n|)`.

    Args:
        input: (B, C, H, W).
        x: (B, H', W') in pixels.
        y: the same for the rows.

    Returns:
        (B, C, H', W').

    Example:
        >>> image = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
        >>> x, y = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[0.0, 0.5]]])
        >>> bilinear(image, x, y)
        tensor([[[[0.5000, 1.5000]]]])
    """
    left, top = x.floor().detach(), y.floor().detach()
    right_part, lower_part = x - left, y - top  # in [0, 1): how far towards the next pixel
    upper = (1 - right_part)[:, None] * read_pixels(input, left, top)
    upper = upper + right_part[:, None] * read_pixels(input, left + 1, top)
    lower = (1 - right_part)[:, None] * read_pixels(input, left, top + 1)
    lower = lower + right_part[:, None] * read_pixels(input, left + 1, top + 1)
    return (1 - lower_part)[:, None] * upper + lower_part[:, None] * lower


def cubic_weight(distance: Tensor) -> Tensor:
    """How much a pixel counts in bicubic sampling, by how far away it is along one axis.

    Two cubics, one up to a distance of 1 and one up to 2, which meet without a kink (Keys 1981).
    The slope where they meet is -0.75, PyTorch's and OpenCV's choice.

    Args:
        distance: any shape, in pixels, of either sign.

    Returns:
        The same shape; 1 at 0, 0 at 1 and from 2 on, below 0 in between.

    Example:
        >>> cubic_weight(torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.5]))
        tensor([-0.0938,  0.0000,  0.5938,  1.0000,  0.5938])
    """
    slope, d = -0.75, distance.abs().clamp(max=2)
    near = ((slope + 2) * d - (slope + 3)) * d * d + 1
    far = slope * (((d - 5) * d + 8) * d - 4)
    return torch.where(d <= 1, near, far)


def bicubic(
    input: Tensor, x: Tensor, y: Tensor, padding_mode: str = "zeros", align_corners: bool = False
) -> Tensor:
    """The weighted sum of the sixteen neighbours, see `cubic_weight`.

    The gradient to x and y has no jump where they cross the centre of a pixel. Negative weights let
    the output lie beyond all values of the input.

    Args:
        input: (B, C, H, W).
        x: (B, H', W') in pixels, not padded: each neighbour is, by itself.
        y: the same for the rows.
        padding_mode: as in `pad`.
        align_corners: as in `pad`.

    Returns:
        (B, C, H', W').

    Example:
        >>> step = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]])
        >>> x, y = torch.tensor([[[0.5, 1.5, 2.5]]]), torch.zeros(1, 1, 3)
        >>> bicubic(step, x, y, padding_mode="border")
        tensor([[[[-0.0938,  0.5000,  1.0938]]]])
    """
    left, top = x.floor().detach(), y.floor().detach()
    options, output = (padding_mode, align_corners), torch.zeros_like(input[:, :, :1, :1])
    for n in (-1, 0, 1, 2):
        row, across = pad(top + n, input.shape[2], *options), torch.zeros_like(output)
        for m in (-1, 0, 1, 2):
            values = read_pixels(input, pad(left + m, input.shape[3], *options), row)
            across = across + cubic_weight(x - left - m)[:, None] * values
        output = output + cubic_weight(y - top - n)[:, None] * across
    return output


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Tensor:
    """Read the input at the places of the grid (paper, eq. 3 to 5), as `F.grid_sample`.

    Args:
        input: (B, C, H, W), float.
        grid: (B, H', W', 2), normalised (x, y), input coordinates.
        mode: "bilinear", "nearest" or "bicubic".
        padding_mode: what lies outside: "zeros", "border" or "reflection".
        align_corners: what -1 and 1 are; give `affine_grid` the same.

    Returns:
        (B, C, H', W').

    Raises:
        TypeError: images of whole numbers, or dtypes or devices that differ.
        ValueError: a wrong shape, batches that differ, NaN in the grid, or an unknown name.

    Example:
        >>> image = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
        >>> grid_sample(image, grid=torch.zeros(1, 1, 1, 2))  # amid the four pixels
        tensor([[[[1.5000]]]])
    """
    check_grid_sample(input, grid, mode, padding_mode, ALL_MODES, PADDING_MODES)
    height, width = input.shape[-2:]
    x = to_pixels(grid[..., 0], width, align_corners)
    y = to_pixels(grid[..., 1], height, align_corners)
    if mode == "bicubic":
        return bicubic(input, x, y, padding_mode, align_corners)
    x = pad(x, width, padding_mode, align_corners)
    y = pad(y, height, padding_mode, align_corners)
    return bilinear(input, x, y) if mode == "bilinear" else nearest(input, x, y)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """A context in which PyTorch computes in the dtypes that it is given.

    Args:
        device: on which it computes.

    Returns:
        The context manager.

    Example:
        >>> one = torch.ones(1, 1)
        >>> with torch.autocast("cpu", torch.bfloat16), without_autocast(one.device):
        ...     (one @ one).dtype
        torch.float32
    """
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def pyramid(input: Tensor, output_size: tuple[int, int]) -> list[Tensor]:
    """The input, then copies of it, each pooled to half the size of the one before.

    Args:
        input: (B, C, H, W).
        output_size: (H', W') of what shall be read from them: the last copy is no larger in either
            direction, so that a grid over the whole picture skips no pixel.

    Returns:
        At least two levels. Normalised coordinates mean the same place in all of them.

    Example:
        >>> levels = pyramid(torch.rand(1, 1, 60, 60), output_size=(28, 28))
        >>> [tuple(level.shape[2:]) for level in levels]
        [(60, 60), (30, 30), (15, 15)]
    """
    ratio = max(old / new for old, new in zip(input.shape[2:], output_size, strict=True))
    levels = [input]
    for _ in range(max(1, math.ceil(math.log2(ratio)))):
        height, width = levels[-1].shape[2:]
        # Adaptive, for odd sizes: plain pooling would leave the last row out, and move the rest.
        half = (math.ceil(height / 2), math.ceil(width / 2))
        levels.append(F.adaptive_avg_pool2d(levels[-1], half))
    return levels


def pyramid_level(theta: Tensor, size: tuple[int, int], output_size: tuple[int, int]) -> Tensor:
    """On which level of a pyramid the grid's points lie a pixel apart.

    Args:
        theta: (B, 2, 3).
        size: (H, W) of the input.
        output_size: (H', W') of the output.

    Returns:
        (B,), where 0 is the input itself, 1 its copy of half the size, 1.5 between two copies.
        Where theta scales one axis more than the other, the geometric mean of both counts.

    Example:
        >>> whole, half = torch.eye(2, 3), torch.eye(2, 3) / 2
        >>> pyramid_level(torch.stack([whole, half]), (56, 56), (28, 28))
        tensor([1., 0.])
    """
    (height, width), (new_height, new_width) = size, output_size
    (a, b), (c, d) = theta[:, 0, :2].unbind(1), theta[:, 1, :2].unbind(1)
    area = (a * d - b * c).abs() * (height * width) / (new_height * new_width)
    return area.clamp(min=1).log2() / 2


def _mixed(read: list[Tensor], level: Tensor) -> Tensor:
    """What was read from the levels next to level (B,), mixed as between two pixels: linearly."""
    level = level.clamp(max=len(read) - 1)[:, None, None, None]
    weights = [(1 - (level - n).abs()).clamp(min=0) for n in range(len(read))]
    return sum(weight * output for weight, output in zip(weights, read, strict=True))


def warp(
    input: Tensor,
    theta: Tensor,
    output_size: tuple[int, int] | None = None,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
    antialias: bool = False,
    grid: Callable[[Tensor, tuple[int, ...], bool], Tensor] = grid_of,
) -> Tensor:
    """Grid and sampling in one call by PyTorch's own functions.

    Places are computed in float32 at least, whatever the dtypes, under autocast too: bfloat16 would
    round them by up to a fifth of a pixel at 224. NaN in theta gives NaN, as in PyTorch.

    Args:
        input: (B, C, H, W), float.
        theta: (B, 2, 3), or (1, 2, 3) for the whole batch; output -> input, normalised (x, y). Of
            another family: a homography (B, 3, 3), or control points (B, n², 2).
        output_size: (H', W') of the output, by default the input's.
        mode: as in `grid_sample`.
        padding_mode: as in `grid_sample`.
        align_corners: what -1 and 1 are.
        antialias: where the grid's points lie more than a pixel apart, read from smaller copies of
            the input, see `pyramid` and `pyramid_level`, so that no pixel is skipped.
        grid: makes the grid of theta, the size (B, C, H', W') of the output and align_corners; by
            default `grids.grid_of`.

    Returns:
        (B, C, H', W') in the input's dtype.

    Raises:
        TypeError: not floating-point tensors, float64 beside another dtype, or devices that differ.
        ValueError: a wrong shape, batches that differ, an unknown name, or antialias with
            align_corners or with a theta that is not affine.

    Example:
        >>> image = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
        >>> one_to_the_right = torch.tensor([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
        >>> warp(image, one_to_the_right)  # the picture moves left
        tensor([[[[1., 0.],
                  [3., 0.]]]])
    """
    check_warp(input, theta, mode, padding_mode, ALL_MODES, PADDING_MODES)
    check_output_size(output_size)
    check_antialias(antialias, align_corners, theta)
    size = tuple(input.shape[2:]) if output_size is None else output_size
    precise = torch.promote_types(input.dtype, torch.float32)
    theta = theta.to(precise)
    with without_autocast(input.device):
        places = grid(theta, (len(theta), 1, *size), align_corners)
        check_same_batch(theta, input)
        places = places.expand(len(input), -1, -1, -1)
        levels = pyramid(input.to(precise), size) if antialias else [input.to(precise)]
        read = [F.grid_sample(copy, places, mode, padding_mode, align_corners) for copy in levels]
        if antialias:
            read = [_mixed(read, pyramid_level(theta, input.shape[2:], size))]
    return read[0].to(input.dtype)
