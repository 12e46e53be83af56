"""Predict: the colour of the frame."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer="black",
    reason="zeros fills with 0, and here 0 is black. A network sees such a frame as part of the "
    "picture: pad with border, or with the background's value.",
    wrong=(
        (
            "white",
            'that would be padding with "border", which repeats the background. zeros fills with '
            "0.",
        ),
        (
            "grey",
            "that was the frame after normalising, where 0 lies between black and white. These "
            "pictures are not normalised.",
        ),
        (
            "dark grey",
            "that was the frame after normalising, where black is -0.42, and 0 a little lighter. "
            "These pictures are not normalised.",
        ),
        ("light grey", "a light grey is a value such as 0.8. zeros fills with 0."),
        ("dark", "how dark? Write black or grey."),
        ("light", "how light? Write white or grey."),
        (
            "0",
            "that is the number written there. What colour does it have in this picture?",
        ),
    ),
    spellings={
        "gray": "grey",
        "dark gray": "dark grey",
        "light gray": "light grey",
        "zero": "0",
        0: "0",
    },
    hints=(
        'Which number does padding_mode="zeros" write outside? It looks at no pixel.',
        "What colour does that number have in a picture from 0 to 1?",
        "1 - image exchanges black and white in the picture. The padding comes after it.",
    ),
)
