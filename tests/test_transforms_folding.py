"""The determinant of a grid's derivative, against autograd, and where it folds."""

import math

import pytest
import torch
import torch.nn.functional as F

from stn_course import grids, transforms

both_corners = pytest.mark.parametrize("align_corners", [False, True])
SIZES = [(3, 1, 9, 12), (3, 1, 12, 9), (3, 2, 2, 5), (3, 1, 3, 2)]


@pytest.mark.parametrize("size", SIZES)
@both_corners
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_affine_grid_has_one_determinant_everywhere(size, align_corners, dtype, device):
    theta = torch.randn(3, 2, 3, dtype=dtype, device=device)
    grid = F.affine_grid(theta, size, align_corners=align_corners)
    found = transforms.jacobian_determinant(grid, align_corners)
    assert (found.shape, found.dtype, found.device) == ((3, *size[2:]), dtype, theta.device)
    expected = torch.linalg.det(theta[:, :, :2])[:, None, None]
    assert (found - expected).abs().max() <= 100 * torch.finfo(dtype).eps
    if expected.abs().min() > 1e-3:
        assert torch.equal(transforms.folded(grid), (expected < 0).expand_as(found))


def bent(places: torch.Tensor) -> torch.Tensor:
    """A smooth warp (..., 2), of second degree, which central differences know exactly."""
    x, y = places.unbind(dim=-1)
    return torch.stack([x + 0.3 * x * y - 0.2 * y**2, 0.8 * y + 0.4 * x**2 + 0.1 * x], dim=-1)


@both_corners
def test_inside_the_determinant_is_autograds(align_corners):
    places = F.affine_grid(
        torch.eye(2, 3, dtype=torch.float64)[None], (1, 1, 7, 10), align_corners=align_corners
    )
    found = transforms.jacobian_determinant(bent(places), align_corners)[0, 1:-1, 1:-1]
    jacobians = [
        torch.autograd.functional.jacobian(bent, place)
        for place in places[0, 1:-1, 1:-1].reshape(-1, 2)
    ]
    expected = torch.linalg.det(torch.stack(jacobians)).reshape(found.shape)
    assert (found - expected).abs().max() <= 1e-12
    other = transforms.jacobian_determinant(bent(places), not align_corners)[0, 1:-1, 1:-1]
    assert (other - expected).abs().max() > 0.01
    unsaid = transforms.jacobian_determinant(bent(places))[0, 1:-1, 1:-1]
    assert torch.equal(unsaid, other if align_corners else found)


@both_corners
def test_at_the_border_it_is_that_of_the_two_pixels_there(align_corners):
    """One-sided: halfway between the two, for a warp of second degree."""
    size = (1, 1, 6, 8)
    places = F.affine_grid(
        torch.eye(2, 3, dtype=torch.float64)[None], size, align_corners=align_corners
    )
    found = transforms.jacobian_determinant(bent(places), align_corners)[0, 0, 0]
    (x0, y0), (x1, y1) = places[0, 0, 0], places[0, 1, 1]
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    along_x = torch.stack([1 + 0.3 * y0, 0.8 * x + 0.1])
    along_y = torch.stack([0.3 * x0 - 0.4 * y, torch.tensor(0.8).double()])
    assert (found - torch.linalg.det(torch.stack([along_x, along_y]))).abs() <= 1e-6


@pytest.mark.parametrize("kind", ["projective", "spline"])
def test_finer_grids_come_closer_to_autograds(kind):
    """At half the step the error inside is a quarter: central differences are of second order."""
    points = grids.control_lattice(3, dtype=torch.float64)[None].clone()
    points[0, 4] += 0.3
    theta = torch.tensor([[[1.0, 0.1, 0.05], [-0.1, 0.9, 0.1], [0.2, -0.3, 1.0]]]).double()

    def warp(place):
        if kind == "spline":
            lattice, weights = grids.control_lattice(3).double(), grids.spline_weights(3)
            return grids.spline_basis(place[None], lattice)[0] @ weights @ points[0]
        u, v, w = theta[0] @ torch.cat([place, place.new_ones(1)])
        return torch.stack([u / w, v / w])

    build = grids.thin_plate_spline_grid if kind == "spline" else grids.projective_grid
    place = torch.tensor([0.25, -0.5], dtype=torch.float64)
    expected = torch.linalg.det(torch.autograd.functional.jacobian(warp, place))
    errors = []
    for n in (8, 16):  # aligned corners, so that the place is a pixel's of both
        grid = build(points if kind == "spline" else theta, (1, 1, n + 1, n + 1), True)
        found = transforms.jacobian_determinant(grid, True)[0, n // 4, 5 * n // 8]
        errors.append((found - expected).abs())
    assert 3 < errors[0] / errors[1] < 5


@both_corners
def test_gradients(align_corners):
    grid = torch.randn(2, 3, 4, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda g: transforms.jacobian_determinant(g, align_corners), [grid]
    )


def test_one_column_that_turns_back_is_a_fold():
    """Differences reach over it, so the pixels on both sides see it."""
    columns = torch.tensor([0.0, 1.0, 2.0, 1.5, 1.0, 5.0, 6.0])
    flow = torch.zeros(2, 3, 7, 2)
    flow[1, ..., 0] = columns - torch.arange(7.0)
    found = transforms.folded(grids.flow_grid(flow))
    assert not found[0].any()
    assert found[1].tolist() == [[False, False, False, True, False, False, False]] * 3


def test_squeezed_to_a_line_is_folded_and_a_turn_is_not():
    line = grids.affine_grid(transforms.scale(1.0, 0.0), (1, 1, 4, 5))
    assert transforms.folded(line).all()
    turned = grids.affine_grid(transforms.rotation(degrees=180), (1, 1, 4, 5))
    assert not transforms.folded(turned).any()
    mirrored = grids.affine_grid(transforms.scale(-1.0, 1.0), (1, 1, 4, 5))
    assert transforms.folded(mirrored).all()


@both_corners
@pytest.mark.parametrize("slope", [[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [1.5, -1.7], [-9.0, 8.0]])
def test_nothing_is_folded_at_a_horizon(slope, align_corners):
    """A homography does not mirror what lies before it, and behind it there is no picture."""
    theta = torch.eye(3)[None].clone()
    theta[0, 2, :2] = torch.tensor(slope)
    grid = grids.projective_grid(theta, (1, 1, 9, 8), align_corners)
    assert (grid == grids.OUTSIDE).any()
    assert not transforms.folded(grid).any()
    mirrored = grids.projective_grid(torch.diag(torch.tensor([-1.0, 1, 1])) @ theta, (1, 1, 9, 8))
    near = F.max_pool2d((mirrored == grids.OUTSIDE).all(-1).float(), 3, 1, 1)
    assert torch.equal(transforms.folded(mirrored), near == 0)


def test_a_place_that_is_ten_on_one_axis_alone_is_a_place():
    mirrored = grids.affine_grid(transforms.scale(-1.0, 1.0), (1, 1, 4, 5))
    mirrored[..., 1] = mirrored[..., 1] / 1e3 + grids.OUTSIDE - mirrored[0, 1, 1, 1] / 1e3
    assert (mirrored[0, 1, :, 1] == grids.OUTSIDE).all()
    assert transforms.folded(mirrored).all()


GRID = torch.zeros(1, 3, 4, 2)


@pytest.mark.parametrize("measure", [transforms.jacobian_determinant, transforms.folded])
@pytest.mark.parametrize(
    ("grid", "error", "words"),
    [
        (
            torch.zeros(1, 1, 4, 2),
            ValueError,
            "grid must have 2 pixels or more on each axis; got a torch.float32 tensor of shape "
            "(1, 1, 4, 2)",
        ),
        (
            torch.zeros(1, 3, 1, 2),
            ValueError,
            "grid must have 2 pixels or more on each axis; got a torch.float32 tensor of shape "
            "(1, 3, 1, 2)",
        ),
        (
            torch.zeros(1, 3, 4, 3),
            ValueError,
            "grid must have shape (B, H, W, 2), last axis x, y; got a torch.float32 tensor of "
            "shape (1, 3, 4, 3)",
        ),
        (
            torch.zeros(3, 4, 2),
            ValueError,
            "grid must be a floating-point tensor of shape (B, H, W, 2); got a torch.float32 "
            "tensor of shape (3, 4, 2)",
        ),
        (
            GRID / 0,
            ValueError,
            "grid must be finite; got nan at (0, 0, 0)",
        ),
        (
            [math.nan],
            TypeError,
            "grid must be a floating-point tensor of shape (B, H, W, 2); got list [nan]",
        ),
    ],
)
def test_errors_say_it_in_these_words(measure, grid, error, words):
    with pytest.raises(error) as caught:
        measure(grid)
    assert str(caught.value) == words
