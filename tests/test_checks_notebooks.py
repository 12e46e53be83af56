"""The exercises as they stand in the notebooks: unsolved, broken as told, and solved throughout."""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import nbformat
import pytest
import torch
from cells import needed, without_training
from learner import cell
from nbclient import NotebookClient

from stn_course import checks
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.types import FunctionExercise

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CALL = re.compile(r"^checks\.(\w+)\((\w+)\)$", re.MULTILINE)
STANDING = list(EXERCISES.values())
each_exercise = pytest.mark.parametrize("exercise", STANDING, ids=lambda e: e.name)


def read(name: str):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def cell_of(exercise) -> nbformat.NotebookNode:
    """The one code cell that asks for the exercise."""
    found = [
        c
        for c in read(exercise.notebook).cells
        if c.cell_type == "code" and (exercise.name, exercise.attempt) in CALL.findall(c.source)
    ]
    assert len(found) == 1, f"{exercise.name} stands in {len(found)} cells of {exercise.notebook}"
    return found[0]


def names_before(exercise) -> dict:
    """What the notebook defines, and what the cells of exercises may use besides."""
    sources = [c.source for c in read(exercise.notebook).cells if c.cell_type == "code"]
    nodes = [n for s in sources for n in ast.parse(s).body]
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    kept = [n for n in nodes if isinstance(n, kinds) and not getattr(n, "decorator_list", [])]
    kept += [n for n in nodes if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]).isupper()]
    text = "\n".join(ast.unparse(n) for n in kept if not getattr(n, "name", "").startswith("my_"))
    return cell(text)


def filled(exercise) -> str:
    """The cell with the solution in place of the dots: source text, as a learner would write it."""
    if not isinstance(exercise, FunctionExercise):
        answer = exercise.answer
        answer = answer.tolist() if isinstance(answer, torch.Tensor) else answer
        return f"{exercise.attempt} = {answer!r}\nchecks.{exercise.name}({exercise.attempt})"
    tree = ast.parse(textwrap.dedent(inspect.getsource(exercise.solution)))
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        function.returns = None
        for argument in filter(None, [*function.args.args, function.args.kwarg]):
            argument.annotation = None
    needed = "import math\nfrom stn_course import models, training, transforms"
    if exercise.notebook.startswith("02"):  # notebook 02 keeps the inverse of one theta so
        needed += "\nfrom stn_course.transforms import from_matrix, to_matrix"
    if exercise.notebook.startswith("04"):
        needed = "from stn_course import models"
    text = ast.unparse(tree)
    call = f"checks.{exercise.name}({exercise.attempt})"
    return f"{needed}\n{text}\n{exercise.attempt} = {tree.body[0].name}\n{call}"


@each_exercise
def test_an_exercise_stands_unsolved_in_its_notebook(exercise):
    stored = cell_of(exercise)
    (output,) = stored.outputs
    text = " ".join(output.data["text/plain"].split())
    assert text in {
        f"{exercise.name}: not {done} yet. {do} {exercise.attempt}, then run this cell again. "
        f"Need a push? checks.hint({exercise.name!r})"
        for done, do in (("attempted", "Write"), ("repaired", "Fix"))
    } or text.startswith(f"{exercise.name}: not attempted yet. Write guess in place of the dots")
    assert list(output.data) == ["text/plain"]
    is_broken = isinstance(exercise, FunctionExercise) and exercise.broken is not None
    assert ("not repaired" in text) == is_broken


@each_exercise
def test_a_solution_written_in_the_notebook_passes(exercise):
    names = {**names_before(exercise), "checks": checks}
    lines = filled(exercise).splitlines()
    exec("\n".join(lines[:-1]), names)
    verdict = getattr(checks, exercise.name)(names[exercise.attempt])
    assert verdict.solved is True, verdict.text


def test_the_notebooks_ask_for_no_exercise_that_is_not():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        asked = [
            name
            for c in nbformat.read(path, as_version=4).cells
            if c.cell_type == "code"
            for name, _ in CALL.findall(c.source)
        ]
        here = [e.name for e in STANDING if e.notebook == path.stem]
        assert sorted(asked) == sorted(here), path.stem


@pytest.mark.parametrize("name", sorted({e.notebook for e in STANDING}))
def test_a_notebook_with_all_exercises_solved_runs(name, tmp_path, monkeypatch):
    """In a kernel of its own; each check says right, and what comes after it runs.

    What trains, and what looks at it, is left out: nbval runs it, and no exercise rests on it. So
    is what stands before the first exercise and is used by nothing from there on.
    """
    monkeypatch.setenv("STN_COURSE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}")
    notebook = read(name)
    exercises = {e.name: e for e in STANDING if e.notebook == name}
    for c in notebook.cells:
        if c.cell_type == "code" and (asked := CALL.findall(c.source)):
            c.source = filled(exercises[asked[0][0]])
    notebook.cells = without_training(notebook)
    first = next(i for i, c in enumerate(notebook.cells) if CALL.search(c.source))
    from_there = notebook.cells[first:]
    notebook.cells = needed(notebook, lambda c: c in from_there)
    client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute()
    answers = {}
    for c in notebook.cells:
        if c.cell_type == "code" and (asked := CALL.findall(c.source)):
            answers[asked[0][0]] = c.outputs[-1].data["text/plain"]
    assert set(answers) == set(exercises)
    for exercise, text in answers.items():
        assert text.startswith(f"{exercise}: right."), text
