"""The standard error of an error, in percentage points."""

import torch
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def standard_error(wrong: Tensor) -> Tensor:
    """How exact the share of misread digits is: one standard error, in percentage points.

    wrong: (N,) bool, one for each test digit, True where it was misread.
    """
    share = wrong.double().mean()
    return 100 * (share * (1 - share) / len(wrong)).sqrt()


def by_deviations(wrong: Tensor) -> Tensor:
    """From the spread of the ones and zeros themselves."""
    ones = wrong.double()
    return 100 * (ones - ones.mean()).square().mean().sqrt() / len(ones) ** 0.5


def cases() -> list[Case]:
    """Half of four, one of eight, none, and 100 of 10,000."""
    shown = [[True, False, True, False], [True] + 7 * [False], 5 * [False]]
    many = torch.arange(10_000) % 100 == 0
    return [Case((torch.tensor(some),)) for some in shown] + [Case((many,))]


def _of(formula):
    """A program from a formula of the share and the count."""
    return lambda wrong: formula(wrong.double().mean(), len(wrong))


EXERCISE = FunctionExercise(
    attempt="my_standard_error",
    solution=standard_error,
    oracle=by_deviations,
    against="the spread of the ones and zeros themselves",
    cases=cases,
    hints=(
        "Each test digit is a one (misread) or a zero. How much do ones and zeros spread around "
        "their mean, the share p?",
        "The variance of a single one or zero is p · (1 - p). That of a mean of N is N times less.",
        "The standard error is the square root of that variance, in percent: times 100.",
    ),
    misconceptions=(
        Misconception(
            "not in percent",
            "this is a share from 0 to 1. The errors are in percent, so multiply by 100.",
            _of(lambda p, n: (p * (1 - p) / n).sqrt()),
            typed="""
                p = wrong.double().mean()
                return torch.sqrt(p * (1 - p) / wrong.numel())
            """,
        ),
        Misconception(
            "variance",
            "this is the variance of the mean, in percent. The standard error is its square root.",
            _of(lambda p, n: 100 * p * (1 - p) / n),
            typed="""
                p = wrong.double().mean()
                return 100 * p * (1 - p) / wrong.numel()
            """,
        ),
        Misconception(
            "of a single digit",
            "this is how much single digits spread, however many there are. A mean of N is more "
            "exact: divide the variance by N.",
            _of(lambda p, n: 100 * (p * (1 - p)).sqrt()),
            typed="""
                return 100 * wrong.double().std(correction=0)
            """,
        ),
        Misconception(
            "divided by N outside",
            "N stands outside the square root. The variance falls with N, so the standard error "
            "falls with the root of N.",
            _of(lambda p, n: 100 * (p * (1 - p)).sqrt() / n),
            typed="""
                p = wrong.double().mean()
                return 100 * (p - p**2) ** 0.5 / len(wrong)
            """,
        ),
        Misconception(
            "without 1 - p",
            "a factor is missing: the variance of a one or zero is p · (1 - p). Where all are "
            "misread, p is 1 and nothing spreads.",
            _of(lambda p, n: 100 * (p / n).sqrt()),
            typed="""
                return 100 * (wrong.double().mean() / len(wrong)).sqrt()
            """,
        ),
        Misconception(
            "the error itself",
            "this is the error. How exact is it?",
            _of(lambda p, n: 100 * p),
            typed="""
                return 100 * wrong.double().mean()
            """,
        ),
        Misconception(
            "always 10,000",
            "this is the standard error for 10,000 digits, however many came: N is len(wrong).",
            _of(lambda p, n: 100 * (p * (1 - p) / 10_000).sqrt()),
            typed="""
                p = wrong.double().mean()
                return 100 * (p * (1 - p)).sqrt() / 100
            """,
        ),
        Misconception(
            "of N - 1",
            "the spread is counted over N - 1 digits. Here the share itself says how much its ones "
            "and zeros spread: p · (1 - p), over N.",
            _of(lambda p, n: 100 * (p * (1 - p) / (n - 1)).sqrt()),
            typed="""
                return 100 * wrong.double().std() / len(wrong) ** 0.5
            """,
        ),
    ),
)
