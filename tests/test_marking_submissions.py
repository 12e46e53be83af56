"""What a file that was handed in is, before it runs."""

import json
import re
import threading
from collections import Counter
from pathlib import Path

import pytest
from handed_in import LESSON, NAMES, NEXT, given, hand_in, sent

from stn_course.checks.catalogue import EXERCISES
from stn_course.marking import __main__ as command
from stn_course.marking import attempts
from stn_course.marking.report import exercises_in, rows_of
from stn_course.marking.running import Limits, SubmissionRun
from stn_course.marking.submissions import first_line, learner_of, read_submission


def test_a_file_with_two_notebooks_exercises_has_a_row_for_both(tmp_path):
    submission = hand_in(tmp_path, "checks.which_way(1)", "checks.frame(1)\nchecks.hint('x')")
    first, second = rows_of(submission, given("which_way", "frame"))
    assert (first.notebook, first.of, first.solved) == (LESSON, len(NAMES), ("which_way",))
    assert (second.notebook, second.solved) == (NEXT, ("frame",))
    assert second.of == len(exercises_in(NEXT)) == len({*second.not_reached, "frame"})


def test_a_file_that_keeps_one_exercise_is_held_to_its_notebooks(tmp_path):
    (row,) = rows_of(
        hand_in(tmp_path, "checks.which_way(1)", name="homework.ipynb"), given("which_way")
    )
    assert (row.notebook, len(row.solved), row.of) == (LESSON, 1, len(NAMES))


@pytest.mark.parametrize(
    ("cells", "remarks"),
    [
        ((), ("no code in this file", "no exercise of 02 found in this file")),
        (("print(1)",), ("no exercise of 02 found in this file",)),
    ],
)
def test_a_file_without_its_exercises_says_so(tmp_path, cells, remarks):
    (row,) = rows_of(hand_in(tmp_path, *cells), SubmissionRun())
    assert (row.notebook, row.of, row.remarks) == (LESSON, len(NAMES), remarks)
    assert row.not_reached == tuple(NAMES)


def test_another_notebooks_content_under_this_name_is_told(tmp_path):
    first, second = rows_of(hand_in(tmp_path, "checks.frame(1)"), given("frame"))
    assert first.remarks == ("no exercise of 02 found in this file",)
    assert (second.notebook, second.solved, second.remarks) == (NEXT, ("frame",), ())


def test_a_file_of_no_notebook_says_so(tmp_path):
    (row,) = rows_of(hand_in(tmp_path, "1", name="notes.ipynb"), SubmissionRun())
    assert row.remarks == ("no exercise of the course found in this file",)
    assert (row.notebook, row.of, row.learner) == ("", 0, "notes")


def test_a_deleted_import_is_told_from_an_untouched_notebook(tmp_path):
    cells = hand_in(tmp_path, "checks.which_way(...)", "checks.mirror(...)")
    run = SubmissionRun(errors={1: "NameError: name 'checks' is not defined", 2: "NameError"})
    (broken,) = rows_of(cells, run)
    assert (broken.raised, broken.cells) == (2, 2)
    assert broken.first_error == "code cell 1: NameError: name 'checks' is not defined"
    assert broken.not_reached == tuple(NAMES)
    untouched = SubmissionRun()
    for name in NAMES:
        text = sent(name=name, attempted=False)
        untouched.take(1, "display_data", {"data": {attempts.KIND: text}})
    (lazy,) = rows_of(cells, untouched)
    assert (lazy.raised, lazy.not_attempted, lazy.not_reached) == (0, tuple(NAMES), ())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'{"cells": 3}', b"null", None])
def test_what_is_no_notebook_gets_a_row_that_says_so(tmp_path, content):
    path = tmp_path / f"anna_{LESSON}.ipynb"
    if content is not None:
        path.write_bytes(content)
    (row,) = command.mark(read_submission(path), Limits(), threading.Event())
    (remark,) = row.remarks
    assert remark.startswith("unreadable: ")
    assert len(remark) < 120 and "\n" not in remark
    assert (row.learner, row.solved, row.of) == ("anna", (), len(NAMES))


def test_an_old_format_is_read(tmp_path):
    cells = [{"cell_type": "code", "input": "checks.mirror(1)", "outputs": [], "language": "x"}]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(old), encoding="utf-8")
    assert read_submission(path).called == {"mirror"}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError(), "ValueError"),
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError("  one  "), "ValueError: one"),
        (ValueError("\x1b[31mred"), "ValueError: ?[31mred"),
        (ValueError("a" * 200), f"ValueError: {'a' * 88}"),
    ],
)
def test_of_an_error_the_first_line_is_kept(error, line):
    assert first_line(error) == line


@pytest.mark.parametrize(
    "cell",
    [
        "progress.record('mirror')",
        "os.environ['STN_COURSE_HOME']",
        "open('progress.json')",
        "from stn_course.marking import attempts",
        "import stn_course.checks.engine.judging",
        "checks.mirror = checks.which_way",
        "from stn_course.checks import progress as p",
    ],
)
def test_code_that_touches_what_is_the_checks_is_suspicious(tmp_path, cell):
    (row,) = rows_of(hand_in(tmp_path, "checks.mirror(1)", cell), SubmissionRun())
    assert len(row.suspicious) == 1 and row.suspicious[0].startswith("its code names ")


def test_the_courses_own_notebooks_are_not_suspicious(root):
    found = [read_submission(path) for path in sorted((root / "notebooks").glob("*.ipynb"))]
    assert len(found) >= 6
    assert [submission.touches for submission in found] == [[]] * len(found)
    called = Counter(EXERCISES[name].notebook for submission in found for name in submission.called)
    assert called == Counter(exercise.notebook for exercise in EXERCISES.values())


@pytest.mark.parametrize(
    ("path", "pattern", "learner"),
    [
        (f"handed_in/anna_{LESSON}.ipynb", None, "anna"),
        (f"handed_in/{LESSON} (anna b).ipynb", None, "anna b"),
        (f"handed_in/anna/{LESSON}.ipynb", None, "anna"),
        ("handed_in/homework.ipynb", None, "homework"),
        (f"h/Anna B_71_assignsubmission_file/{LESSON}.ipynb", "_([0-9]+)_assignsubmission", "71"),
        (f"h/banna_LATE_71_9_{LESSON}-1.ipynb", "_([0-9]+)_[0-9]+_", "71"),
        (f"h/carl_{LESSON}.ipynb", "_([0-9]+)_[0-9]+_x", "carl"),
    ],
)
def test_the_learner_is_found_in_the_path(path, pattern, learner):
    assert learner_of(Path(path), pattern and re.compile(pattern)) == learner
