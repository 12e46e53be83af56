"""Diagnose the fourth run without a label."""

from stn_course.checks.engine.types import PredictionExercise
from stn_course.museum.patients import SPELLINGS, other_diagnoses

EXERCISE = PredictionExercise(
    answer="few",
    reason="The training loss is 0.0006, and 47 % of the test digits are misread. It knows its "
    "hundred digits by heart. Theta is in order: it starts at the identity, moves, and differs.",
    wrong=other_diagnoses("few"),
    spellings=SPELLINGS,
    hints=(
        "Look at the two numbers that are not about theta.",
        "A loss near 0 beside a large error: what does it read well, and what not?",
        "It was shown the same hundred digits again and again.",
    ),
)
