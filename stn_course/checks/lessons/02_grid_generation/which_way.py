"""Predict: which way does it turn?"""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="clockwise",
    reason="the grid turns anticlockwise by 20 degrees, so the picture turns clockwise.",
    wrong=(
        (
            "anticlockwise",
            "the grid turns that way. Theta says where the output reads; the picture moves the "
            "other way.",
        ),
        ("right", "to the right at the top, or at the bottom? Write clockwise or anticlockwise."),
        ("left", "to the left at the top, or at the bottom? Write clockwise or anticlockwise."),
        ("not at all", "it turns: theta's 2×2 part is not the identity."),
        ("both", "one of the two: clockwise or anticlockwise?"),
    ),
    spellings={
        **dict.fromkeys(["with the clock", "cw", "clock-wise"], "clockwise"),
        **dict.fromkeys(
            ["anti-clockwise", "anti clockwise", "counterclockwise", "counter-clockwise"],
            "anticlockwise",
        ),
        **dict.fromkeys(["counter clockwise", "ccw", "against the clock"], "anticlockwise"),
        **dict.fromkeys(["to the right", "rightwards"], "right"),
        **dict.fromkeys(["to the left", "leftwards"], "left"),
    },
    hints=(
        "transforms.rotation counts the grid's angle, clockwise on the screen. What does -20 make "
        "of it?",
        "Turn your head to the left, and what you see turns to the right. The grid is the head.",
        "The question at the top of this notebook had +30: the grid clockwise, the digit "
        "anticlockwise. Now turn both round.",
    ),
)
