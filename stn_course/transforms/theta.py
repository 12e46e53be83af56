"""Build, compose and invert theta (B, 2, 3), and read it back into named parts."""

import functools
import math
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor

from stn_course.grids import base_grid, grid_of
from stn_course.validation import (
    check_any_theta,
    check_batches,
    check_finite,
    check_floating,
    check_theta,
    describe,
    name_first,
)

MEASURED = 9  # places on each side of a grid of which an affine one is made


class Pose(NamedTuple):
    """The named parts of a theta: theta = translation · rotation · shear · scale.

    Attributes:
        rotation: (B,) degrees, clockwise turn of the sampling grid.
        scale_x: (B,) the length of the frame's x axis.
        scale_y: (B,) the length of its y axis, negative for a mirror image.
        shear: (B,) how far x moves for one y, before the rotation.
        x: (B,) where the output's centre reads, normalised.
        y: (B,) the same, downwards.

    Example:
        >>> to_pose(translation(x=0.5)).x
        tensor([0.5000])
    """

    rotation: Tensor
    scale_x: Tensor
    scale_y: Tensor
    shear: Tensor
    x: Tensor
    y: Tensor


def _batch(**values) -> list[Tensor]:
    """The values as tensors (B,) of one dtype and device, broadcast against each other."""
    given = [value for value in values.values() if isinstance(value, Tensor)]
    dtype = given[0].dtype if given else torch.get_default_dtype()
    device = given[0].device if given else "cpu"
    for name, value in values.items():
        if not isinstance(value, Tensor | Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number or a tensor (B,); got {describe(value)}")
    plain = [value if isinstance(value, Tensor) else float(value) for value in values.values()]
    tensors = [torch.as_tensor(value, dtype=dtype, device=device) for value in plain]
    for name, tensor in zip(values, tensors, strict=True):
        if tensor.dim() > 1 or tensor.numel() == 0 or not tensor.is_floating_point():
            raise ValueError(f"{name} must be numbers of shape () or (B,); got {describe(tensor)}")
        check_finite(name, tensor)
    return list(torch.broadcast_tensors(*[torch.atleast_1d(t) for t in tensors]))


def _theta(a, b, x, c, d, y) -> Tensor:
    """Six tensors (B,), row by row, as theta (B, 2, 3)."""
    return torch.stack([a, b, x, c, d, y], dim=-1).reshape(-1, 2, 3)


def _angle(degrees, radians):
    """The angle in radians from exactly one of the two."""
    if (degrees is None) == (radians is None):
        came = "neither" if degrees is None else "both"
        raise TypeError(f"give the angle as degrees or as radians, one of them; got {came}")
    if degrees is None:
        return radians
    if isinstance(degrees, Tensor):
        return torch.deg2rad(degrees)
    return math.radians(degrees) if isinstance(degrees, Real) else degrees  # `_batch` names it


def identity(batch: int = 1, **options) -> Tensor:
    """The theta that changes nothing.

    Args:
        batch: B, how many of it.
        **options: dtype, device.

    Returns:
        (batch, 2, 3).

    Example:
        >>> identity()
        tensor([[[1., 0., 0.],
                 [0., 1., 0.]]])
    """
    return torch.eye(2, 3, **options).repeat(batch, 1, 1)


def rotation(*, degrees=None, radians=None) -> Tensor:
    """Turn the sampling grid clockwise, and so the picture anticlockwise.

    Args:
        degrees: the angle; give either this or `radians`.
        radians: the angle.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: neither or both are given, or one is neither a number nor a tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> right_end = torch.tensor([1.0, 0.0, 1.0])
        >>> (rotation(degrees=90) @ right_end).round().int()  # reads below
        tensor([[0, 1]], dtype=torch.int32)
    """
    return similarity(degrees=degrees, radians=radians)


def scale(x, y=None) -> Tensor:
    """Stretch the sampling grid along x and y: above 1 the picture shrinks.

    Args:
        x: how many times as wide.
        y: how many times as high, by default x.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: an argument is neither a number nor a tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> scale(0.5, 2.0)  # the picture twice as wide, half as high
        tensor([[[0.5000, 0.0000, 0.0000],
                 [0.0000, 2.0000, 0.0000]]])
    """
    x, y = _batch(x=x, y=x if y is None else y)
    zero = torch.zeros_like(x)
    return _theta(x, zero, zero, zero, y, zero)


def shear(x=0.0, y=0.0) -> Tensor:
    """Move grid points sideways by their height, or down by how far right they are.

    Args:
        x: how far right for one unit of y.
        y: how far down for one unit of x.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: an argument is neither a number nor a tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> shear(x=0.5)
        tensor([[[1.0000, 0.5000, 0.0000],
                 [0.0000, 1.0000, 0.0000]]])
    """
    x, y = _batch(x=x, y=y)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _theta(one, x, zero, y, one, zero)


def translation(x=0.0, y=0.0) -> Tensor:
    """Move the sampling grid, and so the picture the other way.

    Args:
        x: to the right; 2 is the image's whole width.
        y: down; 2 is the image's whole height.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: an argument is neither a number nor a tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> translation(x=1, y=torch.tensor([0.0, 2.0]))  # 1 goes for both
        tensor([[[1., 0., 1.],
                 [0., 1., 0.]],
        <BLANKLINE>
                [[1., 0., 1.],
                 [0., 1., 2.]]])
    """
    x, y = _batch(x=x, y=y)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _theta(one, zero, x, zero, one, y)


def similarity(*, degrees=None, radians=None, scale=1.0, x=0.0, y=0.0) -> Tensor:
    """Rotation and one scale about the centre, then a translation of the sampling grid.

    Args:
        degrees: the angle, clockwise; give either this or `radians`.
        radians: the angle.
        scale: how many times as large; above 1 the picture shrinks.
        x: to the right.
        y: down.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: neither or both angles are given, or an argument is neither a number nor a
            tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> right_end = torch.tensor([1.0, 0.0, 1.0])
        >>> (similarity(degrees=90, scale=0.5, x=1) @ right_end).round(decimals=2)
        tensor([[1.0000, 0.5000]])
    """
    angle, scale, x, y = _batch(angle=_angle(degrees, radians), scale=scale, x=x, y=y)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    return _theta(cos, -sin, x, sin, cos, y)


def attention(scale, x=0.0, y=0.0) -> Tensor:
    """A square window around (x, y), upright (paper, eq. 2).

    Args:
        scale: the window's size; 1 is the whole image.
        x: its centre, from -1 to 1.
        y: the same, downwards.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: an argument is neither a number nor a tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> attention(0.5, x=0.5, y=0.5)  # the quarter at the bottom right
        tensor([[[0.5000, 0.0000, 0.5000],
                 [0.0000, 0.5000, 0.5000]]])
    """
    scale, x, y = _batch(scale=scale, x=x, y=y)
    zero = torch.zeros_like(x)
    return _theta(scale, zero, x, zero, scale, y)


def to_matrix(theta: Tensor) -> Tensor:
    """Theta as 3×3 matrices on (x, y, 1).

    Args:
        theta: (B, 2, 3).

    Returns:
        (B, 3, 3), the last row 0, 0, 1.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> to_matrix(translation(x=1))
        tensor([[[1., 0., 1.],
                 [0., 1., 0.],
                 [0., 0., 1.]]])
    """
    check_theta(theta)
    last = theta.new_tensor([0, 0, 1]).expand(theta.shape[0], 1, 3)
    return torch.cat([theta, last], dim=1)


def from_matrix(matrix: Tensor) -> Tensor:
    """The upper two rows of affine 3×3 matrices, the way back from `to_matrix`.

    Args:
        matrix: (B, 3, 3), the last row 0, 0, 1.

    Returns:
        (B, 2, 3), a copy.

    Raises:
        TypeError: matrix is not a floating-point tensor.
        ValueError: a wrong shape, or a last row other than 0, 0, 1.

    Example:
        >>> from_matrix(torch.eye(3)[None])
        tensor([[[1., 0., 0.],
                 [0., 1., 0.]]])
    """
    check_floating("matrix", matrix, "(B, 3, 3)", 3)
    if matrix.shape[1:] != (3, 3):
        raise ValueError(f"matrix must have shape (B, 3, 3); got {describe(matrix)}")
    wrong = matrix[:, 2] != matrix.new_tensor([0, 0, 1])
    if wrong.any():
        found = name_first("another", wrong, matrix[:, 2])
        raise ValueError(f"matrix must have the last row 0, 0, 1; got {found}")
    return matrix[:, :2].clone()


def compose(first: Tensor, *others: Tensor) -> Tensor:
    """One theta for warping by `first`, then warping the result by the next, and so on.

    As 3×3 matrices it is the product in the order given, first · second · …, since the last
    warp's output coordinates go through the last theta first.

    Args:
        first: (B, 2, 3); batches of 1 broadcast.
        *others: the same.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: an argument is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity, or batches that do not fit together.

    Example:
        >>> compose(scale(0.5), translation(x=1))  # shifts the enlarged picture
        tensor([[[0.5000, 0.0000, 0.5000],
                 [0.0000, 0.5000, 0.0000]]])
    """
    matrices = [to_matrix(theta) for theta in (first, *others)]
    check_batches([len(matrix) for matrix in matrices])
    return from_matrix(functools.reduce(torch.matmul, matrices))


def inverse(theta: Tensor) -> Tensor:
    """The theta that undoes theta: input -> output, so how the picture moves.

    Args:
        theta: (B, 2, 3).

    Returns:
        (B, 2, 3) in theta's dtype, computed in float32 at least.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: theta maps the plane to a line or a point, or is no finite (B, 2, 3).

    Example:
        >>> inverse(scale(2.0))
        tensor([[[0.5000, 0.0000, 0.0000],
                 [0.0000, 0.5000, 0.0000]]])
    """
    matrix = to_matrix(theta).to(torch.promote_types(theta.dtype, torch.float32))
    flat = torch.linalg.det(matrix) == 0
    if flat.any():
        found = name_first("0", flat, theta)
        raise ValueError(f"theta has no inverse where its determinant is 0; got {found}")
    one = torch.eye(3, dtype=matrix.dtype, device=matrix.device).expand_as(matrix)
    return from_matrix(torch.linalg.solve(matrix, one)).to(theta.dtype)


def to_pose(theta: Tensor) -> Pose:
    """Read theta back into named parts; `from_pose` gives the same theta again.

    Args:
        theta: (B, 2, 3). One whose x column is 0 has no rotation to read.

    Returns:
        The parts, each (B,); not finite where there is no rotation to read.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> pose = to_pose(similarity(degrees=30, scale=0.5))
        >>> print(f"{pose.rotation.item():.2f} degrees, {pose.scale_x.item():.2f}")
        30.00 degrees, 0.50
    """
    check_theta(theta)
    (a, b, x), (c, d, y) = theta.unbind(1)[0].unbind(-1), theta.unbind(1)[1].unbind(-1)
    scale_x = torch.hypot(a, c)  # the length of the x column
    scale_y = (a * d - b * c) / scale_x  # what the y column adds across it
    shear = (a * b + c * d) / (scale_x * scale_y)
    return Pose(torch.rad2deg(torch.atan2(c, a)), scale_x, scale_y, shear, x, y)


def from_pose(rotation=0.0, scale_x=1.0, scale_y=1.0, shear=0.0, x=0.0, y=0.0) -> Tensor:
    """Theta from named parts: translation · rotation · shear · scale.

    Args:
        rotation: degrees, clockwise turn of the sampling grid.
        scale_x: the length of the frame's x axis.
        scale_y: the length of its y axis, negative for a mirror image.
        shear: how far x moves for one y, before the rotation.
        x: where the output's centre reads, normalised.
        y: the same, downwards.

    Returns:
        (B, 2, 3).

    Raises:
        TypeError: an argument is neither a number nor a tensor.
        ValueError: a shape other than () or (B,), NaN or infinity.

    Example:
        >>> from_pose(scale_x=0.5, scale_y=-0.5, x=0.25)  # upside down
        tensor([[[ 0.5000, -0.0000,  0.2500],
                 [ 0.0000, -0.5000,  0.0000]]])
    """
    degrees, sx, sy, shear, x, y = _batch(
        rotation=rotation, scale_x=scale_x, scale_y=scale_y, shear=shear, x=x, y=y
    )
    cos, sin = torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    return _theta(sx * cos, sy * (shear * cos - sin), x, sx * sin, sy * (shear * sin + cos), y)


def nearest_affine(theta: Tensor) -> Tensor:
    """The affine theta whose grid lies nearest to that of a theta of any family.

    By least squares over the output, from edge to edge: what of a bent grid is a turn, a scale, a
    shear and a shift. What reads behind a horizon counts as if it read at OUTSIDE.

    Args:
        theta: (B, 2, 3), (B, 3, 3), a homography, or (B, n², 2), control points.

    Returns:
        (B, 2, 3); an affine theta is its own.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: another shape.

    Example:
        >>> from stn_course.grids import control_lattice
        >>> points = control_lattice(3)[None] / 2
        >>> points[0, 4, 0] += 0.9  # the middle one: its pull is shared by all
        >>> nearest_affine(points).round(decimals=2) + 0  # no -0
        tensor([[[0.5000, 0.0000, 0.2400],
                 [0.0000, 0.5000, 0.0000]]])
    """
    check_any_theta(theta)
    if theta.shape[1:] == (2, 3):
        return theta
    grid = grid_of(theta, (len(theta), 1, MEASURED, MEASURED), align_corners=True)
    options = {"dtype": grid.dtype, "device": grid.device}
    places = base_grid(MEASURED, MEASURED, align_corners=True, **options)
    sums = torch.einsum("bhwi,hwj->bij", grid, places)
    return sums / places.square().sum(dim=(0, 1))  # x, y and 1 are orthogonal: divided one by one
