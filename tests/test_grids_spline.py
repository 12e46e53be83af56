"""Thin plate splines' grids and how much they bend, against SciPy; what is computed once."""

import math

import numpy
import pytest
import torch
import torch.nn.functional as F
from grid_cases import both_corners, each_size, lattice_bent
from scipy.interpolate import RBFInterpolator

from stn_course import grids


def lattice_moved_by(theta: torch.Tensor, n: int) -> torch.Tensor:
    """The control points (B, n², 2) where an affine theta (B, 2, 3) puts them."""
    lattice = torch.linspace(-1, 1, n, dtype=theta.dtype)
    y, x = torch.meshgrid(lattice, lattice, indexing="ij")
    points = torch.stack([x.flatten(), y.flatten(), torch.ones(n * n).to(theta)])
    return (theta @ points).mT


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


def test_under_autocast_what_does_not_bend_has_no_energy():
    with torch.autocast("cpu", torch.bfloat16):
        energy = grids.bending_energy(grids.control_lattice(6)[None])
    assert energy.dtype == torch.float32 and energy.abs() <= 1e-3


def test_bending_energy_names_bad_input():
    with pytest.raises(ValueError, match=r"n², 2\), n at least 2; got .*\(1, 5, 2\)"):
        grids.bending_energy(torch.zeros(1, 5, 2))


def test_what_is_kept_is_made_whatever_the_default_device_and_mode():
    points = grids.control_lattice(6)[None] / 2
    expected = grids.base_grid(9, 11)[..., :2] / 2
    with torch.device("meta"), torch.inference_mode():
        grids.thin_plate_spline_grid(points, (1, 1, 9, 11))
    points.requires_grad_()
    grid = grids.thin_plate_spline_grid(points, (1, 1, 9, 11))
    assert (grid - expected).abs().max() <= 1e-6
    grid.sum().backward()


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
