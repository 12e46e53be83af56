"""Diagnose the first run without a label."""

from stn_course.checks.engine.types import PredictionExercise
from stn_course.museum.patients import SPELLINGS, other_diagnoses

EXERCISE = PredictionExercise(
    answer="bypass",
    reason="Theta at the end is, to the last bit, theta at the start: it has moved by 0. A slow "
    "theta moves a little. So no gradient reached it, and the classifier learned alone: 18 "
    "% of the "
    "test digits are misread, as in a sound run.",
    wrong=other_diagnoses("bypass"),
    spellings=SPELLINGS,
    hints=(
        "Compare the first recorded theta with the last: look(patients[1]).",
        "Which of the numbers is exactly 0 that should not be?",
        "Theta never moved. Who does not read what the transformer returns?",
    ),
)
