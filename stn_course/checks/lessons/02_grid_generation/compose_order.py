"""Predict: the order of two warps."""

import torch

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
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
