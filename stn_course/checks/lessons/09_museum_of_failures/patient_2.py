"""Diagnose the second run without a label."""

from stn_course.checks.engine.types import PredictionExercise
from stn_course.museum.patients import SPELLINGS, other_diagnoses

EXERCISE = PredictionExercise(
    answer="rate",
    reason="Theta begins at the identity and moves by 0.1, so it is read. But at the end its "
    "spread over the twelve digits is 0: every digit gets the same warp. Large steps have "
    "killed the "
    "units before the head.",
    wrong=other_diagnoses("rate"),
    spellings=SPELLINGS,
    hints=(
        "Does theta move? Does it differ from digit to digit?",
        "The spread is 0 at the end, though theta has moved.",
        "One warp for all digits: exhibit 6.",
    ),
)
