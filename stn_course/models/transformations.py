"""Families of transformations: what a localization network answers, and how that is read.

A theta's shape tells where a grid reads, see `grids.grid_of`; a family says which numbers make up
a theta, and which of them change nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.grids import base_grid, control_lattice, grid_of
from stn_course.samplers import PADDING_MODES
from stn_course.validation import (
    check_antialias,
    check_choice,
    check_floating,
    check_lattice_side,
    check_numbers,
    check_output_size,
    check_shape,
    describe,
)


class Transformation:
    """A family of transformations, for `SpatialTransformer`; one of your own is a small class, too.

    Attributes:
        identity: the answer of a localization network that changes nothing; so many numbers it
            gives for each input.

    Example:
        >>> from stn_course.models import SpatialTransformer, localization_cnn
        >>> class Rotation(Transformation):
        ...     identity = (0.0,)  # radians
        ...
        ...     def to_theta(self, angle):
        ...         cos, sin, zero = angle.cos(), angle.sin(), 0 * angle
        ...         theta = torch.cat([cos, -sin, zero, sin, cos, zero], dim=1)
        ...         return theta.unflatten(1, (2, 3))
        >>> family = {"transformation": Rotation()}
        >>> localization = localization_cnn(in_channels=1, **family)
        >>> transformer = SpatialTransformer(localization, **family)
        >>> _ = transformer(torch.rand(5, 1, 28, 28))
        >>> transformer.theta[0]
        tensor([[1., -0., 0.],
                [0., 1., 0.]])
    """

    identity: tuple[float, ...]

    def to_theta(self, answer: Tensor) -> Tensor:
        """An answer (B, P), P numbers as in `identity`, as theta."""
        raise NotImplementedError

    def grid(self, theta: Tensor, size: tuple[int, ...], align_corners: bool) -> Tensor:
        """Where each pixel of an output of size (B, C, H, W) reads: (B, H, W, 2).

        To be given by a family whose theta is none of the shapes that `grids.grid_of` knows.
        """
        return grid_of(theta, size, align_corners)


class Affine(Transformation):
    """Six numbers, theta (B, 2, 3) row by row: it keeps parallels.

    Example:
        >>> Affine().to_theta(torch.arange(6.0)[None])
        tensor([[[0., 1., 2.],
                 [3., 4., 5.]]])
    """

    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

    def to_theta(self, answer: Tensor) -> Tensor:
        """(B, 6) -> (B, 2, 3)."""
        return answer.unflatten(1, (2, 3))


class Attention(Transformation):
    """Three numbers, scale, x and y (paper, eq. 2): it keeps shapes, upright.

    Example:
        >>> Attention().to_theta(torch.tensor([[0.5, 0.1, -0.2]]))
        tensor([[[ 0.5000,  0.0000,  0.1000],
                 [ 0.0000,  0.5000, -0.2000]]])
    """

    identity = (1.0, 0.0, 0.0)

    def to_theta(self, answer: Tensor) -> Tensor:
        """(B, 3) -> (B, 2, 3)."""
        scale, x, y = answer.unbind(dim=1)
        zero = torch.zeros_like(x)
        return torch.stack([scale, zero, x, zero, scale, y], dim=1).unflatten(1, (2, 3))


class Projective(Transformation):
    """Eight numbers, a homography row by row without its last, which is 1: it keeps lines.

    Example:
        >>> Projective().to_theta(torch.arange(8.0)[None])
        tensor([[[0., 1., 2.],
                 [3., 4., 5.],
                 [6., 7., 1.]]])
    """

    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    def to_theta(self, answer: Tensor) -> Tensor:
        """(B, 8) -> (B, 3, 3)."""
        return F.pad(answer, (0, 1), value=1.0).unflatten(1, (3, 3))


class ThinPlateSpline(Transformation):
    """Where the n² points of `grids.control_lattice` read, x and y of each: it keeps no line.

    Args:
        n: points along each axis.

    Raises:
        TypeError: n is not a whole number.
        ValueError: n is less than 2.

    Example:
        >>> family = ThinPlateSpline(n=2)
        >>> family.to_theta(torch.tensor([family.identity]))
        tensor([[[-1., -1.],
                 [ 1., -1.],
                 [-1.,  1.],
                 [ 1.,  1.]]])
    """

    def __init__(self, n: int = 4):
        check_lattice_side("n", n)
        lattice = control_lattice(n, dtype=torch.float64, device="cpu")
        self.identity = tuple(lattice.flatten().tolist())

    def to_theta(self, answer: Tensor) -> Tensor:
        """(B, 2 n²) -> (B, n², 2)."""
        return answer.unflatten(1, (-1, 2))


TRANSFORMATIONS = {
    "affine": Affine(),
    "attention": Attention(),
    "projective": Projective(),
    "tps": ThinPlateSpline(),
}


def find_transformation(transformation: str | Transformation) -> Transformation:
    """A family by its name, or itself.

    Args:
        transformation: a name in TRANSFORMATIONS, or an object as of `Transformation`.

    Returns:
        The family.

    Raises:
        TypeError: an object that lacks a part of a family, or whose identity is not numbers.
        ValueError: an unknown name.

    Example:
        >>> len(find_transformation("projective").identity)
        8
    """
    if isinstance(transformation, str):
        check_choice("transformation", transformation, TRANSFORMATIONS)
        return TRANSFORMATIONS[transformation]
    parts = ("identity", "to_theta", "grid")
    if isinstance(transformation, type) or not all(hasattr(transformation, p) for p in parts):
        expected = f"an object with {', '.join(parts)}, or one of {', '.join(TRANSFORMATIONS)}"
        raise TypeError(f"transformation must be {expected}; got {describe(transformation)}")
    if getattr(type(transformation), "to_theta", None) is Transformation.to_theta:
        raise TypeError(f"{type(transformation).__name__} needs to_theta(answer), as theta")
    check_numbers("a transformation's identity", transformation.identity)
    return transformation


def check_reading(
    family: Transformation,
    output_size: tuple[int, int] | None,
    padding_mode: str,
    align_corners: bool,
    antialias: bool,
) -> None:
    """What a transformer will give to `warp` fits together, and the identity moves no pixel.

    Args:
        family: of transformations.
        output_size: as in `samplers.warp`, like those that follow.
        padding_mode: of `PADDING_MODES`.
        align_corners: what -1 and 1 are.
        antialias: only without align_corners, and for a theta (B, 2, 3).

    Raises:
        TypeError: output_size is not a tuple of whole numbers.
        ValueError: an unknown name, antialias where it cannot be, a grid of another shape, or an
            identity that moves pixels.

    Example:
        >>> check_reading(Affine(), (20, 30), "border", False, False)  # fits
    """
    check_choice("padding_mode", padding_mode, PADDING_MODES)
    check_output_size(output_size)
    options = {"dtype": torch.float64, "device": "cpu"}
    theta = family.to_theta(torch.tensor(2 * [family.identity], **options))
    check_antialias(antialias, align_corners, theta)
    grid = family.grid(theta, (2, 1, 4, 5), align_corners)
    check_floating("a transformation's grid", grid, "(B, H, W, 2)", 4)
    check_shape("a transformation's grid, for two outputs of 4×5 pixels,", grid, (2, 4, 5, 2))
    places = base_grid(4, 5, align_corners, **options)[..., :2]
    if not (grid - places).abs().max() < 1e-3:
        expected = "a transformation's identity must leave each pixel in its place"
        raise ValueError(f"{expected}; got {family.identity} of {type(family).__name__}")
