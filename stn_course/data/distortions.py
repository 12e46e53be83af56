"""Digits turned, scaled, moved, seen from the side and bent: by how much is said, or drawn."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.grids import pixel_centres
from stn_course.samplers import MODES, warp
from stn_course.transforms import scale
from stn_course.validation import check_choice, check_images, describe, name_first


def rotate(images: Tensor, degrees, mode: str = "bilinear") -> Tensor:
    """Turn pictures anticlockwise about their centre, filling with 0 (black).

    Args:
        images: (B, C, H, W), H = W, values from 0.
        degrees: a number or a tensor (B,).
        mode: as in `grid_sample`, "bilinear" or "nearest".

    Returns:
        (B, C, H, W).

    Raises:
        TypeError: images is not a floating-point tensor.
        ValueError: a wrong shape, or an unknown mode.

    Example:
        >>> rotate(torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]), degrees=90).round()
        tensor([[[[1., 3.],
                  [0., 2.]]]])
    """
    check_images(images, "images")
    check_choice("mode", mode, MODES)
    if images.shape[-1] != images.shape[-2]:
        raise ValueError(f"rotate needs square images, H = W; got {describe(images)}")
    precise = torch.float64 if images.dtype == torch.float64 else torch.float32
    angle = torch.deg2rad(torch.as_tensor(degrees).to(images.device, torch.float64))
    if angle.shape not in ((), (1,), (len(images),)):
        raise ValueError(f"degrees must be a number or ({len(images)},); got {describe(degrees)}")
    turn = torch.polar(torch.ones_like(angle), angle).to(precise.to_complex()).reshape(-1, 1, 1)
    # To turn x + iy is to multiply it; a third of the time of a matrix product for each pixel.
    grid = torch.view_as_real(turn * _plane(images.shape[-1], precise, images.device))
    grid = grid.to(images.dtype).expand(len(images), -1, -1, -1)
    return F.grid_sample(images, grid, mode=mode, align_corners=False)


def _plane(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The pixel centres of a square image, (size, size), as complex numbers x + iy."""
    centres = pixel_centres(size, dtype=dtype, device=device)
    return torch.complex(centres.expand(size, size), centres[:, None].expand(size, size))


def rescale(images: Tensor, factor) -> Tensor:
    """Make pictures larger (above 1) or smaller about their centre, filling with 0 (black).

    Args:
        images: (B, C, H, W), values from 0.
        factor: a number or a tensor (B,), above 0.

    Returns:
        (B, C, H, W).

    Raises:
        TypeError: images is not a floating-point tensor.
        ValueError: a wrong shape, or a factor that is not above 0.

    Example:
        >>> rescale(torch.ones(1, 1, 4, 4), factor=0.5)
        tensor([[[[0., 0., 0., 0.],
                  [0., 1., 1., 0.],
                  [0., 1., 1., 0.],
                  [0., 0., 0., 0.]]]])
    """
    check_images(images, "images")
    factor = torch.as_tensor(factor).to(images)
    if not (factor > 0).all():
        found = name_first("0, less or NaN", ~(factor > 0), factor)
        raise ValueError(f"factor must be above 0; got {found}")
    return warp(images, scale(1 / factor))


def random_rotation(
    limit: float, mode: str = "bilinear"
) -> Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]:
    """A distortion: each picture turned by its own angle, uniform from -limit to limit degrees.

    Args:
        limit: degrees.
        mode: as in `rotate`.

    Returns:
        A function (images, generator) -> (rotated images, degrees (B,)); the generator is on the
        CPU, so the angles are the same on every device.

    Example:
        >>> distort = random_rotation(limit=90)
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> turned, degrees = distort(images, generator)
        >>> turned.shape, bool((degrees.abs() <= 90).all())
        (torch.Size([5, 1, 28, 28]), True)
    """

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        degrees = (torch.rand(len(images), generator=generator) * 2 - 1) * limit
        return rotate(images, degrees.to(images), mode), degrees

    return distort
