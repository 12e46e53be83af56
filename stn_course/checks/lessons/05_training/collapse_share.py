"""Predict: the lowest accuracy of always the same answer."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=0.0892,
    tolerance=0.0006,  # three digits will do
    reason="Fives are the rarest: 892 of the 10,000 test digits, turned or not. A run that ends at "
    "exactly this accuracy has collapsed, and answers 5 to everything.",
    wrong=(
        (
            0.1,
            "that would be right if all digits were equally frequent. They are not quite: count "
            "them.",
        ),
        (0.1135, "that is the share of ones, the most frequent: the highest such accuracy."),
        (0.09, "rounded too far: count how many of the 10,000 it names correctly."),
        (0.0, "it is right for every digit of the kind that it names, and there are such digits."),
        (10.0, "a tenth, in percent? Give a share; and not all digits are equally frequent."),
        (1 / 9, "a ninth? There are ten digits, and not all equally frequent: count them."),
        (892.0, "that is how many fives there are. Divide by the number of test digits."),
        (8.92, "that is a percentage. Give a share, from 0 to 1."),
        (0.9108, "that is the share of wrong answers."),
    ),
    hints=(
        "Which digits does such a network name correctly? Only one kind.",
        "The rarest kind gives the lowest accuracy. test_labels.bincount() counts each kind.",
        "There are 892 fives among 10,000 test digits.",
    ),
)
