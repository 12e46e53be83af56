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
    """The normalised coordinates of the pixel centres along one axis, first to last.

    Args:
        n: how many pixels; a single one lies at 0.
        align_corners: what -1 and 1 are, see above.
        **options: for `torch.arange`: dtype, device.

    Returns:
        (n,), in steps of 2 / n, or of 2 / (n - 1) with `align_corners=True`.

    Raises:
        TypeError: n is not a whole number.
        ValueError: n is 0 or less.

    Example:
        >>> pixel_centres(4)
        tensor([-0.7500, -0.2500,  0.2500,  0.7500])
        >>> pixel_centres(3, align_corners=True)
        tensor([-1.,  0.,  1.])
    """
    check_positive("n", n)
    index = torch.arange(n, **options)
    if align_corners:
        return (2 * index - (n - 1)) / max(n - 1, 1)  # first -1, last 1
    return (2 * index + 1 - n) / n  # half a pixel inside -1 and 1


def base_grid(height: int, width: int, align_corners: bool = False, **options) -> Tensor:
    """The regular grid of the output in homogeneous coordinates (x, y, 1).

    It is the paper's G, the points (x_t, y_t, 1) of eq. 1.

    Args:
        height: H, in pixels.
        width: W, in pixels.
        align_corners: what -1 and 1 are.
        **options: dtype, device.

    Returns:
        (H, W, 3), row by row from the top left.

    Raises:
        TypeError: height or width is not a whole number.
        ValueError: height or width is 0 or less.

    Example:
        >>> base_grid(height=1, width=2)
        tensor([[[-0.5000,  0.0000,  1.0000],
                 [ 0.5000,  0.0000,  1.0000]]])
    """
    y, x = torch.meshgrid(
        pixel_centres(height, align_corners, **options),
        pixel_centres(width, align_corners, **options),
        indexing="ij",
    )
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


def affine_grid(theta: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """Where in the input each output pixel reads (paper, eq. 1), as `F.affine_grid`.

    Args:
        theta: (B, 2, 3), maps output to input coordinates, both normalised, (x, y) order.
        size: (B, C, H, W) of the output; C does not matter.
        align_corners: what -1 and 1 are; give `grid_sample` the same.

    Returns:
        (B, H, W, 2), last axis (x, y); (-1, -1) is the top left.

    Raises:
        TypeError: theta is not a floating-point tensor, or size not a tuple of whole numbers.
        ValueError: a wrong shape, NaN or infinity, or batches that differ.

    Example:
        >>> half_to_the_right = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
        >>> affine_grid(half_to_the_right, (1, 1, 1, 2))  # of -0.5 and 0.5
        tensor([[[[0., 0.],
                  [1., 0.]]]])
    """
    check_affine_grid(theta, size)
    _, _, height, width = size
    target = base_grid(height, width, align_corners, dtype=theta.dtype, device=theta.device)
    return torch.einsum("bij,hwj->bhwi", theta, target)  # eq. 1: (x_s, y_s) = theta (x_t, y_t, 1)
