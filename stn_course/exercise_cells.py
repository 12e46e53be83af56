"""An exercise's cell as the course has it: offered in the notebook, or put back into a copy.

A learner's own cells stay: an offered cell is a further one, and before a cell is put back, the
whole notebook is kept under another name.
"""

import itertools
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stn_course.files import write_atomically
from stn_course.lessons import load_lessons, notebooks_folder
from stn_course.notebook_file import read_notebook

CALL = re.compile(r"^checks\.(\w+)\(\w+\)$", re.MULTILINE)


def exercise_cells(lesson: str) -> dict[str, NotebookNode]:
    """The cells of a notebook's exercises by their names; lesson: such as "03_sampling"."""
    notebook = read_notebook((notebooks_folder() / f"{lesson}.ipynb").read_bytes())
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {name: cell for cell in cells for name in CALL.findall(cell.source)}


def offer_cell(exercise: str) -> str:
    """Put a fresh cell below the one that runs; what to say of it. Outside a notebook, its text.

    Raises KeyError if no notebook has that exercise.
    """
    cells = {}
    for lesson in load_lessons():
        cells |= exercise_cells(lesson)
    source = cells[exercise].source
    # Where IPython runs, it has been imported.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return source
    shell.set_next_input(source)
    return f"A fresh cell for {exercise} stands below this one; yours stays as it is."


def reset_cell(folder: Path, notebook: str, exercise: str) -> str:
    """Put one exercise's cell of a working copy back to how the course has it; what was done.

    notebook: a number, "03", or a file's name, such as "03_sampling.new".
    Raises ValueError or FileNotFoundError if there is no such notebook, exercise or cell.
    """
    name = notebook.removesuffix(".ipynb")
    lesson = find_lesson(name)
    file = folder / f"{lesson if name.isdigit() else name}.ipynb"
    if not file.exists():
        raise FileNotFoundError(f"there is no {file}; `stn-course lab` puts the course's there")
    fresh = find_exercise_cell(lesson, exercise)
    content = file.read_bytes()
    mine = read_notebook(content)
    put_cell_back(mine, exercise, fresh)
    kept = keep_aside(file, content)
    write_atomically(file, f"{nbformat.writes(mine)}\n".encode())
    return (
        f"The cell of {exercise} in {file.name} is as the course has it. What was there is kept in "
        f"{kept.name}. If the notebook is open: File, Reload Notebook from Disk."
    )


def find_lesson(name: str) -> str:
    """The lesson that begins with the same number; ValueError that names those there are."""
    lessons = list(load_lessons())
    found = [lesson for lesson in lessons if lesson[:2] == name.zfill(2)[:2]]
    if not found:
        raise ValueError(f"no notebook of the course is {name!r}; there are {', '.join(lessons)}")
    return found[0]


def find_exercise_cell(lesson: str, exercise: str) -> NotebookNode:
    """The course's cell of an exercise; ValueError that names the exercises of that notebook."""
    cells = exercise_cells(lesson)
    if exercise not in cells:
        known = ", ".join(cells) or "none"
        raise ValueError(f"no exercise of {lesson} is called {exercise!r}; there are: {known}")
    return cells[exercise]


def put_cell_back(mine: NotebookNode, exercise: str, fresh: NotebookNode) -> None:
    """Replace the learner's cell: the one with the course's id, or else the one with the check."""
    calls = re.compile(rf"^\s*checks\.{exercise}\(", re.MULTILINE)
    places = [i for i, cell in enumerate(mine.cells) if cell.get("id") == fresh.id]
    places = places or [i for i, cell in enumerate(mine.cells) if calls.search(cell.source)]
    if len(places) != 1:
        raise ValueError(
            f"{len(places)} cells may be that of {exercise}, so nothing was changed; "
            f"checks.start_again({exercise!r}) in the notebook offers a fresh one"
        )
    cell = mine.cells[places[0]]
    own_id = {"id": cell.id} if "id" in cell else {}  # notebooks before format 4.5 have none
    cell.clear()
    cell.update({**{k: v for k, v in fresh.items() if k != "id"}, **own_id})


def keep_aside(file: Path, content: bytes) -> Path:
    """Keep what a file held, beside it, under a name that is free."""
    numbers = itertools.chain([""], itertools.count(2))
    names = (file.with_suffix(f".before_reset{number}.ipynb") for number in numbers)
    kept = next(name for name in names if not name.exists())
    write_atomically(kept, content)
    return kept
