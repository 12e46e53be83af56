"""Where a grid folds or mirrors the picture: the sign of its Jacobian's determinant."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.grids import OUTSIDE
from stn_course.validation import check_grid, describe


def signed_area(a: Tensor, b: Tensor) -> Tensor:
    """Of the parallelogram of two vectors (..., 2); negative if b lies anticlockwise of a."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def jacobian_determinant(grid: Tensor, align_corners: bool = False) -> Tensor:
    """How large an area of the input one of the output reads, at each output pixel, with a sign.

    It is the determinant of the grid's derivative, from the neighbours on both sides of a pixel; at
    the border, from itself and the one neighbour. Both areas are normalised.

    Args:
        grid: (B, H, W, 2), where each output pixel reads, normalised, last axis (x, y).
        align_corners: what -1 and 1 are to the grid.

    Returns:
        (B, H, W), 1 where nothing changes its size, 4 where the picture shrinks to half its width
        and height, negative where it is mirrored. Beside places beyond a horizon it means nothing.

    Raises:
        TypeError: grid is not a floating-point tensor.
        ValueError: a wrong shape, a single pixel along an axis, NaN or infinity.

    Example:
        >>> from stn_course.grids import affine_grid
        >>> shrink = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
        >>> jacobian_determinant(affine_grid(shrink, (1, 1, 2, 2)))
        tensor([[[4., 4.],
                 [4., 4.]]])
    """
    check_grid(grid)
    if min(grid.shape[1:3]) < 2:
        raise ValueError(f"grid must have 2 pixels or more on each axis; got {describe(grid)}")
    steps = [2 / (n - 1 if align_corners else n) for n in grid.shape[1:3]]  # between two pixels
    along_y, along_x = torch.gradient(grid, spacing=steps, dim=(1, 2))
    return signed_area(along_x, along_y)


def folded(grid: Tensor) -> Tensor:
    """Where a grid turns back on itself, so that the picture is mirrored or squeezed to a line.

    A grid that mirrors all of the picture is folded everywhere. Where it reads beyond a horizon, at
    OUTSIDE, or a neighbour does, there is no picture to fold, and the answer is no.

    Args:
        grid: (B, H, W, 2), where each output pixel reads, normalised, last axis (x, y).

    Returns:
        (B, H, W), True where `jacobian_determinant` is not positive. It compares a pixel's two
        neighbours, so a single pixel that lies wrong between them is not seen.

    Raises:
        TypeError: grid is not a floating-point tensor.
        ValueError: a wrong shape, a single pixel along an axis, NaN or infinity.

    Example:
        >>> from stn_course.grids import flow_grid
        >>> flow = torch.zeros(1, 2, 6, 2)
        >>> flow[..., 3, 0] = -3.0  # the fourth column reads left of the first
        >>> folded(flow_grid(flow))[0, 0]
        tensor([False, False,  True, False, False, False])
    """
    turned = jacobian_determinant(grid) <= 0
    beyond = (grid == OUTSIDE).all(dim=-1)
    near = F.max_pool2d(beyond.to(grid), kernel_size=3, stride=1, padding=1)
    return turned & (near == 0)
