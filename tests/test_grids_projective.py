"""Homographies' grids, against PyTorch, OpenCV and torchvision; and their horizon."""

import cv2
import numpy
import pytest
import torch
import torch.nn.functional as F
from grid_cases import TILTED, both_corners, each_size
from torchvision.transforms.v2.functional import perspective

from stn_course import grids


def homogeneous(theta: torch.Tensor) -> torch.Tensor:
    """Theta (B, 2, 3) with the third row of an affine map."""
    row = theta.new_tensor([0.0, 0.0, 1.0]).expand(len(theta), 1, 3)
    return torch.cat([theta, row], dim=1)


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_nearer_to_the_horizon_than_numbers_are_precise_is_on_it(dtype, sign):
    eps = torch.finfo(dtype).eps
    theta = torch.eye(3, dtype=dtype).repeat(3, 1, 1)
    theta[:, :2, 2] = theta[:, 2, 0] = 1
    theta[:, 2, 2] = torch.tensor([0.5 * sign * eps, eps, 2 * eps], dtype=dtype)
    grid = grids.projective_grid(theta, (3, 1, 1, 1))[:, 0, 0]
    assert (grid[:2] == grids.OUTSIDE).all()
    assert (grid[2] * 2 * eps - 1).abs().max() <= 1e-6
    assert grids.OUTSIDE == 10


def test_how_near_the_horizon_is_depends_on_the_whole_third_row():
    eps = torch.finfo(torch.float64).eps
    theta = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    theta[:, 2] = torch.tensor([[1.0, 1.0, 1.5 * eps], [0.0, 0.0, 1.5 * eps]])
    assert grids.projective_grid(theta, (2, 1, 1, 1)).flatten().tolist() == [10, 10, 0, 0]
    assert (grids.projective_grid(0 * theta, (2, 1, 4, 4)) == grids.OUTSIDE).all()


def test_a_homography_that_is_not_finite_is_printed_whole():
    theta = torch.eye(3)[None].clone()
    theta[0, 2, 2] = torch.nan
    with pytest.raises(ValueError, match=r"got \[\[1\.0, 0\.0, 0\.0\], .* 0\.0, nan\]\]$"):
        grids.projective_grid(theta, (1, 1, 2, 2))


@pytest.mark.parametrize("factor", [1e-30, 1e-7, 0.5, 1e7])
def test_a_multiple_of_theta_means_the_same(factor):
    same = grids.projective_grid(TILTED.float() * factor, (1, 1, 5, 8))
    assert (same - grids.projective_grid(TILTED.float(), (1, 1, 5, 8))).abs().max() <= 1e-6
