"""Predict: the colour of the frame."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="black",
    reason="zeros fills with 0, and here 0 is black. Dark on light, a frame of black is a bold "
    "thing to show a network: pad with border, or with the background's value.",
    wrong=(
        (
            "white",
            'that would be padding with "border", which repeats the picture\'s own ground. zeros '
            "fills with 0.",
        ),
        (
            "grey",
            "grey it was after normalising, where 0 lies between black and white. These pictures "
            "are not normalised.",
        ),
        (
            "dark grey",
            "dark grey it was after normalising, where black is -0.42. These pictures are not "
            "normalised.",
        ),
        ("dark", "how dark? Write black or grey."),
        ("light", "how light? Write white or grey."),
        ("0", "that is the number which is written there. Which colour has it in this picture?"),
    ),
    spellings={"gray": "grey", "dark gray": "dark grey", "zero": "0", "0.0": "0"},
    hints=(
        'Which number does padding_mode="zeros" write outside? It looks at no pixel.',
        "Which colour has that number in a picture from 0 to 1?",
        "1 - image turns black and white round in the picture. The padding comes after it.",
    ),
)
