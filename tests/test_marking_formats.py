"""The table of a class in each format, gradebooks, and the command line."""

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from handed_in import LESSON, NAMES, NEXT, THREE, FakeKernel, given, hand_in

from stn_course.marking import __main__ as command
from stn_course.marking import isolation
from stn_course.marking.formats import (
    FORMATS,
    as_gradebook,
    harmless,
    read_gradebook,
    unknown_learners,
)
from stn_course.marking.report import rows_of
from stn_course.marking.running import SubmissionRun
from stn_course.marking.submissions import read_submission


@pytest.fixture
def rows(tmp_path):
    """Anna's notebooks 02 (twice) and 03, and a file of Bert's that is none."""
    first = rows_of(hand_in(tmp_path, "checks.which_way(1)"), given("which_way", seconds=1.5))
    again = rows_of(
        hand_in(tmp_path, "checks.mirror(1)\ncheck.left_half(2)"), given("which_way", "left_half")
    )
    third = rows_of(hand_in(tmp_path, "checks.frame(1)", name=f"anna_{NEXT}.ipynb"), given("frame"))
    return [*first, *again, *third, *rows_of(read_submission(Path("=bert.ipynb")))]


def test_the_table(rows):
    lines = FORMATS["table"](rows).splitlines()
    assert re.split("  +", lines[0]) == [
        *("learner", "notebook", "solved", "wrong", "not attempted", "not reached", "remarks")
    ]
    missing = " ".join(name for name in NAMES if name != "which_way")
    solved = f"1 of {len(NAMES)}"
    assert re.split("  +", lines[1]) == ["anna", LESSON, solved, "-", "-", missing, "ran"]
    assert lines[1].index(solved) == lines[0].index("solved")
    assert "=bert.ipynb" in lines[4] and "unreadable: FileNotFoundError" in lines[4]


def test_the_table_shortens_what_is_true_of_all(tmp_path):
    run = SubmissionRun(errors={2: "NameError: x"})
    text = FORMATS["table"](rows_of(hand_in(tmp_path, "checks.mirror(1)", "x"), run))
    assert f"all {len(NAMES)}" in text
    assert "1 of 2 cells raised, first code cell 2: NameError: x" in text


def test_csv_can_be_read_back_and_holds_no_formula(rows):
    text = FORMATS["csv"](rows)
    assert text.count("\n") == 5 and "\r" not in text
    found = list(csv.DictReader(io.StringIO(text)))
    assert (found[0]["learner"], found[0]["count"], found[0]["of"]) == ("anna", "1", "10")
    assert (found[0]["solved"], found[0]["seconds"]) == ("which_way", "1.5")
    assert found[0]["not_reached"].split() == [name for name in NAMES if name != "which_way"]
    assert found[3]["learner"] == "'=bert"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_text_is_taken_for_a_formula(sign):
    assert harmless(f"{sign}1") == f"'{sign}1"
    assert harmless(f"a{sign}1") == f"a{sign}1"
    assert harmless(-1) == -1


def test_one_row_a_learner_over_several_notebooks_the_best_of_each(rows):
    lines = [re.split("  +", line) for line in FORMATS["learners"](rows).splitlines()]
    assert lines[0] == ["learner", "02 (of 10)", f"03 (of {THREE})", f"total (of {10 + THREE})"]
    assert lines[1:] == [["=bert", "-", "-", "0"], ["anna", "2", "1", "3"]]


def test_moodle_takes_a_column_a_notebook(rows):
    lines = list(csv.reader(io.StringIO(FORMATS["moodle"](rows))))
    assert lines[0] == ["username", LESSON, NEXT, "total"]
    assert lines[1:] == [["'=bert", "", "", "0"], ["anna", "2", "1", "3"]]


CANVAS = """\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Essay (12)
    Points Possible,,,,,10
"Berg, Anna",71,s1,ANNA,A,7
"Cohn, Carl",72,s2,carl,A,
"Student, Test",73,,x,A,
"""


def test_canvas_gets_its_own_people_back_with_a_column_a_notebook(rows, tmp_path, capsys):
    path = tmp_path / "gradebook.csv"
    path.write_text(CANVAS, encoding="utf-8")
    gradebook = read_gradebook(path, "canvas")
    lines = list(csv.reader(io.StringIO(as_gradebook(rows, gradebook))))
    assert lines[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", LESSON, NEXT]
    assert lines[1] == ["    Points Possible", "", "", "", "", "10", str(THREE)]
    assert lines[2] == ["Berg, Anna", "71", "s1", "ANNA", "A", "2", "1"]
    assert lines[3] == ["Cohn, Carl", "72", "s2", "carl", "A", "", ""]
    assert unknown_learners(rows, gradebook) == ["=bert"]


MOODLE = """First name,Last name,ID number,Email address,Course total
ANNA,Berg,s1,anna@uni,-
Carl,Cohn,s2,carl@uni,-
"""


@pytest.mark.parametrize("learner", ["Anna Berg", "s1", "anna@uni"])
def test_moodle_gets_its_people_back_whatever_the_files_call_them(tmp_path, learner):
    path = tmp_path / "gradebook.csv"
    path.write_text(MOODLE, encoding="utf-8")
    submission = replace(hand_in(tmp_path, "checks.which_way(1)"), learner=learner)
    gradebook = read_gradebook(path, "moodle")
    found = rows_of(submission, given("which_way"))
    lines = list(csv.reader(io.StringIO(as_gradebook(found, gradebook))))
    assert lines[0] == ["First name", "Last name", "ID number", "Email address", LESSON]
    assert [line[-1] for line in lines[1:]] == ["1", ""]
    assert unknown_learners(found, gradebook) == []


def test_learners_that_canvas_does_not_know_are_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(isolation, "Kernel", FakeKernel)
    path = tmp_path / "gradebook.csv"
    path.write_text(CANVAS, encoding="utf-8")
    known, unknown = hand_in(tmp_path, "[]"), hand_in(tmp_path, "[]", name=f"dora_{LESSON}.ipynb")
    options = ["--format", "canvas", "--gradebook", str(path)]
    assert command.main([known.file, unknown.file, *options]) == 0
    said = capsys.readouterr()
    assert '"Berg, Anna",71,s1,ANNA,A,0' in said.out
    assert "not in the gradebook: dora\n" in said.err


def test_patterns_are_expanded_where_the_shell_does_not(tmp_path):
    for name in ("b.ipynb", "a.ipynb", "c[1].ipynb"):
        (tmp_path / name).touch()
    found = command.files([str(tmp_path / "?.ipynb"), str(tmp_path / "a.ipynb")])
    assert [path.name for path in found] == ["a.ipynb", "b.ipynb"]
    assert command.files([str(tmp_path / "c[1].ipynb")]) == [tmp_path / "c[1].ipynb"]
    assert [path.name for path in command.files(["nowhere*.ipynb"])] == ["nowhere*.ipynb"]


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["a.ipynb", "--format", "xml"], ["a.ipynb", "--timeout", "0"]),
        *(["a.ipynb", "--timeout", "soon"], ["a.ipynb", "--timeout", "nan"]),
        *(["a.ipynb", "--cell-timeout", "inf"], ["a.ipynb", "--timeout", "-1"]),
        *(["a.ipynb", "--jobs", "0"], ["a.ipynb", "--jobs", "1.5"]),
        ["a.ipynb", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:9"],
        *(["a.ipynb", "--learner", "anna"], ["a.ipynb", "--learner", "("]),
        *(["a.ipynb", "--format", "canvas"], ["a.ipynb", "--gradebook", __file__]),
        ["a.ipynb", "--format", "moodle", "--gradebook", __file__],
        ["a.ipynb", "--format", "canvas", "--gradebook", "no/such.csv"],
        ["a.ipynb", "--output", "no/such/folder/x.csv"],
    ],
)
def test_bad_usage_is_said_before_anything_runs(arguments, capsys, monkeypatch):
    monkeypatch.setattr(command, "read_submission", lambda *_: pytest.fail("it began"))
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert "usage: stn-course check" in capsys.readouterr().err


def test_as_an_instructor_types_it(tmp_path):
    bad = tmp_path / "b.ipynb"
    bad.write_text("{", encoding="utf-8")
    line = [sys.executable, "-m", "stn_course.marking", str(bad), "--format", "json"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["remarks"][0].startswith("unreadable")
    assert "b.ipynb" in done.stderr
