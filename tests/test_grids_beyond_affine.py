"""Projective, spline, flow and log-polar grids, against OpenCV, torchvision, SciPy, PyTorch."""

import math

import cv2
import numpy
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator
from torchvision.transforms.v2.functional import perspective

from stn_course import grids, transforms

SIZES = [(3, 1, 4, 7), (3, 2, 9, 2), (3, 1, 1, 5), (3, 1, 6, 1), (3, 4, 1, 1), (3, 1, 28, 20)]
each_size = pytest.mark.parametrize("size", SIZES)
both_corners = pytest.mark.parametrize("align_corners", [False, True])
AFFINE = torch.tensor([[[0.9, -0.3, 0.1], [0.2, 1.1, -0.4]]], dtype=torch.float64)
TILTED = torch.tensor([[[1.0, 0.1, 0.05], [-0.1, 0.9, 0.1], [0.2, -0.3, 1.0]]], dtype=torch.float64)


def homogeneous(theta: torch.Tensor) -> torch.Tensor:
    """Theta (B, 2, 3) with the third row of an affine map."""
    row = theta.new_tensor([0.0, 0.0, 1.0]).expand(len(theta), 1, 3)
    return torch.cat([theta, row], dim=1)


def lattice_moved_by(theta: torch.Tensor, n: int) -> torch.Tensor:
    """The control points (B, n², 2) where an affine theta (B, 2, 3) puts them."""
    lattice = torch.linspace(-1, 1, n, dtype=theta.dtype)
    y, x = torch.meshgrid(lattice, lattice, indexing="ij")
    points = torch.stack([x.flatten(), y.flatten(), torch.ones(n * n).to(theta)])
    return (theta @ points).mT


@each_size
@both_corners
@pytest.mark.parametrize("times", [1.0, 0.25, 7.0])
def test_a_projective_grid_without_perspective_is_affine(size, align_corners, times, device):
    theta = torch.randn(3, 2, 3, dtype=torch.float64, device=device)
    ours = grids.projective_grid(times * homogeneous(theta), size, align_corners)
    theirs = F.affine_grid(theta, size, align_corners=align_corners)
    assert (ours.shape, ours.device) == (theirs.shape, theirs.device)
    assert (ours - theirs).abs().max() <= 1e-12


def in_pixels(height: int, width: int, align_corners: bool) -> numpy.ndarray:
    """The matrix (3, 3) from normalised coordinates to pixels, written out by hand."""
    if align_corners:
        x, y = (width - 1) / 2, (height - 1) / 2
        return numpy.array([[x, 0, x], [0, y, y], [0, 0, 1]])
    x, y = width / 2, height / 2
    return numpy.array([[x, 0, x - 0.5], [0, y, y - 0.5], [0, 0, 1]])


@both_corners
@pytest.mark.parametrize("size", [(20, 31), (31, 20), (28, 28)])
def test_a_projective_grid_reads_what_opencv_reads(size, align_corners):
    height, width = size
    image = torch.rand(1, 1, height, width, dtype=torch.float64)
    to_pixels = in_pixels(height, width, align_corners)
    matrix = to_pixels @ TILTED[0].numpy() @ numpy.linalg.inv(to_pixels)
    columns, rows = numpy.meshgrid(numpy.arange(width), numpy.arange(height))
    places = numpy.stack([columns, rows], axis=-1).astype(numpy.float64)
    expected = cv2.perspectiveTransform(places, matrix)  # where each output pixel reads
    grid = grids.projective_grid(TILTED, (1, 1, height, width), align_corners)[0].numpy()
    ones = numpy.ones((height, width, 1))
    got = (numpy.concatenate([grid, ones], axis=-1) @ to_pixels.T)[..., :2]
    assert abs(got - expected).max() <= 1e-9
    options = {"align_corners": align_corners, "padding_mode": "zeros"}
    ours = F.grid_sample(image, torch.from_numpy(grid)[None], **options)[0, 0].numpy()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    theirs = cv2.warpPerspective(image[0, 0].numpy(), matrix, (width, height), flags=flags)
    assert abs(ours - theirs).max() <= 0.04  # OpenCV knows places to 1/32 of a pixel


def test_a_projective_grid_reads_what_torchvision_reads():
    """There, pixels are counted from the image's edge: the first centre is at 0.5."""
    image, theta = torch.rand(1, 1, 20, 31), TILTED.float()
    end = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])  # the output's corners
    u, v, w = (torch.cat([end, torch.ones(4, 1)], dim=1) @ theta[0].T).unbind(dim=1)
    start = torch.stack([u / w, v / w], dim=1)  # where they read
    start, end = (((part + 1) * torch.tensor([31, 20]) / 2).tolist() for part in (start, end))
    theirs = perspective(image, start, end, fill=None)
    grid = grids.projective_grid(theta, (1, 1, 20, 31))
    ours = F.grid_sample(image, grid, align_corners=False)
    assert (ours - theirs).abs().max() <= 1e-3


@both_corners
def test_what_lies_behind_the_horizon_reads_outside_and_has_no_gradient(align_corners):
    theta = torch.eye(3, dtype=torch.float64)[None].clone()
    theta[0, 2] = torch.tensor([2.0, 0.0, 0.5])  # w = 2 x + 0.5: the horizon is at x = -0.25
    theta.requires_grad_()
    grid = grids.projective_grid(theta, (1, 1, 5, 8), align_corners)
    x = grids.pixel_centres(8, align_corners)
    behind = 2 * x + 0.5 <= 0
    assert 0 < behind.sum() < 8
    assert (grid[:, :, behind] == grids.OUTSIDE).all()
    seen = F.grid_sample(torch.ones(1, 1, 5, 8).double(), grid, align_corners=align_corners)
    assert (seen[..., behind] == 0).all()
    (gradient,) = torch.autograd.grad(grid[:, :, behind].sum(), theta, retain_graph=True)
    assert (gradient == 0).all()
    (gradient,) = torch.autograd.grad(grid[:, :, ~behind].sum(), theta)
    assert gradient.isfinite().all() and gradient.abs().max() > 0


def test_the_horizon_itself_reads_outside():
    """w is exactly 0 in the middle column, and negative zero is no better."""
    for sign in (1.0, -1.0):
        theta = torch.eye(3)[None].clone()
        theta[0, 2] = torch.tensor([sign, 0.0, 0.0])
        grid = grids.projective_grid(theta, (1, 1, 1, 3))
        assert (grid[0, 0, 1] == grids.OUTSIDE).all()
        assert grid.isfinite().all()


def test_all_of_it_may_lie_behind():
    theta = -torch.eye(3)[None]
    assert (grids.projective_grid(theta, (1, 1, 4, 4)) == grids.OUTSIDE).all()


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@each_size
@both_corners
def test_a_spline_grid_is_scipys(n, size, align_corners):
    generator = torch.Generator().manual_seed(n)
    points = torch.rand(3, n * n, 2, generator=generator, dtype=torch.float64) * 2 - 1
    ours = grids.thin_plate_spline_grid(points, size, align_corners)
    lattice = numpy.array(
        [[x, y] for y in numpy.linspace(-1, 1, n) for x in numpy.linspace(-1, 1, n)]
    )
    options = {"align_corners": align_corners}
    places = F.affine_grid(torch.eye(2, 3, dtype=torch.float64)[None], (1, *size[1:]), **options)
    for one, expected in zip(points, ours, strict=True):
        spline = RBFInterpolator(lattice, one.numpy(), kernel="thin_plate_spline", degree=1)
        theirs = spline(places.reshape(-1, 2).numpy()).reshape(expected.shape)
        assert abs(expected.numpy() - theirs).max() <= 1e-9


@each_size
@both_corners
def test_a_spline_grid_of_points_moved_affinely_is_affine(size, align_corners, device):
    theta = torch.randn(3, 2, 3, dtype=torch.float64)
    ours = grids.thin_plate_spline_grid(lattice_moved_by(theta, 4).to(device), size, align_corners)
    theirs = F.affine_grid(theta, size, align_corners=align_corners)
    assert (ours.cpu() - theirs).abs().max() <= 1e-9


def test_a_spline_grid_reads_the_points_at_the_lattice():
    points = torch.rand(2, 16, 2, dtype=torch.float64)
    grid = grids.thin_plate_spline_grid(points, (2, 1, 4, 4), align_corners=True)
    assert (grid.reshape(2, 16, 2) - points).abs().max() <= 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spline_grids_keep_the_dtype_and_leave_what_is_kept_alone(dtype):
    points = grids.control_lattice(4, dtype=dtype)[None].requires_grad_()
    before = grids.spline_weights(4).clone()
    grid = grids.thin_plate_spline_grid(points, (1, 1, 6, 5))
    assert grid.dtype == dtype
    grid.sum().backward()
    assert torch.equal(grids.spline_weights(4), before)
    assert grids.spline_weights(4) is grids.spline_weights(4)  # solved once
    expected = F.affine_grid(torch.eye(2, 3, dtype=dtype)[None], (1, 1, 6, 5), align_corners=False)
    assert (grid - expected).abs().max() <= 1e-5


@both_corners
def test_a_flow_of_whole_pixels_moves_by_whole_pixels(align_corners):
    image = torch.rand(2, 1, 6, 9, dtype=torch.float64)
    flow = torch.tensor([2.0, -1.0], dtype=torch.float64).expand(2, 6, 9, 2)
    grid = grids.flow_grid(flow, align_corners)
    read = F.grid_sample(image, grid, align_corners=align_corners)
    expected = F.pad(image, (0, 2, 1, 0))[..., :6, 2:]  # from the right, and from above
    assert (read - expected).abs().max() <= 1e-9


@each_size
@both_corners
def test_no_flow_is_the_identity(size, align_corners, device):
    flow = torch.zeros(size[0], *size[2:], 2, device=device)
    expected = F.affine_grid(torch.eye(2, 3).expand(3, 2, 3), size, align_corners=align_corners)
    assert (grids.flow_grid(flow, align_corners).cpu() - expected).abs().max() <= 1e-6


def test_a_turn_is_a_shift_in_a_log_polar_grid():
    """Theta times the log-polar places are the places of other columns."""
    grid = grids.log_polar_grid((1, 1, 5, 12), smallest=0.1, dtype=torch.float64)
    turn = transforms.rotation(degrees=torch.tensor(30.0, dtype=torch.float64))[0, :, :2]
    turned = grid @ turn.T
    shifts = [(turned - grid.roll(columns, dims=2)).abs().max() for columns in (1, -1)]
    assert min(shifts) <= 1e-12
    assert max(shifts) > 0.1
    radius = grid.norm(dim=-1)[0, :, 0]
    assert ((radius[1:] / radius[:-1]) - 10 ** (1 / 5)).abs().max() <= 1e-12
    assert radius[0] > 0.1 and radius[-1] < 1


def test_opencvs_log_polar_circles_are_ours():
    """Along a row the radius is one; column 0 looks right, a quarter of them down."""
    grid = grids.log_polar_grid((2, 1, 3, 8), smallest=0.25)
    assert grid.shape == (2, 3, 8, 2)
    first, quarter = grid[0, :, 0], grid[0, :, 2]
    assert (first[:, 0] > 0).all() and first[:, 1].abs().max() < 1e-6
    assert (quarter[:, 1] > 0).all() and quarter[:, 0].abs().max() < 1e-6
    expected = [0.25 ** ((5 - 2 * i) / 6) for i in range(3)]
    assert first[:, 0].tolist() == pytest.approx(expected)


@both_corners
def test_gradients(align_corners):
    size = (1, 1, 3, 4)

    def check(function, *inputs):
        assert torch.autograd.gradcheck(function, [x.clone().requires_grad_() for x in inputs])

    check(lambda theta: grids.projective_grid(theta, size, align_corners), TILTED)
    points = torch.rand(1, 9, 2, dtype=torch.float64)
    check(lambda p: grids.thin_plate_spline_grid(p, size, align_corners), points)
    check(lambda flow: grids.flow_grid(flow, align_corners), torch.rand(1, 3, 4, 2).double())


NAN = torch.full((1, 3, 3), math.nan)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: grids.projective_grid(AFFINE, (1, 1, 2, 2)), ValueError, r"\(B, 3, 3\); got"),
        (lambda: grids.projective_grid(torch.eye(3), (1, 1, 2, 2)), ValueError, r"\(3, 3\)"),
        (lambda: grids.projective_grid(NAN, (1, 1, 2, 2)), ValueError, "finite; got .*nan"),
        (lambda: grids.projective_grid(TILTED, (2, 1, 2, 2)), ValueError, "batch of 1"),
        (lambda: grids.projective_grid(TILTED.int(), (1, 1, 2, 2)), TypeError, "int32"),
        (
            lambda: grids.thin_plate_spline_grid(torch.zeros(1, 5, 2), (1, 1, 2, 2)),
            ValueError,
            r"n², 2\), n at least 2; got .*\(1, 5, 2\)",
        ),
        (
            lambda: grids.thin_plate_spline_grid(torch.zeros(1, 1, 2), (1, 1, 2, 2)),
            ValueError,
            r"\(1, 1, 2\)",
        ),
        (
            lambda: grids.thin_plate_spline_grid(torch.zeros(2, 4, 2), (1, 1, 2, 2)),
            ValueError,
            "points has a batch of 2",
        ),
        (lambda: grids.flow_grid(torch.zeros(1, 2, 3, 3)), ValueError, r"\(1, 2, 3, 3\)"),
        (lambda: grids.flow_grid([0.0]), TypeError, "list"),
        (lambda: grids.log_polar_grid((1, 2, 3)), ValueError, r"\(1, 2, 3\)"),
        (lambda: grids.log_polar_grid((1, 1, 2, 2), smallest=1.5), ValueError, "between 0 and 1"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def lattice_bent(n: int, batch: int = 3) -> torch.Tensor:
    """Control points (batch, n², 2), float64, each moved by a little at random."""
    generator = torch.Generator().manual_seed(n)
    moves = torch.randn(batch, n * n, 2, generator=generator, dtype=torch.float64)
    return grids.control_lattice(n, dtype=torch.float64) + 0.3 * moves


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_bending_energy_is_that_of_scipys_spline(n, device):
    """8 π times w · U · w, for its factors w: the biharmonic of r² log r is 8 π times a delta."""
    points = lattice_bent(n)
    lattice = grids.control_lattice(n, dtype=torch.float64).numpy()
    distances = numpy.linalg.norm(lattice[:, None] - lattice, axis=-1)
    bends = distances**2 * numpy.log(numpy.where(distances > 0, distances, 1))
    found = grids.bending_energy(points.to(device))
    assert (found.shape, found.device.type) == ((3,), device.type)
    for one, energy in zip(points.numpy(), found.cpu(), strict=True):
        spline = RBFInterpolator(lattice, one, kernel="thin_plate_spline", degree=1)
        factors = spline._coeffs[: n * n]
        assert energy.item() == pytest.approx(
            8 * math.pi * numpy.trace(factors.T @ bends @ factors), rel=1e-9
        )


@pytest.mark.parametrize("n", [2, 3])
def test_bending_energy_is_the_integral_of_squared_second_derivatives(n):
    """By autograd, over rings around the middle, out to where next to nothing is left."""
    points, lattice = lattice_bent(n, batch=1), grids.control_lattice(n, dtype=torch.float64)
    factors = grids.spline_weights(n) @ points[0]

    def grid(place):
        return grids.spline_basis(place, lattice) @ factors

    # log r from -6 to 6 and 64 directions; the area of a piece is r² · dlog r · dangle
    logs, angles = torch.linspace(-6, 6, 601).double(), torch.arange(64).double() * math.pi / 32
    angles = (
        angles + 0.03
    )  # beside the points of the lattice, whose second derivatives are infinite
    radius = logs.exp()[:, None]
    places = torch.stack([radius * angles.cos(), radius * angles.sin()], dim=-1).requires_grad_()
    sums = torch.zeros_like(radius * angles)
    for axis in (0, 1):
        (first,) = torch.autograd.grad(grid(places)[..., axis].sum(), places, create_graph=True)
        for part in (0, 1):
            (second,) = torch.autograd.grad(first[..., part].sum(), places, retain_graph=True)
            sums = sums + second.square().sum(dim=-1)
    integral = (sums * radius**2).sum() * (12 / 600) * (math.pi / 32)
    assert grids.bending_energy(points).item() == pytest.approx(integral.item(), rel=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_moved_affinely_does_not_bend(dtype):
    points = lattice_moved_by(torch.randn(3, 2, 3, dtype=dtype), 4)
    found = grids.bending_energy(points)
    assert found.dtype == dtype
    assert found.abs().max() <= 1000 * torch.finfo(dtype).eps
    bent = lattice_bent(4).to(dtype)
    assert (grids.bending_energy(bent) > 0.01).all()
    assert (grids.bending_energy(bent + points) / grids.bending_energy(bent) - 1).abs().max() < 1e-3


def test_twice_as_far_bends_four_times_as_much_and_has_a_gradient():
    points, lattice = lattice_bent(3), grids.control_lattice(3, dtype=torch.float64)
    once, twice = grids.bending_energy(points), grids.bending_energy(2 * points - lattice)
    assert (twice / once - 4).abs().max() <= 1e-9
    assert torch.autograd.gradcheck(grids.bending_energy, [points.requires_grad_()])


def test_bending_energy_names_bad_input():
    with pytest.raises(ValueError, match=r"n², 2\), n at least 2; got .*\(1, 5, 2\)"):
        grids.bending_energy(torch.zeros(1, 5, 2))


KINDS = [
    (AFFINE, grids.affine_grid),
    (TILTED, grids.projective_grid),
    (grids.control_lattice(3, dtype=torch.float64)[None] ** 3, grids.thin_plate_spline_grid),
]
each_kind = pytest.mark.parametrize(("theta", "grid"), KINDS, ids=["affine", "projective", "tps"])


@each_kind
@both_corners
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_shape_of_theta_tells_its_grid(theta, grid, align_corners, dtype, device):
    theta, size = theta.to(device, dtype).expand(2, -1, -1), (2, 3, 5, 7)
    ours = grids.grid_of(theta, size, align_corners)
    theirs = grid(theta, size, align_corners)
    assert (ours.dtype, ours.device) == (dtype, theta.device)
    assert torch.equal(ours, theirs)


@each_kind
def test_nan_in_a_theta_gives_nan_and_is_not_waited_for(theta, grid):
    wrong = theta.expand(3, -1, -1).clone()
    wrong[1] = math.nan
    found = grids.grid_of(wrong, (3, 1, 4, 5))
    assert found[1].isnan().all()
    assert found[[0, 2]].isfinite().all()
    with pytest.raises(ValueError, match="finite"):
        grid(wrong, (3, 1, 4, 5))


@pytest.mark.parametrize("shape", [(1, 2, 4), (1, 4, 3), (1, 1, 2), (1, 5, 2), (1, 3, 2), (1, 6)])
def test_a_theta_of_no_family_is_named(shape):
    with pytest.raises(ValueError, match=r"\(B, 2, 3\), \(B, 3, 3\) or \(B, n², 2\)"):
        grids.grid_of(torch.zeros(shape), (1, 1, 2, 2))
    with pytest.raises(TypeError, match="int64"):
        grids.grid_of(torch.zeros(1, 2, 3).long(), (1, 1, 2, 2))


def test_the_shares_of_a_splines_points():
    """At a point of the lattice, all is its own; everywhere they add up to 1."""
    shares = grids.spline_shares(3, 3, 3, True, torch.float64, "cpu")
    assert (shares.reshape(9, 9) - torch.eye(9)).abs().max() <= 1e-12
    others = grids.spline_shares(4, 6, 5, False, torch.float32, "cpu")
    assert (others.shape, others.dtype) == ((6, 5, 16), torch.float32)
    assert (others.sum(dim=-1) - 1).abs().max() <= 1e-6
    assert grids.spline_shares(4, 6, 5, False, torch.float32, "cpu") is others
    assert grids.spline_shares(4, 6, 5, True, torch.float32, "cpu") is not others


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_a_spline_at_its_lattice_is_the_identity_in_float32(n, device):
    """Its weights add up to 1 with large ones of both signs; so they are found in float64."""
    points = grids.control_lattice(n, device=device)[None]
    grid = grids.thin_plate_spline_grid(points, (1, 1, 224, 192))
    expected = grids.base_grid(224, 192, device=device)[None, ..., :2]
    assert (grid - expected).abs().max() <= 1e-6


def test_what_is_kept_is_made_whatever_the_default_device_and_mode():
    points = grids.control_lattice(6)[None] / 2
    expected = grids.base_grid(9, 11)[..., :2] / 2
    with torch.device("meta"), torch.inference_mode():
        grids.thin_plate_spline_grid(points, (1, 1, 9, 11))
    points.requires_grad_()
    grid = grids.thin_plate_spline_grid(points, (1, 1, 9, 11))
    assert (grid - expected).abs().max() <= 1e-6
    grid.sum().backward()


@pytest.mark.parametrize(
    ("build", "argument"),
    [
        (grids.projective_grid, TILTED),
        (grids.thin_plate_spline_grid, lattice_bent(3, batch=1)),
        (grids.bend, lattice_bent(3, batch=1)),
        *((grids.grid_of, theta) for theta in (AFFINE, TILTED, lattice_bent(3, batch=1))),
        (lambda flow, _, *corners: grids.flow_grid(flow, *corners), lattice_bent(3)[:, None]),
    ],
)
def test_corners_are_not_aligned_unless_it_is_asked_for(build, argument):
    size = (1, 1, 3, 4)
    assert torch.equal(build(argument, size), build(argument, size, False))
    assert not torch.equal(build(argument, size), build(argument, size, True))


def test_the_smallest_circle_is_a_twentieth_unless_it_is_asked_for():
    """Each row is the 1 / H-th power of 20 times as large as the one before."""
    radius = grids.log_polar_grid((1, 1, 6, 8), dtype=torch.float64)[0, :, 0, 0]
    expected = [20 ** ((2 * i + 1) / 12 - 1) for i in range(6)]
    assert radius.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("smallest", [0, 1, -0.5, 1.5])
def test_circles_lie_between_the_middle_and_the_rim(smallest):
    with pytest.raises(ValueError) as caught:
        grids.log_polar_grid((1, 1, 2, 2), smallest=smallest)
    assert str(caught.value) == f"smallest must lie between 0 and 1; got {smallest!r}"


def test_what_was_asked_for_last_is_kept():
    """Sixteen tensors, computed once each."""
    asked = []

    def zeros(n):
        """As many zeros."""
        asked.append(n)
        return torch.zeros(n)

    kept = grids.kept(zeros)
    for n in [*range(1, 17), 1, 16, 17, 1, 2]:
        assert kept(n).shape == (n,)
    assert asked == [*range(1, 18), 2]
    assert kept(2) is kept(2)
    assert (kept.__name__, kept.__doc__) == ("zeros", "As many zeros.")


def test_what_is_kept_may_be_asked_for_first_in_inference():
    kept = grids.kept(torch.ones)
    with torch.inference_mode():
        assert not kept(3).is_inference()


def test_what_is_traced_is_computed_anew(monkeypatch):
    kept = grids.kept(torch.ones)
    first = kept(3)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert kept(3) is not first
    assert torch.equal(kept(3), first)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_nearer_to_the_horizon_than_numbers_are_precise_is_on_it(dtype, sign):
    eps = torch.finfo(dtype).eps
    theta = torch.eye(3, dtype=dtype).repeat(3, 1, 1)
    theta[:, :2, 2] = 1
    theta[:, 2, 2] = torch.tensor([0.5 * sign * eps, eps, 2 * eps], dtype=dtype)
    grid = grids.projective_grid(theta, (3, 1, 1, 1))[:, 0, 0]
    assert (grid[:2] == grids.OUTSIDE).all()
    assert (grid[2] * 2 * eps - 1).abs().max() <= 1e-6
    assert grids.OUTSIDE == 10


def test_nan_in_a_homography_stays_nan_where_it_is():
    theta = torch.stack([torch.eye(3), math.nan * torch.eye(3)])
    grid = grids.grid_of(theta, (2, 1, 2, 3))
    assert grid[0].isfinite().all() and grid[1].isnan().all()


def test_everything_is_made_where_the_tensors_are():
    """Whatever torch's default device; here one that holds no numbers."""
    size, points, flow = (1, 1, 3, 4), lattice_bent(3, batch=1), lattice_bent(2, batch=1)[:, None]

    def build():
        thetas = AFFINE, TILTED, points
        made = [grids.projective_grid(TILTED, size), grids.flow_grid(flow)]
        return made + [grids.grid_of(theta, size) for theta in thetas]

    expected = build()
    with torch.device("meta"):
        for made, right in zip(build(), expected, strict=True):
            assert torch.equal(made, right)


@both_corners
def test_the_shape_of_a_theta_tells_its_grid(align_corners):
    size, points = (1, 1, 3, 4), lattice_bent(3, batch=1)
    options = {"align_corners": align_corners}
    affine = F.affine_grid(AFFINE, size, **options)
    assert (grids.grid_of(AFFINE, size, **options) - affine).abs().max() <= 1e-12
    u, v, w = (F.affine_grid(TILTED[:, [i, i]], size, **options)[..., 0] for i in range(3))
    seen = torch.stack([u / w, v / w], dim=-1)
    assert (grids.grid_of(TILTED, size, **options) - seen).abs().max() <= 1e-12
    spline = grids.thin_plate_spline_grid(points, size, **options)
    assert torch.equal(grids.grid_of(points, size, **options), spline)


def test_between_two_aligned_pixels_lies_the_whole_width():
    """And a single one, which lies at 0, moves as if there were two."""
    for size in [(2, 2), (2, 1), (1, 2)]:
        flow = torch.ones(1, *size, 2)
        own = F.affine_grid(torch.eye(2, 3)[None], (1, 1, *size), align_corners=True)
        assert torch.equal(grids.flow_grid(flow, True), own + 2)
