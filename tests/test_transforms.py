"""Transforms are held against PyTorch, torchvision and OpenCV, and against what they undo."""

import math
from fractions import Fraction

import cv2
import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stn_course import grids, transforms
from stn_course.samplers import warp

# torchvision comes after stn_course, which mends its import.
from torchvision.transforms.functional import InterpolationMode, rotate  # isort: skip

angles = st.floats(-179, 179)
scales = st.floats(0.2, 3)
shifts = st.floats(-2, 2)
signed = st.one_of(scales, scales.map(lambda scale: -scale))
poses = st.tuples(angles, scales, signed, shifts, shifts, shifts)


def doubles(values):
    return [torch.tensor(value, dtype=torch.float64) for value in values]


def near(a, b, tolerance=1e-9):
    return (a - b).abs().max() <= tolerance


def test_identity():
    assert transforms.identity(2).tolist() == [[[1, 0, 0], [0, 1, 0]]] * 2
    assert transforms.identity(dtype=torch.float64).dtype == torch.float64


@pytest.mark.parametrize("degrees", [0, 30, 90, -45, 180])
def test_degrees_and_radians_agree(degrees):
    theta = transforms.rotation(degrees=degrees)
    assert near(theta, transforms.rotation(radians=math.radians(degrees)), 1e-6)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    assert near(theta, torch.tensor([[[c, -s, 0], [s, c, 0]]]), 1e-6)


@pytest.mark.parametrize("degrees", [15, 90, -60])
def test_a_positive_rotation_turns_the_picture_anticlockwise_as_torchvisions(digits, degrees):
    images = digits[0][:3]
    ours = warp(images, transforms.rotation(degrees=degrees))
    theirs = rotate(images, degrees, interpolation=InterpolationMode.BILINEAR)
    assert near(ours, theirs, 1e-4)


def test_the_columns_of_theta_are_the_arrows():
    assert transforms.scale(2, 3).tolist() == [[[2, 0, 0], [0, 3, 0]]]
    assert transforms.scale(2).tolist() == [[[2, 0, 0], [0, 2, 0]]]
    assert transforms.shear(2, 3).tolist() == [[[1, 2, 0], [3, 1, 0]]]
    assert transforms.translation(2, 3).tolist() == [[[1, 0, 2], [0, 1, 3]]]
    assert transforms.attention(0.5, 0.25, -0.25).tolist() == [[[0.5, 0, 0.25], [0, 0.5, -0.25]]]


def test_translation_moves_the_grid_right_and_down():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    right = warp(image, transforms.translation(x=0.5))  # a quarter of the width: one pixel
    assert torch.allclose(right[0, 0, :, :3], image[0, 0, :, 1:], atol=1e-5)
    down = warp(image, transforms.translation(y=0.5))
    assert torch.allclose(down[0, 0, :3], image[0, 0, 1:], atol=1e-5)


@given(angle=angles, scale=scales, x=shifts, y=shifts)
def test_similarity_is_translation_of_rotation_of_scale(angle, scale, x, y):
    angle, scale, x, y = doubles((angle, scale, x, y))
    expected = transforms.compose(
        transforms.translation(x, y), transforms.rotation(degrees=angle), transforms.scale(scale)
    )
    assert near(transforms.similarity(degrees=angle, scale=scale, x=x, y=y), expected)


def test_builders_take_batches_and_keep_dtype_and_device(device):
    degrees = torch.tensor([0.0, 90.0, 45.0], dtype=torch.float64, device=device)
    theta = transforms.similarity(degrees=degrees, scale=2.0, x=degrees / 90)
    assert theta.shape == (3, 2, 3)
    assert theta.dtype == torch.float64
    assert theta.device.type == device.type
    assert theta[:, 0, 2].tolist() == [0, 1, 0.5]


@pytest.mark.parametrize(
    "two", [numpy.float32(2), numpy.float64(2), numpy.int64(2), numpy.uint8(2), Fraction(2)]
)
def test_builders_take_every_kind_of_number(two):
    expected = transforms.from_pose(2.0, 2.0, 2.0, 2.0, 2.0, 2.0)
    theta = transforms.from_pose(two, two, two, two, two, two)
    assert theta.dtype == torch.float32
    assert torch.equal(theta, expected)
    assert torch.equal(transforms.rotation(degrees=two), transforms.rotation(degrees=2))
    doubled = transforms.scale(two, torch.tensor(3.0, dtype=torch.float64))
    assert (doubled.dtype, doubled.tolist()) == (torch.float64, [[[2, 0, 0], [0, 3, 0]]])


@pytest.mark.parametrize("value", [numpy.array(2.0), numpy.ones(3), numpy.bool_(True), 2j, "2"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError) as caught:
        transforms.scale(value)
    came = f"{type(value).__name__} {value!r}"
    assert str(caught.value) == f"x must be a number or a tensor (B,); got {came}"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_the_precision_is_inverted_in_float32_and_given_back(dtype):
    theta = transforms.from_pose(*map(torch.tensor, (25.0, 0.8, 0.7, 0.2, 0.1, -0.3))).to(dtype)
    theta = torch.cat([theta, transforms.scale(torch.tensor([0.5, 4.0])).to(dtype)])
    undone = transforms.inverse(theta)
    assert torch.equal(undone, transforms.inverse(theta.float()).to(dtype))
    assert undone.dtype == dtype
    for convert in (transforms.to_pixel_matrix, transforms.from_pixel_matrix):
        assert convert(theta, (20, 31)).dtype == dtype
    with pytest.raises(ValueError, match="no inverse"):
        transforms.inverse(theta * 0)


def test_bad_input_of_compose_and_rotation_is_named():
    three, two = transforms.identity(3), transforms.identity(2)
    with pytest.raises(ValueError, match=r"^batches must be of one length, or of 1; got 3, 1, 2$"):
        transforms.compose(three, transforms.identity(), two)
    with pytest.raises(TypeError, match=r"must be a number or a tensor \(B,\); got list \[1.0\]"):
        transforms.rotation(degrees=[1.0])


def test_compose_warps_in_the_order_given():
    """Warping twice equals warping once by the composition, inside, where nothing was cut off."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    blob = torch.exp(-((rows - 30) ** 2 + (columns - 36) ** 2) / 60)[None, None].double()
    first = transforms.rotation(degrees=torch.tensor(40.0).double())
    second = transforms.from_pose(x=torch.tensor(0.2).double(), scale_y=1.3)
    twice = warp(warp(blob, first), second)
    once = warp(blob, transforms.compose(first, second))
    other = warp(blob, transforms.compose(second, first))
    assert (twice - once).abs().max() < 0.02 < (twice - other).abs().max()


@given(pose=poses)
def test_inverse_undoes(pose):
    theta = transforms.from_pose(*doubles(pose))
    both = transforms.compose(theta, transforms.inverse(theta))
    assert near(both, transforms.identity(dtype=torch.float64))
    assert near(transforms.inverse(transforms.inverse(theta)), theta, 1e-8)


@given(pose=poses)
def test_the_pose_is_read_back(pose):
    parts = transforms.to_pose(transforms.from_pose(*doubles(pose)))
    for expected, part in zip(pose, parts, strict=True):
        assert abs(expected - part.item()) < 1e-8


@given(pose=poses)
def test_a_pose_is_its_parts_composed(pose):
    rotation, scale_x, scale_y, shear, x, y = doubles(pose)
    expected = transforms.compose(
        transforms.translation(x, y),
        transforms.rotation(degrees=rotation),
        transforms.shear(shear, torch.zeros_like(shear)),
        transforms.scale(scale_x, scale_y),
    )
    assert near(transforms.from_pose(*doubles(pose)), expected)


def test_from_pose_of_nothing_is_the_identity():
    assert torch.equal(transforms.from_pose(), transforms.identity())


def test_what_is_left_out_changes_nothing():
    nothing = torch.eye(2, 3)[None]
    assert torch.equal(transforms.identity(), nothing)
    for build in (transforms.shear, transforms.translation, transforms.from_pose):
        assert torch.equal(build(), nothing)
    assert torch.equal(transforms.similarity(degrees=0), nothing)
    assert torch.equal(transforms.attention(1.0), nothing)
    theta, size = transforms.from_pose(25.0, 0.8, 0.7, 0.2, 0.1, -0.1), (20, 31)
    for convert in (transforms.to_pixel_matrix, transforms.from_pixel_matrix):
        written_out = convert(theta, size, size, False, "input_to_output")
        assert torch.equal(convert(theta, size), written_out)


def test_everything_is_made_where_the_tensors_are():
    """Whatever torch's default device and dtype; here a device that holds no numbers."""
    turn = torch.tensor([30.0], dtype=torch.float64)
    with torch.device("meta"):
        theta = transforms.similarity(degrees=turn, scale=2)
        matrix = transforms.to_pixel_matrix(theta, (20, 31))
        back = transforms.from_pixel_matrix(matrix, (20, 31))
        assert transforms.rotation(degrees=30).device.type == "cpu"
    assert (theta.device.type, theta.dtype) == ("cpu", torch.float64)
    assert near(back, theta)


def test_from_matrix_copies():
    matrix = torch.eye(3)[None]
    transforms.from_matrix(matrix).zero_()
    assert torch.equal(matrix, torch.eye(3)[None])


def test_two_pixels_are_enough_for_aligned_corners():
    matrix = transforms.normalised_to_pixels((2, 3), align_corners=True)
    assert matrix.tolist() == [[1, 0, 1], [0, 0.5, 0.5], [0, 0, 1]]
    assert transforms.normalised_to_pixels((2, 3)).tolist() == [[1.5, 0, 1], [0, 1, 0.5], [0, 0, 1]]


SIZES = [((28, 28), (28, 28)), ((20, 31), (20, 31)), ((24, 40), (33, 17))]


@pytest.mark.parametrize(("input_size", "output_size"), SIZES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_pixel_matrices_are_opencvs(input_size, output_size, align_corners):
    rows, columns = torch.meshgrid(*(torch.arange(n).double() for n in input_size), indexing="ij")
    image = torch.sin(rows / 3) * torch.cos(columns / 4)
    theta = transforms.from_pose(*doubles((25.0, 0.8, 0.7, 0.2, 0.1, -0.1)))
    ours = warp(
        image[None, None], theta, output_size, padding_mode="border", align_corners=align_corners
    )[0, 0]
    matrix = transforms.to_pixel_matrix(theta, input_size, output_size, align_corners)[0]
    theirs = cv2.warpAffine(
        image.float().numpy(),
        matrix.numpy(),
        output_size[::-1],
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # OpenCV rounds places to 1/32 of a pixel; the picture rises by 1/3 a pixel at most.
    assert numpy.abs(ours.numpy() - theirs).max() < 0.03
    wrong = transforms.to_pixel_matrix(theta, input_size, output_size, not align_corners)[0]
    assert (matrix - wrong).abs().max() > 0.05


@pytest.mark.parametrize(("input_size", "output_size"), SIZES)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("direction", ["input_to_output", "output_to_input"])
def test_pixel_matrices_come_back(input_size, output_size, align_corners, direction):
    theta = transforms.from_pose(*doubles((25.0, 0.8, 0.7, 0.2, 0.1, -0.1)))
    options = (input_size, output_size, align_corners, direction)
    matrix = transforms.to_pixel_matrix(theta, *options)
    assert near(transforms.from_pixel_matrix(matrix, *options), theta)


def test_the_two_directions_are_inverses():
    theta = transforms.rotation(degrees=30)
    there = transforms.to_pixel_matrix(theta, (20, 30))
    back = transforms.to_pixel_matrix(theta, (20, 30), direction="output_to_input")
    assert near(transforms.compose(there, back), transforms.identity(), 1e-4)


IDENTITY = transforms.identity()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: transforms.rotation(), TypeError, "neither"),
        (lambda: transforms.rotation(degrees=1, radians=1), TypeError, "both"),
        (lambda: transforms.rotation(degrees="30"), TypeError, "must be real|'30'"),
        (lambda: transforms.scale([1, 2]), TypeError, "list"),
        (lambda: transforms.scale(True), TypeError, "bool"),
        (lambda: transforms.scale(float("nan")), ValueError, "nan"),
        (lambda: transforms.translation(torch.ones(2, 2)), ValueError, r"\(2, 2\)"),
        (lambda: transforms.translation(torch.ones(0)), ValueError, r"\(0,\)"),
        (lambda: transforms.scale(torch.ones(2).long()), ValueError, "torch.int64"),
        (lambda: transforms.inverse(IDENTITY * 0), ValueError, "no inverse"),
        (lambda: transforms.to_matrix(torch.eye(3)[None]), ValueError, r"\(1, 3, 3\)"),
        (lambda: transforms.to_pose(IDENTITY / 0), ValueError, "finite; got .*nan"),
        (lambda: transforms.from_matrix(torch.ones(1, 3, 3)), ValueError, r"1.0, 1.0, 1.0"),
        (lambda: transforms.from_matrix(IDENTITY), ValueError, r"\(1, 2, 3\)"),
        (lambda: transforms.to_pixel_matrix(IDENTITY, (1, 4), None, True), ValueError, r"\(1, 4\)"),
        (
            lambda: transforms.to_pixel_matrix(IDENTITY, (4, 4), direction="back"),
            ValueError,
            "'back'",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def one_nan(batch, index):
    """Identities, uneven in that a single number of them all is NaN."""
    theta = transforms.identity(batch)
    theta[index, 1, 2] = math.nan
    return theta


NUMBER = "must be a number or a tensor (B,); got list [1]"
MATRIX = "matrix must be a floating-point tensor of shape (B, 3, 3); got"
DIRECTION = "direction must be one of 'input_to_output', 'output_to_input'; got 'back'"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: transforms.rotation(),
            "give the angle as degrees or as radians, one of them; got neither",
        ),
        (
            lambda: transforms.rotation(degrees=torch.ones(900), radians=torch.ones(900)),
            "give the angle as degrees or as radians, one of them; got both",
        ),
        (lambda: transforms.rotation(radians=[1]), f"angle {NUMBER}"),
        (lambda: transforms.scale([1]), f"x {NUMBER}"),
        (lambda: transforms.shear(0.0, [1]), f"y {NUMBER}"),
        (lambda: transforms.attention([1]), f"scale {NUMBER}"),
        (lambda: transforms.from_pose([1]), f"rotation {NUMBER}"),
        (
            lambda: transforms.scale(torch.ones(2, 2)),
            "x must be numbers of shape () or (B,); got a torch.float32 tensor of shape (2, 2)",
        ),
        (lambda: transforms.scale(math.inf), "x must be finite; got inf"),
        (lambda: transforms.from_matrix([1]), f"{MATRIX} list [1]"),
        (
            lambda: transforms.from_matrix(torch.eye(3)),
            f"{MATRIX} a torch.float32 tensor of shape (3, 3)",
        ),
        (
            lambda: transforms.from_matrix(torch.eye(4, 3)[None]),
            "matrix must have shape (B, 3, 3); got a torch.float32 tensor of shape (1, 4, 3)",
        ),
        (
            lambda: transforms.from_matrix(torch.arange(9.0).reshape(1, 3, 3)),
            "matrix must have the last row 0, 0, 1; got [6.0, 7.0, 8.0]",
        ),
        (
            lambda: transforms.from_matrix(torch.stack([torch.eye(3), torch.ones(3, 3)])),
            "matrix must have the last row 0, 0, 1; got another in 1 of 2, the first at index 1: "
            "[1.0, 1.0, 1.0]",
        ),
        (
            lambda: transforms.to_pose(one_nan(1000, 417)),
            "theta must be finite; got NaN or infinity in 1 of 1000, the first at index 417: "
            "[[1.0, 0.0, 0.0], [0.0, 1.0, nan]]",
        ),
        (
            lambda: transforms.to_matrix(IDENTITY + math.inf),
            "theta must be finite; got [[inf, inf, inf], [inf, inf, inf]]",
        ),
        (
            lambda: transforms.similarity(degrees=1, x=torch.tensor([0.5, math.nan, -math.inf])),
            "x must be finite; got NaN or infinity in 2 of 3, the first at index 1: nan",
        ),
        (lambda: transforms.scale(torch.tensor([math.nan])), "x must be finite; got nan"),
        (
            lambda: transforms.inverse(IDENTITY * torch.tensor([2.0, 0, 1, 0])[:, None, None]),
            "theta has no inverse where its determinant is 0; got 0 in 2 of 4, the first "
            "at index 1: [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]",
        ),
        (
            lambda: transforms.inverse(IDENTITY * 0),
            "theta has no inverse where its determinant is 0; got "
            "[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]",
        ),
        (
            lambda: transforms.normalised_to_pixels((4, 1), True),
            "align_corners=True needs 2 pixels or more on each axis; got (4, 1)",
        ),
        (lambda: transforms.to_pixel_matrix(IDENTITY, (4, 4), direction="back"), DIRECTION),
        (lambda: transforms.from_pixel_matrix(IDENTITY, (4, 4), direction="back"), DIRECTION),
    ],
)
def test_errors_say_it_in_these_words(call, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == words


def test_numbers_beside_a_tensor_are_as_precise_as_it_is():
    angle = torch.tensor(30.0, dtype=torch.float64)
    theta = transforms.similarity(degrees=angle, scale=0.1, x=0.3)
    assert theta.dtype == torch.float64
    assert theta[0, 0, 2].item() == 0.3
    assert abs(theta[0, 0, 0].item() - 0.1 * math.cos(math.radians(30))) < 1e-15


def test_a_fraction_is_a_number():
    assert transforms.scale(Fraction(1, 4))[0, 0, 0].item() == 0.25


def test_the_nearest_affine_map_is_numpys_least_squares():
    """Of a homography and of control points, over places from edge to edge; batches, float64."""
    homography = torch.tensor([[[1.0, 0.1, 0.05], [-0.1, 0.9, 0.1], [0.2, -0.3, 1.0]]]).double()
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 16, 2, dtype=torch.float64, generator=generator)
    for theta, grid in (
        (homography, grids.projective_grid),
        (points, grids.thin_plate_spline_grid),
    ):
        ours = transforms.nearest_affine(theta)
        size = (len(theta), 1, 9, 9)
        places = grids.base_grid(9, 9, align_corners=True, dtype=torch.float64).reshape(-1, 3)
        for one, read in zip(ours, grid(theta, size, align_corners=True), strict=True):
            theirs = torch.linalg.lstsq(places, read.reshape(-1, 2)).solution.T
            assert (one - theirs).abs().max() <= 1e-12


def test_an_affine_map_is_its_own_nearest():
    theta = torch.randn(5, 2, 3)
    assert transforms.nearest_affine(theta) is theta
    bottom = torch.tensor([0.0, 0.0, 1.0]).expand(5, 1, 3)
    same = transforms.nearest_affine(3 * torch.cat([theta, bottom], dim=1))
    assert torch.allclose(same, theta, atol=1e-5)
    words = r"\(B, 2, 3\), \(B, 3, 3\) or \(B, n², 2\); got .*\(5, 2\)"
    with pytest.raises(ValueError, match=words):
        transforms.nearest_affine(theta[:, :, 0])
