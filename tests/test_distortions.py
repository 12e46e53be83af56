"""Distorted digits: where they read, by torchvision, OpenCV and SciPy; how the draws spread."""

import math

import cv2
import numpy
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from scipy.interpolate import RBFInterpolator
from torch.nn.functional import avg_pool2d

from stn_course import data, grids, transforms

# torchvision comes after stn_course, which mends its import.
from torchvision.transforms.functional import (  # isort: skip
    InterpolationMode,
    elastic_transform,
    perspective,
    rotate,
)

DRAWN = {  # on black pictures: only what was drawn is looked at
    "projection": data.random_projection(),
    "stretch": data.random_projection(along="diagonals"),
    "elastic": data.random_elastic(),
    "translation": data.random_translation(4),
    "rotation": data.random_rotation(90),
    "similarity": data.random_similarity(),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def uneven(digits):
    """Six pictures of 20 rows and 28 columns."""
    return digits[0][:6, :, 4:24]


def test_rotate_is_torchvisions(digits):
    images = digits[0][:4]
    theirs = rotate(images, 37, interpolation=InterpolationMode.BILINEAR)
    assert torch.allclose(data.rotate(images, 37), theirs, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("degrees", [90, 33.3, torch.tensor([0.0, -45.0, 170.0, 77.0])])
def test_rotate_reads_where_pytorchs_grid_does(digits, device, dtype, degrees):
    images = digits[0][:4].to(device, dtype)
    angles = torch.deg2rad(torch.as_tensor(degrees).expand(4).double())
    zero = torch.zeros(4)
    rows = [angles.cos(), -angles.sin(), zero, angles.sin(), angles.cos(), zero]
    theta = torch.stack(rows, dim=1).reshape(4, 2, 3).to(images)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    expected = F.grid_sample(images, grid, align_corners=False)
    bound = {torch.float32: 1e-5, torch.float64: 1e-10, torch.float16: 0.02}[dtype]
    assert (data.rotate(images, degrees) - expected).abs().max() <= bound


def test_rotate_reads_the_nearest_pixel_as_torchvision_does(digits):
    """But for ties, which rounding decides."""
    images = digits[0][:50]
    for degrees in (17.3, -71.9):
        theirs = rotate(images, degrees)  # nearest is its default
        same = data.rotate(images, degrees, mode="nearest") == theirs
        assert same.float().mean() > 0.999
    turned, angles = data.random_rotation(90, "nearest")(images, torch.Generator().manual_seed(0))
    assert torch.equal(turned, data.rotate(images, angles, "nearest"))
    assert set(turned.unique().tolist()) <= {0.0, *images.unique().tolist()}


def test_rotate_takes_an_angle_for_each_image(digits):
    images, angles = digits[0][:3], torch.tensor([10.0, -20.0, 180.0])
    each = torch.cat([data.rotate(images[i : i + 1], angles[i].item()) for i in range(3)])
    assert torch.allclose(data.rotate(images, angles), each, atol=1e-5)


def test_rescale_makes_larger_and_smaller(digits):
    images = digits[0][:16]
    half = data.rescale(images, 0.5)
    assert torch.allclose(half[..., 7:21, 7:21], avg_pool2d(images, 2), atol=1e-5)
    assert half[..., :6, :].max() == 0
    assert data.rescale(images, 1.5).sum() > images.sum() * 1.5


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("x",), TypeError, "limit must be a finite number from 0; got str 'x'"),
        ((-1,), ValueError, "limit must be a finite number from 0; got -1"),
        ((90, "linear"), ValueError, "mode must be one of .*; got 'linear'"),
    ],
)
def test_random_rotation_names_bad_input_when_it_is_made(arguments, error, words):
    with pytest.raises(error, match=words):
        data.random_rotation(*arguments)


def test_random_rotation_tells_its_angles(digits):
    images = digits[0][:500]
    distort = data.random_rotation(60)
    turned, degrees = distort(images, torch.Generator().manual_seed(1))
    assert degrees.abs().max() <= 60
    assert degrees.min() < -50 and degrees.max() > 50
    assert torch.allclose(turned, data.rotate(images, degrees), atol=1e-6)
    again, _ = distort(images, torch.Generator().manual_seed(1))
    assert torch.equal(turned, again)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (-2, "factor must be above 0; got -2.0"),
        (
            torch.tensor([1.0, math.nan, 2.0, 0.0, 3.0]),
            "factor must be above 0; got 0, less or NaN in 2 of 5, the first at index 1: nan",
        ),
    ],
)
def test_a_wrong_factor_is_named_without_the_batch(factor, words):
    with pytest.raises(ValueError) as caught:
        data.rescale(torch.zeros(5, 1, 9, 4), factor)
    assert str(caught.value) == words


ONE = torch.zeros(1, 1, 28, 28)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data.rotate(ONE.byte(), 3), TypeError, "torch.uint8"),
        (lambda: data.rotate(ONE[..., :20], 3), ValueError, r"\(1, 1, 28, 20\)"),
        (lambda: data.rotate(ONE, torch.zeros(3)), ValueError, r"\(1,\).*\(3,\)"),
        (lambda: data.rotate(ONE, 3, mode="cubic"), ValueError, "'cubic'"),
        (lambda: data.rescale(ONE, 0.0), ValueError, "0"),
        (
            lambda: data.random_projection(sigma=29.0)(ONE, torch.Generator()),
            ValueError,
            "at most the width, 28; got 29.0",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_translation_is_scipys(uneven):
    moved, shifts = data.random_translation(5)(uneven, generator())
    assert shifts.shape == (6, 2)
    for picture, found, (x, y) in zip(uneven[:, 0], moved[:, 0], shifts.tolist(), strict=True):
        expected = ndimage.shift(picture.double().numpy(), (y, x), order=1, mode="grid-constant")
        assert numpy.abs(found.numpy() - expected).max() < 1e-5


def in_pixels(points, size):
    """Normalised (x, y) in pixels from the outer corner of the first one."""
    return (points.double() + 1) / 2 * torch.tensor([size[1], size[0]])


def test_projection_is_torchvisions_and_opencvs(uneven):
    """The image's corners go to where they are said to lie; pixels outside of them are black."""
    seen, corners = data.random_projection()(uneven, generator())
    size = uneven.shape[2:]
    start = in_pixels(grids.control_lattice(2), size)
    for picture, found, corner in zip(uneven, seen, corners, strict=True):
        end = in_pixels(corner, size)
        theirs = perspective(picture, start.tolist(), end.tolist(), InterpolationMode.BILINEAR)
        assert (found - theirs).abs().max() < 1e-3
        # cv2 counts from the centre of the first pixel, and reads to a 32nd of a pixel.
        matrix = cv2.getPerspectiveTransform(
            (start - 0.5).float().numpy(), (end - 0.5).float().numpy()
        )
        theirs = cv2.warpPerspective(picture[0].numpy(), matrix, size[::-1], flags=cv2.INTER_LINEAR)
        assert numpy.abs(found[0].numpy() - theirs).mean() < 0.01


def test_similarity_is_opencvs(digits):
    """Turned and scaled about the middle by cv2, which then moves the middle to where it is said.

    cv2 counts from the centre of the first pixel, turns anticlockwise, and reads to a 32nd of one.
    """
    images = digits[0][:8]
    laid, poses = data.random_similarity(60, (0.6, 1.1), 40)(images, generator())
    for picture, found, (degrees, factor, x, y) in zip(images, laid, poses.tolist(), strict=True):
        matrix = cv2.getRotationMatrix2D((13.5, 13.5), degrees, factor)
        matrix[:, 2] += numpy.array([x + 1, y + 1]) * 20 - 0.5 - 13.5
        theirs = cv2.warpAffine(picture[0].numpy(), matrix, (40, 40), flags=cv2.INTER_LINEAR)
        assert numpy.abs(found[0].numpy() - theirs).mean() < 0.005


def test_poses_are_uniform_and_keep_the_picture_inside():
    _, poses = data.random_similarity(30, (0.5, 1.5), 4)(BLACK.expand(MANY, 1, 2, 2), generator())
    degrees, factor, x, y = poses.T
    assert -30 <= degrees.min() < -29.9 and 29.9 < degrees.max() <= 30
    assert 0.5 <= factor.min() < 0.501 and 1.499 < factor.max() <= 1.5
    assert (degrees.std() - 60 / math.sqrt(12)).abs() < 0.2
    for place in (x, y):
        room = 1 - factor / 2  # of a picture half as large as the larger one, scaled
        share = place / room
        assert share.abs().max() <= 1 and (share.std() - 2 / math.sqrt(12)).abs() < 0.01
    assert torch.corrcoef(torch.stack([degrees, factor, x, y])).triu(1).abs().max() < 0.03


def test_a_transformer_that_reads_at_the_corners_undoes_the_projection():
    """Of a smooth picture, which reading twice blurs little."""
    y, x = torch.meshgrid(grids.pixel_centres(64), grids.pixel_centres(64), indexing="ij")
    blob = torch.exp(-8 * ((x - 0.2) ** 2 + (y + 0.1) ** 2)).expand(8, 1, 64, 64)
    seen, corners = data.random_projection(sigma=3)(blob, generator())
    grid = grids.projective_grid(transforms.from_corners(corners), blob.shape)
    back = F.grid_sample(seen, grid, align_corners=False)
    assert (back - blob).abs().max() < 0.02 < 0.3 < (seen - blob).abs().max()


def test_elastic_is_scipys_spline_read_by_torchvision(uneven):
    bent, points = data.random_elastic(n=3)(uneven, generator())
    height, width = uneven.shape[2:]
    base = grids.base_grid(height, width)[..., :2]
    lattice = grids.control_lattice(3, dtype=torch.float64)
    for picture, found, some in zip(uneven, bent, points, strict=True):
        spline = RBFInterpolator(lattice, some.double(), kernel="thin_plate_spline", degree=1)
        places = torch.as_tensor(spline(base.reshape(-1, 2))).reshape(height, width, 2).float()
        theirs = elastic_transform(picture, (places - base)[None])
        assert (found - theirs).abs().max() < 1e-3


@pytest.mark.parametrize("name", DRAWN)
def test_one_seed_draws_the_same_on_every_device_and_another_does_not(digits, device, name):
    images, distort = digits[0][:32].to(device), DRAWN[name]
    (first, drawn), (again, same), (other, _) = (distort(images, generator(s)) for s in (0, 0, 1))
    assert first.device == images.device and torch.equal(first, again)
    assert torch.equal(drawn, same) and drawn.device.type == "cpu"
    assert torch.allclose(first.cpu(), distort(digits[0][:32], generator())[0], atol=1e-5)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_read_the_same_within_theirs(digits, device, name, dtype):
    images = digits[0][:16].to(device)
    expected, drawn = DRAWN[name](images, generator())
    found, same = DRAWN[name](images.to(dtype), generator())
    assert found.dtype == dtype and torch.equal(drawn, same)
    bound = {torch.float64: 1e-4, torch.float16: 0.03, torch.bfloat16: 0.3}[dtype]
    assert (found.float() - expected).abs().max() < bound


BLACK = torch.zeros(1, 1, 1, 1)
MANY = 20_000


def spread(drawn, size):
    """What was drawn for many pictures, in pixels from the middle of the picture: (MANY, K, 2)."""
    return in_pixels(drawn, size) - torch.tensor([size[1] / 2, size[0] / 2])


def test_corners_move_by_sigma_pixels_around_a_picture_made_smaller():
    """On 60 × 40 pixels no corner of 50 000 goes so far as to be moved anew."""
    _, corners = data.random_projection((0.5, 0.9), 2.0)(BLACK.expand(MANY, 1, 60, 40), generator())
    found = spread(corners, (60, 40))
    mean = torch.tensor([[-14.0, -21], [14, -21], [-14, 21], [14, 21]])  # 0.7 of 20 and 30
    assert (found.mean(dim=0) - mean).abs().max() < 0.15
    size_spread = 0.4 / math.sqrt(12)  # of a uniform number
    expected = torch.tensor([math.hypot(2, 20 * size_spread), math.hypot(2, 30 * size_spread)])
    assert (found.std(dim=0) - expected).abs().max() < 0.05
    moved = found.sum(dim=1) / 4  # the size does not move the middle
    assert (moved.std(dim=0) - 1).abs().max() < 0.03  # 2 / √4


def test_stretched_corners_stay_on_the_pictures_diagonals():
    """Each by a normal number of its own; on 60 × 40 pixels a diagonal is 3 by 2."""
    stretch = data.random_projection((0.8, 0.8), 2.0, along="diagonals")
    _, corners = stretch(BLACK.expand(MANY, 1, 60, 40), generator())
    found = spread(corners, (60, 40))
    outward = torch.tensor([[-2.0, -3], [2, -3], [-2, 3], [2, 3]]) / math.sqrt(13)
    amounts = (found * outward).sum(dim=-1)  # (MANY, 4), in pixels from the middle
    assert torch.allclose(found, amounts[..., None] * outward, atol=1e-4)
    assert (amounts.mean(dim=0) - 0.8 * math.hypot(20, 30)).abs().max() < 0.06
    assert (amounts.std(dim=0) - 2).abs().max() < 0.04
    assert (torch.corrcoef(amounts.T) - torch.eye(4)).abs().max() < 0.03


def test_points_move_by_sigma_pixels_around_a_lattice_spread_over_more():
    _, points = data.random_elastic((0.8, 0.8), 4, 1.5)(BLACK.expand(MANY, 1, 30, 20), generator())
    found = spread(points, (30, 20))
    lattice = grids.control_lattice(4) * torch.tensor([10, 15]) / 0.8
    assert (found.mean(dim=0) - lattice).abs().max() < 0.06
    assert (found.std(dim=0) - 1.5).abs().max() < 0.04
    both = (found - found.mean(dim=0)).flatten(1)
    alike = torch.corrcoef(both.T) - torch.eye(32)
    assert alike.abs().max() < 0.04  # every coordinate is drawn by itself


def test_shifts_are_uniform():
    _, shifts = data.random_translation(3.5)(BLACK.expand(MANY, 1, 2, 2), generator())
    assert shifts.abs().max() <= 3.5 and shifts.mean(dim=0).abs().max() < 0.06
    assert (shifts.std(dim=0) - 7 / math.sqrt(12)).abs().max() < 0.03


def test_digits_become_smaller_by_the_scale(digits):
    """With corners and points left where they are; a smaller picture reads further out."""
    images = digits[0][:200]
    for name in ("projection", "elastic"):
        distort = getattr(data, f"random_{name}")((0.5, 0.5), sigma=0.0)
        small, _ = distort(images, generator())
        assert torch.allclose(small, data.rescale(images, 0.5), atol=1e-4)


def test_no_corner_lies_behind_the_horizon():
    """With three times the paper's sigma, where half of the first draws would."""
    _, corners = data.random_projection(sigma=15)(BLACK.expand(MANY, 1, 28, 28), generator())
    assert transforms.is_convex(corners).all()
    theta = transforms.from_corners(corners.double())
    target = torch.cat([grids.control_lattice(2), torch.ones(4, 1)], dim=1).double()
    assert ((theta @ target.T)[:, 2] > 0).all()


def test_nothing_drawn_changes_nothing(digits):
    images = digits[0][:4]
    for distort in (
        data.random_translation(0),
        data.random_projection((1, 1), sigma=0),
        data.random_elastic((1, 1), n=2, sigma=0),
        data.random_similarity(0, (1, 1), size=28),
    ):
        assert torch.allclose(distort(images, generator())[0], images, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data.random_translation(-1), ValueError, "pixels must .* from 0; got -1"),
        (lambda: data.random_translation("4"), TypeError, "got str '4'"),
        (lambda: data.random_projection(sigma=math.nan), ValueError, "sigma .*; got nan"),
        (lambda: data.random_projection(sigma=math.inf), ValueError, "sigma .*; got inf"),
        (
            lambda: data.random_projection(along="x"),
            ValueError,
            "along .*axes.*diagonals.*; got 'x'",
        ),
        (lambda: data.random_projection(scale=0.75), TypeError, "scale .* two .*; got float 0.75"),
        (lambda: data.random_projection((1.0, 0.75)), ValueError, r"first; got \(1.0, 0.75\)"),
        (lambda: data.random_elastic((0, 1)), ValueError, r"above 0.*; got \(0, 1\)"),
        (lambda: data.random_elastic((0.5, 0.7, 1)), ValueError, r"got \(0.5, 0.7, 1\)"),
        (lambda: data.random_elastic((0.5, True)), TypeError, r"got tuple \(0.5, True\)"),
        (lambda: data.random_elastic(n=1), ValueError, "n must be at least 2.*; got 1"),
        (lambda: data.random_elastic(n=2.5), TypeError, "n must be .* whole number; got float 2.5"),
        (lambda: data.random_elastic(sigma=-0.1), ValueError, "sigma .*; got -0.1"),
        (lambda: data.random_similarity(-1), ValueError, "limit .*; got -1"),
        (lambda: data.random_similarity(scale=(1, 0.7)), ValueError, r"first; got \(1, 0.7\)"),
        (lambda: data.random_similarity(size=0), ValueError, "size .*; got 0"),
    ],
)
def test_a_distortion_that_cannot_be_is_refused_when_it_is_made(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("shape", [(1, 1, 28, 20), (1, 1, 36, 36)])
def test_images_that_do_not_fit_the_larger_picture_are_refused(shape):
    with pytest.raises(ValueError, match=rf"H = W, at most 35 pixels; got .*{shape[3]}\)"):
        data.random_similarity(45, (0.7, 1.2), 42)(torch.zeros(shape), generator())


@pytest.mark.parametrize("name", ["projection", "elastic", "translation", "similarity"])
def test_images_that_are_not_floating_point_are_refused(name):
    with pytest.raises(TypeError, match=r"images must be a floating-point tensor.*torch\.uint8"):
        DRAWN[name](ONE.byte(), generator())
