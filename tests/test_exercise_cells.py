"""An exercise's cell as the course has it: put back into a copy, or offered in the notebook."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from stn_course import checks
from stn_course import exercise_cells as cells_module
from stn_course.checks.catalogue import EXERCISES
from stn_course.exercise_cells import exercise_cells, reset_cell
from stn_course.lessons import load_lessons, notebooks_folder
from stn_course.working_copy import digest

NAME = "03_sampling.ipynb"
MINE = "def my_nearest(input, x, y):\n    return 'my work'\n\n\nchecks.nearest(my_nearest)"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A working copy of one notebook, with work of the learner's in two exercises."""
    shutil.copy(notebooks_folder() / NAME, tmp_path)
    edit(tmp_path, nearest=MINE, bilinear=MINE.replace("nearest", "bilinear"))
    return tmp_path


def edit(folder: Path, **sources: str) -> None:
    """Write these sources into the cells of these exercises."""
    notebook = read(folder)
    for exercise, source in sources.items():
        cell_of(notebook, exercise).source = source
    nbformat.write(notebook, folder / NAME)


def read(folder: Path, name: str = NAME) -> nbformat.NotebookNode:
    return nbformat.read(folder / name, as_version=4)


def cell_of(notebook: nbformat.NotebookNode, exercise: str) -> nbformat.NotebookNode:
    """The cell with the id that the course's cell of the exercise has."""
    course = exercise_cells("03_sampling")[exercise]
    (cell,) = [cell for cell in notebook.cells if cell.get("id") == course.id]
    return cell


def test_each_exercise_has_its_cell_in_its_notebook():
    for lesson in load_lessons():
        expected = {name for name, exercise in EXERCISES.items() if exercise.notebook == lesson}
        assert set(exercise_cells(lesson)) == expected


@pytest.mark.parametrize("notebook", ["03", "3", "03_sampling", NAME])
def test_one_cell_is_put_back_and_the_others_stay(folder, notebook):
    before = read(folder)
    said = reset_cell(folder, notebook, "nearest")
    now = read(folder)
    assert cell_of(now, "nearest") == exercise_cells("03_sampling")["nearest"]
    cell_of(before, "nearest").update(cell_of(now, "nearest"))
    assert now == before
    assert "The cell of nearest in 03_sampling.ipynb is as the course has it" in said


def test_what_was_there_is_kept_byte_for_byte_each_time(folder):
    contents = []
    for name in ("before_reset", "before_reset2", "before_reset3"):
        edit(folder, nearest=f"{MINE}  # {name}")
        contents.append((folder / NAME).read_bytes())
        said = reset_cell(folder, "03", "nearest")
        assert f"03_sampling.{name}.ipynb" in said
    kept = sorted(folder.glob("*before_reset*"))
    assert [file.read_bytes() for file in kept] == contents


def test_what_cannot_be_kept_is_not_changed(folder, monkeypatch):
    before = (folder / NAME).read_bytes()

    def full(target: Path, content: bytes) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(cells_module, "write_atomically", full)
    with pytest.raises(OSError, match="no space left"):
        reset_cell(folder, "03", "nearest")
    assert (folder / NAME).read_bytes() == before


def test_with_all_changes_put_back_the_copy_is_the_courses_again(folder):
    """So that the next update brings it up to date."""
    course = digest((notebooks_folder() / NAME).read_bytes())
    for exercise in ("nearest", "bilinear"):
        assert digest((folder / NAME).read_bytes()) != course
        reset_cell(folder, "03", exercise)
    assert digest((folder / NAME).read_bytes()) == course


def test_another_version_in_the_copy_is_named_by_its_file(folder):
    (folder / NAME).rename(folder / "03_sampling.new.ipynb")
    reset_cell(folder, "03_sampling.new", "nearest")
    now = read(folder, "03_sampling.new.ipynb")
    assert cell_of(now, "nearest").source != MINE


def test_without_the_courses_id_the_cell_is_known_by_its_check(folder):
    """Ids change when a cell is copied; notebooks of an older format have none."""
    notebook = read(folder)
    mine = cell_of(notebook, "nearest")
    mine.id = "another"
    nbformat.write(notebook, folder / NAME)
    reset_cell(folder, "03", "nearest")
    (now,) = [cell for cell in read(folder).cells if cell.id == "another"]
    assert now.source == exercise_cells("03_sampling")["nearest"].source
    notebook = read(folder)
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]
    nbformat.write(notebook, folder / NAME)
    reset_cell(folder, "03", "nearest")
    nbformat.validate(read(folder))


@pytest.mark.parametrize(
    ("notebook", "exercise", "words"),
    [
        ("12", "nearest", "no notebook of the course is '12'; there are 00_start_here, 01_data"),
        ("03", "neares", "no exercise of 03_sampling is called 'neares'; there are: frame,"),
        ("02", "nearest", "there is no .*02_grid_generation.ipynb; `stn-course lab`"),
        ("03_sampling.new", "nearest", "there is no .*03_sampling.new.ipynb"),
        ("00", "nearest", "no exercise of 00_start_here is called 'nearest'; there are: none"),
    ],
)
def test_what_is_unknown_is_named_and_nothing_changes(folder, notebook, exercise, words):
    shutil.copy(notebooks_folder() / "00_start_here.ipynb", folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        reset_cell(folder, notebook, exercise)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize("count", [0, 2])
def test_none_or_several_cells_that_may_be_it_are_left_alone(folder, count):
    notebook = read(folder)
    notebook.cells.remove(cell_of(notebook, "nearest"))
    notebook.cells += [nbformat.v4.new_code_cell(MINE) for _ in range(count)]
    nbformat.write(notebook, folder / NAME)
    with pytest.raises(ValueError, match=f"^{count} cells may be that of nearest") as caught:
        reset_cell(folder, "03", "nearest")
    assert "checks.start_again('nearest')" in str(caught.value)
    assert list(folder.iterdir()) == [folder / NAME]


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b"\xff"])
def test_a_damaged_file_is_told_and_left_alone(folder, content):
    (folder / NAME).write_bytes(content)
    with pytest.raises(ValueError, match="this is no readable notebook"):
        reset_cell(folder, "03", "nearest")
    assert (folder / NAME).read_bytes() == content
    assert list(folder.iterdir()) == [folder / NAME]


def test_in_a_notebook_a_fresh_cell_is_put_below():
    """In a kernel, which asks JupyterLab for the cell in its reply."""
    manager, client = start_new_kernel()
    try:
        code = "from stn_course import checks; checks.start_again('nearest')"
        printed = []
        reply = client.execute_interactive(code, timeout=60, output_hook=printed.append)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    source = exercise_cells("03_sampling")["nearest"].source
    asked = {"source": "set_next_input", "text": source, "replace": False}
    assert reply["content"]["payload"] == [asked]
    (text,) = [m["content"]["data"]["text/plain"] for m in printed if "data" in m["content"]]
    assert text == "A fresh cell for nearest stands below this one; yours stays as it is."


@pytest.mark.parametrize("exercise", ["nearest", "frame", "disagreeing"])
def test_outside_a_notebook_a_fresh_cell_is_text_to_copy(exercise):
    source = exercise_cells(EXERCISES[exercise].notebook)[exercise].source
    assert repr(checks.start_again(exercise)) == source


def test_it_does_without_ipython():
    program = "from stn_course import checks; print(checks.start_again('nearest'))"
    program += "; import sys; assert 'IPython' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("def my_nearest(") and done.returncode == 0, done.stderr


def test_an_unknown_exercise_is_answered_with_the_known():
    with pytest.raises(KeyError, match=r"no exercise is called 'neares'; there are .*nearest"):
        checks.start_again("neares")
