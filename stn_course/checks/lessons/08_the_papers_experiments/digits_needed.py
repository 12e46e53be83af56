"""Predict: how many test digits tell 0.7 % from 0.8 %."""

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=59_548.0,
    tolerance=1000.0,
    reason="The variances of the two errors add up: 0.007 · 0.993 + 0.008 · 0.992, over N. Twice "
    "the root of that is 0.001 where N is about 60,000: six times as many as there are. Where both "
    "networks read the same digits, fewer do, for most digits are easy, or hard, for both.",
    wrong=(
        (10_000.0, "with the 10,000 that there are, the difference is one standard error at most."),
        (
            14_887.0,
            "with so many, the difference is one standard error. It is to be two of them: four "
            "times as many digits.",
        ),
        (
            29_774.0,
            "two standard errors are four variances, not two: the root is taken of the whole.",
        ),
        (
            27_804.0,
            "that is right if the other error were known exactly. Both are uncertain: their "
            "variances add up.",
        ),
        (
            119_096.0,
            "that is what both networks read together. How many does each of them read?",
        ),
        (
            5.9548,
            "the errors are in percent: 0.1 points are 0.001, and 0.7 % is 0.007.",
        ),
        (20_000.0, "twice as many digits make it 1.4 times as exact. That is not enough."),
        (1_000_000.0, "that is more than it takes. Write down the variance of the difference."),
    ),
    hints=(
        "What is the standard error of each of the two errors, with N digits? The difference of "
        "two independent numbers has the sum of their variances.",
        "Variance of the difference: (0.007 · 0.993 + 0.008 · 0.992) / N. Its root is to be half "
        "of 0.001.",
        "N = 4 · 0.014887 / 0.001².",
    ),
)
