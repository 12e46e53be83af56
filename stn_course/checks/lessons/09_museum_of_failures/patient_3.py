"""Diagnose the third run without a label."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="healthy",
    reason="It begins at the identity, moves, differs from digit to digit, stays in the "
    "picture, and "
    "the test error of 19 % goes with a training loss of 0.58. Nothing here is a fault: it was "
    "trained for 126 steps only.",
    wrong=(
        (
            "rate",
            "then theta would end the same for every digit, or far outside, after it had moved. "
            "Look at its move and its spread.",
        ),
        (
            "start",
            "then theta would not be the identity before the first step: look at the area and "
            "the share outside at the start.",
        ),
        (
            "bypass",
            'then theta would not have moved by one bit. Look at "moved by".',
        ),
        (
            "padding",
            "then most of the grid would lie outside at the end. Look at the share.",
        ),
        (
            "few",
            "then the training loss would be near 0 beside a large test error. Compare the two.",
        ),
    ),
    hints=(
        "Go through all seven numbers of look(patients[3]). Is any of them out of order?",
        "Compare it with the mended runs of the museum.",
        "Not every patient is ill.",
    ),
)
