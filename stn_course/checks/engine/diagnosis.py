"""Hold what came against what is right: what differs, and which known mistake explains it."""

import functools
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile

import torch
from torch import Tensor

from stn_course.checks.engine.formatting import agree
from stn_course.checks.engine.slips import NO_BATCH, equal, raised_slip, slip, without_batch
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.checks.engine.worker import Result, attempt_case

DIFFERS = "It differs:"
LATER = "In a later case something else is wrong, too."
EVIDENCE = 3  # wrong numbers that a mistake must explain, so that it is no coincidence


def same(theirs: Result, mine: Result) -> bool:
    """Whether an attempt did what a known mistake does; two exceptions are the same if they say so.

    Within the rounding of float32, whatever the dtype: that is another matter. NaN is the same as
    NaN.
    """
    if theirs.raised or mine.raised:
        return theirs.raised == mine.raised
    if theirs.value is None or mine.value is None or theirs.value.shape != mine.value.shape:
        return False
    nan = theirs.value.isnan() & mine.value.isnan()
    return bool((nan | agree(theirs.value.float(), mine.value)).all())


def as_tensor(expected: Tensor, received: Result) -> Result:
    """A result as it came; but where one number is expected, Python's own are as good."""
    if expected.dim() or received.number is None:
        return received
    return replace(received, value=expected.new_tensor(received.number))


def no_tensor(exercise: FunctionExercise, expected: Tensor, received: Result) -> str:
    """What came in place of a tensor, in words."""
    if received.kind in ("NoneType", "ellipsis"):
        return (
            f"{exercise.attempt} returned nothing. Is a `return` missing, or does it call a "
            "function that is not written yet?"
        )
    wanted = exercise.returns or f"a {expected.dtype} tensor of shape {tuple(expected.shape)}"
    hint = " This is the class; Net() makes a module of it." if received.kind == "type" else ""
    return f"It returned {received.other}; expected {wanted}.{hint}"


def difference(exercise: FunctionExercise, case: Case, expected: Tensor, received: Result):
    """What is wrong with a result that is no exception, in words; None if nothing is.

    The dtype matters where an argument has a floating one; from others any may be made.
    """
    value = received.value
    if value is None:
        return no_tensor(exercise, expected, received)
    if value.shape != expected.shape:
        return f"It returned shape {tuple(value.shape)}; expected {tuple(expected.shape)}."
    if received.device != "cpu":
        return f"It returned a tensor on {received.device}; expected cpu, as the arguments are."
    given = [a for a in case.args if isinstance(a, Tensor) and a.is_floating_point()]
    free = value.is_floating_point() and not given
    if value.dtype != expected.dtype and not free:
        return f"It returned {value.dtype}; expected {expected.dtype}."
    if not agree(expected, value).all():
        bad = int((~value.isfinite()).sum())
        return f"{bad} of its {value.numel()} numbers are NaN or infinite." if bad else DIFFERS
    if received.changed is not None:
        name = exercise.parameters[received.changed]
        return f"It modified its argument {name}; leave arguments as they are."
    return None


def run_all(exercise: FunctionExercise, program: Callable, cases: list[Case]) -> list[Result]:
    """A program of the course itself on every case, in this process."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(0)  # as in the worker
    try:
        return [attempt_case(program, exercise.run, case.args) for case in cases]
    finally:
        torch.set_rng_state(before)


def oracle(exercise: FunctionExercise, cases: list[Case]) -> list[Tensor]:
    """What is right on every case."""
    return [exercise.oracle(*case.args) for case in cases]


@functools.cache
def results_of(exercise: FunctionExercise, mistake: Misconception) -> list[Result]:
    """What a known mistake's program gives on every case: the same for every attempt."""
    return run_all(exercise, mistake.variant, exercise.cases())


def explains(
    exercise: FunctionExercise, mistake: Misconception, results: dict[int, Result], at: int
) -> bool:
    """Whether a mistake's program gives the result `at`, and the others where the attempt gave one.

    A case that raises later, by another mistake, must not hide this one.
    """
    theirs = results_of(exercise, mistake)
    return same(theirs[at], results[at]) and all(
        same(theirs[i], result)
        for i, result in results.items()
        if theirs[i].raised or not result.raised
    )


def known_mistake(
    exercise: FunctionExercise, results: dict[int, Result], at: int, expected: Tensor
) -> Misconception | None:
    """The known mistake that explains the results, by case; `at`: the case that is shown.

    A program that does the same on every case comes before a mere sign.
    """
    for mistake in exercise.misconceptions:
        if mistake.sign is None and explains(exercise, mistake, results, at):
            return mistake
    value = results[at].value
    if value is None or value.is_complex():
        return None
    signs = (m for m in exercise.misconceptions if m.sign is not None)
    return next((m for m in signs if m.sign(expected, value.to(expected.dtype))), None)


def diagnose(
    exercise: FunctionExercise, results: list[Result], at: int, expected: Tensor
) -> str | None:
    """Why the results are wrong, in words: a known mistake, a slip, or a slip with a mistake.

    `at`: the case that is shown; `expected`: what is right there. None if nothing explains them.
    """
    mistake = known_mistake(exercise, dict(enumerate(results)), at, expected)
    if mistake is not None:
        return mistake.words
    if (mistake := first_of_two(exercise, results, at)) is not None:
        return f"{mistake.words} {LATER}"
    if results[at].value is None and not results[at].raised and exercise.returns:
        return None  # what came and what was expected say it all
    words = slip(expected, results[at])
    if words != NO_BATCH:
        return words
    if (later := next(filter(None, map(raised_slip, results)), None)) is not None:
        return later  # with more images than one it fails, and that is the cause
    mistake = mistake_beside_batch(exercise, results)
    return words if mistake is None else f"{words} And {mistake.words}"


def how_many_wrong(right: Tensor, result: Result) -> int:
    """How many numbers of a result are wrong by more than float32 rounds; 0 where none came."""
    if result.value is None or result.value.shape != right.shape:
        return 0 if result.value is None else result.value.numel()
    return int((~agree(right.float(), result.value)).sum())


def first_of_two(
    exercise: FunctionExercise, results: list[Result], at: int
) -> Misconception | None:
    """The mistake that is met first, where the results have another one later on.

    It does what the attempt did in the first cases, further than all others, at least to `at`.
    """

    def reach(mistake: Misconception) -> int:
        pairs = zip(results_of(exercise, mistake), results, strict=True)
        return sum(1 for _ in takewhile(lambda pair: same(*pair), pairs))

    best = max(exercise.misconceptions, key=reach)
    rights = oracle(exercise, exercise.cases()[: reach(best)])
    evidence = sum(map(how_many_wrong, rights, results))
    return best if reach(best) > at and evidence >= EVIDENCE else None


def mistake_beside_batch(exercise: FunctionExercise, results: list[Result]) -> Misconception | None:
    """What else is wrong with results that lack the batch axis, seen on single images."""
    rights = oracle(exercise, exercise.cases())
    batched = map(without_batch, rights, results)
    single = {i: result for i, result in enumerate(batched) if result is not None}
    at = next((i for i in single if not equal(rights[i], single[i].value)), None)
    return None if at is None else known_mistake(exercise, single, at, rights[at])
