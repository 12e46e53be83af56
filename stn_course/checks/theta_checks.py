"""The exercises of notebook 02 on theta: turn about a pixel, invert."""

import math
from functools import partial

import torch
from torch import Tensor

from stn_course import transforms
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception

NOTEBOOK = "02_grid_generation"


def rotation_cases() -> list[Case]:
    """A quarter turn on a square first, then any angle, then images of uneven sides."""
    calls = [(90, 1, 2, (4, 4)), (30, 0, 0, (4, 4)), (-40, 2.5, 1, (3, 6)), (110, 4, 5, (7, 5))]
    return [Case(call) for call in calls]


def rotation_in_pixels(
    degrees: float, x: float, y: float, size: tuple[int, int], align_corners: bool = False
) -> Tensor:
    """Five matrices one after the other: to pixels, the centre to 0, turn, back, to normalised."""
    turn, there = torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn[:2, :2] = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    there[0, 2], there[1, 2] = x, y
    pixels = transforms.normalised_to_pixels(size, align_corners, dtype=torch.float64)
    about = there @ turn @ torch.linalg.inv(there)
    return (torch.linalg.inv(pixels) @ about @ pixels)[None, :2].float()


def _about_the_centre(degrees, x, y, size):
    return rotation_in_pixels(degrees, (size[1] - 1) / 2, (size[0] - 1) / 2, size)


def _in_normalised_units(degrees, x, y, size):
    """The rotation matrix put in as it is, about the right place, but in normalised units."""
    matrix = transforms.to_matrix(transforms.rotation(degrees=degrees))
    x, y = (2 * x + 1) / size[1] - 1, (2 * y + 1) / size[0] - 1
    there, back = (
        transforms.translation(float(x), float(y)),
        transforms.translation(-float(x), -float(y)),
    )
    return transforms.compose(there, transforms.from_matrix(matrix), back)


def _about_the_centre_normalised(degrees, x, y, size):
    return transforms.rotation(degrees=float(degrees))


def _left_in_pixels(degrees, x, y, size):
    pixels = transforms.normalised_to_pixels(size, dtype=torch.float64)
    theta = transforms.to_matrix(rotation_in_pixels(degrees, x, y, size).double())
    return (pixels @ theta @ torch.linalg.inv(pixels))[:, :2].float()


def _turn_in_normalised(degrees, size, inverted=False):
    """The 2×2 part of theta: a rotation of pixels, in units of half a width and half a height."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    aspect = size[1] / size[0] if inverted else size[0] / size[1]
    return torch.tensor([[cos, -sin * aspect], [sin / aspect, cos]])


def _about_normalised(matrix, x, y):
    """Theta from its 2×2 part and the place, in normalised coordinates, that stays."""
    place = torch.tensor([[x], [y]])
    return torch.cat([matrix, place - matrix @ place], dim=1)[None]


def _centre_with_true(degrees, x, y, size):
    place = 2 * x / (size[1] - 1) - 1, 2 * y / (size[0] - 1) - 1
    return _about_normalised(_turn_in_normalised(degrees, size), *place)


def _half_a_pixel_forgotten(degrees, x, y, size):
    place = 2 * x / size[1] - 1, 2 * y / size[0] - 1
    return _about_normalised(_turn_in_normalised(degrees, size), *place)


def _aspect_inverted(degrees, x, y, size):
    place = (2 * x + 1) / size[1] - 1, (2 * y + 1) / size[0] - 1
    return _about_normalised(_turn_in_normalised(degrees, size, inverted=True), *place)


def _place_for_move(degrees, x, y, size):
    place = torch.tensor([[(2 * x + 1) / size[1] - 1], [(2 * y + 1) / size[0] - 1]])
    return torch.cat([_turn_in_normalised(degrees, size), place], dim=1)[None]


def _place_for_move_in_pixels(degrees, x, y, size):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = torch.tensor([[[cos, -sin, x], [sin, cos, y]]])
    return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")


def _not_brought_back(degrees, x, y, size):
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.tensor([[[cos, -sin, sin * y - cos * x], [sin, cos, -sin * x - cos * y]]])
    return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")


def _moved_the_other_way(degrees, x, y, size):
    return rotation_in_pixels(degrees, -x, -y, size)


ROTATION_ABOUT = FunctionExercise(
    name="rotation_about",
    notebook=NOTEBOOK,
    title="Turn the grid about a given pixel",
    attempt="my_rotation_about",
    solution=solutions.rotation_about,
    oracle=rotation_in_pixels,
    against="a product of five matrices in float64",
    cases=rotation_cases,
    hints=(
        "Build it in pixels, where both axes have the same unit, and convert at the end: "
        'transforms.from_pixel_matrix(matrix, size, direction="output_to_input").',
        "Three moves, read from right to left: take the pixel (x, y) to 0, turn, bring it back. "
        "Only the last column of the matrix depends on x and y.",
        "The pixel itself must stay: x = cos·x - sin·y + move_x, so move_x = x - cos·x + sin·y. "
        "The same for y: move_y = y - sin·x - cos·y.",
    ),
    misconceptions=(
        Misconception(
            "degrees for radians",
            "degrees are taken for radians. torch.cos and math.cos take radians: "
            "math.radians(degrees) first.",
            lambda d, *rest: rotation_in_pixels(math.degrees(d), *rest),
        ),
        Misconception(
            "the other way",
            "it turns the other way: this is the inverse, input to output. Either the sines have "
            "the wrong signs (cos, -sin stand in the first row), or from_pixel_matrix was not "
            'told direction="output_to_input".',
            lambda d, *rest: rotation_in_pixels(-d, *rest),
        ),
        Misconception(
            "about the centre",
            "it turns about the middle of the image: x and y are not used, or are undone.",
            _about_the_centre,
        ),
        Misconception(
            "transforms.rotation alone",
            "this is transforms.rotation(degrees): it turns about the middle, in normalised "
            "units, and knows no pixel. Turn about (x, y) in pixels, then convert.",
            _about_the_centre_normalised,
        ),
        Misconception(
            "left in pixels",
            "the matrix is right, but still in pixels: transforms.from_pixel_matrix(matrix, size, "
            'direction="output_to_input") makes theta of it.',
            _left_in_pixels,
        ),
        Misconception(
            "about the first pixel",
            "it turns about pixel (0, 0): the last column must bring (x, y) back to its place.",
            lambda d, x, y, size: rotation_in_pixels(d, 0, 0, size),
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: it turns about the pixel in row x, column y.",
            lambda d, x, y, size: rotation_in_pixels(d, y, x, size),
        ),
        Misconception(
            "normalised units",
            "it is right on squares only. Where height and width differ, normalised x and y have "
            "different units, and a rotation in them shears the picture. Turn in pixels, then "
            "convert.",
            _in_normalised_units,
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped: size is (H, W), and x goes with W.",
            lambda d, x, y, size: rotation_in_pixels(d, x, y, size[::-1]),
        ),
        Misconception(
            "not brought back",
            "(x, y) goes to 0 and is turned, but not brought back: the last move is missing.",
            _not_brought_back,
        ),
        Misconception(
            "align_corners mixed up",
            "the pixels are converted as with align_corners=True: pixel x lies at (2x + 1) / "
            "width - 1, half a pixel inside.",
            lambda *a: rotation_in_pixels(*a, align_corners=True),
        ),
        Misconception(
            "moved the other way",
            "the two moves are in the wrong order: first (x, y) goes to 0, then the turn, then "
            "back.",
            _moved_the_other_way,
        ),
        Misconception(
            "centre with align_corners true",
            "the turn is right, but the pixel's place is that of align_corners=True: 2x / (width - "
            "1) - 1. With False pixel x lies at (2x + 1) / width - 1.",
            _centre_with_true,
        ),
        Misconception(
            "half a pixel forgotten",
            "it turns about a place half a pixel off: 2x / width - 1 is the pixel's left edge. Its "
            "centre lies at (2x + 1) / width - 1.",
            _half_a_pixel_forgotten,
        ),
        Misconception(
            "place for move",
            "the last column is the pixel's place c itself. So that c stays where it is, what A "
            "makes of it must be subtracted: c - A @ c.",
            _place_for_move,
        ),
        Misconception(
            "place for move in pixels",
            "the last column is (x, y) itself: the pixel comes back, but was not taken to 0 "
            "before the turn. Subtract what the turn makes of it: move_x = x - cos·x + sin·y.",
            _place_for_move_in_pixels,
        ),
        Misconception(
            "aspect factors inverted",
            "height / width and width / height are the wrong way round. In the first row a y of "
            "height / 2 pixels becomes an x of width / 2: -sin · height / width.",
            _aspect_inverted,
        ),
    ),
)


def inverse_cases() -> list[Case]:
    """A move alone first, then turns, then any theta, then a batch; both dtypes."""
    move = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, -0.2]]])
    zoom = torch.tensor([[[2.0, 0.0, 0.4], [0.0, 0.5, 0.1]]])
    turn = torch.tensor([[[0.6, -0.8, 0.5], [0.8, 0.6, -0.2]]])
    any_theta = torch.tensor([[[0.5, -0.2, 0.3], [0.4, 1.5, -0.7]]])
    batch = torch.cat([zoom, turn, any_theta])
    return [
        Case((t,)) for t in (move, zoom, turn, any_theta, any_theta.double(), batch, batch.double())
    ]


def pytorch_inverse(theta: Tensor) -> Tensor:
    """torch.linalg.inv of the 3×3 matrix: (B, 2, 3) -> (B, 2, 3)."""
    last = theta.new_tensor([[[0, 0, 1]]]).expand(len(theta), 1, 3)
    return torch.linalg.inv(torch.cat([theta, last], dim=1))[:, :2]


def _parts(linear, move, theta):
    """Theta from its 2×2 part and the move that each formula makes of a theta."""
    return torch.cat([linear(theta[..., :2]), move(theta)[..., None]], dim=-1)


def _adjugate(linear):
    (a, b), (c, d) = (row.unbind(-1) for row in linear.unbind(-2))
    return torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)


INVERSE = FunctionExercise(
    name="inverse",
    notebook=NOTEBOOK,
    title="The inverse of a theta",
    attempt="my_inverse",
    solution=transforms.inverse,
    oracle=pytorch_inverse,
    against="torch.linalg.inv of the 3×3 matrices",
    cases=inverse_cases,
    hints=(
        "Theta is no square matrix. With the row (0, 0, 1) below it becomes one, and its inverse "
        "ends with the same row.",
        "By hand: from s = A t + m follows t = A⁻¹ (s - m) = A⁻¹ s - A⁻¹ m. So the move is not "
        "only negated.",
        "last = theta.new_tensor([[[0, 0, 1]]]).expand(len(theta), 1, 3); torch.cat([theta, "
        "last], dim=1) is (B, 3, 3). Invert it and take the first two rows.",
    ),
    misconceptions=(
        Misconception(
            "move only negated",
            "the move is only negated. From s = A t + m follows t = A⁻¹ s - A⁻¹ m: the inverse of "
            "A works on the move, too.",
            partial(_parts, torch.linalg.inv, lambda t: -t[..., 2]),
        ),
        Misconception(
            "move left",
            "the 2×2 part is inverted, but the move is left as it was.",
            partial(_parts, torch.linalg.inv, lambda t: t[..., 2]),
        ),
        Misconception(
            "sign of the move",
            "the sign of the move is forgotten. From s = A t + m follows t = A⁻¹ s - A⁻¹ m, with a "
            "minus.",
            lambda t: pytorch_inverse(t) * t.new_tensor([1, 1, -1]),
        ),
        Misconception(
            "three rows",
            "this is the inverse of the 3×3 matrices, right but for its last row (0, 0, 1): theta "
            "is the first two rows, [:, :2].",
            lambda t: transforms.to_matrix(pytorch_inverse(t)),
        ),
        Misconception(
            "transposed",
            "the 2×2 part is transposed. That inverts a pure rotation; a zoom or a shear needs "
            "the inverse.",
            partial(_parts, lambda a: a.mT, lambda t: -(t[..., :2].mT @ t[..., 2:])[..., 0]),
        ),
        Misconception(
            "number by number",
            "each number was turned into 1 / number. The inverse of a matrix is another thing.",
            lambda t: 1 / t,
        ),
        Misconception(
            "negated",
            "theta is negated. The inverse undoes theta; the negative does not.",
            lambda t: -t,
        ),
        Misconception(
            "no determinant",
            "the determinant is forgotten: swap a and d, negate b and c, and then divide by a·d - "
            "b·c.",
            partial(_parts, _adjugate, lambda t: -(_adjugate(t[..., :2]) @ t[..., 2:])[..., 0]),
        ),
        Misconception(
            "one for all",
            "every theta of the batch got the inverse of the first.",
            lambda t: pytorch_inverse(t[:1]).expand_as(t),
        ),
        Misconception("not inverted", "this is theta itself.", lambda t: t.clone()),
    ),
)

THETA_EXERCISES = (ROTATION_ABOUT, INVERSE)
