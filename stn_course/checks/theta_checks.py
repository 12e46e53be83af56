"""The exercises of notebook 02 on theta: build it, invert it, read it."""

import math

import torch
from torch import Tensor

from stn_course import transforms
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception, PredictionExercise

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
            "it turns the other way: this is the inverse, input to output. The grid turns "
            "clockwise, so the picture turns anticlockwise: cos, -sin in the first row.",
            lambda d, *rest: rotation_in_pixels(-d, *rest),
        ),
        Misconception(
            "about the centre",
            "it turns about the middle of the image: x and y are not used, or are undone.",
            _about_the_centre,
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


def _parts(linear, move):
    """Theta from its 2×2 part and the move that each formula makes of a theta."""
    return lambda theta: torch.cat([linear(theta[..., :2]), move(theta)[..., None]], dim=-1)


def _adjugate(linear):
    (a, b), (c, d) = (row.unbind(-1) for row in linear.unbind(-2))
    return torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)


def _move_back(theta):
    return pytorch_inverse(theta)[..., 2]


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
            _parts(torch.linalg.inv, lambda t: -t[..., 2]),
        ),
        Misconception(
            "move left",
            "the 2×2 part is inverted, but the move is left as it was.",
            _parts(torch.linalg.inv, lambda t: t[..., 2]),
        ),
        Misconception(
            "transposed",
            "the 2×2 part is transposed. That inverts a pure rotation; a zoom or a shear needs "
            "the inverse.",
            _parts(lambda a: a.mT, lambda t: -(t[..., :2].mT @ t[..., 2:])[..., 0]),
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
            _parts(_adjugate, lambda t: -(_adjugate(t[..., :2]) @ t[..., 2:])[..., 0]),
        ),
        Misconception(
            "one for all",
            "every theta of the batch got the inverse of the first.",
            lambda t: pytorch_inverse(t[:1]).expand_as(t),
        ),
        Misconception("not inverted", "this is theta itself.", lambda t: t.clone()),
    ),
)


def crop_cases() -> list[Case]:
    """Boxes in images of uneven sides; the last is the whole image."""
    boxes = [
        (1, 2, 2, 1, (4, 8)),
        (0, 0, 3, 4, (4, 8)),
        (5, 1, 3, 2, (7, 10)),
        (0, 0, 10, 7, (7, 10)),
    ]
    return [Case(box) for box in boxes]


def crop_from_edges(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> Tensor:
    """Theta that takes -1 and 1 to the box's edges: two equations an axis, solved."""
    ends = torch.tensor([[-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)  # (x_t, 1) at both ends
    rows = []
    for start, length, n in ((left, width, size[1]), (top, height, size[0])):
        edges = torch.tensor([start, start + length], dtype=torch.float64) * 2 / n - 1
        rows.append(torch.linalg.solve(ends, edges))
    (a, x), (d, y) = rows
    return torch.tensor([[[a, 0, x], [0, d, y]]]).float()


def _crop_with(scale, middle):
    """A crop from formulas of (start, length, n), one for the scale, one for the middle."""

    def theta(left, top, width, height, size):
        x, y = (left, width, size[1]), (top, height, size[0])
        return torch.tensor([[[scale(*x), 0, middle(*x)], [0, scale(*y), middle(*y)]]]).float()

    return theta


def _share(start, length, n):
    return length / n


def _middle(start, length, n):
    return (2 * start + length) / n - 1


CROP_THETA = FunctionExercise(
    name="crop_theta",
    notebook=NOTEBOOK,
    title="Theta for a crop box in pixels",
    attempt="my_crop_theta",
    solution=solutions.crop_theta,
    oracle=crop_from_edges,
    against="the box's edges, solved for theta",
    cases=crop_cases,
    hints=(
        "Columns are arrows: how long is the x arrow, if the output is to cover `width` of all "
        "the image's columns? And where does the output's centre read?",
        "The scale in x is the box's share of the width. The middle of the box lies at left + "
        "width / 2, counted in pixels from the image's left edge.",
        "From pixels, counted from the edge, to normalised: 2 · pixels / image width - 1. So x = "
        "(2 · left + width) / image width - 1, and y likewise.",
    ),
    misconceptions=(
        Misconception(
            "forward",
            "this theta is the way forward, from input to output: it pastes the whole picture "
            "into the box. Theta maps output to input, so it is small where the box is small.",
            lambda *a: pytorch_inverse(crop_from_edges(*a)),
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: left and width belong to the first row of theta, top and height "
            "to the second.",
            lambda left, top, w, h, size: crop_from_edges(top, left, h, w, size),
        ),
        Misconception(
            "height and width swapped",
            "height and width of the image are swapped: size is (H, W), and x goes with W.",
            lambda *a: crop_from_edges(*a[:4], a[4][::-1]),
        ),
        Misconception(
            "corner for middle",
            "the last column is where the output's centre reads. Here it is the box's top left "
            "corner.",
            _crop_with(_share, lambda s, k, n: 2 * s / n - 1),
        ),
        Misconception(
            "align_corners mixed up",
            "these are the formulas for align_corners=True, from centre to centre. With False the "
            "box ends at its pixels' edges.",
            _crop_with(
                lambda s, k, n: (k - 1) / (n - 1), lambda s, k, n: (2 * s + k - 1) / (n - 1) - 1
            ),
        ),
        Misconception(
            "half a box for a box",
            "the scale is twice too large: from -1 to 1 is 2, for the box as for the image, so "
            "the 2 cancels.",
            _crop_with(lambda s, k, n: 2 * k / n, _middle),
        ),
        Misconception(
            "moved the other way",
            "the move has the wrong sign: the centre reads where the box is.",
            _crop_with(_share, lambda s, k, n: -_middle(s, k, n)),
        ),
        Misconception(
            "in pixels",
            "the last column is in pixels. Theta speaks in normalised coordinates, from -1 to 1.",
            _crop_with(_share, lambda s, k, n: s + k / 2),
        ),
    ),
)

WHICH_WAY = PredictionExercise(
    name="which_way",
    notebook=NOTEBOOK,
    title="Predict: which way does it turn?",
    attempt="guess",
    answer="clockwise",
    reason="the grid turns anticlockwise by 20 degrees, so the picture turns clockwise.",
    wrong=(
        (
            "anticlockwise",
            "the grid turns that way. Theta says where the output reads; the picture moves the "
            "other way.",
        ),
    ),
    hints=(
        "transforms.rotation counts the grid's angle, clockwise on the screen. What does -20 make "
        "of it?",
        "Turn your head to the left, and what you see turns to the right. The grid is the head.",
        "The question at the top of this notebook had +30: the grid clockwise, the digit "
        "anticlockwise. Now turn both round.",
    ),
)
LEFT_HALF = PredictionExercise(
    name="left_half",
    notebook=NOTEBOOK,
    title="Predict: a theta for the left half",
    attempt="guess",
    answer=torch.tensor([[[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]]]),
    reason="The x arrow is half as long, and the centre reads at x = -0.5.",
    wrong=(
        (
            torch.tensor([[[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]),
            "this is the way forward, input to output. Theta says where to read, and it reads "
            "half of the width.",
        ),
        (
            torch.tensor([[[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]]),
            "this reads the right half: x grows to the right, and the last column is where the "
            "centre reads.",
        ),
        (
            torch.tensor([[[0.5, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
            "this reads the half in the middle. Where does the centre of the left half lie?",
        ),
        (
            torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.5, -0.5]]]),
            "this reads the upper half: the first row of theta makes x, the second y.",
        ),
        (
            torch.tensor([[[0.5, 0.0, -1.0], [0.0, 1.0, 0.0]]]),
            "the last column is where the output's centre reads, not its edge.",
        ),
    ),
    hints=(
        "Which part of the x axis, from -1 to 1, is the left half? How long is it, beside the "
        "whole?",
        "The first column is the x arrow: half as long. y stays as it is.",
        "The last column is where the output's centre reads: the middle of the left half.",
    ),
)
MIRROR = PredictionExercise(
    name="mirror",
    notebook=NOTEBOOK,
    title="Predict: a theta for a mirror image",
    attempt="guess",
    answer=torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
    reason="The x arrow points to the left. (As a pose it reads as half a turn with a negative "
    "scale y: the same thing said differently.)",
    wrong=(
        (
            torch.tensor([[[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]]),
            "this swaps top and bottom: the second row makes y.",
        ),
        (
            torch.tensor([[[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]]),
            "this is half a turn: both arrows are turned round.",
        ),
        (
            torch.tensor([[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]]),
            "this swaps x and y, a mirror along the diagonal.",
        ),
    ),
    hints=(
        "What stands at x = 0.3 must be read at x = -0.3. And y?",
        "No move is needed: the centre stays at the centre.",
        "The x arrow points to the left: its first number is -1.",
    ),
)
COMPOSE_ORDER = PredictionExercise(
    name="compose_order",
    notebook=NOTEBOOK,
    title="Predict: turn, then shift downwards",
    attempt="guess",
    answer=torch.tensor([-0.5, 0.0]),
    reason="The shift moved the turned picture, so the turn works on the shift: (0, 0.5) turned "
    "by 90° clockwise is (-0.5, 0).",
    wrong=(
        (
            torch.tensor([0.0, 0.5]),
            "that is shift, then turn: first · second, in that order, so the turn works on the "
            "shift's (0, 0.5).",
        ),
        (
            torch.tensor([0.5, 0.0]),
            "turned the other way. A quarter turn clockwise takes the arrow that points down to "
            "the one that points left.",
        ),
        (
            torch.tensor([0.0, -0.5]),
            "that is the way the picture moves, unturned. Asked was where the centre reads, under "
            "first · second.",
        ),
    ),
    hints=(
        "The last column of the product is first's 2×2 part times second's last column, and "
        "first's own last column added.",
        "first turns by 90° and moves nothing. second's last column is (0, 0.5).",
        "A quarter turn clockwise takes (x, y) to (-y, x).",
    ),
)

THETA_EXERCISES = (
    *(ROTATION_ABOUT, INVERSE, CROP_THETA),
    *(WHICH_WAY, LEFT_HALF, MIRROR, COMPOSE_ORDER),
)
