"""Predict: how many places a deformable attention saves."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=2500.0,
    reason="Full attention looks at all 100 · 100 = 10,000 places, deformable attention at 4 of "
    "them: 2,500 times fewer. (Each is read between pixels, from four; the factor is then 625.)",
    wrong=(
        (625.0, "that counts the four pixels that each place is read from. Count places."),
        (10_000.0, "that is how many places full attention looks at. Divide by the 4."),
        (25.0, "the map has 100 rows and 100 columns: count both."),
        (40_000.0, "you multiplied by the four points. They are what is left to read."),
        (25_000_000.0, "that is over all queries. Both attentions have as many of them."),
    ),
    hints=(
        "For one query: at how many places does full attention look?",
        "At every one of 100 rows and 100 columns. And deformable attention at 4.",
        "Divide the one by the other: 100 · 100 / 4.",
    ),
)
