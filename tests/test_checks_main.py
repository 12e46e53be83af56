"""`python -m stn_course.checks`: what was solved in the run counts, and nothing ends the table."""

import csv
import io
import json
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from stn_course.checks import __main__ as command
from stn_course.checks import progress, running
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.running import Submission

LESSON = "02_grid_generation"
NAMES = [name for name, exercise in EXERCISES.items() if exercise.notebook == LESSON]
ONE, TWO = NAMES[:2]


def solves(name: str) -> str:
    """A cell that solves an exercise."""
    return f"from stn_course.checks import progress\nprogress.record({name!r})"


@pytest.fixture
def hand_in(tmp_path):
    """A function: a submission with these code cells."""

    def made(*cells: str, name: str = f"anna_{LESSON}.ipynb"):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nbformat.write(notebook, tmp_path / name)
        return tmp_path / name

    return made


def test_what_is_solved_in_the_run_counts_errors_on_the_way_or_not(hand_in):
    path = hand_in(solves(ONE), "1 / 0", "def broken(", "input()", "raise SystemExit", solves(TWO))
    result = running.run_notebook(path, 60)
    assert (result.file, result.outcome) == (str(path), "ran")
    assert result.exercises == tuple(NAMES)
    assert set(result.solved) == {ONE, TWO}
    assert result.unsolved == tuple(NAMES[2:])
    assert 0 < result.seconds < 60


def test_edited_outputs_count_for_nothing(hand_in):
    path = hand_in("print('unsolved')")
    notebook = nbformat.read(path, as_version=4)
    claimed = [nbformat.v4.new_output("stream", name="stdout", text="right, on all 24 cases")]
    notebook.cells[0].outputs, notebook.cells[0].execution_count = claimed, 1
    nbformat.write(notebook, path)
    assert running.run_notebook(path, 60).solved == ()


def test_the_users_own_progress_is_neither_read_nor_written(hand_in):
    progress.record(ONE)
    assert running.run_notebook(hand_in(solves(TWO)), 60).solved == (TWO,)
    assert progress.solved() == {ONE}


def test_the_file_stays_as_it_was_handed_in(hand_in):
    path = hand_in("print(1)")
    before = path.read_bytes()
    running.run_notebook(path, 60)
    assert path.read_bytes() == before


def test_it_runs_beside_its_own_file(hand_in, tmp_path):
    (tmp_path / "mine.txt").write_text(ONE, encoding="utf-8")
    cell = f"from pathlib import Path\nname = Path('mine.txt').read_text()\n{solves(ONE)}"
    path = hand_in(cell.replace(repr(ONE), "name"))
    assert running.run_notebook(path, 60).solved == (ONE,)


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        ("while True: pass", "stopped after 10 s"),
        ("while True: print('x' * 1000)", "stopped after 10 s"),
        ("import os; os._exit(1)", "the kernel died, or was interrupted"),
    ],
)
def test_a_notebook_that_never_ends_or_dies_keeps_what_it_had_solved(hand_in, cell, outcome):
    result = running.run_notebook(hand_in(solves(ONE), cell, solves(TWO)), 10)
    assert result.outcome == outcome
    assert result.solved == (ONE,)
    assert result.seconds < 30


def test_the_limit_holds_for_the_whole_notebook(hand_in):
    result = running.run_notebook(hand_in(*["import time; time.sleep(1)"] * 6), 3)
    assert result.outcome == "stopped after 3 s"


def test_a_damaged_progress_file_solves_nothing(hand_in):
    cell = "import os, pathlib\n"
    cell += "pathlib.Path(os.environ['STN_COURSE_HOME'], 'progress.json').write_text('{')"
    result = running.run_notebook(hand_in(solves(ONE), cell), 60)
    assert (result.solved, result.outcome) == ((), "ran")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'{"cells": 3}', b"null", None])
def test_what_is_no_notebook_gets_a_row_that_says_so(tmp_path, content):
    path = tmp_path / f"{LESSON}.ipynb"
    if content is not None:
        path.write_bytes(content)
    result = running.run_notebook(path, 60)
    assert result.outcome.startswith("unreadable: ")
    assert len(result.outcome) < 120 and "\n" not in result.outcome
    assert (result.solved, result.exercises) == ((), ())


def test_a_kernel_that_cannot_start_gets_a_row(hand_in, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("no kernel today\nand a second line")

    monkeypatch.setattr(running._Deaf, "execute", refuse)
    assert running.run_notebook(hand_in("1"), 5).outcome == "failed: RuntimeError: no kernel today"


def test_an_old_format_and_a_foreign_kernel_run(tmp_path):
    cells = [
        {"cell_type": "code", "input": solves(ONE), "outputs": [], "language": "python"},
        {"cell_type": "markdown", "source": "words", "metadata": {}},
    ]
    old = {
        **{"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]},
        "metadata": {"kernelspec": {"name": "julia", "display_name": "Julia"}},
    }
    path = tmp_path / f"{LESSON}.ipynb"
    path.write_text(json.dumps(old), encoding="utf-8")
    assert running.run_notebook(path, 60).solved == (ONE,)


def test_a_file_of_another_name_has_the_exercises_that_it_calls(tmp_path):
    path = tmp_path / "homework.ipynb"
    cells = [nbformat.v4.new_code_cell(f"checks.{TWO}(mine)\nchecks.hint('x')")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert running.exercises_of(path, notebook) == (TWO,)
    assert running.exercises_of(tmp_path / f"x_{LESSON}_y.ipynb", notebook) == tuple(NAMES)


RESULTS = [
    Submission("a/02, anna.ipynb", (ONE, TWO), (TWO,), 1.5),
    Submission("=cmd.ipynb", outcome="unreadable: NotJSONError"),
]


@pytest.fixture
def canned(monkeypatch):
    """The command without kernels: these results, and the arguments that it ran with."""
    ran = []

    def run(path, timeout):
        ran.append(SimpleNamespace(path=path, timeout=timeout))
        return RESULTS[len(ran) - 1]

    monkeypatch.setattr(command, "run_notebook", run)
    return ran


def test_the_table(canned, capsys):
    assert command.main(["a.ipynb", "b.ipynb"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert len(lines) == 3 and text == "\n".join(lines) + "\n"
    assert lines[0].split() == ["file", "solved", "outcome", "not", "solved"]
    assert lines[1].split() == ["a/02,", "anna.ipynb", "1", "of", "2", "ran", ONE]
    assert lines[1].index("1 of 2") == lines[0].index("solved") == lines[2].index("0 of 0")
    assert lines[2].startswith("=cmd.ipynb") and "unreadable: NotJSONError  -" in lines[2]
    assert [run.timeout for run in canned] == [900, 900]
    three = command.as_table([Submission("a", (ONE, TWO), (), 1.0)])
    assert three == (f"file  solved  outcome  not solved\na     0 of 2  ran      {ONE} {TWO}\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError(), "ValueError"),
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError("  one  "), "ValueError: one"),
        (ValueError("a" * 200), f"ValueError: {'a' * 88}"),
    ],
)
def test_of_an_error_the_first_line_is_kept(error, line):
    assert running.first_line(error) == line


def test_csv_can_be_read_back_and_holds_no_formula(canned, capsys):
    assert command.main(["a.ipynb", "b.ipynb", "--format", "csv"]) == 0
    text = capsys.readouterr().out
    assert text.count("\n") == 3 and "\r" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == list(command.COLUMNS)
    assert rows[0]["file"] == "a/02, anna.ipynb"
    assert (rows[0]["solved"], rows[0]["of"], rows[0]["seconds"]) == ("1", "2", "1.5")
    assert (rows[0]["solved_names"], rows[0]["unsolved_names"]) == (TWO, ONE)
    assert rows[1]["file"] == "'=cmd.ipynb"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_text_is_taken_for_a_formula(sign):
    assert command.harmless(f"{sign}1") == f"'{sign}1"
    assert command.harmless(f"a{sign}1") == f"a{sign}1"
    assert command.harmless(-1) == -1


def test_json_into_a_file(canned, capsys, tmp_path):
    target = tmp_path / "class.json"
    arguments = ["a.ipynb", "b.ipynb", "--format", "json", "--output", str(target)]
    assert command.main([*arguments, "--timeout", "7.5"]) == 0
    assert capsys.readouterr().out == ""
    first, second = json.loads(target.read_text(encoding="utf-8"))
    assert first["solved_names"] == [TWO] and first["outcome"] == "ran"
    assert second["of"] == 0
    assert canned[0].timeout == 7.5


def test_patterns_are_expanded_where_the_shell_does_not(tmp_path):
    for name in ("b.ipynb", "a.ipynb", "c[1].ipynb"):
        (tmp_path / name).touch()
    found = command.files([str(tmp_path / "?.ipynb"), str(tmp_path / "a.ipynb")])
    assert [path.name for path in found] == ["a.ipynb", "b.ipynb"]
    assert command.files([str(tmp_path / "c[1].ipynb")]) == [tmp_path / "c[1].ipynb"]
    assert [path.name for path in command.files(["nowhere*.ipynb"])] == ["nowhere*.ipynb"]


def test_interrupted_half_way_the_table_holds_what_was_done(monkeypatch, capsys):
    def run(path, _):
        if path.name == "b.ipynb":
            raise KeyboardInterrupt
        return RESULTS[0]

    monkeypatch.setattr(command, "run_notebook", run)
    assert command.main(["a.ipynb", "b.ipynb", "c.ipynb"]) == 130
    said = capsys.readouterr()
    assert "anna" in said.out and "interrupted" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["a.ipynb", "--format", "xml"], ["a.ipynb", "--timeout", "0"]),
        *(["a.ipynb", "--timeout", "soon"], ["a.ipynb", "--timeout", "nan"]),
        *(["a.ipynb", "--timeout", "inf"], ["a.ipynb", "--timeout", "-1"]),
        ["a.ipynb", "--output", "no/such/folder/x.csv"],
    ],
)
def test_bad_usage_is_said_before_anything_runs(canned, arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert canned == []
    assert "usage:" in capsys.readouterr().err


def test_as_an_instructor_types_it(hand_in):
    good, bad = hand_in(solves(ONE)), hand_in(name="b.ipynb")
    bad.write_text("{", encoding="utf-8")
    line = [sys.executable, "-m", "stn_course.checks", str(good), str(bad), "--format", "json"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert first["solved_names"] == [ONE]
    assert second["outcome"].startswith("unreadable")
