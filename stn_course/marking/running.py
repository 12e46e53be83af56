"""Run a submission cell by cell, and keep what its checks were given."""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path

from stn_course.marking import isolation
from stn_course.marking.attempts import KIND, START_SENDING, Attempt, from_text
from stn_course.marking.submissions import Submission, first_line, short_error

JUDGED = 5  # attempts at one exercise: the last ones, so that trying all answers gains little
RESTARTS = 3


@dataclass(frozen=True)
class Limits:
    """Seconds: for a whole notebook, and for each of its cells."""

    notebook: float = 900
    cell: float = 300


@dataclass
class SubmissionRun:
    """What came of one submission.

    attempts: by exercise, the last JUDGED. errors: by the code cell's number, from 1, what it
    raised. problems: what else went wrong, in words. wrote_progress: whether it recorded progress
    itself; no check does in such a run.
    """

    attempts: dict[str, deque[Attempt]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=JUDGED))
    )
    errors: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    wrote_progress: bool = False
    seconds: float = 0.0

    def say(self, problem: str) -> None:
        """Note a problem, once: cells may run again in another kernel."""
        if problem not in self.problems:
            self.problems.append(problem)

    def take(self, number: int, kind: str, content: dict) -> None:
        """Keep what matters of a message; what a cell prints is dropped, however much it is."""
        if kind == "error":
            self.errors[number] = short_error(content["ename"], content["evalue"])
        elif kind == "display_data" and KIND in content["data"]:
            attempt = from_text(content["data"][KIND])
            if attempt and attempt not in self.attempts[attempt.name]:
                self.attempts[attempt.name].append(attempt)


def run_submission(submission: Submission, limits: Limits, stop: threading.Event) -> SubmissionRun:
    """Run the cells, those that raise included; raises nothing but isolation.Cancelled.

    A cell that costs the kernel is left out, and the others run again from the first one, in a new
    kernel and a new folder, because they may need what stood before it.
    """
    run, began = SubmissionRun(), time.monotonic()
    cells = dict(enumerate(submission.cells, start=1))
    try:
        for _ in range(RESTARTS + 1):
            lost = run_cells(submission, cells, run, limits, began + limits.notebook, stop)
            if lost is None:
                break
            cells.pop(lost, None)  # 0: it was lost before the first cell
        else:
            run.say(f"given up after {RESTARTS + 1} kernels")
    except isolation.Cancelled:
        raise
    except Exception as error:  # nothing that a submission does ends the table
        run.say(f"failed: {first_line(error)}")
    run.seconds = round(time.monotonic() - began, 1)
    return run


def run_cells(
    submission: Submission,
    cells: dict[int, str],
    run: SubmissionRun,
    limits: Limits,
    end: float,
    stop: threading.Event,
) -> int | None:
    """Run these cells in a fresh folder; the number of the one that cost the kernel, or None."""
    run.errors.clear()
    number = 0
    name = Path(submission.file).name
    with isolation.fresh_folder(name, submission.content) as folder:
        try:
            with isolation.Kernel(folder, stop) as kernel:
                for kind, content in kernel.run(START_SENDING, isolation.START):
                    if kind == "error":
                        raise RuntimeError(content["evalue"])
                for number, code in cells.items():
                    run_cell(kernel, number, code, run, limits, end)
        except isolation.KernelLost as lost:
            run.say(f"code cell {number}: the kernel {lost}; run without it")
            return number
        except OutOfTime:
            run.say(f"stopped after {limits.notebook:g} s, in code cell {number}")
        finally:
            run.wrote_progress |= (folder / "home" / "progress.json").exists()
    return None


class OutOfTime(Exception):
    """The notebook's own limit is reached."""


def run_cell(
    kernel: isolation.Kernel, number: int, code: str, run: SubmissionRun, limits: Limits, end: float
) -> None:
    """Run one cell; one that is too slow is stopped, which costs its own limit."""
    left = end - time.monotonic()
    if left <= 0:
        raise OutOfTime
    try:
        for kind, content in kernel.run(code, min(left, limits.cell)):
            run.take(number, kind, content)
    except TimeoutError:
        if time.monotonic() >= end:
            raise OutOfTime from None
        run.errors.pop(number, None)  # the KeyboardInterrupt is not its own
        run.say(f"code cell {number} stopped after {limits.cell:g} s")
