"""Grids of every family: theta's shape tells which; defaults, gradients, bad input."""

import math

import pytest
import torch
import torch.nn.functional as F
from grid_cases import AFFINE, TILTED, both_corners, lattice_bent

from stn_course import grids

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


@both_corners
def test_grids_of_each_shape_are_pytorchs(align_corners):
    size, points = (1, 1, 3, 4), lattice_bent(3, batch=1)
    options = {"align_corners": align_corners}
    affine = F.affine_grid(AFFINE, size, **options)
    assert (grids.grid_of(AFFINE, size, **options) - affine).abs().max() <= 1e-12
    u, v, w = (F.affine_grid(TILTED[:, [i, i]], size, **options)[..., 0] for i in range(3))
    seen = torch.stack([u / w, v / w], dim=-1)
    assert (grids.grid_of(TILTED, size, **options) - seen).abs().max() <= 1e-12
    spline = grids.thin_plate_spline_grid(points, size, **options)
    assert torch.equal(grids.grid_of(points, size, **options), spline)


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
        (lambda: grids.log_polar_grid((1, 1, 2, 2), smallest=1.5), ValueError, "less than 1"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
