"""Turn the grid about a given pixel."""

import math

import torch
from torch import Tensor

from stn_course import transforms
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def rotation_about(degrees: float, x: float, y: float, size: tuple[int, int]) -> Tensor:
    """Theta (1, 2, 3) that turns the grid clockwise about the pixel (x, y) of an image (H, W)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    move_x = x - cos * x + sin * y  # so that (x, y) itself stays where it is
    move_y = y - sin * x - cos * y
    matrix = torch.tensor([[[cos, -sin, move_x], [sin, cos, move_y]]])
    return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")


def cases() -> list[Case]:
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


EXERCISE = FunctionExercise(
    attempt="my_rotation_about",
    solution=rotation_about,
    oracle=rotation_in_pixels,
    against="a product of five matrices in float64",
    cases=cases,
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
            typed="""
                import math
                c, s = math.cos(degrees), math.sin(degrees)
                matrix = torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "the other way",
            "it turns the other way: this is the inverse, input to output. Either the sines have "
            "the wrong signs (cos, -sin stand in the first row), or from_pixel_matrix was not "
            'told direction="output_to_input".',
            lambda d, *rest: rotation_in_pixels(-d, *rest),
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, s, x - c * x - s * y], [-s, c, y + s * x - c * y]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "about the centre",
            "it turns about the middle of the image: x and y are not used, or are undone.",
            _about_the_centre,
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                x, y = (size[1] - 1) / 2, (size[0] - 1) / 2
                matrix = torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "transforms.rotation alone",
            "this is transforms.rotation(degrees): it turns about the middle, in normalised "
            "units, and knows no pixel. Turn about (x, y) in pixels, then convert.",
            _about_the_centre_normalised,
            typed="return transforms.rotation(degrees=torch.tensor(float(degrees)))",
        ),
        Misconception(
            "left in pixels",
            "the matrix is right, but still in pixels: transforms.from_pixel_matrix(matrix, size, "
            'direction="output_to_input") makes theta of it.',
            _left_in_pixels,
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                return torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
            """,
        ),
        Misconception(
            "about the first pixel",
            "it turns about pixel (0, 0): the last column must bring (x, y) back to its place.",
            lambda d, x, y, size: rotation_in_pixels(d, 0, 0, size),
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, -s, 0.0], [s, c, 0.0]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: it turns about the pixel in row x, column y.",
            lambda d, x, y, size: rotation_in_pixels(d, y, x, size),
            typed="""
                import math
                x, y = y, x
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "normalised units",
            "it is right on squares only. Where height and width differ, normalised x and y have "
            "different units, and a rotation in them shears the picture. Turn in pixels, then "
            "convert.",
            _in_normalised_units,
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                x, y = (2 * x + 1) / size[1] - 1, (2 * y + 1) / size[0] - 1
                return torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
            """,
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped: size is (H, W), and x goes with W.",
            lambda d, x, y, size: rotation_in_pixels(d, x, y, size[::-1]),
            typed="""
                import math

                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
                width, height = size
                return transforms.from_pixel_matrix(
                    matrix, (width, height)[::-1], direction="output_to_input"
                )
            """,
        ),
        Misconception(
            "not brought back",
            "(x, y) goes to 0 and is turned, but not brought back: the last move is missing.",
            _not_brought_back,
            typed="""
                import math

                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                turn, to_zero = torch.eye(3), torch.eye(3)
                turn[:2, :2] = torch.tensor([[c, -s], [s, c]])
                to_zero[:2, 2] = torch.tensor([-x, -y])
                return transforms.from_pixel_matrix(
                    (turn @ to_zero)[None, :2], size, direction="output_to_input"
                )
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "the pixels are converted as with align_corners=True: pixel x lies at (2x + 1) / "
            "width - 1, half a pixel inside.",
            lambda *a: rotation_in_pixels(*a, align_corners=True),
            typed="""
                import math

                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]]])
                return transforms.from_pixel_matrix(
                    matrix, size, None, True, direction="output_to_input"
                )
            """,
        ),
        Misconception(
            "moved the other way",
            "the two moves are in the wrong order: first (x, y) goes to 0, then the turn, then "
            "back.",
            _moved_the_other_way,
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, -s, c * x - s * y - x], [s, c, s * x + c * y - y]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "centre with align_corners true",
            "the turn is right, but the pixel's place is that of align_corners=True: 2x / (width - "
            "1) - 1. With False pixel x lies at (2x + 1) / width - 1.",
            _centre_with_true,
            typed="""
                import math
                H, W = size
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                A = torch.tensor([[c, -s * H / W], [s * W / H, c]])
                centre = torch.tensor([2 * x / (W - 1) - 1, 2 * y / (H - 1) - 1])
                return torch.cat([A, (centre - A @ centre)[:, None]], dim=1)[None]
            """,
        ),
        Misconception(
            "half a pixel forgotten",
            "it turns about a place half a pixel off: 2x / width - 1 is the pixel's left edge. Its "
            "centre lies at (2x + 1) / width - 1.",
            _half_a_pixel_forgotten,
            typed="""
                import math

                H, W = size
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                to_normalised = torch.tensor([[2 / W, 0, -1], [0, 2 / H, -1], [0, 0, 1]])
                turn = torch.tensor(
                    [[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0, 0, 1]]
                )
                return (to_normalised @ turn @ to_normalised.inverse())[None, :2]
            """,
        ),
        Misconception(
            "place for move",
            "the last column is the pixel's place c itself. So that c stays where it is, what A "
            "makes of it must be subtracted: c - A @ c.",
            _place_for_move,
            typed="""
                import math
                H, W = size
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                x, y = (2 * x + 1) / W - 1, (2 * y + 1) / H - 1
                return torch.tensor([[[c, -s * H / W, x], [s * W / H, c, y]]])
            """,
        ),
        Misconception(
            "place for move in pixels",
            "the last column is (x, y) itself: the pixel comes back, but was not taken to 0 "
            "before the turn. Subtract what the turn makes of it: move_x = x - cos·x + sin·y.",
            _place_for_move_in_pixels,
            typed="""
                import math
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                matrix = torch.tensor([[[c, -s, x], [s, c, y]]])
                return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")
            """,
        ),
        Misconception(
            "aspect factors inverted",
            "height / width and width / height are the wrong way round. In the first row a y of "
            "height / 2 pixels becomes an x of width / 2: -sin · height / width.",
            _aspect_inverted,
            typed="""
                import math
                H, W = size
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                A = torch.tensor([[c, -s * W / H], [s * H / W, c]])
                centre = torch.tensor([(2 * x + 1) / W - 1, (2 * y + 1) / H - 1])
                return torch.cat([A, (centre - A @ centre)[:, None]], dim=1)[None]
            """,
        ),
    ),
)
