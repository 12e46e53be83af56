"""Handed-in files, all read before any of them runs."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import nbformat

from stn_course.checks.catalogue import EXERCISES

NOTEBOOKS = tuple(dict.fromkeys(exercise.notebook for exercise in EXERCISES.values()))
# What no exercise needs: progress, the marker, the inside of the checks, a check of one's own.
TOUCHES = re.compile(
    r"STN_COURSE_HOME|progress\.json|\bprogress\.record|\bEXERCISES\b|\bchecks\.\w+ *=(?!=)"
    r"|\bchecks\.(?:api|catalogue|engine|progress)\b"
    r"|\bchecks import progress|\bstn_course\.marking\b|\bstn_course import marking"
)


@dataclass(frozen=True)
class Submission:
    """One handed-in file.

    file: as it was named. learner: whose it is. content: its bytes. cells: the code cells' texts.
    problem: why it cannot be read, None if it can.
    """

    file: str
    learner: str
    content: bytes = b""
    cells: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def named(self) -> str | None:
        """The course's notebook whose name is part of the file's."""
        return notebook_in(self.file)

    @property
    def called(self) -> frozenset[str]:
        """The exercises whose check its cells call, as `checks.NAME(`."""
        names = re.findall(r"\bchecks\.(\w+)\(", "\n".join(self.cells))
        return frozenset(names) & frozenset(EXERCISES)

    @property
    def touches(self) -> list[str]:
        """What its cells name and no exercise needs, each once."""
        return list(dict.fromkeys(TOUCHES.findall("\n".join(self.cells))))


def notebook_in(file: str) -> str | None:
    """The course's notebook that a file's name holds: "anna_02_grid_generation.ipynb"."""
    return next((name for name in NOTEBOOKS if name in Path(file).stem), None)


def learner_of(path: Path, pattern: re.Pattern | None = None) -> str:
    """Whose file it is.

    What the pattern's first group finds in the path, slashes as on Linux. Without a pattern, or
    where it finds nothing: what the file's name says beside the notebook's; if that is nothing,
    its folder's name.
    """
    if pattern and (found := pattern.search(path.as_posix())):
        return found[1]
    parts = re.split("|".join(NOTEBOOKS), path.stem)
    rest = " ".join(parts).strip(" _-.()")
    return rest or path.resolve().parent.name


def read_submission(path: Path, pattern: re.Pattern | None = None) -> Submission:
    """Read a file, whatever it is; never raises."""
    file, learner = str(path), learner_of(path, pattern)
    try:
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old format is no fault
            notebook = nbformat.reads(content.decode(), as_version=4)
            nbformat.validate(notebook)
    except Exception as error:
        return Submission(file, learner, problem=f"unreadable: {first_line(error)}")
    cells = tuple(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return Submission(file, learner, content, cells)


def first_line(error: Exception) -> str:
    """An error's kind and the first line of its message, not too long for a table."""
    return short_error(type(error).__name__, str(error))


def short_error(kind: str, text: str) -> str:
    """The same of an error's kind and its message."""
    line = next(iter(text.strip().splitlines()), "")
    shown = "".join(c if c.isprintable() else "?" for c in f"{kind}: {line}")
    return shown[:100].rstrip(": ")
