"""Run somebody's notebook in a fresh kernel, and see which exercises were solved in it.

What counts is the progress file that this run wrote, in a folder of its own. Stored outputs are
not looked at.
"""

import os
import re
import subprocess
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.progress import progress_file, read

RAN = "ran"


@dataclass(frozen=True)
class Submission:
    """What one file gave: the exercises it should have and those it solved, and how it ended.

    outcome: "ran", or in words what went wrong; what was solved before that counts.
    """

    file: str
    exercises: tuple[str, ...] = ()
    solved: tuple[str, ...] = ()
    seconds: float = 0.0
    outcome: str = RAN

    @property
    def unsolved(self) -> tuple[str, ...]:
        """The exercises that were not solved, in the order of the course."""
        return tuple(name for name in self.exercises if name not in self.solved)


class _Deaf(NotebookClient):
    """Runs a notebook and drops what it shows: endless printing fills no memory here."""

    def output(self, outs, msg, display_id, cell_index) -> None:
        return None


def run_notebook(path: Path, timeout: float) -> Submission:
    """Run a notebook, cells that raise included, for at most `timeout` seconds; never raises.

    The code runs with the rights of whoever calls this.
    """
    began = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old format is no fault
            notebook = nbformat.read(path, as_version=4)
            nbformat.validate(notebook)
        exercises = exercises_of(path, notebook)
    except Exception as error:  # whatever the file is
        return Submission(str(path), outcome=f"unreadable: {first_line(error)}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        outcome = execute(notebook, path.resolve().parent, Path(home), timeout)
        done = solved_in(Path(home))
    kept = tuple(name for name in exercises if name in done)
    return Submission(str(path), exercises, kept, round(time.monotonic() - began, 1), outcome)


def execute(notebook: NotebookNode, folder: Path, home: Path, timeout: float) -> str:
    """Run all cells in `folder` with progress in `home`; how it ended, in words."""
    end = time.monotonic() + timeout
    client = _Deaf(
        notebook,
        kernel_name="python3",  # whatever the file names: this Python
        allow_errors=True,
        timeout_func=lambda _: max(end - time.monotonic(), 0.01),  # one limit for all cells
        startup_timeout=max(int(timeout), 60),
        shutdown_kernel="immediate",
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        environment = os.environ | {"STN_COURSE_HOME": str(home)}
        # What the kernel's own process prints would stand in the table.
        client.execute(env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except CellTimeoutError:
        return f"stopped after {timeout:g} s"
    except DeadKernelError:
        return "the kernel died, or was interrupted"
    except Exception as error:  # nothing that a submission does ends the table
        return f"failed: {first_line(error)}"
    return RAN


def solved_in(home: Path) -> set[str]:
    """What was recorded in that folder; nothing if the submission damaged the file."""
    try:
        return set(read(home / progress_file().name)["solved"])
    except (OSError, ValueError):
        return set()


def exercises_of(path: Path, notebook: NotebookNode) -> tuple[str, ...]:
    """The exercises that a file should have.

    Those of the notebook whose name is part of the file's ("anna_02_grid_generation.ipynb"); in a
    file of another name those that its cells call, as `checks.NAME(`.
    """
    lessons = {exercise.notebook for exercise in EXERCISES.values()}
    lesson = next((name for name in sorted(lessons) if name in path.stem), None)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    called = set(re.findall(r"\bchecks\.(\w+)\(", code))
    return tuple(
        name
        for name, exercise in EXERCISES.items()
        if exercise.notebook == lesson or (lesson is None and name in called)
    )


def first_line(error: Exception) -> str:
    """An error's kind and the first line of its message, not too long for a table."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:100].rstrip(": ")
