"""Every known mistake, typed as a learner would: it fails, and gets the words that are its own."""

import tomllib
from pathlib import Path

import pytest
from learner import attempted

from stn_course.checks.exercises import EXERCISES
from stn_course.checks.kinds import FunctionExercise

ATTEMPTS = tomllib.loads(Path(__file__).with_name("attempts.toml").read_text(encoding="utf-8"))
WRITTEN = {n: e for n, e in EXERCISES.items() if isinstance(e, FunctionExercise)}
MISTAKES = [(name, m) for name, e in WRITTEN.items() for m in e.misconceptions]


def test_there_is_an_attempt_for_each_mistake_and_no_other():
    assert {n: set(a) for n, a in ATTEMPTS.items()} == {
        n: {m.name for m in e.misconceptions} for n, e in WRITTEN.items()
    }


@pytest.mark.parametrize(("name", "mistake"), MISTAKES, ids=[f"{n}: {m.name}" for n, m in MISTAKES])
def test_a_typed_mistake_gets_its_own_words(name, mistake):
    verdict = attempted(name, ATTEMPTS[name][mistake.name])
    assert verdict.solved is False, verdict.text
    assert f"Diagnosis: {mistake.words}" in verdict.lines, verdict.text
