"""The limits of a submission's run, kernels that are lost, and a run that is stopped."""

import csv
import io
import json
import queue
import threading
from types import SimpleNamespace

import pytest
from handed_in import LESSON, FakeKernel, hand_in

from stn_course.marking import __main__ as command
from stn_course.marking import isolation, running
from stn_course.marking.formats import (
    FORMATS,
)
from stn_course.marking.report import rows_of
from stn_course.marking.running import Limits, SubmissionRun


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(isolation, "Kernel", FakeKernel)


def test_the_limit_holds_for_the_whole_notebook(fake, tmp_path):
    submission = hand_in(
        tmp_path, "[]", "[] if time.sleep(0.2) else fails(TimeoutError())", "fails(ValueError())"
    )
    run = running.run_submission(submission, Limits(notebook=0.1), threading.Event())
    assert run.problems == ["stopped after 0.1 s, in code cell 2"]
    assert run.seconds >= 0.1


def test_cells_get_their_own_limit_or_what_is_left(fake, tmp_path):
    told = "[('error', {'ename': 'limit', 'evalue': str(limit)})]"
    run = running.run_submission(hand_in(tmp_path, told), Limits(cell=7), threading.Event())
    assert run.errors == {1: "limit: 7"}
    run = running.run_submission(hand_in(tmp_path, told), Limits(notebook=5), threading.Event())
    assert 0 < float(run.errors[1].split()[1]) <= 5


def test_what_happens_again_in_the_next_kernel_is_told_once(fake, tmp_path):
    submission = hand_in(
        tmp_path, "fails(TimeoutError())", "fails(isolation.KernelLost('died'))", "1 / 0"
    )
    run = running.run_submission(submission, Limits(cell=7), threading.Event())
    assert run.problems == [
        "code cell 1 stopped after 7 s",
        "code cell 2: the kernel died; run without it",
        "failed: ZeroDivisionError: division by zero",
    ]


def test_a_notebook_that_costs_kernel_after_kernel_is_given_up(fake, tmp_path):
    submission = hand_in(tmp_path, *["fails(isolation.KernelLost('died'))"] * 9)
    run = running.run_submission(submission, Limits(), threading.Event())
    *lost, last = run.problems
    assert len(lost) == running.RESTARTS + 1 and last == "given up after 4 kernels"


def test_a_kernel_that_cannot_start_gets_a_row(tmp_path, monkeypatch):
    def refuse(*_):
        raise RuntimeError("no kernel today\nand a second line")

    monkeypatch.setattr(isolation.Kernel, "__enter__", refuse)
    (row,) = command.mark(hand_in(tmp_path, "1"), Limits(), threading.Event())
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


def test_interrupted_half_way_the_table_holds_what_was_done(fake, tmp_path, capsys):
    names = [
        hand_in(tmp_path, cell, name=f"{name}_{LESSON}.ipynb").file
        for name, cell in STOPPED.items()
    ]
    output = tmp_path / "class.csv"
    assert command.main([*names, "--format", "csv", "--output", str(output)]) == 130
    assert "interrupted" in capsys.readouterr().err
    (row,) = csv.DictReader(io.StringIO(output.read_text(encoding="utf-8")))
    assert row["learner"] == "anna"


STOPPED = {"anna": "[]", "bert": "fails(isolation.Cancelled())", "cleo": "[]"}


def test_results_are_written_as_they_come_in_the_order_of_the_files(tmp_path):
    output = tmp_path / "class.json"
    results = command.Results(FORMATS["json"], output)
    for place, name in ((1, "bert"), (0, "anna")):
        results.add(place, rows_of(hand_in(tmp_path, "1", name=f"{name}.ipynb"), SubmissionRun()))
        rows = json.loads(output.read_text(encoding="utf-8"))
        assert "bert" in [row["learner"] for row in rows]
    assert [row["learner"] for row in rows] == ["anna", "bert"]
