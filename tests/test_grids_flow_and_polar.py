"""Grids of a displacement for each pixel, and of rays and circles."""

import math

import pytest
import torch
import torch.nn.functional as F
from grid_cases import both_corners, each_size

from stn_course import grids, transforms


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


def test_between_two_aligned_pixels_lies_the_whole_width():
    """And a single one, which lies at 0, moves as if there were two."""
    for size in [(2, 2), (2, 1), (1, 2)]:
        flow = torch.ones(1, *size, 2)
        own = F.affine_grid(torch.eye(2, 3)[None], (1, 1, *size), align_corners=True)
        assert torch.equal(grids.flow_grid(flow, True), own + 2)


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


def test_radii_grow_by_the_same_factor_as_in_opencvs_log_polar():
    """Along a row the radius is one; column 0 looks right, a quarter of them down."""
    grid = grids.log_polar_grid((2, 1, 3, 8), smallest=0.25)
    assert grid.shape == (2, 3, 8, 2)
    first, quarter = grid[0, :, 0], grid[0, :, 2]
    assert (first[:, 0] > 0).all() and first[:, 1].abs().max() < 1e-6
    assert (quarter[:, 1] > 0).all() and quarter[:, 0].abs().max() < 1e-6
    expected = [0.25 ** ((5 - 2 * i) / 6) for i in range(3)]
    assert first[:, 0].tolist() == pytest.approx(expected)


def test_the_smallest_circle_is_a_twentieth_unless_it_is_asked_for():
    """Each row is the 1 / H-th power of 20 times as large as the one before."""
    radius = grids.log_polar_grid((1, 1, 6, 8), dtype=torch.float64)[0, :, 0, 0]
    expected = [20 ** ((2 * i + 1) / 12 - 1) for i in range(6)]
    assert radius.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("smallest", "expected"),
    [
        *((wrong, "a positive number; got {0}") for wrong in (0, -0.5)),
        *((wrong, "less than 1, the rim; got {0}") for wrong in (1, 1.5)),
        ("a", "a positive number; got str '{0}'"),
    ],
)
def test_circles_lie_between_the_middle_and_the_rim(smallest, expected):
    kind = TypeError if smallest == "a" else ValueError
    with pytest.raises(kind) as caught:
        grids.log_polar_grid((1, 1, 2, 2), smallest=smallest)
    assert str(caught.value) == f"smallest must be {expected.format(smallest)}"


def test_nan_in_a_large_flow_is_named_by_its_place():
    flow = torch.zeros(2, 224, 224, 2)
    flow[1, 3, 4, 0] = math.nan
    with pytest.raises(ValueError) as caught:
        grids.flow_grid(flow)
    assert str(caught.value) == (
        "flow must be finite; got NaN or infinity in 1 of 2, the first at index 1: nan at (3, 4, 0)"
    )
