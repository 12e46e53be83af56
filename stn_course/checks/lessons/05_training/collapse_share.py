"""Predict: the accuracy of always the same answer."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=0.1135,
    tolerance=0.0006,  # three digits will do
    reason="1135 of the 10,000 test digits are ones, turned or not. A run that ends at exactly "
    "this accuracy has collapsed, and answers 1 to everything.",
    wrong=(
        (
            0.1,
            "that would be right if all digits were equally frequent. They are not quite: count "
            "the ones.",
        ),
        (0.11, "rounded too far: count how many of the 10,000 it names rightly."),
        (10.0, "a tenth, in percent? Give a share; and not all digits are equally frequent."),
        (1 / 9, "a ninth? There are ten digits, and not all equally frequent: count the ones."),
        (1135.0, "that is how many ones there are. Divide by the number of test digits."),
        (11.35, "that is a percentage. Give a share, from 0 to 1."),
        (0.8865, "that is the share of wrong answers."),
    ),
    hints=(
        "Which digits does it name rightly? Only one kind.",
        "How many of the 10,000 test digits are ones? (test_labels == 1).sum() counts.",
        "1135 of 10,000.",
    ),
)
