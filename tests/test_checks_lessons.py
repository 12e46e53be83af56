"""Each lesson's file is one exercise: its solution passes, each known mistake gets its own words.

A new file is found and held to all of this; CONTRIBUTING.md says how to read what fails.
"""

import ast
import inspect
import re
import textwrap

import pytest
import torch
from learner import attempted, typed

from stn_course import checks
from stn_course.checks import catalogue, lessons
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.diagnosis import known_mistake, oracle, run_all
from stn_course.checks.engine.judging import judge, judge_results, untouched
from stn_course.checks.engine.types import FunctionExercise, PredictionExercise, call
from stn_course.lessons import load_lessons

WRITTEN = {n: e for n, e in EXERCISES.items() if isinstance(e, FunctionExercise)}
PREDICTED = {n: e for n, e in EXERCISES.items() if isinstance(e, PredictionExercise)}
MISTAKES = [(name, m) for name, e in WRITTEN.items() for m in e.misconceptions]
FILES = sorted(catalogue.ROOM.glob("*/*.py"))
each_mistake = pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{n}: {m.name}" for n, m in MISTAKES]
)


@pytest.fixture(scope="module")
def read_anew():
    """A function: another one's copy that is sent by value, as one from a notebook's cell is."""

    def copied(function):
        return lambda *arguments: function(*arguments)

    return copied


def test_each_file_is_an_exercise_of_its_own_name():
    assert [(e.notebook, e.name) for e in EXERCISES.values()] == [
        (path.parent.name, path.stem) for path in FILES
    ], "two files of one name?"


NEW = """
\"\"\"Predict: two and two.

More of it.
\"\"\"

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(attempt="guess", answer=4.0, reason="Count.", hints=("a", "b", "c"))
"""
ASKED = """
[sum]
question = "Two and two?"
try_it = "In Play: count."
options = [{text = "4", reason = "Counted.", right = true}, {text = "5", reason = "Too many."}]
"""


def test_a_file_is_all_that_a_new_exercise_takes(tmp_path, monkeypatch):
    folder = tmp_path / "99_new"
    folder.mkdir()
    (folder / "sum.py").write_text(NEW.lstrip(), encoding="utf-8")
    (folder / "quizzes.toml").write_text(ASKED, encoding="utf-8")
    monkeypatch.setattr(lessons, "__path__", [str(tmp_path)])
    (found,) = catalogue.load_exercises(tmp_path).values()
    assert (found.name, found.notebook, found.title) == ("sum", "99_new", "Predict: two and two")
    (question,) = catalogue.load_questions(tmp_path).values()
    assert (question.name, question.notebook) == ("sum", "99_new")
    assert [option.right for option in question.options] == [True, False]


def test_a_folder_has_the_name_of_a_notebook():
    folders = {path.name for path in catalogue.ROOM.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= set(load_lessons())


@pytest.mark.parametrize("name", EXERCISES)
def test_a_cell_of_its_notebook_asks_for_it(name, root):
    exercise = EXERCISES[name]
    source = root / "notebooks" / "src" / f"{exercise.notebook}.py"
    call = f"checks.{name}({exercise.attempt})"
    assert call in source.read_text(encoding="utf-8").splitlines(), (
        f"end a cell of {source.name} with {call}, then run `make notebooks "
        f"NB={exercise.notebook[:2]}`"
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_the_solution_passes(name):
    exercise = WRITTEN[name]
    verdict = getattr(checks, name)(exercise.solution)
    assert verdict.solved is True, verdict.text
    assert len(verdict.lines) == 1
    assert exercise.against in verdict.text


@pytest.mark.parametrize("name", WRITTEN)
def test_the_solution_is_right_and_the_broken_program_wrong_here_too(name):
    """In this process, where a change of the course's own programs is seen."""
    exercise = WRITTEN[name]
    cases = exercise.cases()
    expected = oracle(exercise, cases)
    for result, right in zip(run_all(exercise, exercise.solution, cases), expected, strict=True):
        assert result.raised is None
        assert result.changed is None
        assert not differs(result.value, right)
    if exercise.broken is not None:
        results = run_all(exercise, exercise.broken, cases)
        at = next(i for i, r in enumerate(results) if differs(r.value, expected[i]))
        assert known_mistake(exercise, dict(enumerate(results)), at, expected[at]) is not None


@pytest.mark.parametrize("name", WRITTEN)
def test_the_oracle_is_not_the_solution_itself(name):
    exercise = WRITTEN[name]
    assert exercise.oracle is not exercise.solution


@each_mistake
def test_a_typed_mistake_gets_its_own_words(name, mistake):
    """Typed in a cell, which sees no more than a notebook does: not the variant's helpers."""
    verdict = attempted(name, mistake.typed)
    assert verdict.solved is False, verdict.text
    assert f"Diagnosis: {mistake.words}" in verdict.lines, verdict.text


@each_mistake
def test_each_mistake_fails_with_its_own_diagnosis(name, mistake):
    """The program that a check compares with, in this process; the typed one runs in the worker."""
    exercise = WRITTEN[name]
    cases = exercise.cases()
    verdict = judge_results(exercise, cases, run_all(exercise, mistake.variant, cases))
    assert verdict.solved is False
    assert verdict.lines[0] == f"{name}: not yet."
    assert f"Diagnosis: {mistake.words}" in verdict.lines


@pytest.mark.parametrize("name", WRITTEN)
def test_five_wrong_programs_fail(name):
    """The known mistakes, and others that none of them explains."""
    exercise = WRITTEN[name]
    assert len(exercise.misconceptions) >= 4

    def noisy(*arguments):
        result = exercise.solution(*arguments)
        return result + 0.01 if isinstance(result, torch.Tensor) else None

    wrongs = [lambda *arguments: torch.zeros(3, 1), lambda *arguments: "theta"]
    for wrong in [*wrongs, noisy] if exercise.run is call else wrongs:
        verdict = judge(exercise, wrong)
        assert verdict.solved is False, verdict.text


@pytest.mark.parametrize("name", WRITTEN)
def test_no_mistake_is_taken_for_right_or_for_another(name):
    """Each variant differs from what is right somewhere, and from every other variant."""
    exercise = WRITTEN[name]
    cases = exercise.cases()
    expected = oracle(exercise, cases)
    assert len({m.words for m in exercise.misconceptions}) == len(exercise.misconceptions)
    for mistake in exercise.misconceptions:
        results = run_all(exercise, mistake.variant, cases)
        wrong = [i for i, r in enumerate(results) if r.raised or differs(r.value, expected[i])]
        assert wrong, f"{name}: in no case does {mistake.name!r} differ from what is right"
        at = wrong[0]
        assert known_mistake(exercise, dict(enumerate(results)), at, expected[at]) is mistake


def differs(value, expected) -> bool:
    return (
        value is None
        or value.shape != expected.shape
        or not torch.allclose(value.to(torch.float64), expected.to(torch.float64), atol=1e-4)
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_a_stub_is_not_attempted(name):
    exercise = WRITTEN[name]

    def dots(*arguments): ...

    def described(*arguments):
        """With words."""

    def refusal(*arguments):
        raise NotImplementedError

    def refusal_in_words(*arguments):
        """With a docstring."""
        raise NotImplementedError("later")

    for stub in (None, ..., dots, described, refusal, refusal_in_words):
        verdict = judge(exercise, stub)
        assert verdict.solved is None
        assert verdict.lines == [untouched(exercise, None)]
        assert "not attempted yet" in verdict.text


@pytest.mark.parametrize("name", [n for n, e in WRITTEN.items() if e.broken])
def test_a_broken_program_is_recognised_and_is_wrong(name, read_anew):
    exercise = WRITTEN[name]
    verdict = judge(exercise, exercise.broken)
    assert verdict.solved is None
    assert f"not repaired yet. Fix {exercise.attempt}," in verdict.text
    wrapped = judge(exercise, read_anew(exercise.broken))
    assert wrapped.solved is False
    assert "Diagnosis" in wrapped.text


@pytest.mark.parametrize("name", PREDICTED)
def test_predictions(name):
    exercise = PREDICTED[name]
    check = getattr(checks, name)
    assert check(...).solved is None
    assert check(...).lines == [
        f"{name}: not attempted yet. Write {exercise.attempt} in place of the dots, then run this "
        f"cell. Need a push? checks.hint({name!r})"
    ]
    assert check().lines == check(None).lines
    assert check(exercise.answer).solved is True
    assert exercise.reason in check(exercise.answer).text
    assert len(exercise.wrong) >= 4
    assert len({words for _, words in exercise.wrong}) == len(exercise.wrong)
    for guess, words in exercise.wrong:
        verdict = check(guess)
        assert verdict.solved is False
        assert f"Diagnosis: {words}" in verdict.lines
    for guess in (
        object(),
        "nonsense",
        [1, [2]],
        {},
        1e9,
        torch.zeros(7),
        torch.tensor("x" == "y"),
    ):
        assert check(guess).solved is False


def bare(source: str) -> str:
    """A function's program, its docstring and comments aside."""
    (tree,) = ast.parse(textwrap.dedent(source)).body
    del tree.body[: ast.get_docstring(tree) is not None]
    return ast.dump(tree)


@pytest.mark.parametrize("name", EXERCISES)
def test_three_hints_and_a_solution(name):
    exercise = EXERCISES[name]
    n = len(exercise.hints)
    assert n >= 3
    texts = [checks.hint(name).text for _ in range(n + 1)]
    numbered = enumerate(exercise.hints, 1)
    assert texts[:n] == [f"Hint {i} of {n} for {name}: {words}" for i, words in numbered]
    assert texts[n].startswith("Hint 1 of")
    assert "from the start again" in texts[n]
    text = checks.solution(name).text
    if isinstance(exercise, FunctionExercise):
        place = exercise.solution.__module__.replace(".", "/")
        assert text.startswith(f"# {exercise.solution.__name__} in {place}.py\n")
        shown, own = (bare(source) for source in (text, inspect.getsource(exercise.solution)))
        assert shown == own
        words = (exercise.solution.__doc__ or "").splitlines()
        assert words[:1] == (ast.get_docstring(ast.parse(text).body[0]) or "").splitlines()
    else:
        assert exercise.reason in text


def test_the_solution_of_pad_does_without_clip_and_reflect():
    """The exercise says so."""
    text = checks.solution("pad").text
    assert "clip(" not in text
    assert "reflect(" not in text


def test_an_unknown_name_is_answered_with_the_known():
    with pytest.raises(AttributeError, match="affine_grid"):
        checks.affine_gird  # noqa: B018
    with pytest.raises(KeyError, match="affine_grid"):
        checks.hint("affine_gird")
    assert set(EXERCISES) <= set(dir(checks))


def test_every_notebook_has_enough_exercises():
    count = {}
    for exercise in EXERCISES.values():
        count[exercise.notebook[:2]] = count.get(exercise.notebook[:2], 0) + 1
    assert count["01"] >= 2
    assert all(count[n] >= 4 for n in ("02", "03", "04", "05", "06"))


def test_the_guides_exercise_is_one(root, tmp_path, monkeypatch):
    """CONTRIBUTING.md shows a whole file; a folder that holds it is a lesson."""
    guide = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^   ```python\n(.+?)^   ```\n", guide, re.DOTALL | re.MULTILINE)
    (tmp_path / "98_guide").mkdir()
    (tmp_path / "98_guide" / "pixel_of.py").write_text(textwrap.dedent(shown), encoding="utf-8")
    monkeypatch.setattr(lessons, "__path__", [str(tmp_path)])
    exercise = catalogue.load_exercises(tmp_path)["pixel_of"]
    assert judge(exercise, exercise.solution).solved is True
    (mistake,) = exercise.misconceptions
    for wrong in (mistake.variant, typed(exercise, mistake.typed)):
        assert judge(exercise, wrong).lines[-1] == f"Diagnosis: {mistake.words}"
