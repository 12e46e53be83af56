"""Homographies from corners and back, against OpenCV, torchvision, SciPy and PyTorch."""

import math

import cv2
import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from stn_course import grids, transforms

# torchvision comes after stn_course, which mends its import.
from torchvision.transforms.functional import _get_perspective_coeffs  # isort: skip

SQUARE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def convex_corners(batch: int, dtype=torch.float64, device="cpu") -> torch.Tensor:
    """The square's corners, each moved by less than keeps them convex, all mapped affinely."""
    generator = torch.Generator().manual_seed(batch)
    moved = SQUARE.double() + 1.2 * torch.rand(batch, 4, 2, generator=generator).double() - 0.6
    turn = torch.randn(batch, 2, 2, generator=generator).double()
    corners = moved @ turn + torch.randn(batch, 1, 2, generator=generator).double()
    return corners.to(device, dtype)


@both_dtypes
def test_a_homography_from_corners_is_opencvs(dtype, device):
    corners = convex_corners(50, dtype, device)
    ours = transforms.from_corners(corners)
    assert (ours.shape, ours.dtype, ours.device) == ((50, 3, 3), dtype, corners.device)
    places = corners.float().cpu().numpy()  # OpenCV takes float32, and computes in float64
    theirs = numpy.stack([cv2.getPerspectiveTransform(SQUARE.numpy(), one) for one in places])
    scale = abs(theirs).max(axis=(1, 2), keepdims=True)
    assert (abs(ours.cpu().numpy() - theirs) / scale).max() <= 2e-5
    assert (ours[:, 2, 2] == 1).all()


def test_a_homography_from_corners_is_torchvisions():
    """Theirs are eight coefficients of end -> start, in pixels; any square is as good as ours."""
    for corners in convex_corners(20):
        found = _get_perspective_coeffs(corners.tolist(), SQUARE.tolist())
        theirs = torch.tensor([*found, 1.0], dtype=torch.float64).reshape(3, 3)
        ours = transforms.from_corners(corners[None])[0]
        assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


def test_a_homography_takes_the_corners_there():
    corners = convex_corners(100)
    target = torch.cat([SQUARE, torch.ones(4, 1)], dim=1).double()
    u, v, w = (transforms.from_corners(corners) @ target.T).unbind(dim=1)
    assert (w > 0).all()
    assert (torch.stack([u / w, v / w], dim=-1) - corners).abs().max() <= 1e-9


def test_corners_come_back(device):
    corners = convex_corners(100, device=device)
    theta = transforms.from_corners(corners)
    assert (transforms.to_corners(theta) - corners).abs().max() <= 1e-9
    assert (transforms.to_corners(3 * theta) - corners).abs().max() <= 1e-9
    again = transforms.from_corners(transforms.to_corners(theta))
    assert ((again - theta).abs() / theta.abs().amax(dim=(1, 2), keepdim=True)).max() <= 1e-9


@both_dtypes
def test_corners_left_alone_are_the_identity(dtype):
    """Exactly: the kind of identity that was not one for years elsewhere."""
    corners = SQUARE.to(dtype).expand(2, 4, 2)
    assert torch.equal(transforms.from_corners(corners), torch.eye(3, dtype=dtype).expand(2, 3, 3))
    assert torch.equal(transforms.to_corners(torch.eye(3, dtype=dtype).expand(2, 3, 3)), corners)
    assert torch.equal(
        transforms.from_three_corners(corners[:, :3]), transforms.identity(2).to(dtype)
    )


def test_a_parallelogram_has_no_perspective():
    theta = transforms.from_pose(25.0, 0.8, -0.7, 0.2, 0.1, torch.tensor([-0.3, 0.4]).double())
    corners = (theta @ torch.cat([SQUARE, torch.ones(4, 1)], dim=1).double().T).mT
    assert (transforms.from_corners(corners) - transforms.to_matrix(theta)).abs().max() <= 1e-12
    assert (transforms.to_corners(transforms.to_matrix(theta)) - corners).abs().max() <= 1e-12


def test_three_corners_are_opencvs():
    corners = torch.randn(20, 3, 2, dtype=torch.float64)
    ours = transforms.from_three_corners(corners)
    for theta, one in zip(ours.numpy(), corners.float().numpy(), strict=True):
        theirs = cv2.getAffineTransform(SQUARE[:3].numpy(), one)
        assert abs(theta - theirs).max() <= 1e-6
    target = torch.cat([SQUARE[:3], torch.ones(3, 1)], dim=1).double()
    assert ((ours @ target.T).mT - corners).abs().max() <= 1e-12


def test_three_corners_in_a_line_read_that_line():
    theta = transforms.from_three_corners(torch.tensor([[[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]]))
    assert torch.linalg.det(theta[:, :, :2]).item() == 0
    grid = grids.affine_grid(theta, (1, 1, 4, 5))
    assert (grid[..., 1] - 2 * grid[..., 0]).abs().max() <= 1e-6


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=4, max_size=4, unique=True)
)
def test_corners_are_convex_if_their_hull_has_them_around_in_order(places):
    corners = torch.tensor(places, dtype=torch.float64)
    flat = numpy.linalg.matrix_rank(numpy.array(places) - places[0]) < 2
    around = [] if flat else ConvexHull(numpy.array(places)).vertices.tolist()
    start = around.index(0) if 0 in around else 0
    # from the top left: over the top right or the bottom left, if it is a mirror image
    expected = around[start:] + around[:start] in ([0, 1, 3, 2], [0, 2, 3, 1])
    assert transforms.is_convex(corners[None]).tolist() == [expected]


def test_three_in_a_line_are_refused_though_they_are_rounded():
    for slope in (0.1, 1 / 3, 0.7):
        corners = [[0.0, 0.0], [1.0, slope], [0.3, 0.9], [3.0, 3 * slope]]
        for dtype in (torch.float32, torch.float64):
            assert not transforms.is_convex(torch.tensor([corners], dtype=dtype)).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nearly_in_a_line_is_told_by_half_of_the_digits(dtype):
    """The last corner lies beside the diagonal between two others, on its far side."""
    beside = torch.tensor([-1.0, 0.0, 0.1, 10.0], dtype=dtype) * torch.finfo(dtype).eps ** 0.5
    corners = SQUARE.to(dtype).repeat(4, 1, 1)
    corners[:, 3] = beside[:, None]
    assert transforms.is_convex(corners).tolist() == [False, False, False, True]


def test_through_any_four_places_runs_opencvs_homography(device):
    """Convex or not, up to a factor: positive, so that most of the output is before the horizon."""
    corners = 2 * torch.rand(200, 4, 2, dtype=torch.float64).to(device) - 1
    assert 0.2 < transforms.is_convex(corners).double().mean() < 0.8
    ours = transforms.through_corners(corners).cpu()
    target = torch.cat([SQUARE, torch.ones(4, 1)], dim=1).double()
    w = (ours @ target.T)[:, 2]
    assert (w.sum(dim=1) >= 0).all() and w.abs().mean(dim=1).numpy() == pytest.approx(1)
    for one, places in zip(ours, corners.float().cpu().numpy(), strict=True):
        theirs = torch.from_numpy(cv2.getPerspectiveTransform(SQUARE.numpy(), places))
        factor = (theirs * one).sum() / theirs.square().sum()
        assert factor > 0 or one[2, 2] < 1e-6
        assert (one - factor * theirs).abs().max() <= 1e-4 * one.abs().max()


def test_corners_that_are_not_convex_have_one_behind_the_horizon_or_two():
    inside = SQUARE.clone()
    inside[3] = torch.tensor([-0.4, -0.3])
    crossed = SQUARE[[0, 1, 3, 2]]
    theta = transforms.through_corners(torch.stack([inside, crossed, SQUARE]))
    outside = (transforms.to_corners(theta) == grids.OUTSIDE).all(dim=-1)
    assert outside.sum(dim=1).tolist() == [1, 2, 0]


def test_four_places_in_a_line_are_read_nowhere_and_three_only_in_that_line():
    line = torch.tensor([[-1.0, 0.0], [-0.5, 0.0], [0.5, 0.0], [1.0, 0.0]], dtype=torch.float64)
    bent = line.clone()
    bent[0] = torch.tensor([0.0, 1.0])
    theta = transforms.through_corners(torch.stack([line, bent]))
    assert (theta[0] == 0).all()
    grid = grids.projective_grid(theta, (2, 1, 6, 6))
    assert (grid[0] == grids.OUTSIDE).all()
    seen = grid[1][(grid[1] != grids.OUTSIDE).any(dim=-1)]
    assert len(seen) > 10 and seen[:, 1].abs().max() <= 1e-9


def test_a_corner_behind_the_horizon_has_no_place():
    theta = torch.eye(3)[None].clone()
    theta[0, 2, 0] = -1.0  # w = 1 - x: the right edge is the horizon
    corners = transforms.to_corners(theta)
    assert corners.tolist() == [[[-0.5, -0.5], [10, 10], [-0.5, 0.5], [10, 10]]]
    assert grids.OUTSIDE == 10


def test_gradients():
    corners = convex_corners(3).requires_grad_()
    assert torch.autograd.gradcheck(transforms.from_corners, [corners])
    assert torch.autograd.gradcheck(transforms.through_corners, [corners])
    theta = transforms.from_corners(corners.detach()).requires_grad_()
    assert torch.autograd.gradcheck(transforms.to_corners, [theta])
    assert torch.autograd.gradcheck(
        transforms.from_three_corners, [corners.detach()[:, :3].requires_grad_()]
    )


SHAPE = "corners must be a floating-point tensor of shape"
CONVEX = (
    "corners must be those of a convex quadrilateral, in the order top left, top right, "
    "bottom left, bottom right; got"
)
AROUND = SQUARE[[0, 1, 3, 2]]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: transforms.from_corners([1]), TypeError, f"{SHAPE} (B, 4, 2); got list [1]"),
        (
            lambda: transforms.from_corners(SQUARE),
            ValueError,
            f"{SHAPE} (B, 4, 2); got a torch.float32 tensor of shape (4, 2)",
        ),
        (
            lambda: transforms.from_corners(SQUARE[None, :3]),
            ValueError,
            "corners must have shape (B, 4, 2); got a torch.float32 tensor of shape (1, 3, 2)",
        ),
        (
            lambda: transforms.from_three_corners(SQUARE[None]),
            ValueError,
            "corners must have shape (B, 3, 2); got a torch.float32 tensor of shape (1, 4, 2)",
        ),
        (lambda: transforms.from_three_corners([1]), TypeError, f"{SHAPE} (B, 3, 2); got list [1]"),
        (
            lambda: transforms.is_convex(SQUARE[None] * torch.tensor([1.0, math.nan])),
            ValueError,
            f"corners must be finite; got {(SQUARE * torch.tensor([1.0, math.nan])).tolist()}",
        ),
        (
            lambda: transforms.from_corners(AROUND[None]),
            ValueError,
            f"{CONVEX} {AROUND.tolist()}",
        ),
        (
            lambda: transforms.from_corners(torch.stack([SQUARE, 0 * SQUARE, SQUARE, AROUND])),
            ValueError,
            f"{CONVEX} another in 2 of 4, the first at index 1: {(0 * SQUARE).tolist()}",
        ),
        (
            lambda: transforms.to_corners(transforms.identity()),
            ValueError,
            "theta must have shape (B, 3, 3); got a torch.float32 tensor of shape (1, 2, 3)",
        ),
    ],
)
def test_errors_say_it_in_these_words(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == words
