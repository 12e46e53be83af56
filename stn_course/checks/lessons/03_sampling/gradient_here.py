"""Predict: the gradient here."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=0.45,
    reason="The upper pair rises by 0.6 and has weight 0.75, the lower pair does not rise.",
    wrong=(
        (0.0, "nearest has no gradient; bilinear has a slope wherever left and right differ."),
        (0.15, "the weights of the pairs are swapped: y = 0.25 lies nearer to the upper row."),
        (0.475, "that is the value there. The gradient says how fast it changes along x."),
        (-0.1, "that is the gradient along y, from top to bottom."),
        (-0.45, "the sign: x grows to the right, where it is lighter."),
        (
            0.6,
            "that is the upper pair alone. A quarter of the way down the lower pair counts, too.",
        ),
        (0.3, "that is the mean of both pairs. At y = 0.25 the upper one counts three quarters."),
    ),
    hints=(
        "Along x: right minus left, for the upper pair and for the lower pair.",
        "Upper pair: 0.8 - 0.2. Lower pair: 0.4 - 0.4. Now weigh them by how near the rows are.",
        "y = 0.25, so the upper pair has weight 0.75 and the lower one 0.25.",
    ),
)
