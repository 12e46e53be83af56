"""Hold what came against what is right: what differs, and which known mistake it is."""

from collections.abc import Callable

import torch
from torch import Tensor

from stn_course.checks.kinds import Case, FunctionExercise, Misconception
from stn_course.checks.sandbox import Result, attempt_case
from stn_course.checks.writing import agree


def same(expected: Result, received: Result) -> bool:
    """Whether two results are the same; two exceptions are if they say the same."""
    if expected.raised or received.raised:
        return expected.raised == received.raised
    if expected.value is None or received.value is None:
        return False
    if expected.value.shape != received.value.shape:
        return False
    return bool(agree(expected.value, received.value).all())


def difference(
    expected: Tensor, received: Result, args: tuple, parameters: list[str]
) -> str | None:
    """What is wrong with a result that is no exception, in words; None if nothing is.

    The dtype matters where an argument has one; from numbers any floating dtype may be made.
    """
    shape = f"a {expected.dtype} tensor of shape {tuple(expected.shape)}"
    value = received.value
    if value is None:
        return f"It returned {received.other}; expected was {shape}."
    if value.shape != expected.shape:
        return f"It returned shape {tuple(value.shape)}; expected was {tuple(expected.shape)}."
    if received.device != "cpu":
        return f"It returned a tensor on {received.device}; expected was cpu, as the arguments."
    free = value.is_floating_point() and not any(isinstance(a, Tensor) for a in args)
    if value.dtype != expected.dtype and not free:
        return f"It returned {value.dtype}; expected was {expected.dtype}."
    if not agree(expected, value).all():
        bad = int((~value.isfinite()).sum())
        return (
            f"{bad} of its {value.numel()} numbers are NaN or infinite." if bad else "It differs:"
        )
    if received.changed is not None:
        return (
            f"It modified its argument {parameters[received.changed]}; leave arguments as they are."
        )
    return None


def run_all(exercise: FunctionExercise, program: Callable, cases: list[Case]) -> list[Result]:
    """A program of the course itself on every case, in this process."""
    before = torch.get_rng_state()
    torch.manual_seed(0)  # as in the worker
    try:
        return [attempt_case(program, exercise.run, case.args) for case in cases]
    finally:
        torch.set_rng_state(before)


def oracle(exercise: FunctionExercise, cases: list[Case]) -> list[Tensor]:
    """What is right on every case."""
    return [exercise.oracle(*case.args) for case in cases]


def diagnose(
    exercise: FunctionExercise, cases: list[Case], results: list[Result], at: int, expected: Tensor
) -> Misconception | None:
    """The known mistake that explains the results; `at`: the case that is shown.

    A program that does the same on every case comes before a mere sign.
    """
    for misconception in exercise.misconceptions:
        if misconception.sign is None:
            theirs = run_all(exercise, misconception.variant, cases)
            if all(map(same, theirs, results)):
                return misconception
    value = results[at].value
    if value is None or value.is_complex():
        return None
    signs = (m for m in exercise.misconceptions if m.sign is not None)
    return next((m for m in signs if m.sign(expected, value.to(expected.dtype))), None)
