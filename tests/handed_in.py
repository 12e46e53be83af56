"""Notebooks handed in, what their checks were given, and a kernel without a process."""

import json
import threading
import time
from pathlib import Path

import nbformat

from stn_course.checks.catalogue import EXERCISES
from stn_course.marking import attempts, isolation
from stn_course.marking.report import exercises_in
from stn_course.marking.running import SubmissionRun
from stn_course.marking.submissions import read_submission

LESSON, NEXT = "02_grid_generation", "03_sampling"
NAMES, THREE = exercises_in(LESSON), len(exercises_in(NEXT))
IMPORT = "from stn_course import checks\nimport torch, torch.nn.functional as F"
WHICH_WAY = f"checks.which_way({EXERCISES['which_way'].answer!r})"
LEFT_HALF = f"checks.left_half({EXERCISES['left_half'].answer.tolist()!r})"
AFFINE_GRID = """def mine(theta, size, align_corners=False):
    return F.affine_grid(theta, size, align_corners=align_corners)
checks.affine_grid(mine)"""


def write(path: Path, *cells: str) -> Path:
    """A notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)
    return path


def hand_in(folder: Path, *cells: str, name: str = f"anna_{LESSON}.ipynb"):
    """A submission with these code cells, read."""
    return read_submission(write(folder / name, *cells))


def given(*names: str, **states) -> SubmissionRun:
    """A run whose checks were given right or other guesses."""
    run = SubmissionRun(**states)
    for name in names:
        answer = EXERCISES[name].answer
        guess = json.dumps(attempts.plain_guess(answer))
        run.take(1, "display_data", {"data": {attempts.KIND: sent(name=name, guess=guess)}})
    return run


def sent(**fields) -> str:
    return json.dumps(fields)


class FakeKernel:
    """A kernel without a process: a cell is a Python expression that says what it sends.

    It may use `fails`, `isolation`, `time` and its `limit`.
    """

    def __init__(self, folder: Path, stop: threading.Event):
        self.folder = folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def run(self, code: str, limit: float):
        if code != attempts.START_SENDING:
            names = {"fails": fails, "isolation": isolation, "time": time, "limit": limit}
            yield from eval(code, names)


def fails(error: BaseException):
    raise error
