"""Predict: half a pixel of a feature map, in pixels of the picture."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=8.0,
    reason="One pixel of the map covers 16 of the picture, so half of one is 8: a ninth of a "
    "person who is 72 pixels wide.",
    wrong=(
        (0.5, "that is in pixels of the feature map. One of them covers 16 of the picture."),
        (16.0, "that is a whole pixel of the feature map. The slip is half of one."),
        (32.0, "that is two pixels of the map. Multiply half a pixel by the stride."),
        (0.03125, "you divided by the stride: half a pixel of the picture, seen on the map."),
        (4.5, "the width of the box does not matter: the whole crop is moved by as much."),
        (-8.0, "so many, but the question is how far: take it as positive."),
    ),
    hints=(
        "How many pixels of the picture does one pixel of the feature map stand for?",
        "Half a pixel of the map, times its stride.",
        "0.5 · 16: that many pixels of the picture.",
    ),
)
