"""Digits turned, scaled, moved, seen from the side and bent: by how much is said, or drawn."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.grids import control_lattice, pixel_centres
from stn_course.samplers import ALL_MODES, warp
from stn_course.transforms import (
    compose,
    from_corners,
    is_convex,
    scale,
    similarity,
    translation,
)
from stn_course.validation import (
    check_choice,
    check_finite,
    check_images,
    check_lattice_side,
    check_not_negative,
    check_positive,
    check_scales,
    describe,
    name_first,
)

Distortion = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]
SMALLER = (0.75, 1.0)  # how large digits are that are seen from the side, or bent (paper, A.4)
ALONG = ("axes", "diagonals")  # how corners are moved


def rotate(images: Tensor, degrees, mode: str = "bilinear") -> Tensor:
    """Turn pictures anticlockwise about their centre, filling with 0 (black).

    Args:
        images: (B, C, H, W), H = W, values from 0.
        degrees: a number or a tensor (B,).
        mode: as in `grid_sample`.

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
    check_choice("mode", mode, ALL_MODES)
    if images.shape[-1] != images.shape[-2]:
        raise ValueError(f"rotate needs square images, H = W; got {describe(images)}")
    precise = _precise(images)
    angle = torch.deg2rad(torch.as_tensor(degrees).to(images.device, torch.float64))
    if angle.shape not in ((), (1,), (len(images),)):
        raise ValueError(f"degrees must be a number or ({len(images)},); got {describe(degrees)}")
    check_finite("degrees", angle)
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


def random_rotation(limit: float, mode: str = "bilinear") -> Distortion:
    """A distortion: each picture turned by its own angle, uniform from -limit to limit degrees.

    Args:
        limit: degrees.
        mode: as in `rotate`.

    Returns:
        A function (images, generator) -> (rotated images, degrees (B,)); the generator is on the
        CPU, so the angles are the same on every device.

    Raises:
        TypeError: limit is no number.
        ValueError: limit is negative, or an unknown mode.

    Example:
        >>> distort = random_rotation(limit=90)
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> turned, degrees = distort(images, generator)
        >>> turned.shape, bool((degrees.abs() <= 90).all())
        (torch.Size([5, 1, 28, 28]), True)
    """
    check_not_negative("limit", limit)
    check_choice("mode", mode, ALL_MODES)

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        degrees = (torch.rand(len(images), generator=generator) * 2 - 1) * limit
        return rotate(images, degrees.to(images), mode), degrees

    return distort


def random_similarity(
    limit: float = 45.0, scale: tuple[float, float] = (0.7, 1.2), size: int = 42
) -> Distortion:
    """A distortion: each picture turned, scaled and laid somewhere in a larger one (paper's RTS).

    All three are drawn uniformly. The picture lies inside the larger one, but for corners that a
    turn takes out.

    Args:
        limit: degrees, either way.
        scale: the smallest and largest size of the picture, 1 its own.
        size: height and width of the larger picture, in pixels.

    Returns:
        A function (images, generator) -> (larger pictures, poses (B, 4)). A pose is the angle in
        degrees, anticlockwise, the scale, and where the image's centre now lies, normalised (x, y).
        The generator is on the CPU, so they are the same on every device.

    Raises:
        TypeError: scale is not made of numbers, or size not a whole number.
        ValueError: limit is below 0, NaN or infinite; scale is not two numbers above 0, the smaller
            first; size is 0 or less; by the function, for images that are not square or do not fit.

    Example:
        >>> distort = random_similarity()
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> laid, poses = distort(images, generator)
        >>> laid.shape, bool((poses[:, 0].abs() <= 45).all())
        (torch.Size([5, 1, 42, 42]), True)
    """
    check_not_negative("limit", limit)
    check_scales("scale", scale)
    check_positive("size", size)

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        _check_fits(images, size / scale[1])
        count, side = len(images), images.shape[-1] / size
        degrees = limit * (2 * torch.rand(count, generator=generator) - 1)
        factor = _uniform(scale, count, generator).flatten()
        room = 1 - factor * side  # how far from the middle the centre may lie
        x, y = (2 * torch.rand(2, count, generator=generator) - 1) * room
        theta = compose(similarity(degrees=degrees, scale=1 / (factor * side)), translation(-x, -y))
        laid = warp(images, _beside(images, theta), (size, size))
        return laid, torch.stack([degrees, factor, x, y], dim=1)

    return distort


def random_translation(pixels: float) -> Distortion:
    """A distortion: each picture moved, uniformly from -pixels to pixels along each axis.

    What is moved out of the frame is lost, and black comes in.

    Args:
        pixels: at most so many, whole or not.

    Returns:
        A function (images, generator) -> (moved images, shifts (B, 2)), the shifts in pixels,
        (x, y): to the right and down. The generator is on the CPU, so the shifts are the same on
        every device.

    Raises:
        TypeError: pixels is not a number.
        ValueError: pixels is below 0, NaN or infinite.

    Example:
        >>> distort = random_translation(pixels=4)
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> moved, shifts = distort(images, generator)
        >>> moved.shape, bool((shifts.abs() <= 4).all())
        (torch.Size([5, 1, 28, 28]), True)
    """
    check_not_negative("pixels", pixels)

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        check_images(images, "images")
        shifts = (2 * torch.rand(len(images), 2, generator=generator) - 1) * pixels
        x, y = (
            (-_normalised(shifts, images)).to(images).unbind(dim=1)
        )  # the grid goes the other way
        return warp(images, translation(x, y)), shifts

    return distort


def random_projection(
    scale: tuple[float, float] = SMALLER, sigma: float = 5.0, along: str = "axes"
) -> Distortion:
    """A distortion: each picture as a page seen from the side (the paper's P: along="diagonals").

    The picture is made smaller, then each of its corners is moved at random, and a homography takes
    all else along. Corners that are not convex would put a part of the picture behind the horizon:
    they are moved anew, of the defaults 1 picture in 70.

    Args:
        scale: the smallest and largest size of the picture, 1 its own; drawn uniformly.
        sigma: the standard deviation of how far a corner is moved, in pixels.
        along: "axes" moves each corner by a normal number along x, and by another along y;
            "diagonals" by one number, away from the picture's centre or towards it.

    Returns:
        A function (images, generator) -> (images seen from the side, corners (B, 4, 2)). The
        corners say where the image's corners now lie, normalised (x, y), row by row from the top
        left: a transformer that reads there, by `transforms.from_corners`, sees the image as it
        was. The generator is on the CPU, so they are the same on every device.

    Raises:
        TypeError: scale or sigma is not made of numbers.
        ValueError: scale is not two numbers above 0, the smaller first; sigma is below 0, NaN or
            infinite; along is neither; when called, sigma above the pictures' width.

    Example:
        >>> distort = random_projection()
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> seen, corners = distort(images, generator)
        >>> seen.shape, corners.shape
        (torch.Size([5, 1, 28, 28]), torch.Size([5, 4, 2]))
    """
    check_scales("scale", scale)
    check_not_negative("sigma", sigma)
    check_choice("along", along, ALONG)
    move = _moved if along == "axes" else _stretched

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        check_images(images, "images")
        if sigma > images.shape[-1]:  # hardly four corners would be a camera's
            raise ValueError(f"sigma must be at most the width, {images.shape[-1]}; got {sigma}")
        smaller = _uniform(scale, len(images), generator) * control_lattice(2)
        corners = move(smaller, sigma, images, generator)
        while (crossed := ~is_convex(corners)).any():
            corners[crossed] = move(smaller[crossed], sigma, images, generator)
        theta = from_corners(_beside(images, corners))
        return warp(images, torch.linalg.inv(theta)), corners

    return distort


def random_elastic(
    scale: tuple[float, float] = SMALLER, n: int = 4, sigma: float = 1.5
) -> Distortion:
    """A distortion: each picture bent (the paper's E).

    The output is a lattice of n × n points. Where they read in the image is spread, so that the
    picture becomes smaller, then each is moved by a normal number of pixels along each axis, and a
    thin plate spline takes all else along.

    Args:
        scale: the smallest and largest size of the picture, 1 its own; drawn uniformly.
        n: points along each axis, the edges included.
        sigma: the standard deviation of how far a point is moved along x, and along y, in pixels.

    Returns:
        A function (images, generator) -> (bent images, points (B, n², 2)). The points say where the
        output's lattice reads in the image, normalised (x, y), row by row from the top left, as
        `grids.thin_plate_spline_grid` takes them. The generator is on the CPU, so they are the same
        on every device.

    Raises:
        TypeError: scale or sigma is not made of numbers, or n not a whole number.
        ValueError: scale is not two numbers above 0, the smaller first; n is below 2; sigma is
            below 0, NaN or infinite.

    Example:
        >>> distort = random_elastic(n=3)
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> bent, points = distort(images, generator)
        >>> bent.shape, points.shape
        (torch.Size([5, 1, 28, 28]), torch.Size([5, 9, 2]))
    """
    check_scales("scale", scale)
    check_lattice_side("n", n)
    check_not_negative("sigma", sigma)

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        check_images(images, "images")
        spread = control_lattice(n) / _uniform(scale, len(images), generator)
        points = _moved(spread, sigma, images, generator)
        return warp(images, _beside(images, points)), points

    return distort


def _check_fits(images: Tensor, side: float) -> None:
    """Images (B, C, H, W) are square, and at most so many pixels high."""
    check_images(images, "images")
    height, width = images.shape[2:]
    if height != width or height > side:
        fit = f"images must be square, H = W, at most {side:.4g} pixels"
        raise ValueError(f"{fit}; got {describe(images)}")


def _uniform(limits: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    """A number for each picture: (count, 1, 1)."""
    low, high = limits
    return low + (high - low) * torch.rand(count, 1, 1, generator=generator)


def _moved(points: Tensor, sigma: float, images: Tensor, generator: torch.Generator) -> Tensor:
    """Points (B, K, 2), each moved by normal numbers of the images' pixels."""
    return points + _normalised(sigma * torch.randn(points.shape, generator=generator), images)


def _stretched(points: Tensor, sigma: float, images: Tensor, generator: torch.Generator) -> Tensor:
    """Points (B, K, 2), each moved by a normal number of pixels, away from the centre or to it."""
    outward = points * torch.tensor(images.shape[:1:-1])
    outward = outward / outward.norm(dim=-1, keepdim=True)
    amounts = sigma * torch.randn(points.shape[:2], generator=generator)[..., None]
    return points + _normalised(amounts * outward, images)


def _normalised(pixels: Tensor, images: Tensor) -> Tensor:
    """Distances (..., 2), (x, y), from pixels to where 2 is the width or height of the images."""
    return 2 * pixels / torch.tensor(images.shape[:1:-1])


def _beside(images: Tensor, values: Tensor) -> Tensor:
    """The values where the images are, in the precision that a grid for them is computed in."""
    return values.to(images.device, _precise(images))


def _precise(images: Tensor) -> torch.dtype:
    """What a grid for the images is computed in: float32 at least."""
    return torch.promote_types(images.dtype, torch.float32)
