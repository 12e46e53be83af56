"""Diagnose a recorded run."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="tanh",
    reason="Before the first step theta is 0.91 on its diagonal, and 0 elsewhere, for every digit: "
    "tanh(1.5). Somebody started the head at 1.5, to come close to the identity. And no number "
    "ever exceeds 1, so this grid can never zoom out, nor stay as it is. An accuracy does not "
    "tell; theta does.",
    spellings={"tanh on theta": "tanh", "random start": "start", "bypassed": "bypass"},
    wrong=(
        (
            "rate",
            "then theta would end the same for every digit, or far outside the picture. Compute "
            "the spread over the digits at the last step, and look at the first step.",
        ),
        (
            "start",
            "a random start gives each digit another theta, with numbers other than 0 off the "
            "diagonal. Print theta at the first step for two digits: are they alike?",
        ),
        (
            "bypass",
            "then no gradient would reach theta, and it would stay where it began. Compare the "
            "first recorded theta with the last.",
        ),
        (
            "padding",
            "then the grid would have left the picture: training.signs(theta).outside is near 1. "
            "Compute it at the last step.",
        ),
    ),
    hints=(
        "Look at patient.probe_thetas[0], before the first step. What should stand there?",
        "The identity should, and it comes close, the same for each digit. Which function keeps 0 "
        "as it is, and can come close to 1 but not beyond?",
        "Try math.tanh(1.5), and see torch.stack(patient.probe_thetas).max(): notebook 04, Break.",
    ),
)
