"""Alignment: poses of pictures whose pose is known, and turns that are undone or not."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stn_course import alignment, data, grids, transforms
from stn_course.samplers import warp


def bar(height=41, width=61, long=12, thick=3, x=0, y=0) -> torch.Tensor:
    """A lying bar in pixels, its centre (x, y) pixels from the middle."""
    image = torch.zeros(1, 1, height, width, dtype=torch.float64)
    row, column = height // 2 + y, width // 2 + x
    image[..., row - thick : row + thick + 1, column - long : column + long + 1] = 1
    return image


def test_the_pose_of_a_bar_is_known():
    pose = alignment.image_pose(bar(61, 61, 12, 3, x=10, y=-5))
    assert pose.angle.item() == pytest.approx(0, abs=1e-9)
    assert (pose.x.item(), pose.y.item()) == pytest.approx((20 / 61, -10 / 61))
    moments = (25**2 - 1 + 7**2 - 1) / 12  # of two rows of 25 and of 7 pixels, in pixels²
    assert pose.scale.item() == pytest.approx(2 / 61 * math.sqrt(moments))


@given(st.floats(-89, 89))
def test_the_axis_turns_with_the_picture(degrees):
    """The grid turned clockwise turns the picture, and its axis, anticlockwise."""
    turned = warp(bar(61, 61), transforms.rotation(degrees=degrees).double())
    assert alignment.image_pose(turned).angle.item() == pytest.approx(-degrees, abs=1.5)


def test_brightness_does_not_matter(digits):
    images = digits[0][:8]
    for one, two in zip(
        alignment.image_pose(images), alignment.image_pose(images * 3), strict=True
    ):
        assert torch.allclose(one, two)


def test_pictures_that_lie_alike_have_no_spread(digits):
    spread = alignment.pose_spread(digits[0][:1].expand(9, -1, -1, -1))
    assert spread == pytest.approx((0, 0, 0), abs=1e-5)


def test_an_axis_and_its_opposite_are_one():
    """Poses of 89 and -89 degrees are two degrees apart, not 178."""
    turns = transforms.rotation(degrees=torch.tensor([89.0, -89.0], dtype=torch.float64))
    spread = alignment.pose_spread(warp(bar(61, 61).expand(2, -1, -1, -1), turns))
    assert 0.5 < spread.angle < 1.5


def test_each_distortion_widens_its_own_spread(digits):
    image, n = digits[0][:1].double().expand(60, -1, -1, -1), 60
    line = torch.linspace(-1, 1, n, dtype=torch.float64)
    turned = alignment.pose_spread(warp(image, transforms.rotation(degrees=25 * line)))
    scaled = alignment.pose_spread(warp(image, transforms.scale(1 + 0.2 * line)))
    moved = alignment.pose_spread(warp(image, transforms.translation(x=0.2 * line)))
    assert turned.angle == pytest.approx((25 * line).std(correction=0).item(), rel=0.1)
    assert scaled.scale == pytest.approx((1 / (1 + 0.2 * line)).std().item(), rel=0.25)
    assert moved.centroid == pytest.approx((0.2 * line).std().item(), rel=0.1)
    assert max(scaled.angle, moved.angle) < 2
    assert max(turned.scale, moved.scale) < 0.03
    assert max(turned.centroid, scaled.centroid) < 0.05


def test_turning_digits_spreads_their_axes(digits):
    images = digits[0][:500]
    turned, _ = data.random_rotation(90)(images, torch.Generator().manual_seed(0))
    before, after = alignment.pose_spread(images), alignment.pose_spread(turned)
    assert after.angle > 2 * before.angle
    assert after.scale == pytest.approx(before.scale, rel=0.1)


def test_a_perfect_transformer_undoes_the_turn(digits):
    turned, degrees = data.random_rotation(60)(digits[0][:50], torch.Generator().manual_seed(0))
    back = transforms.rotation(degrees=-degrees)
    found = alignment.undoing(degrees, transforms.to_pose(back).rotation)
    assert found == pytest.approx((-1, -1, 0), abs=1e-4)
    straight = warp(turned, back)
    assert (
        straight - digits[0][:50]
    ).abs().mean() < 0.03  # the sign is right: blurred, but upright


def test_half_a_turn_back_has_half_the_slope():
    degrees = torch.linspace(-90, 90, 50)
    found = alignment.undoing(degrees, -degrees / 2 + 7)
    assert found == pytest.approx((-1, -0.5, (degrees / 2).std().item()), abs=1e-4)


def test_no_turn_undoes_nothing():
    degrees = torch.linspace(-90, 90, 50)
    found = alignment.undoing(degrees, torch.zeros(50))
    assert found == pytest.approx((0, 0, degrees.std().item()), abs=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: alignment.image_pose(torch.zeros(1, 1, 4, 4)), ValueError, "some above"),
        (lambda: alignment.image_pose(torch.eye(4)[None, None] - 0.4), ValueError, "-0.4"),
        (lambda: alignment.image_pose(torch.ones(4, 4)), ValueError, r"\(4, 4\)"),
        (lambda: alignment.undoing(torch.zeros(3), torch.zeros(4)), ValueError, r"\(4,\)"),
        (lambda: alignment.undoing(torch.ones(3), torch.zeros(3)), ValueError, "all are 1"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_box_of_a_homography_that_only_scales_is_that_of_the_affine_map():
    theta, boxes = 2 * torch.diag(torch.tensor([0.25, 0.5, 1.0]))[None], [[10, 20, 20, 10]]
    boxes = torch.tensor(boxes)
    assert alignment.window_box(theta, (40, 60)).tolist() == [[22.5, 10, 15, 20]]
    assert alignment.share_inside(theta, boxes, (40, 60)).item() == pytest.approx(7.5 / 20)
    far = math.hypot(10, 5)
    assert alignment.centre_distance(theta, boxes, (40, 60)).item() == pytest.approx(far)


def test_the_box_of_a_bent_grid_holds_all_of_it():
    """The middle of a spline is pulled beyond its right edge."""
    points = grids.control_lattice(3)[None] / 2
    points[0, 4, 0] = 0.9
    left, _, width, _ = alignment.window_box(points, (40, 60))[0].tolist()
    assert left + width >= (0.9 + 1) * 30 - 1e-3
    with pytest.raises(ValueError, match="theta must have shape"):
        alignment.window_box(torch.zeros(1, 5, 2), (40, 60))


def test_overlap_is_torchvisions():
    ops = pytest.importorskip("torchvision.ops")
    generator = torch.Generator().manual_seed(0)
    numbers = torch.rand(50, 3, generator=generator, dtype=torch.float64)
    scale, (x, y) = 0.2 + numbers[:, 0] / 2, (numbers[:, 1:] - 0.5).unbind(1)
    zero = torch.zeros_like(x)
    theta = torch.stack([scale, zero, x, zero, scale, y], dim=1).view(-1, 2, 3)
    boxes = 10 + 20 * torch.rand(50, 4, generator=generator, dtype=torch.float64)

    def corners(box):
        return torch.cat([box[:, :2], box[:, :2] + box[:, 2:]], dim=1)

    window = corners(alignment.window_box(theta, (60, 80)))
    expected = ops.box_iou(window, corners(boxes)).diagonal()
    assert expected.min() < 0.1 and expected.max() > 0.5
    assert torch.allclose(alignment.overlap(theta, boxes, (60, 80)), expected)
