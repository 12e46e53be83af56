"""What an output pixel reads at its place in the input: the sampler.

The functions here are written to be read and equal PyTorch's `F.grid_sample`. `warp` is the fast
way, PyTorch's own two functions in one call; models, data and labs use it.

Inside this module x and y are in pixels: 0 is the centre of the first pixel, size - 1 of the last.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.validation import check_grid_sample, check_output_size, check_warp

MODES = ("bilinear", "nearest")
PADDING_MODES = ("zeros", "border", "reflection")


def to_pixels(coordinate: Tensor, size: int, align_corners: bool = False) -> Tensor:
    """From normalised coordinates (-1 to 1) to pixels (0 is the first centre), same shape."""
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)  # -1 and 1 are the centres of the border pixels
    return ((coordinate + 1) * size - 1) / 2  # -1 and 1 are the outer edges of the border pixels


def clip(x: Tensor, size: int) -> Tensor:
    """Move pixels coordinates outside the image to the nearest centre in it; gradient 0 there."""
    inside = (x > 0) & (x < size - 1)
    return torch.where(inside, x, x.detach().clamp(0, size - 1))


def reflect(x: Tensor, size: int, align_corners: bool = False) -> Tensor:
    """Fold pixel coordinates back into the image, as between two mirrors.

    The mirrors stand at the centres of the border pixels, or at their outer edges.
    """
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return torch.zeros_like(x)  # a single pixel between mirrors: always that pixel
    distance = (x - low).abs()
    folds, rest = distance.div(span, rounding_mode="floor"), distance.fmod(span)
    return torch.where(folds % 2 == 0, rest, span - rest) + low


def pad(x: Tensor, size: int, padding_mode: str = "zeros", align_corners: bool = False) -> Tensor:
    """Where to read instead when x (pixels) lies outside: the padding as a change of coordinates.

    With "zeros" the coordinate stays, and `read_pixels` answers 0 out there.
    """
    if padding_mode == "border":
        return clip(x, size)
    if padding_mode == "reflection":
        return clip(reflect(x, size, align_corners), size)
    return x


def read_pixels(input: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """The values of whole pixels, 0 outside the image.

    input: (B, C, H, W). column, row: (B, H', W'), whole numbers in a floating dtype.
    Returns (B, C, H', W').
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

    input: (B, C, H, W). x, y: (B, H', W') in pixels. Returns (B, C, H', W').
    Its gradient to x and y is 0 everywhere: a small step changes nothing. Exactly between two
    pixels the even one is taken, as far as rounding errors let the middle be hit.
    """
    return read_pixels(input, x.round(), y.round())


def bilinear(input: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The weighted mean of the four neighbours (paper, eq. 5).

    input: (B, C, H, W). x, y: (B, H', W') in pixels. Returns (B, C, H', W').
    The weight of the pixel in column m, row n is max(0, 1 - |x - m|) max(0, 1 - |y - n|).
    """
    left, top = x.floor().detach(), y.floor().detach()
    right_part, lower_part = x - left, y - top  # in [0, 1): how far towards the next pixel
    upper = (1 - right_part)[:, None] * read_pixels(input, left, top)
    upper = upper + right_part[:, None] * read_pixels(input, left + 1, top)
    lower = (1 - right_part)[:, None] * read_pixels(input, left, top + 1)
    lower = lower + right_part[:, None] * read_pixels(input, left + 1, top + 1)
    return (1 - lower_part)[:, None] * upper + lower_part[:, None] * lower


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Tensor:
    """Read the input at the places of the grid (paper, eq. 3 to 5), as `F.grid_sample`.

    input: (B, C, H, W), float. grid: (B, H', W', 2), normalised (x, y), input coordinates.
    mode: "bilinear" or "nearest". padding_mode: "zeros", "border" or "reflection".
    align_corners: what -1 and 1 are; give `affine_grid` the same.
    Returns (B, C, H', W').
    Raises TypeError or ValueError naming what came: integer images, shapes, dtypes, names.
    """
    check_grid_sample(input, grid, mode, padding_mode, MODES, PADDING_MODES)
    height, width = input.shape[-2:]
    x = pad(to_pixels(grid[..., 0], width, align_corners), width, padding_mode, align_corners)
    y = pad(to_pixels(grid[..., 1], height, align_corners), height, padding_mode, align_corners)
    return bilinear(input, x, y) if mode == "bilinear" else nearest(input, x, y)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """A context in which PyTorch computes in the dtypes that it is given."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def warp(
    input: Tensor,
    theta: Tensor,
    output_size: tuple[int, int] | None = None,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Tensor:
    """Grid and sampling in one call by PyTorch's own functions: (B, C, H, W) -> (B, C, H', W').

    theta: (B, 2, 3), or (1, 2, 3) for the whole batch; output -> input, normalised (x, y).
    output_size: (H', W'), by default the input's. The other arguments are those of `grid_sample`.
    Places are computed in float32 at least, whatever the dtypes, under autocast too: bfloat16 would
    round them by up to a fifth of a pixel at 224. The output has the input's dtype.
    Raises TypeError or ValueError naming what came; float64 goes with float64 only. NaN in theta
    gives NaN, as in PyTorch.
    """
    check_warp(input, theta, mode, padding_mode, MODES, PADDING_MODES)
    check_output_size(output_size)
    batch, channels, height, width = input.shape
    size = (batch, channels, *((height, width) if output_size is None else output_size))
    precise = torch.promote_types(input.dtype, torch.float32)
    theta = theta.to(precise).expand(batch, 2, 3)
    with without_autocast(input.device):
        grid = F.affine_grid(theta, size, align_corners=align_corners)
        output = F.grid_sample(input.to(precise), grid, mode, padding_mode, align_corners)
    return output.to(input.dtype)
