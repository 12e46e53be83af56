"""Diagnose the second run without a label."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="rate",
    reason="Theta begins at the identity and moves by 0.1, so it is read. But at the end its "
    "spread over the twelve digits is 0: every digit gets the same warp. Large steps have "
    "killed the "
    "units before the head.",
    wrong=(
        (
            "healthy",
            "then theta would begin at the identity, move, differ from digit to digit, and stay "
            "in the picture; and the test error would go with the training loss. Which of these "
            "fails?",
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
        "Does theta move? Does it differ from digit to digit?",
        "The spread is 0 at the end, though theta has moved.",
        "One warp for all digits: exhibit 6.",
    ),
)
