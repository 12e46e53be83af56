"""Diagnose the fifth run without a label."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="start",
    reason="Before the first step the grid already covers 3 % of the picture's area, another "
    "patch for each digit: the head began with PyTorch's own small random numbers, zoomed "
    "into a point.",
    wrong=(
        (
            "healthy",
            "then theta would begin at the identity, move, differ from digit to digit, and stay "
            "in the picture; and the test error would go with the training loss. Which of these "
            "fails?",
        ),
        (
            "rate",
            "then theta would end the same for every digit, or far outside, after it had moved. "
            "Look at its move and its spread.",
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
        "Look at the very first theta: patients[5].probe_thetas[0].",
        "Which area does the grid cover before anything was learned?",
        "0.03 of the picture, where the identity has 1: who forgot the identity start?",
    ),
)
