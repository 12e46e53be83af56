"""Predict: which grey is 0 after normalising?"""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=0.1307,
    tolerance=0.002,
    reason="0 is the mean of all pixels: a dark grey, 0.13 of the way from black to white.",
    wrong=(
        (0.0, "0 was black before normalising. After it black is -0.4242."),
        (
            -0.4242,
            "that is what black becomes. Go the other way: from 0 back to a grey between 0 and 1.",
        ),
        (0.4242, "that is how far black lies below 0, in units of the standard deviation, 0.3081."),
        (0.3081, "that is the standard deviation."),
        (0.42, "that is how far black lies below 0, not the grey that became 0."),
        (33.0, "of 255? Give a grey between 0 and 1."),
        (13.0, "that is a percentage. Give a grey between 0 and 1."),
        (0.5, "that would be the middle between black and white. But MNIST is mostly black."),
    ),
    hints=(
        "normalise subtracts the mean, then divides. Which value becomes 0?",
        "(value - mean) / deviation = 0. Solve for the value.",
        "The mean of all training pixels, computed in Build 2.",
    ),
)
