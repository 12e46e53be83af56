"""Where in the input each output pixel reads: the grid generator.

Convention, everywhere in the course:

- a grid is (B, H, W, 2), the last axis is (x, y): x to the right, y down;
- coordinates are normalised: -1 and 1 are the two ends of the image on each axis;
- theta maps output coordinates to input coordinates (output -> input);
- `align_corners=False`: -1 and 1 are the outer edges of the border pixels;
  `align_corners=True`: they are the centres of the border pixels.
"""

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from stn_course.validation import (
    check_affine_grid,
    check_any_theta,
    check_flow,
    check_log_polar_grid,
    check_points,
    check_positive,
    check_projective_grid,
    check_size,
    check_spline_grid,
)

OUTSIDE = 10.0  # normalised: where a place behind the horizon reads, far from any image


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


def project(theta: Tensor, places: Tensor) -> Tensor:
    """Where a homography takes places, as a camera sees a plane.

    Theta times the homogeneous (x, y, 1) is (u, v, w), and the place is (u / w, v / w). If the
    input is a photograph, w is the depth of what the place shows, in any unit; if the output is to
    look like one, one over the depth. Where w is not positive, beyond its own rounding, the place
    lies on the horizon or behind it. It goes outside, to OUTSIDE on both axes, in place of a
    mirrored picture, and has no gradient; a sampler that pads with "zeros" shows black there. NaN
    stays NaN.

    Args:
        theta: (B, 3, 3).
        places: (H, W, 3), homogeneous.

    Returns:
        (B, H, W, 2).

    Example:
        >>> theta = torch.eye(3)[None]
        >>> theta[0, 2, 0] = 0.5  # w = 1 + x / 2, the depth in a photograph
        >>> project(theta, base_grid(height=1, width=2))  # of -0.5 and 0.5
        tensor([[[[-0.6667,  0.0000],
                  [ 0.4000,  0.0000]]]])
    """
    places, w = torch.einsum("bij,hwj->bhwi", theta, places).split([2, 1], dim=-1)
    rounding = torch.finfo(theta.dtype).eps * theta[:, 2].abs().sum(dim=1)
    behind = w <= rounding[:, None, None, None]
    return torch.where(behind, OUTSIDE, places / torch.where(behind, 1, w))


def projective_grid(theta: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """Where in the input each output pixel reads under a homography, see `project`.

    What lies on the horizon or behind it reads outside, in place of a mirrored picture.

    Args:
        theta: (B, 3, 3), maps output to input coordinates, both normalised, (x, y) order. A
            multiple of it, by a positive number, means the same.
        size: (B, C, H, W) of the output; C does not matter.
        align_corners: what -1 and 1 are; give `grid_sample` the same.

    Returns:
        (B, H, W, 2), last axis (x, y).

    Raises:
        TypeError: theta is not a floating-point tensor, or size not a tuple of whole numbers.
        ValueError: a wrong shape, NaN or infinity, or batches that differ.

    Example:
        >>> theta = torch.eye(3)[None]
        >>> theta[0, 2, 0] = 0.5  # w = 1 + x / 2, the depth in a photograph
        >>> projective_grid(theta, (1, 1, 1, 2))  # of -0.5 and 0.5
        tensor([[[[-0.6667,  0.0000],
                  [ 0.4000,  0.0000]]]])
    """
    check_projective_grid(theta, size)
    target = base_grid(*size[2:], align_corners, dtype=theta.dtype, device=theta.device)
    return project(theta, target)


def control_lattice(n: int, **options) -> Tensor:
    """n × n points spread evenly over a square, its edges included.

    Args:
        n: points along each axis.
        **options: dtype, device.

    Returns:
        (n², 2), (x, y) from -1 to 1, row by row from the top left.

    Raises:
        TypeError: n is not a whole number.
        ValueError: n is 0 or less.

    Example:
        >>> control_lattice(2)
        tensor([[-1., -1.],
                [ 1., -1.],
                [-1.,  1.],
                [ 1.,  1.]])
    """
    return base_grid(n, n, align_corners=True, **options)[..., :2].reshape(-1, 2)


def spline_basis(places: Tensor, lattice: Tensor) -> Tensor:
    """What a thin plate spline is a sum of, at some places.

    Args:
        places: (..., 2).
        lattice: (K, 2), the points at which the spline is given.

    Returns:
        (..., K + 3), U(r) = r² log r of the distance r to each point of the lattice, then 1, x, y.

    Example:
        >>> middle = torch.zeros(1, 2)
        >>> spline_basis(torch.tensor([[3.0, 4.0]]), lattice=middle)  # r is 5
        tensor([[40.2359,  1.0000,  3.0000,  4.0000]])
    """
    squares = (places[..., None, :] - lattice).square().sum(dim=-1)
    bends = torch.special.xlogy(squares, squares) / 2  # 0 where r is 0
    return torch.cat([bends, torch.ones_like(places[..., :1]), places], dim=-1)


def kept(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute a tensor once for the same arguments, and keep those used last.

    While PyTorch traces a program (compile, export), it is computed as a part of that.

    Args:
        function: of numbers, names and devices; nobody may change the tensor that it returns.

    Returns:
        The function.

    Example:
        >>> zeros = kept(torch.zeros)
        >>> zeros(3) is zeros(3)
        True
    """
    cached = functools.lru_cache(maxsize=16)(function)

    @functools.wraps(function)
    def look_up(*arguments) -> Tensor:
        if torch.compiler.is_compiling():
            return function(*arguments)
        with torch.inference_mode(False):  # what is kept must serve in training, too
            return cached(*arguments)

    return look_up


@kept
def spline_weights(n: int) -> Tensor:
    """The weights of a thin plate spline over an n × n lattice, for each value given there.

    The spline passes through the values and bends as little as it can. That is a linear system,
    the same for all values over this lattice, so it is solved once.

    Args:
        n: points along each axis.

    Returns:
        (n² + 3, n²), float64; times the values (n², ...) it gives the factors of `spline_basis`.

    Raises:
        TypeError: n is not a whole number.
        ValueError: n is 0 or less.

    Example:
        >>> spline_weights(2).shape
        torch.Size([7, 4])
    """
    lattice = control_lattice(n, dtype=torch.float64, device="cpu")
    basis = spline_basis(lattice, lattice)
    border = torch.cat([basis[:, n * n :].T, basis.new_zeros(3, 3)], dim=1)
    return torch.linalg.inv(torch.cat([basis, border]))[:, : n * n]


@kept
def spline_shares(
    n: int, height: int, width: int, align_corners: bool, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """How much each control point counts at each output pixel, in a thin plate spline.

    A spline's values are sums of those at its control points, each times such a share.

    Args:
        n: points along each axis.
        height: H of the output, in pixels.
        width: W of the output, in pixels.
        align_corners: what -1 and 1 are.
        dtype: of the shares; they are computed in float64.
        device: on which they shall be.

    Returns:
        (H, W, n²), which add up to 1 at each pixel.

    Raises:
        TypeError: n, height or width is not a whole number.
        ValueError: one of them is 0 or less.

    Example:
        >>> spline_shares(2, 1, 1, False, torch.float32, "cpu")  # amid the four
        tensor([[[0.2500, 0.2500, 0.2500, 0.2500]]])
    """
    options = {"dtype": torch.float64, "device": "cpu"}
    places = base_grid(height, width, align_corners, **options)[..., :2]
    basis = spline_basis(places, control_lattice(n, **options))
    return (basis @ spline_weights(n)).to(device, dtype)


def bend(points: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """`thin_plate_spline_grid` of points that are not looked at: NaN stays NaN.

    Args:
        points: (B, n², 2).
        size: (B, C, H, W) of the output.
        align_corners: what -1 and 1 are.

    Returns:
        (B, H, W, 2).

    Raises:
        TypeError: size is not of whole numbers.
        ValueError: one of them is 0 or less.

    Example:
        >>> bend(control_lattice(2)[None], (1, 1, 1, 2))
        tensor([[[[-0.5000,  0.0000],
                  [ 0.5000,  0.0000]]]])
    """
    n = math.isqrt(points.shape[1])
    shares = spline_shares(n, *size[2:], align_corners, points.dtype, points.device)
    return torch.einsum("hwk,bki->bhwi", shares, points)


def thin_plate_spline_grid(
    points: Tensor, size: tuple[int, ...], align_corners: bool = False
) -> Tensor:
    """Where in the input each output pixel reads if control points are dragged, and all else bends.

    The points lie on a lattice in the output, see `control_lattice`. Each says where the output
    reads there; between them the grid is a thin plate spline (Bookstein 1989).

    Args:
        points: (B, K, 2), K = n², normalised (x, y) in the input, of the lattice's points row by
            row from the top left.
        size: (B, C, H, W) of the output; C does not matter.
        align_corners: what -1 and 1 are; give `grid_sample` the same.

    Returns:
        (B, H, W, 2), last axis (x, y).

    Raises:
        TypeError: points is not a floating-point tensor, or size not a tuple of whole numbers.
        ValueError: a wrong shape, a number of points that is no square, NaN or infinity, or batches
            that differ.

    Example:
        >>> points = control_lattice(3)[None] / 2  # all halfway to the middle
        >>> thin_plate_spline_grid(points, (1, 1, 1, 2))[..., 0].round(decimals=4)
        tensor([[[-0.2500,  0.2500]]])
    """
    check_spline_grid(points, size)
    return bend(points, size, align_corners)


def grid_of(theta: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """Where in the input each output pixel reads, by a theta of any family: its shape tells which.

    For transformers: the values are not looked at, so that a GPU is not waited for, and NaN gives
    NaN.

    Args:
        theta: (B, 2, 3) affine, (B, 3, 3) a homography, or (B, n², 2) control points.
        size: (B, C, H, W) of the output.
        align_corners: what -1 and 1 are; give `grid_sample` the same.

    Returns:
        (B, H, W, 2), last axis (x, y).

    Raises:
        TypeError: theta is not a floating-point tensor, or size not a tuple of whole numbers.
        ValueError: another shape, or a size that is not positive.

    Example:
        >>> shifted = control_lattice(3)[None] + 0.25
        >>> grid_of(shifted, (1, 1, 1, 1))  # the middle
        tensor([[[[0.2500, 0.2500]]]])
    """
    check_any_theta(theta)
    check_size(size)
    if theta.shape[2] == 2:
        return bend(theta, size, align_corners)
    target = base_grid(*size[2:], align_corners, dtype=theta.dtype, device=theta.device)
    if theta.shape[1] == 3:
        return project(theta, target)
    return torch.einsum("bij,hwj->bhwi", theta, target)  # faster on CPUs than F.affine_grid


def bending_energy(points: Tensor) -> Tensor:
    """How much a thin plate spline bends, 0 if its points are moved affinely (Bookstein 1989).

    It is the integral of f_xx² + 2 f_xy² + f_yy² over the whole plane, for both coordinates of the
    grid, normalised. Added to a loss, it keeps neighbouring points together.

    Args:
        points: (B, K, 2), K = n², as for `thin_plate_spline_grid`.

    Returns:
        (B,), 0 or more, but for rounding.

    Raises:
        TypeError: points is not a floating-point tensor.
        ValueError: a wrong shape, a number of points that is no square, NaN or infinity.

    Example:
        >>> points = torch.stack([control_lattice(3), control_lattice(3)])
        >>> points[1, 4, 0] += 0.1  # the middle one to the right
        >>> bending_energy(points).abs().round(decimals=2)
        tensor([0.0000, 0.2900])
    """
    check_points(points)
    n = math.isqrt(points.shape[1])
    bends = spline_weights(n)[: n * n].to(points)  # the energy of w · U is 8 π times w · U · w
    # Not by a product of matrices, which autocast would round.
    bent = (bends[..., None] * points[:, None]).sum(dim=2)
    return 8 * math.pi * (points * bent).sum(dim=(1, 2))


def flow_grid(flow: Tensor, align_corners: bool = False) -> Tensor:
    """Where each output pixel reads if each has a displacement of its own, as in optical flow.

    Args:
        flow: (B, H, W, 2), in pixels, (x, y): from an output pixel's own place to where it reads in
            an input of the same size. Positive x is to the right, positive y down.
        align_corners: what -1 and 1 are; give `grid_sample` the same.

    Returns:
        (B, H, W, 2), normalised, last axis (x, y).

    Raises:
        TypeError: flow is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> one_to_the_right = torch.tensor([1.0, 0.0]).expand(1, 1, 4, 2)
        >>> flow_grid(one_to_the_right)[0, 0, :, 0]
        tensor([-0.2500,  0.2500,  0.7500,  1.2500])
    """
    check_flow(flow)
    height, width = flow.shape[1:3]
    places = base_grid(height, width, align_corners, dtype=flow.dtype, device=flow.device)
    size = flow.new_tensor([width, height])
    ends = (size - 1).clamp(min=1) if align_corners else size  # pixels from -1 to 1
    return places[..., :2] + 2 * flow / ends


def log_polar_grid(size: tuple[int, ...], smallest: float = 0.05, **options) -> Tensor:
    """A grid of rays around the middle: a turn of the picture becomes a shift along the columns.

    Column j looks in the direction of 360° · j / W, clockwise from the right. Rows lie on circles,
    the smallest at the top; each is the same number of times as large as the one before, so zooming
    becomes a shift along the rows. (In a picture that is no square, circles are ellipses.)

    Args:
        size: (B, C, H, W) of the output; C does not matter.
        smallest: the radius above the first row, normalised; inside, nothing is read.
        **options: dtype, device.

    Returns:
        (B, H, W, 2), normalised, last axis (x, y); the last row lies just inside a radius of 1.

    Raises:
        TypeError: size is not a tuple of whole numbers, or smallest no number.
        ValueError: smallest does not lie between 0 and 1.

    Example:
        >>> grid = log_polar_grid((1, 1, 1, 4), smallest=0.25)
        >>> (100 * grid[0, 0]).round().int().tolist()  # right, down, left, up
        [[50, 0], [0, 50], [-50, 0], [0, -50]]
    """
    check_log_polar_grid(size, smallest)
    batch, _, height, width = size
    part = (1 - pixel_centres(height, **options)) / 2  # 1 at the middle, 0 at the rim
    angle = torch.arange(width, **options) * (2 * math.pi / width)
    radius = (smallest**part)[:, None]
    grid = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
    return grid.expand(batch, height, width, 2)
