"""Where in the input each output pixel reads: the grid generator.

Convention, everywhere in the course:
- a grid is (B, H, W, 2), the last axis is (x, y): x to the right, y down;
- coordinates are normalised: -1 and 1 are the two ends of the image on each axis;
- theta maps output coordinates to input coordinates (output -> input);
- `align_corners=False`: -1 and 1 are the outer edges of the border pixels;
  `align_corners=True`: they are the centres of the border pixels.
"""

import torch
from torch import Tensor

from stn_course.validation import check_affine_grid, check_positive


def pixel_centres(n: int, align_corners: bool = False, **options) -> Tensor:
    """The normalised coordinates of n pixel centres along one axis, first to last: (n,).

    `options` go to `torch.arange`: dtype, device. A single pixel lies at 0.
    Raises TypeError or ValueError if n is not a positive whole number.
    """
    check_positive("n", n)
    index = torch.arange(n, **options)
    if align_corners:
        return (2 * index - (n - 1)) / max(n - 1, 1)  # first -1, last 1
    return (2 * index + 1 - n) / n  # half a pixel inside -1 and 1


def base_grid(height: int, width: int, align_corners: bool = False, **options) -> Tensor:
    """The regular grid of the output in homogeneous coordinates (x, y, 1): (H, W, 3).

    It is the paper's G, the points (x_t, y_t, 1) of eq. 1. `options`: dtype, device.
    """
    y, x = torch.meshgrid(
        pixel_centres(height, align_corners, **options),
        pixel_centres(width, align_corners, **options),
        indexing="ij",
    )
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


def affine_grid(theta: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """Where in the input each output pixel reads (paper, eq. 1), as `F.affine_grid`.

    theta: (B, 2, 3), maps output coordinates to input coordinates, both normalised, (x, y) order.
    size: (B, C, H, W) of the output; C does not matter.
    align_corners: what -1 and 1 are; give `grid_sample` the same.
    Returns (B, H, W, 2), last axis (x, y); (-1, -1) is the top left.
    Raises TypeError or ValueError naming what came: shape, dtype, NaN, or batches that differ.
    """
    check_affine_grid(theta, size)
    _, _, height, width = size
    target = base_grid(height, width, align_corners, dtype=theta.dtype, device=theta.device)
    return torch.einsum("bij,hwj->bhwi", theta, target)  # eq. 1: (x_s, y_s) = theta (x_t, y_t, 1)
