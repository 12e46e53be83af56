"""From an attempt to a Verdict: run it, find the smallest case that is wrong, explain it."""

import ast
import inspect
import linecache
import textwrap
import warnings
from collections.abc import Callable
from types import FunctionType

from torch import Tensor

from stn_course.checks.engine.diagnosis import DIFFERS, as_tensor, diagnose, difference, oracle
from stn_course.checks.engine.formatting import agree, argument, listed, value_table
from stn_course.checks.engine.sandbox import LIMIT, SANDBOX, Outcome, is_learners
from stn_course.checks.engine.types import Case, FunctionExercise
from stn_course.checks.engine.verdict import Verdict
from stn_course.checks.engine.worker import MEMORY, PRINTED, Result, describe_safely


def program(function: FunctionType) -> str | None:
    """What a function's body does, docstring, dots, `pass` and comments aside; None without text.

    The program of a stub is empty.
    """
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    if not isinstance(tree, ast.FunctionDef):
        return None
    steps = [s.value if isinstance(s, ast.Expr) else s for s in tree.body]
    return "".join(ast.dump(s) for s in steps if not isinstance(s, ast.Constant | ast.Pass))


def untouched(exercise: FunctionExercise, attempt) -> str | None:
    """The friendly line where nothing was attempted yet, known without running anything."""
    again = f"then run this cell again. {exercise.push}"
    text = program(attempt) if isinstance(attempt, FunctionType) else None
    if attempt is None or attempt is Ellipsis or text == "":
        return f"{exercise.name}: not attempted yet. Write {exercise.attempt}, {again}"
    if text is not None and exercise.broken and text == program(exercise.broken):
        return f"{exercise.name}: not repaired yet. Fix {exercise.attempt}, {again}"
    return None


def learners_line(frames: list[tuple[str, int]]) -> str | None:
    """The innermost line of a traceback that is the learner's own: its number and its text."""
    for file, line in reversed(frames):
        text = linecache.getline(file, line).strip()
        if text and is_learners(file):
            return f"  line {line}: {text}"
    return None


def case_lines(exercise: FunctionExercise, case: Case, number: int, total: int) -> list[str]:
    """Which case is shown: its words, or its arguments in full."""
    head = f"The smallest case that is wrong ({number} of {total}):"
    if case.words:
        return [head, f"  {case.words}"]
    pairs = zip(exercise.parameters, case.args, strict=False)
    return [head, *(f"  {name} = {argument(value)}" for name, value in pairs)]


def problem_lines(exercise: FunctionExercise, outcome: Outcome, limit: float) -> list[str]:
    """Why a run did not come to its end, in words."""
    name, done = exercise.attempt, len(outcome.results)
    return {
        "time": [
            f"{name} was stopped after {limit:g} s, in call {done + 1}.",
            "Is there a loop without end? Or more work than the arguments ask for?",
        ],
        "start": [
            f"The process that runs attempts did not start ({outcome.words}).",
            f"That is no mistake of yours, and says nothing about {name}. Run this cell again; if "
            "that does not help, restart the kernel.",
        ],
        "ended": [f"The process that ran {name} ended in call {done + 1} ({outcome.words})."],
        "stopped": ["You stopped the check."],
        "unsendable": [
            f"{name} could not be sent to the process that runs it: {outcome.words}",
            "Does it use a lab, an open file or another thing that only lives in the notebook?",
        ],
    }[outcome.problem]


def raised_lines(exercise: FunctionExercise, result: Result) -> list[str]:
    """An exception of the attempt, with the learner's line."""
    kind, text = result.raised
    line = learners_line(result.frames)
    name = exercise.attempt
    elsewhere = f"  in no line of yours: the check called {name}, or used what {name} gave"
    lines = [f"{name} raised {kind}{': ' if text else ''}{text}", line or elsewhere]
    if result.memory:
        lines.append(f"It asked for more memory than the {MEMORY / 2**30:g} GiB that it may take.")
    return lines


def printed_lines(result: Result) -> list[str]:
    """What the attempt printed in a case, cut at PRINTED characters."""
    if not result.printed.strip():
        return []
    cut = "…" if len(result.printed) > PRINTED else ""
    return ["It printed:", *f"{result.printed[:PRINTED].rstrip()}{cut}".splitlines()]


def value_lines(expected: Tensor, received: Tensor | None) -> list[str]:
    """Expected and received: side by side where the shapes agree, else one after the other."""
    if received is not None and received.shape == expected.shape:
        return value_table(expected, received, agree(expected, received))
    lines = [f"  expected, shape {tuple(expected.shape)}:", *listed(expected)]
    if received is not None:
        lines += [f"  received, shape {tuple(received.shape)}:", *listed(received)]
    return lines


def wrong(
    exercise: FunctionExercise, cases: list[Case], results: list[Result], at: int, words: list[str]
) -> Verdict:
    """The verdict on a wrong attempt: the case, the values, the mistake if it is a known one."""
    expected = oracle(exercise, cases[at : at + 1])[0]
    received = results[at].value
    lines = [f"{exercise.name}: not yet.", *case_lines(exercise, cases[at], at + 1, len(cases))]
    lines += words
    if results[at].raised is None:
        lines += value_lines(expected, received)
    verdict = Verdict(exercise.name, False, lines, expected=expected, received=received)
    lines += printed_lines(results[at])
    reason = diagnose(exercise, results, at, expected)
    unknown = "No known mistake explains it. " if words == [DIFFERS] else ""
    lines.append(f"Diagnosis: {reason}" if reason else f"{unknown}{exercise.push}")
    drawable = received is not None and received.shape == expected.shape
    if drawable and not received.is_complex():
        verdict.drawn_as = exercise.picture
    return verdict


def is_nothing(result: Result) -> bool:
    """Whether an attempt says itself that it is none: it raises NotImplementedError."""
    kind, text = result.raised or ("", "")
    line = learners_line(result.frames) or ""
    return kind == "NotImplementedError" and (not text or "NotImplementedError" in line)


def judge_results(exercise: FunctionExercise, cases: list[Case], results: list[Result]) -> Verdict:
    """The verdict on results that all came."""
    if all(map(is_nothing, results)):
        return Verdict(exercise.name, None, [untouched(exercise, None)])
    rights = oracle(exercise, cases)
    results = list(map(as_tensor, rights, results))
    for at, (right, result) in enumerate(zip(rights, results, strict=True)):
        if result.raised:
            return wrong(exercise, cases, results, at, raised_lines(exercise, result))
        words = difference(exercise, cases[at], right, result)
        if words is not None:
            return wrong(exercise, cases, results, at, [words])
    line = f"{exercise.name}: right. Equal to {exercise.against} in {len(cases)} cases."
    return Verdict(exercise.name, True, [line, *printed_lines(results[0])])


def judge(exercise: FunctionExercise, attempt, limit: float = LIMIT) -> Verdict:
    """Hold an attempt against the oracle on every case, in the worker process.

    limit: seconds. Whatever the attempt does, the answer is a Verdict.
    """
    if (line := untouched(exercise, attempt)) is not None:
        return Verdict(exercise.name, None, [line])
    if not callable(attempt):
        words = f"Give the function itself, as in checks.{exercise.name}({exercise.attempt})"
        came = f"{words}, without calling it; got {describe_safely(attempt)}."
        return Verdict(exercise.name, False, [f"{exercise.name}: not yet.", came])
    return run_and_judge(exercise, attempt, limit)


def run_and_judge(exercise: FunctionExercise, attempt: Callable, limit: float) -> Verdict:
    """The verdict on something that can be called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = exercise.cases()
        arguments = [case.args for case in cases]
        outcome = SANDBOX.run(attempt, exercise.run, arguments, limit)
        if outcome.problem or len(outcome.results) < len(cases):
            return incomplete(exercise, cases, outcome, limit)
        return judge_results(exercise, cases, outcome.results)


def incomplete(
    exercise: FunctionExercise, cases: list[Case], outcome: Outcome, limit: float
) -> Verdict:
    """The verdict on a run that did not come to its end."""
    unjudged = outcome.problem in ("start", "stopped")
    lines = [f"{exercise.name}: not {'checked' if unjudged else 'yet'}."]
    if outcome.problem:
        lines += problem_lines(exercise, outcome, limit)
    else:  # it arrived, but could not be unpacked there
        lines += raised_lines(exercise, outcome.results[-1])
    if outcome.problem in ("time", "ended") and len(outcome.results) < len(cases):
        at = len(outcome.results)
        lines += ["The call was:", *case_lines(exercise, cases[at], at + 1, len(cases))[1:]]
    return Verdict(exercise.name, None if unjudged else False, lines)
