"""Diagnose the fourth run without a label."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="few",
    reason="The training loss is 0.0006, and 47 % of the test digits are misread. It knows its "
    "hundred digits by heart. Theta is in order: it starts at the identity, moves, and differs.",
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
    ),
    hints=(
        "Look at the two numbers that are not about theta.",
        "A loss near 0 beside a large error: what does it read well, and what not?",
        "It was shown the same hundred digits again and again.",
    ),
)
