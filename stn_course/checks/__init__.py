"""Exercises that answer: `checks.affine_grid(my_affine_grid)`, `hint(…)`, `solution(…)`.

There is one check for each name in `exercises.EXERCISES`. A check answers with a Verdict, whatever
the learner wrote; it never raises.
"""

from stn_course.checks.api import Check, hint, solution, start_again
from stn_course.checks.catalogue import EXERCISES

__all__ = ["hint", "solution", "start_again"]


def __getattr__(name: str) -> Check:
    if name in EXERCISES:
        return Check(EXERCISES[name])
    raise AttributeError(f"no exercise is called {name!r}; there are {', '.join(EXERCISES)}")


def __dir__() -> list[str]:
    return sorted([*__all__, *EXERCISES])
