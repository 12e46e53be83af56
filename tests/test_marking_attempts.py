"""What a submission's checks were given is sent to the marker, and judged there."""

import json
import os
import threading
from pathlib import Path

import pytest
from handed_in import LESSON, NAMES, given, hand_in, sent
from test_checks_notebooks import filled, names_before

from stn_course import grids
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.types import FunctionExercise
from stn_course.marking import __main__ as command
from stn_course.marking import attempts, running
from stn_course.marking.attempts import Attempt
from stn_course.marking.report import judge_run, rows_of
from stn_course.marking.running import Limits, SubmissionRun


def handed_over(name: str, attempt) -> Attempt:
    return attempts.from_text(attempts.to_text(EXERCISES[name], attempt))


def through_a_module(theta, size, align_corners=False):
    return grids.affine_grid(theta, size, align_corners)


def through_another(theta, size, align_corners=False):
    return [through_a_module(theta, size, align_corners)][0]


def by_other_means(theta, size, align_corners=False):
    base = grids.base_grid(size[2], size[3], align_corners)
    return base @ theta.transpose(1, 2)


@pytest.mark.parametrize(
    ("attempt", "the_courses"),
    [
        (grids.affine_grid, True),
        (lambda *arguments: grids.affine_grid(*arguments), True),
        (through_another, True),
        (by_other_means, False),
        (3, False),
    ],
)
def test_a_solution_that_is_the_courses_own_is_recognised(attempt, the_courses):
    assert attempts.is_the_courses(handed_over("affine_grid", attempt)) is the_courses


FUNCTIONS = [name for name, e in EXERCISES.items() if isinstance(e, FunctionExercise)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_solution_written_in_a_notebook_is_right_here_and_not_suspicious(name):
    exercise = EXERCISES[name]
    names, source = names_before(exercise), filled(exercise)
    exec(source.removesuffix(source.splitlines()[-1]), names)
    attempt = handed_over(name, names[exercise.attempt])
    assert attempts.judge_attempt(attempt).solved is True
    assert attempts.is_the_courses(attempt) is False


def note_process(folder: str) -> type:
    """Leave a file named after the process that this runs in."""
    Path(folder, str(os.getpid())).touch()
    return object


class Trap:
    """Tells where it is unpacked."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return note_process, (str(self.folder),)


def test_a_function_is_unpacked_in_the_worker_process_alone(tmp_path):
    attempt = handed_over("affine_grid", Trap(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert attempts.judge_attempt(attempt).solved is False
    (process,) = [path.name for path in tmp_path.iterdir()]
    assert process != str(os.getpid())


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "3", "{}", '{"name": []}', '{"name": "no such"}', "[" * 100_000),
        '{"name": "mirror", "guess": "{"}',
        '{"name": "mirror", "guess": 3}',
        '{"name": "affine_grid", "function": "*"}',
        '{"name": "affine_grid", "function": 3}',
    ],
)
def test_what_is_no_attempt_is_dropped(text):
    assert attempts.from_text(text) is None


def test_trying_every_answer_gains_nothing():
    run = SubmissionRun()
    answer = EXERCISES["head_parameters"].answer
    for guess in [answer, *range(running.JUDGED)]:
        text = sent(name="head_parameters", guess=json.dumps(guess))
        run.take(1, "display_data", {"data": {attempts.KIND: text}})
    assert judge_run(run).states == {"head_parameters": False}


def test_a_check_that_fails_is_told_and_costs_nobody_the_table(monkeypatch, tmp_path):
    monkeypatch.setattr(attempts, "judge_prediction", lambda *_: 1 / 0)
    (row,) = rows_of(hand_in(tmp_path, "checks.mirror(1)"), given("mirror"))
    assert row.not_attempted == ("mirror",)
    assert row.remarks == ("mirror: not checked (ZeroDivisionError('division by zero')).",)


def test_what_cannot_be_judged_at_all_costs_nobody_the_table(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "run_submission", lambda *_: 1 / 0)
    (row,) = command.mark(hand_in(tmp_path, "checks.mirror(1)"), Limits(), threading.Event())
    assert row.remarks == ("failed: ZeroDivisionError: division by zero",)
    assert (row.notebook, row.not_reached) == (LESSON, tuple(NAMES))
