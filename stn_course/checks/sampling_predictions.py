"""The predictions of notebook 03: the frame's colour, and gradients."""

from stn_course.checks.kinds import PredictionExercise

NOTEBOOK = "03_sampling"


FRAME = PredictionExercise(
    name="frame",
    notebook=NOTEBOOK,
    title="Predict: the colour of the frame",
    attempt="guess",
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
GRADIENT_HERE = PredictionExercise(
    name="gradient_here",
    notebook=NOTEBOOK,
    title="Predict: the gradient here",
    attempt="guess",
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
DEAD_ZONE = PredictionExercise(
    name="dead_zone",
    notebook=NOTEBOOK,
    title="Predict: the gradient far outside",
    attempt="guess",
    answer=0.0,
    tolerance=0.0,
    reason="Every place reads 0 and its neighbours are 0: exactly no slope, so no training brings "
    "it back.",
    wrong=(
        (1.0, "for that some neighbours would have to differ. What stands outside the picture?"),
        (3.0, "that is how far the grid was moved. Asked was how fast the output changes there."),
        (-3.0, "that is the way back. Asked was how fast the output changes there."),
        (1e-9, "small is not enough: by how much do the neighbours differ out there?"),
    ),
    hints=(
        "Where does the grid lie, if every x has 3 added to it?",
        "Which values do the four neighbours of such a place have, with zero padding?",
        "The slope between 0 and 0.",
    ),
)

SAMPLING_PREDICTIONS = (FRAME, GRADIENT_HERE, DEAD_ZONE)
