"""`stn-course check`: what a class solved, told apart from what is broken, missing or forged."""

import csv
import io
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from test_checks_notebooks import filled, names_before

from stn_course import grids
from stn_course.checks import progress
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.types import FunctionExercise
from stn_course.marking import __main__ as command
from stn_course.marking import attempts, isolation, running
from stn_course.marking.attempts import Attempt
from stn_course.marking.formats import (
    FORMATS,
    as_gradebook,
    harmless,
    read_gradebook,
    unknown_learners,
)
from stn_course.marking.report import exercises_in, judge_run, rows_of
from stn_course.marking.running import Limits, SubmissionRun
from stn_course.marking.submissions import first_line, learner_of, read_submission

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


@pytest.fixture
def hand_in(tmp_path):
    """A function: a submission with these code cells, read."""

    def made(*cells: str, name: str = f"anna_{LESSON}.ipynb"):
        return read_submission(write(tmp_path / name, *cells))

    return made


# A class of three, run once, side by side.

ANNA = {
    "import": IMPORT,
    "surroundings": """import os, sys
from pathlib import Path
assert os.listdir() == ["anna_02_grid_generation.ipynb"], os.listdir()
assert "TOKEN" not in os.environ
Path("helper.py").write_text("value = 3")
Path("random.py").write_text("1 / 0")
import helper, random
assert random.__file__ != "random.py" and Path.home() != Path({home!r})""",
    "right": WHICH_WAY,
    "wrong, then right": "checks.mirror('no')\nchecks.left_half(7)\n" + LEFT_HALF,
    "untouched": "def later(theta, size): ...\nchecks.base_grid(later)\nchecks.compose_order(...)",
    "broken on purpose": "1 / 0",
    "no Python": "def broken(",
    "asks": "input()",
    "leaves": "raise SystemExit",
    "endless": "import time\nwhile True: print('x' * 1000); time.sleep(0.001)",
    "after it": "%%capture\n" + AFFINE_GRID,
    "unsendable": "file = open(os.devnull)\nchecks.inverse(lambda theta: file)",
    "overwrites": "Path({neighbour!r}).write_text('gone')",
    "stays": """import subprocess
outlives = {{"start_new_session": True, "stdout": subprocess.DEVNULL}}
process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], **outlives)
Path({pid!r}).write_text(str(process.pid))""",
}
BERT = (
    IMPORT,
    WHICH_WAY,
    "from stn_course.checks import progress\nprogress.record('mirror')",
    "from stn_course import grids\n\ndef mine(*given):\n    return grids.affine_grid(*given)",
    "checks.affine_grid(mine)",
)
CLEO = (
    IMPORT,
    WHICH_WAY,
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "import time\nwhile True: time.sleep(1)",
    LEFT_HALF,
    "import os; os._exit(1)",
    AFFINE_GRID,
)


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The folder, and the rows of the class by learner."""
    folder = tmp_path_factory.mktemp("class")
    bert = folder / f"bert_{LESSON}.ipynb"
    home, pid = str(Path.home()), str(folder / "pid")
    cells = [cell.format(home=home, neighbour=str(bert), pid=pid) for cell in ANNA.values()]
    paths = [write(folder / f"anna_{LESSON}.ipynb", *cells), write(bert, *BERT)]
    paths.append(write(folder / f"cleo_{LESSON}.ipynb", *CLEO))
    (folder / "stn_course.py").write_text("1 / 0", encoding="utf-8")
    anna, output = paths[0].read_bytes(), folder / "class.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "GRACE", 6)
        patch.setenv("TOKEN", "secret")
        patch.chdir(folder)
        # Long enough for a cell that imports torch beside others; the endless ones only wait.
        options = ["--jobs", "3", "--cell-timeout", "25", "--format", "json"]
        assert command.main([*map(str, paths), *options, "--output", str(output)]) == 0
        assert os.environ["TOKEN"] == "secret"
    assert paths[0].read_bytes() == anna
    rows = json.loads(output.read_text(encoding="utf-8"))
    assert [row["learner"] for row in rows] == ["anna", "bert", "cleo"]
    return folder, {row["learner"]: row for row in rows}


def test_right_wrong_and_not_attempted_are_told_apart(marked):
    row = marked[1]["anna"]
    assert row["solved"] == [n for n in NAMES if n in ("which_way", "left_half", "affine_grid")]
    assert (row["count"], row["of"], row["notebook"]) == (3, len(NAMES), LESSON)
    assert set(row["wrong"]) == {"mirror", "inverse"}
    assert set(row["not_attempted"]) == {"base_grid", "compose_order"}
    assert set(row["not_reached"]) == {"swapped", "rotation_about", "crop_theta"}


def test_errors_are_counted_and_the_first_is_told(marked):
    row = marked[1]["anna"]
    place = list(ANNA).index("broken on purpose") + 1
    assert row["first_error"] == f"code cell {place}: ZeroDivisionError: division by zero"
    assert (row["raised"], row["cells"]) == (4, len(ANNA))


def test_an_endless_cell_costs_its_own_limit_and_later_exercises_count(marked):
    row = marked[1]["anna"]
    place = list(ANNA).index("endless") + 1
    assert row["remarks"] == [f"code cell {place} stopped after 25 s"]
    assert "affine_grid" in row["solved"]


def test_a_cell_that_costs_the_kernel_is_left_out_and_later_exercises_count(marked):
    row = marked[1]["cleo"]
    assert set(row["solved"]) == {"which_way", "left_half", "affine_grid"}
    assert row["remarks"] == [
        "code cell 3: the kernel did not stop; run without it",
        "code cell 5: the kernel died; run without it",
    ]


def test_a_neighbours_file_that_was_overwritten_counts_as_it_was_handed_in(marked):
    folder, rows = marked
    assert (folder / f"bert_{LESSON}.ipynb").read_text(encoding="utf-8") == "gone"
    assert rows["bert"]["cells"] == len(BERT) and rows["bert"]["raised"] == 0
    assert "which_way" in rows["bert"]["solved"]


def test_a_file_named_as_the_package_shadows_nothing(marked):
    assert (marked[0] / "stn_course.py").exists()
    assert all(row["solved"] for row in marked[1].values())


def test_no_background_process_outlives_the_run(marked):
    pid = int((marked[0] / "pid").read_text(encoding="utf-8"))
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_progress_written_by_hand_counts_for_nothing_and_is_suspicious(marked):
    row = marked[1]["bert"]
    assert "mirror" in row["not_reached"]
    assert "its code names progress.record" in row["suspicious"]
    assert "it wrote progress itself" in row["suspicious"]


def test_a_call_of_the_courses_own_solution_is_suspicious(marked):
    assert "affine_grid is, or calls, the course's own solution" in marked[1]["bert"]["suspicious"]
    assert marked[1]["anna"]["suspicious"] == marked[1]["cleo"]["suspicious"] == []


def test_the_users_own_progress_is_neither_read_nor_written(marked):
    assert progress.solved() == set()


# What a file is, before it runs.


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


def test_a_file_with_two_notebooks_exercises_has_a_row_for_both(hand_in):
    submission = hand_in("checks.which_way(1)", "checks.frame(1)\nchecks.hint('x')")
    first, second = rows_of(submission, given("which_way", "frame"))
    assert (first.notebook, first.of, first.solved) == (LESSON, len(NAMES), ("which_way",))
    assert (second.notebook, second.solved) == (NEXT, ("frame",))
    assert second.of == len(exercises_in(NEXT)) == len({*second.not_reached, "frame"})


def test_a_file_that_keeps_one_exercise_is_held_to_its_notebooks(hand_in):
    (row,) = rows_of(hand_in("checks.which_way(1)", name="homework.ipynb"), given("which_way"))
    assert (row.notebook, len(row.solved), row.of) == (LESSON, 1, len(NAMES))


@pytest.mark.parametrize(
    ("cells", "remarks"),
    [
        ((), ("no code in this file", "no exercise of 02 found in this file")),
        (("print(1)",), ("no exercise of 02 found in this file",)),
    ],
)
def test_a_file_without_its_exercises_says_so(hand_in, cells, remarks):
    (row,) = rows_of(hand_in(*cells), SubmissionRun())
    assert (row.notebook, row.of, row.remarks) == (LESSON, len(NAMES), remarks)
    assert row.not_reached == tuple(NAMES)


def test_another_notebooks_content_under_this_name_is_told(hand_in):
    first, second = rows_of(hand_in("checks.frame(1)"), given("frame"))
    assert first.remarks == ("no exercise of 02 found in this file",)
    assert (second.notebook, second.solved, second.remarks) == (NEXT, ("frame",), ())


def test_a_file_of_no_notebook_says_so(hand_in):
    (row,) = rows_of(hand_in("1", name="notes.ipynb"), SubmissionRun())
    assert row.remarks == ("no exercise of the course found in this file",)
    assert (row.notebook, row.of, row.learner) == ("", 0, "notes")


def test_a_deleted_import_is_told_from_an_untouched_notebook(hand_in):
    cells = hand_in("checks.which_way(...)", "checks.mirror(...)")
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
def test_code_that_touches_what_is_the_checks_is_suspicious(hand_in, cell):
    (row,) = rows_of(hand_in("checks.mirror(1)", cell), SubmissionRun())
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


# What is sent to the marker, and judged there.


def handed_over(name: str, attempt) -> Attempt:
    return attempts.from_text(attempts.to_text(EXERCISES[name], attempt))


def through_a_module(theta, size, align_corners=False):
    return grids.affine_grid(theta, size, align_corners)


def through_another(theta, size, align_corners=False):
    return [through_a_module(theta, size, align_corners)][0]


def by_other_means(theta, size, align_corners=False):
    base = grids.base_grid(size[2], size[3], align_corners)
    return base @ theta.transpose(1, 2)


@pytest.mark.parametrize(
    ("attempt", "the_courses"),
    [
        (grids.affine_grid, True),
        (lambda *arguments: grids.affine_grid(*arguments), True),
        (through_another, True),
        (by_other_means, False),
        (3, False),
    ],
)
def test_a_solution_that_is_the_courses_own_is_recognised(attempt, the_courses):
    assert attempts.is_the_courses(handed_over("affine_grid", attempt)) is the_courses


FUNCTIONS = [name for name, e in EXERCISES.items() if isinstance(e, FunctionExercise)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_solution_written_in_a_notebook_is_right_here_and_not_suspicious(name):
    exercise = EXERCISES[name]
    names, source = names_before(exercise), filled(exercise)
    exec(source.removesuffix(source.splitlines()[-1]), names)
    attempt = handed_over(name, names[exercise.attempt])
    assert attempts.judge_attempt(attempt).solved is True
    assert attempts.is_the_courses(attempt) is False


def note_process(folder: str) -> type:
    """Leave a file named after the process that this runs in."""
    Path(folder, str(os.getpid())).touch()
    return object


class Trap:
    """Tells where it is unpacked."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return note_process, (str(self.folder),)


def test_a_function_is_unpacked_in_the_worker_process_alone(tmp_path):
    attempt = handed_over("affine_grid", Trap(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert attempts.judge_attempt(attempt).solved is False
    (process,) = [path.name for path in tmp_path.iterdir()]
    assert process != str(os.getpid())


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "3", "{}", '{"name": []}', '{"name": "no such"}', "[" * 100_000),
        '{"name": "mirror", "guess": "{"}',
        '{"name": "mirror", "guess": 3}',
        '{"name": "affine_grid", "function": "*"}',
        '{"name": "affine_grid", "function": 3}',
    ],
)
def test_what_is_no_attempt_is_dropped(text):
    assert attempts.from_text(text) is None


def test_trying_every_answer_gains_nothing():
    run = SubmissionRun()
    answer = EXERCISES["head_parameters"].answer
    for guess in [answer, *range(running.JUDGED)]:
        text = sent(name="head_parameters", guess=json.dumps(guess))
        run.take(1, "display_data", {"data": {attempts.KIND: text}})
    assert judge_run(run).states == {"head_parameters": False}


def test_a_check_that_fails_is_told_and_costs_nobody_the_table(monkeypatch, hand_in):
    monkeypatch.setattr(attempts, "judge_prediction", lambda *_: 1 / 0)
    (row,) = rows_of(hand_in("checks.mirror(1)"), given("mirror"))
    assert row.not_attempted == ("mirror",)
    assert row.remarks == ("mirror: not checked (ZeroDivisionError('division by zero')).",)


def test_what_cannot_be_judged_at_all_costs_nobody_the_table(monkeypatch, hand_in):
    monkeypatch.setattr(command, "run_submission", lambda *_: 1 / 0)
    (row,) = command.mark(hand_in("checks.mirror(1)"), Limits(), threading.Event())
    assert row.remarks == ("failed: ZeroDivisionError: division by zero",)
    assert (row.notebook, row.not_reached) == (LESSON, tuple(NAMES))


# Limits, and a run that is stopped.


class FakeKernel:
    """A kernel without a process: a cell is a Python expression that says what it sends."""

    def __init__(self, folder: Path, stop: threading.Event):
        self.folder = folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def run(self, code: str, limit: float):
        if code != attempts.START_SENDING:
            yield from eval(code, {"limit": limit, **globals()})


def fails(error: BaseException):
    raise error


def is_late():
    time.sleep(0.2)
    raise TimeoutError


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(isolation, "Kernel", FakeKernel)


def test_the_limit_holds_for_the_whole_notebook(fake, hand_in):
    submission = hand_in(
        "[]", "[] if time.sleep(0.2) else fails(TimeoutError())", "fails(ValueError())"
    )
    run = running.run_submission(submission, Limits(notebook=0.1), threading.Event())
    assert run.problems == ["stopped after 0.1 s, in code cell 2"]
    assert run.seconds >= 0.1


def test_cells_get_their_own_limit_or_what_is_left(fake, hand_in):
    told = "[('error', {'ename': 'limit', 'evalue': str(limit)})]"
    run = running.run_submission(hand_in(told), Limits(cell=7), threading.Event())
    assert run.errors == {1: "limit: 7"}
    run = running.run_submission(hand_in(told), Limits(notebook=5), threading.Event())
    assert 0 < float(run.errors[1].split()[1]) <= 5


def test_what_happens_again_in_the_next_kernel_is_told_once(fake, hand_in):
    submission = hand_in("fails(TimeoutError())", "fails(isolation.KernelLost('died'))", "1 / 0")
    run = running.run_submission(submission, Limits(cell=7), threading.Event())
    assert run.problems == [
        "code cell 1 stopped after 7 s",
        "code cell 2: the kernel died; run without it",
        "failed: ZeroDivisionError: division by zero",
    ]


def test_a_notebook_that_costs_kernel_after_kernel_is_given_up(fake, hand_in):
    submission = hand_in(*["fails(isolation.KernelLost('died'))"] * 9)
    run = running.run_submission(submission, Limits(), threading.Event())
    *lost, last = run.problems
    assert len(lost) == running.RESTARTS + 1 and last == "given up after 4 kernels"


def test_a_kernel_that_cannot_start_gets_a_row(hand_in, monkeypatch):
    def refuse(*_):
        raise RuntimeError("no kernel today\nand a second line")

    monkeypatch.setattr(isolation.Kernel, "__enter__", refuse)
    (row,) = command.mark(hand_in("1"), Limits(), threading.Event())
    assert "failed: RuntimeError: no kernel today" in row.remarks


def test_a_kernel_that_says_nothing_is_left_when_the_run_is_stopped(tmp_path):
    def nothing(timeout: float):
        stop.set()
        raise queue.Empty

    stop = threading.Event()
    kernel = isolation.Kernel(tmp_path, stop)
    kernel._client = SimpleNamespace(execute=lambda *_, **__: "1", get_iopub_msg=nothing)
    kernel._manager = SimpleNamespace(is_alive=lambda: True)
    with pytest.raises(isolation.Cancelled):
        list(kernel.run("1", 60))


def test_interrupted_half_way_the_table_holds_what_was_done(fake, hand_in, capsys, tmp_path):
    names = [hand_in(cell, name=f"{name}_{LESSON}.ipynb").file for name, cell in STOPPED.items()]
    output = tmp_path / "class.csv"
    assert command.main([*names, "--format", "csv", "--output", str(output)]) == 130
    assert "interrupted" in capsys.readouterr().err
    (row,) = csv.DictReader(io.StringIO(output.read_text(encoding="utf-8")))
    assert row["learner"] == "anna"


STOPPED = {"anna": "[]", "bert": "fails(isolation.Cancelled())", "cleo": "[]"}


def test_results_are_written_as_they_come_in_the_order_of_the_files(tmp_path, hand_in):
    output = tmp_path / "class.json"
    results = command.Results(FORMATS["json"], output)
    for place, name in ((1, "bert"), (0, "anna")):
        results.add(place, rows_of(hand_in("1", name=f"{name}.ipynb"), SubmissionRun()))
        rows = json.loads(output.read_text(encoding="utf-8"))
        assert "bert" in [row["learner"] for row in rows]
    assert [row["learner"] for row in rows] == ["anna", "bert"]


# The formats and the command line.


@pytest.fixture
def rows(hand_in):
    """Anna's notebooks 02 (twice) and 03, and a file of Bert's that is none."""
    first = rows_of(hand_in("checks.which_way(1)"), given("which_way", seconds=1.5))
    again = rows_of(
        hand_in("checks.mirror(1)\ncheck.left_half(2)"), given("which_way", "left_half")
    )
    third = rows_of(hand_in("checks.frame(1)", name=f"anna_{NEXT}.ipynb"), given("frame"))
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


def test_the_table_shortens_what_is_true_of_all(hand_in):
    run = SubmissionRun(errors={2: "NameError: x"})
    text = FORMATS["table"](rows_of(hand_in("checks.mirror(1)", "x"), run))
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
def test_moodle_gets_its_people_back_whatever_the_files_call_them(hand_in, tmp_path, learner):
    path = tmp_path / "gradebook.csv"
    path.write_text(MOODLE, encoding="utf-8")
    submission = replace(hand_in("checks.which_way(1)"), learner=learner)
    gradebook = read_gradebook(path, "moodle")
    found = rows_of(submission, given("which_way"))
    lines = list(csv.reader(io.StringIO(as_gradebook(found, gradebook))))
    assert lines[0] == ["First name", "Last name", "ID number", "Email address", LESSON]
    assert [line[-1] for line in lines[1:]] == ["1", ""]
    assert unknown_learners(found, gradebook) == []


def test_learners_that_canvas_does_not_know_are_named(fake, hand_in, tmp_path, capsys):
    path = tmp_path / "gradebook.csv"
    path.write_text(CANVAS, encoding="utf-8")
    known, unknown = hand_in("[]"), hand_in("[]", name=f"dora_{LESSON}.ipynb")
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
