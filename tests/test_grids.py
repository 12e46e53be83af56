"""Grids are held against PyTorch's affine_grid, never against themselves."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from stn_course import grids

IDENTITY = torch.eye(2, 3)[None]
SIZES = [(3, 1, 4, 7), (3, 2, 9, 2), (3, 1, 1, 5), (3, 1, 6, 1), (3, 4, 1, 1), (3, 1, 28, 28)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_affine_grid_equals_pytorch(size, align_corners, dtype, tolerance, device):
    theta = torch.randn(3, 2, 3, dtype=dtype, device=device)
    ours = grids.affine_grid(theta, size, align_corners)
    theirs = F.affine_grid(theta, size, align_corners=align_corners)
    assert ours.shape == theirs.shape
    assert (ours.dtype, ours.device) == (theirs.dtype, theirs.device)
    assert (ours - theirs).abs().max() <= tolerance


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    align_corners=st.booleans(),
    numbers=st.lists(st.floats(-10, 10), min_size=6, max_size=6),
)
def test_affine_grid_equals_pytorch_for_any_theta(height, width, align_corners, numbers):
    theta = torch.tensor(numbers, dtype=torch.float64).reshape(1, 2, 3)
    size = (1, 1, height, width)
    difference = grids.affine_grid(theta, size, align_corners) - F.affine_grid(
        theta, size, align_corners=align_corners
    )
    assert difference.abs().max() <= 1e-12


def test_align_corners_is_false_unless_said():
    theta = torch.randn(1, 2, 3)
    expected = F.affine_grid(theta, (1, 1, 3, 4), align_corners=False)
    assert torch.allclose(grids.affine_grid(theta, (1, 1, 3, 4)), expected, atol=1e-6)


def test_the_gradient_to_theta_is_pytorchs():
    theta = torch.randn(2, 2, 3, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 5, 3, 2, dtype=torch.float64)
    (ours,) = torch.autograd.grad((grids.affine_grid(theta, (2, 1, 5, 3)) * weights).sum(), theta)
    grid = F.affine_grid(theta, (2, 1, 5, 3), align_corners=False)
    (theirs,) = torch.autograd.grad((grid * weights).sum(), theta)
    assert (ours - theirs).abs().max() <= 1e-12
    assert torch.autograd.gradcheck(lambda t: grids.affine_grid(t, (2, 1, 5, 3)), theta)


def test_the_grid_reads_x_before_y_and_y_downwards():
    grid = grids.affine_grid(torch.eye(2, 3)[None], (1, 1, 2, 4))
    assert grid[0, 0].tolist() == [[-0.75, -0.5], [-0.25, -0.5], [0.25, -0.5], [0.75, -0.5]]
    assert grid[0, 1, 0].tolist() == [-0.75, 0.5]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_pixel_centres_meet_both_meanings_of_minus_one(n):
    inside = grids.pixel_centres(n)
    assert torch.allclose(inside, torch.linspace(-1 + 1 / n, 1 - 1 / n, n))
    ends = grids.pixel_centres(n, align_corners=True)
    assert torch.allclose(ends, torch.linspace(-1, 1, n) if n > 1 else torch.zeros(1))


def test_base_grid_is_homogeneous():
    target = grids.base_grid(2, 3, dtype=torch.float64)
    assert target.shape == (2, 3, 3)
    assert target.dtype == torch.float64
    assert (target[..., 2] == 1).all()
    expected = F.affine_grid(IDENTITY.double(), (1, 1, 2, 3), align_corners=False)  # the default
    assert torch.allclose(target[None, ..., :2], expected)


def test_the_grid_is_made_where_theta_is():
    """Whatever torch's default device; here one that holds no numbers."""
    with torch.device("meta"):
        grid = grids.affine_grid(IDENTITY, (1, 1, 2, 3))
    assert torch.allclose(grid, F.affine_grid(IDENTITY, (1, 1, 2, 3), align_corners=False))


@pytest.mark.parametrize(
    ("theta", "size", "error", "words"),
    [
        ([[1, 0, 0], [0, 1, 0]], (1, 1, 4, 4), TypeError, "list"),
        (IDENTITY.long(), (1, 1, 4, 4), TypeError, "torch.int64"),
        (torch.eye(2, 3), (1, 1, 4, 4), ValueError, r"\(2, 3\)"),
        (torch.eye(3)[None], (1, 1, 4, 4), ValueError, r"\(1, 3, 3\)"),
        (torch.empty(0, 2, 3), (0, 1, 4, 4), ValueError, r"\(0, 2, 3\)"),
        (IDENTITY / 0, (1, 1, 4, 4), ValueError, "finite; got .*nan"),
        (IDENTITY, (1, 1, 0, 4), ValueError, r"\(1, 1, 0, 4\)"),
        (IDENTITY, (1, 4, 4), ValueError, r"\(1, 4, 4\)"),
        (IDENTITY, (1, 1, 4.0, 4), TypeError, "4.0"),
        (IDENTITY, (1, 1, True, 4), TypeError, "True"),
        (IDENTITY, 4, TypeError, "int 4"),
        (IDENTITY, (2, 1, 4, 4), ValueError, "batch of 1"),
    ],
)
def test_bad_input_is_named(theta, size, error, words):
    with pytest.raises(error, match=words):
        grids.affine_grid(theta, size)


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-2, ValueError), (2.0, TypeError)])
def test_pixel_centres_wants_a_positive_whole_number(n, error):
    with pytest.raises(error, match=f"^n must be .*{n}"):
        grids.pixel_centres(n)
