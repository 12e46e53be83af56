"""After how many steps tanh on theta can be known."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=0.0,
    reason="Before the first step theta is 0.76 on its diagonal in place of 1. You need one digit "
    "and no training: print theta, and hold it against the start that you meant.",
    wrong=(
        (-1.0, "there is nothing before the start. Count the steps of training that you need."),
        (1.0, "a step changes theta by little. What is it before that step?"),
        (
            10.0,
            "ten steps tell whether theta moves at all, and a squeezed theta does move. tanh shows "
            "where it starts.",
        ),
        (
            96.0,
            "that is a whole run of this museum. What did its very first record of theta show?",
        ),
        (
            100.0,
            "that theta never exceeds 1 is a second sign, and it takes a run. The first one takes "
            "none: where does theta start?",
        ),
    ),
    hints=(
        "Which number of exhibit 2 was recorded first?",
        "tanh(1) is 0.76, whatever was learned.",
        "Theta exists before the first step. So count the steps that you need.",
    ),
)
