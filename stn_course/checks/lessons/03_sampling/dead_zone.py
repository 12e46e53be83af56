"""Predict: the gradient far outside."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=0.0,
    tolerance=0.0,
    reason="Every place reads 0 and its neighbours are 0: exactly no slope, so no training brings "
    "it back.",
    wrong=(
        (1.0, "for that some neighbours would have to differ. What stands outside the picture?"),
        (3.0, "that is how far the grid was moved, not how fast the output changes there."),
        (-3.0, "that is the way back. The gradient says how fast the output changes there."),
        (1e-9, "small is not enough: by how much do the neighbours differ out there?"),
    ),
    hints=(
        "Where does the grid lie, if every x has 3 added to it?",
        "Which values do the four neighbours of such a place have, with zero padding?",
        "The slope between 0 and 0.",
    ),
)
