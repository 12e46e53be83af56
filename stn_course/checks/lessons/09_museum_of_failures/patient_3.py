"""Diagnose the third run without a label."""

from stn_course.checks.engine.types import PredictionExercise
from stn_course.museum.patients import SPELLINGS, other_diagnoses

EXERCISE = PredictionExercise(
    answer="healthy",
    reason="It begins at the identity, moves, differs from digit to digit, stays in the "
    "picture, and "
    "the test error of 19 % goes with a training loss of 0.58. Nothing here is a fault: it was "
    "trained for 126 steps only.",
    wrong=other_diagnoses("healthy"),
    spellings=SPELLINGS,
    hints=(
        "Go through all seven numbers of look(patients[3]). Is any of them out of order?",
        "Compare it with the mended runs of the museum.",
        "Not every patient is ill.",
    ),
)
