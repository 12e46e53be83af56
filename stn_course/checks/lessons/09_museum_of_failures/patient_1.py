"""Diagnose the first run without a label."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="bypass",
    reason="Theta at the end is, to the last bit, theta at the start: it has moved by 0. A slow "
    "theta moves a little. So no gradient reached it, and the classifier learned alone: 18 "
    "% of the "
    "test digits are misread, as in a sound run.",
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
            "padding",
            "then most of the grid would lie outside at the end. Look at the share.",
        ),
        (
            "few",
            "then the training loss would be near 0 beside a large test error. Compare the two.",
        ),
    ),
    hints=(
        "Compare the first recorded theta with the last: look(patients[1]).",
        "Which of the numbers is exactly 0 that should not be?",
        "Theta never moved. Who does not read what the transformer returns?",
    ),
)
