"""The exercises as they stand in the notebooks: unsolved, broken as told, and solved throughout."""

import ast
import inspect
import os
import re
import textwrap
from pathlib import Path

import nbformat
import pytest
import torch
from cells import bound, needed, used, without_training
from jupyter_client import KernelManager
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


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel for all notebooks: it is emptied between them, and need not load torch again."""
    home = {"STN_COURSE_HOME": str(tmp_path_factory.mktemp("home")), "PYTHONPATH": str(ROOT)}
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(NOTEBOOKS), env=os.environ | home)
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", sorted({e.notebook for e in STANDING}))
def test_a_notebook_with_all_exercises_solved_runs(name, kernel):
    """Each check says right, and what uses a solution's names runs.

    The other cells are left out, but for those that bind what these need: nbval runs them, and to
    them it does not matter whether an exercise is solved.
    """
    notebook = read(name)
    exercises = {e.name: e for e in STANDING if e.notebook == name}
    asking = [c for c in notebook.cells if c.cell_type == "code" and CALL.search(c.source)]
    solved = set().union(*map(bound, asking))
    for c in asking:
        c.source = filled(exercises[CALL.search(c.source).group(1)])
    notebook.cells = without_training(notebook)
    notebook.cells = needed(notebook, lambda c: c in asking or used(c) & solved)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    client = NotebookClient(notebook, km=kernel, timeout=900)
    client.execute()
    client.kc.stop_channels()
    answers = {}
    for c in notebook.cells:
        if c.cell_type == "code" and (asked := CALL.findall(c.source)):
            answers[asked[0][0]] = c.outputs[-1].data["text/plain"]
    assert set(answers) == set(exercises)
    for exercise, text in answers.items():
        assert text.startswith(f"{exercise}: right."), text
