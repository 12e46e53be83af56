"""What a learner calls: a check, the next hint, the solution, a fresh cell."""

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable

from stn_course.checks import progress
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.judging import judge
from stn_course.checks.engine.predicting import judge_prediction
from stn_course.checks.engine.types import Exercise, FunctionExercise
from stn_course.checks.engine.verdict import Verdict, wrapped

_shown: Counter[str] = Counter()  # how many hints of each exercise were given


class Text:
    """Text that a notebook cell shows as it is."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return wrapped(self.text)


class Check:
    """The check of one exercise: call it with your attempt."""

    def __init__(self, exercise: Exercise):
        self.exercise = exercise
        self.__doc__ = f"{exercise.title}: call it with {exercise.attempt}."

    def __repr__(self) -> str:
        return f"checks.{self.exercise.name}({self.exercise.attempt}): {self.exercise.title}"

    def __call__(self, attempt=None) -> Verdict:
        """The answer to an attempt; a right one is recorded as progress."""
        name = self.exercise.name
        function = isinstance(self.exercise, FunctionExercise)
        try:
            verdict = (judge if function else judge_prediction)(self.exercise, attempt)
        except Exception as error:
            words = (
                f"{name}: this check has failed, a mistake of the course, not yours ({error!r})."
            )
            return Verdict(name, None, [words])
        if verdict.solved:
            progress.record(name)
        return verdict


def find_exercise(name: str) -> Exercise:
    """The exercise of that name; KeyError that names those there are."""
    if name not in EXERCISES:
        raise KeyError(f"no exercise is called {name!r}; there are {', '.join(EXERCISES)}")
    return EXERCISES[name]


def hint(name: str) -> Text:
    """The next hint for an exercise; after the last one the first again."""
    hints = find_exercise(name).hints
    turn, number = divmod(_shown[name], len(hints))
    _shown[name] += 1
    again = (
        " (from the start again; after these there is checks.solution)"
        if turn and not number
        else ""
    )
    return Text(f"Hint {number + 1} of {len(hints)} for {name}{again}: {hints[number]}")


def start_again(name: str) -> Text:
    """A fresh cell for an exercise, below the one that runs; outside a notebook, its text."""
    from stn_course.exercise_cells import offer_cell  # reads notebooks, which no check needs

    return Text(offer_cell(find_exercise(name).name))


def solution(name: str) -> Text:
    """The solution of an exercise: the package's own source, or that in its file."""
    exercise = find_exercise(name)
    if not isinstance(exercise, FunctionExercise):
        return Text(f"{exercise.attempt} = {exercise.answer!r}\n{exercise.reason}")
    place = exercise.solution.__module__.replace(".", "/")
    return Text(f"# {exercise.solution.__name__} in {place}.py\n{short_source(exercise.solution)}")


def short_source(function: Callable) -> str:
    """A function's source; of a long docstring the first line, so that the code is in sight."""
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    first, *_ = ast.parse(source).body[0].body
    words = (function.__doc__ or "").splitlines()
    if len(words) < 2:
        return source
    lines = source.splitlines()
    lines[first.lineno - 1 : first.end_lineno] = [f'    """{words[0]}"""']
    return "\n".join(lines)
