"""The predictions of notebook 02: which way, which part, in which order."""

import torch

from stn_course.checks.kinds import PredictionExercise

NOTEBOOK = "02_grid_generation"


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
        ("right", "to the right at the top, or at the bottom? Write clockwise or anticlockwise."),
        ("left", "to the left at the top, or at the bottom? Write clockwise or anticlockwise."),
        ("not at all", "it turns: theta's 2×2 part is not the identity."),
        ("both", "one of the two: clockwise or anticlockwise?"),
    ),
    spellings={
        **dict.fromkeys(["with the clock", "cw", "clock-wise"], "clockwise"),
        **dict.fromkeys(
            ["anti-clockwise", "anti clockwise", "counterclockwise", "counter-clockwise"],
            "anticlockwise",
        ),
        **dict.fromkeys(["counter clockwise", "ccw", "against the clock"], "anticlockwise"),
        **dict.fromkeys(["to the right", "rightwards"], "right"),
        **dict.fromkeys(["to the left", "leftwards"], "left"),
    },
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
            torch.tensor([[[0.5, 0.0, -0.5], [0.0, 0.5, 0.0]]]),
            "this reads half of the height, too. The left half is as high as the whole.",
        ),
        (
            torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
            "this reads twice the width: theta is where the output reads, and half the width is "
            "0.5.",
        ),
        (
            torch.tensor([[[1.0, 0.0, -0.5], [0.0, 1.0, 0.0]]]),
            "this only moves: the width is still the whole one.",
        ),
        (
            torch.tensor([[[0.5, 0.0, -1.0], [0.0, 1.0, 0.0]]]),
            "the last column is where the output's centre reads, not its edge.",
        ),
        (
            torch.tensor([[[0.5, 0.0, -0.25], [0.0, 1.0, 0.0]]]),
            "the middle of the left half is a quarter of the width from the centre, and the whole "
            "width is 2, from -1 to 1: a quarter of it is 0.5.",
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
        (
            torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
            "this is the identity: nothing changes.",
        ),
        (
            torch.tensor([[[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]),
            "mirrored, and moved, too: the centre would read at the right edge. It stays.",
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
    title="Predict: the order of two warps",
    attempt="guess",
    answer=torch.tensor([-0.5, 0.0]),
    reason="In first · second the turn works on what second gives: (0, 0.5) turned by 90° "
    "clockwise is (-0.5, 0).",
    wrong=(
        (
            torch.tensor([0.0, 0.5]),
            "that is where it reads under second alone, or under second · first. In first · second "
            "the turn works on second's (0, 0.5).",
        ),
        (
            torch.tensor([0.5, 0.0]),
            "turned the other way. A quarter turn clockwise takes the arrow that points down to "
            "the one that points left.",
        ),
        (
            torch.tensor([0.0, -0.5]),
            "second moves the grid down, to y = 0.5, and this is up. Then the turn works on it.",
        ),
        (torch.tensor([0.0, 0.0]), "second moves the centre, so it reads elsewhere."),
        (
            torch.tensor([-0.5, 0.5]),
            "the move counts once: it is turned, and then it is (-0.5, 0). first has no move.",
        ),
    ),
    hints=(
        "The last column of the product is first's 2×2 part times second's last column, and "
        "first's own last column added.",
        "first turns by 90° and moves nothing. second's last column is (0, 0.5).",
        "A quarter turn clockwise takes (x, y) to (-y, x).",
    ),
)

GRID_PREDICTIONS = (WHICH_WAY, LEFT_HALF, MIRROR, COMPOSE_ORDER)
