"""Theta from the places where the output's corners read, and back."""

import torch
from torch import Tensor

from stn_course.grids import base_grid, projective_grid
from stn_course.transforms.folding import signed_area
from stn_course.validation import check_corners, check_theta, name_first


def _depths(corners: Tensor) -> Tensor:
    """The third coordinate w of the homography at its four corners (B, 4, 2), as (B, 4).

    Homogeneous, the centre is halfway along both diagonals, so w times the corners, times -1 at the
    ends of one of the two, add up to nothing. That makes w at a corner the area of the triangle of
    the other three. The mean of |w| is 1 here, and the sum positive: no w is negative if a camera
    can see the corners like that.
    """
    a, b, c, d = corners.unbind(dim=1)
    triangles = (b, d, c), (a, d, c), (a, b, d), (a, b, c)
    w = torch.stack([signed_area(q - p, r - p) for p, q, r in triangles], dim=-1)
    mean = w.abs().mean(dim=-1, keepdim=True)
    return torch.where(w.sum(dim=-1, keepdim=True) < 0, -w, w) / torch.where(mean > 0, mean, 1)


def is_convex(corners: Tensor) -> Tensor:
    """Whether four corners bound a convex quadrilateral, as the output's do seen by a camera.

    If not, three of them lie in a line, one lies inside the triangle of the others, or they come in
    another order, so that two sides cross. A mirror image is convex, too.

    Args:
        corners: (B, 4, 2), (x, y), in the order top left, top right, bottom left, bottom right.

    Returns:
        (B,), True or False.

    Raises:
        TypeError: corners is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> from stn_course.grids import control_lattice
        >>> row_by_row = control_lattice(2)[None]
        >>> all_around = row_by_row[:, [0, 1, 3, 2]]  # two sides cross
        >>> is_convex(row_by_row), is_convex(all_around)
        (tensor([True]), tensor([False]))
    """
    check_corners(corners, 4)
    least = _depths(corners).amin(dim=-1)
    return least > torch.finfo(corners.dtype).eps ** 0.5  # three in a line have 0, but for rounding


def from_corners(corners: Tensor) -> Tensor:
    """The homography that reads the output's four corners at these places, as a camera sees a page.

    Args:
        corners: (B, 4, 2), normalised (x, y) in the input, in the order of `control_lattice(2)`:
            where (-1, -1), (1, -1), (-1, 1) and (1, 1) read.

    Returns:
        (B, 3, 3), for `projective_grid`; its last number is 1.

    Raises:
        TypeError: corners is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity, or corners that are not convex, see `is_convex`.

    Example:
        >>> from stn_course.grids import control_lattice
        >>> corners = control_lattice(2)[None]
        >>> corners[0, :2, 0] /= 2  # the upper edge is further away
        >>> from_corners(corners)
        tensor([[[ 0.6667,  0.0000,  0.0000],
                 [ 0.0000,  1.0000, -0.3333],
                 [ 0.0000, -0.3333,  1.0000]]])
    """
    wrong = ~is_convex(corners)
    if wrong.any():
        found = name_first("another", wrong, corners)
        raise ValueError(
            "corners must be those of a convex quadrilateral, in the order top left, top right, "
            f"bottom left, bottom right; got {found}"
        )
    theta = through_corners(corners)
    return theta / theta[:, 2:, 2:]  # 1 but for rounding


def through_corners(corners: Tensor) -> Tensor:
    """The homography through any four places: of corners that are not convex, one is behind.

    A camera cannot see the output like that. Its horizon runs through the output, and a corner that
    lies behind it reads OUTSIDE, not at its place. Where two sides cross, two corners do.

    Args:
        corners: (B, 4, 2), as for `from_corners`.

    Returns:
        (B, 3, 3), for `projective_grid`. Where three of the corners lie in a line, it squeezes the
        plane into one, and where all four do, it is zero: no place is read.

    Raises:
        TypeError: corners is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> from stn_course.grids import control_lattice
        >>> corners = control_lattice(2)[None]
        >>> corners[0, 3] = -0.5  # nearer to the first than to the others
        >>> to_corners(through_corners(corners))  # the first is behind
        tensor([[[10.0000, 10.0000],
                 [ 1.0000, -1.0000],
                 [-1.0000,  1.0000],
                 [-0.5000, -0.5000]]])
    """
    check_corners(corners, 4)
    w = _depths(corners)[..., None]
    target = base_grid(2, 2, align_corners=True, dtype=w.dtype, device=w.device).reshape(4, 3)
    # theta · target = w · (x, y, 1), and the target's columns are orthogonal, each of length 2
    return torch.cat([w * corners, w], dim=-1).mT @ target / 4


def to_corners(theta: Tensor) -> Tensor:
    """Where a homography reads the output's four corners, the way back from `from_corners`.

    Args:
        theta: (B, 3, 3).

    Returns:
        (B, 4, 2), normalised (x, y) in the input, in the order top left, top right, bottom left,
        bottom right; OUTSIDE where a corner lies on the horizon or behind it.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> to_corners(2 * torch.eye(3)[None])
        tensor([[[-1., -1.],
                 [ 1., -1.],
                 [-1.,  1.],
                 [ 1.,  1.]]])
    """
    check_theta(theta, rows=3)
    return projective_grid(theta, (len(theta), 1, 2, 2), align_corners=True).reshape(-1, 4, 2)


def from_three_corners(corners: Tensor) -> Tensor:
    """The affine theta that reads three of the output's corners at these places.

    Args:
        corners: (B, 3, 2), normalised (x, y) in the input: where the top left (-1, -1), the top
            right (1, -1) and the bottom left (-1, 1) read.

    Returns:
        (B, 2, 3). If the three lie in a line, it maps the plane to that line.

    Raises:
        TypeError: corners is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> corners = torch.tensor([[[0.0, -1.0], [1.0, -1.0], [0.0, 0.0]]])
        >>> from_three_corners(corners)  # the quarter at the top right
        tensor([[[ 0.5000,  0.0000,  0.5000],
                 [ 0.0000,  0.5000, -0.5000]]])
    """
    check_corners(corners, 3)
    top_left, top_right, bottom_left = corners.unbind(dim=1)
    right, down = (top_right - top_left) / 2, (bottom_left - top_left) / 2
    return torch.stack([right, down, (top_right + bottom_left) / 2], dim=-1)
