"""Diagnose the fifth run without a label."""

from stn_course.checks.engine.types import PredictionExercise
from stn_course.museum.patients import SPELLINGS, other_diagnoses

EXERCISE = PredictionExercise(
    answer="start",
    reason="Before the first step the grid already covers 3 % of the picture's area, another "
    "patch for each digit: the head began with PyTorch's own small random numbers, zoomed "
    "into a point.",
    wrong=other_diagnoses("start"),
    spellings=SPELLINGS,
    hints=(
        "Look at the very first theta: patients[5].probe_thetas[0].",
        "Which area does the grid cover before anything was learned?",
        "0.03 of the picture, where the identity has 1: who forgot the identity start?",
    ),
)
