"""Half the width of a 95 % interval from a few seeds."""

import torch
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def half_width(errors: Tensor, t: float) -> Tensor:
    """Half the width of the 95 % interval of a mean over seeds.

    errors: (S,), one a seed. t: Student's factor for S - 1 degrees of freedom, 4.303 for 3 seeds.
    """
    return t * errors.std() / len(errors) ** 0.5


def by_pairs(errors: Tensor, t: float) -> Tensor:
    """From the squared differences of all pairs of seeds, which need no mean."""
    count = len(errors)
    squares = (errors[:, None] - errors).square().sum() / 2  # each pair once
    variance = squares / (count * (count - 1))
    return t * (variance / count).sqrt()


def cases() -> list[Case]:
    """Two seeds a point apart, then three and five."""
    runs = [([1.0, 2.0], 12.706), ([1.0, 1.2, 1.1], 4.303), ([0.5, 0.9, 0.6, 0.8, 0.6], 2.776)]
    return [Case((torch.tensor(errors, dtype=torch.float64), t)) for errors, t in runs]


EXERCISE = FunctionExercise(
    attempt="my_half_width",
    solution=half_width,
    oracle=by_pairs,
    against="the half width that the differences between all pairs of seeds give",
    cases=cases,
    hints=(
        "How much do the seeds spread? And how much more exact than one seed is a mean of S?",
        "The spread of single seeds is errors.std(), over S - 1, as PyTorch does by default. The "
        "mean's is smaller by the root of S.",
        "t says how many of those make 95 %: t · errors.std() / sqrt(S).",
    ),
    misconceptions=(
        Misconception(
            "over S",
            "the spread is counted over S seeds. Their mean was taken from the same seeds, which "
            "leaves S - 1 free: std() does that by default.",
            lambda errors, t: t * errors.std(correction=0) / len(errors) ** 0.5,
            typed="""
                deviations = errors - errors.mean()
                return t * (deviations**2).mean().sqrt() / len(errors) ** 0.5
            """,
        ),
        Misconception(
            "of one seed",
            "this is the interval for one more seed, not for their mean: divide by the root of S.",
            lambda errors, t: t * errors.std(),
            typed="""
                return errors.std() * t
            """,
        ),
        Misconception(
            "1.96",
            "1.96 is the factor for very many seeds. With three, the spread itself is hardly "
            "known: use t.",
            lambda errors, t: 1.96 * errors.std() / len(errors) ** 0.5,
            typed="""
                return 1.96 * errors.std() / len(errors) ** 0.5
            """,
        ),
        Misconception(
            "always 4.303",
            "4.303 is the factor for three seeds, whatever comes: use t.",
            lambda errors, t: 4.303 * errors.std() / len(errors) ** 0.5,
            typed="""
                return 4.303 * errors.std() / len(errors) ** 0.5
            """,
        ),
        Misconception(
            "divided by the root of S - 1",
            "S - 1 is counted twice: std() divides by it already. A mean of S seeds is more exact "
            "by the root of S.",
            lambda errors, t: t * errors.std() / (len(errors) - 1) ** 0.5,
            typed="""
                return t * errors.std() / (len(errors) - 1) ** 0.5
            """,
        ),
        Misconception(
            "standard error",
            "this is one standard error, about two thirds of all cases. For 95 %, multiply by t.",
            lambda errors, t: errors.std() / len(errors) ** 0.5,
            typed="""
                return (errors.var() / len(errors)).sqrt()
            """,
        ),
        Misconception(
            "divided by S",
            "the spread is divided by S. The variance falls with S, so the spread falls with its "
            "root.",
            lambda errors, t: t * errors.std() / len(errors),
            typed="""
                return t * errors.std() / len(errors)
            """,
        ),
        Misconception(
            "variance",
            "this uses the variance. Its root, std(), has the unit of an error.",
            lambda errors, t: t * errors.var() / len(errors) ** 0.5,
            typed="""
                return t * errors.var() / len(errors) ** 0.5
            """,
        ),
        Misconception(
            "whole width",
            "this is the whole width, from one end to the other. Half of it stands behind ±.",
            lambda errors, t: 2 * t * errors.std() / len(errors) ** 0.5,
            typed="""
                away = t * errors.std() / len(errors) ** 0.5
                return (errors.mean() + away) - (errors.mean() - away)
            """,
        ),
        Misconception(
            "half the range",
            "this is half the distance from the best seed to the worst. How certain the mean is "
            "depends on how many seeds there are, too.",
            lambda errors, t: (errors.max() - errors.min()) / 2,
            typed="""
                return (max(errors) - min(errors)) / 2
            """,
        ),
    ),
)
