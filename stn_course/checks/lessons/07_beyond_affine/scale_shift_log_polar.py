"""Predict: a zoom as a shift of rows."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=8.0,
    reason="From 1/16 to 1 the radius doubles four times, and 32 rows share that: 8 for each "
    "doubling.",
    wrong=(
        (
            -8.0,
            "so many, but the other way: twice as large, everything lies twice as far from the "
            "middle, and the radius grows downwards.",
        ),
        (
            16.0,
            "that is half of the rows, as if they lay evenly from 0 to 1. Each is the same number "
            "of times as large as the one before: count doublings.",
        ),
        (
            2.0,
            "that is the factor itself. How many rows further down is the radius twice as large?",
        ),
        (
            4.0,
            "so often the radius doubles from 1/16 to 1. How many of the 32 rows does each "
            "doubling take?",
        ),
        (
            0.0,
            "a turn leaves the rows alone and shifts the columns. A zoom changes each radius.",
        ),
        (
            32.0,
            "that is all of them: so far moves what is zoomed 16 times, from 1/16 to 1.",
        ),
        (
            11.1,
            "this is 32 · log 2 / 2: the logarithm of the factor must be divided by that of 16, "
            "the whole range.",
        ),
        (
            22.2,
            "this is 32 · log 2. Divide by log 16, the whole range of radii.",
        ),
    ),
    hints=(
        "Row by row the radius is multiplied by one number, the same everywhere. After 32 rows it "
        "has grown from 1/16 to 1.",
        "How often does the radius double from 1/16 to 1?",
        "Four times, in 32 rows: how many rows does one doubling take?",
    ),
)
