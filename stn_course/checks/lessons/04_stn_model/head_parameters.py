"""Predict: how many parameters has the head?"""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=306.0,
    tolerance=0.0,
    reason="50 · 6 weights and 6 biases.",
    wrong=(
        (300.0, "each of the six outputs has a bias, too."),
        (350.0, "a bias belongs to an output, not to a feature: there are 6."),
        (6.0, "those are the biases alone."),
        (56.0, "a weight stands between every feature and every output: multiply, do not add."),
        (301.0, "every output has a bias of its own, not one for all."),
    ),
    hints=(
        "A Linear layer has a weight for every pair of an input and an output.",
        "And a bias for each output.",
        "50 · 6 + 6.",
    ),
)
