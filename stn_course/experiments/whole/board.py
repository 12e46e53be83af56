"""The live table: what is done, what runs, what is left, and when it will be over."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from stn_course.experiments.paper import Experiment, printed
from stn_course.experiments.running import Finding

UP = "\x1b[{}A\x1b[J"  # to a terminal: so many lines up, and clear from there
LATEST = 10  # of those that are done, so many have a line: a terminal is not high
QUIET = 60  # seconds between two tables where they cannot take one another's place


@dataclass
class Standing:
    """What is known of one experiment: None where nothing is."""

    share: float | None = None
    seconds_left: float | None = None
    result: Finding | None = None
    error: str | None = None


class Board:
    """What is known of each experiment, and the table that shows it.

    workers: how many run side by side. stream: where the table goes.
    """

    def __init__(self, experiments: Sequence[Experiment], workers: int, stream: TextIO):
        self.runs = {experiment.name: Standing() for experiment in experiments}
        self.cells = {experiment.name: experiment.cell for experiment in experiments}
        self.workers, self.stream, self.printed = workers, stream, 0
        self.shown = -float(QUIET)
        self.latest: list[str] = []  # the names of those that are done, the last one last

    def runs_on(self, name: str, share: float, seconds_left: float) -> None:
        """So much of it is done."""
        self.runs[name].share, self.runs[name].seconds_left = share, seconds_left

    def done(self, result: Finding) -> None:
        """It is over."""
        self.runs[result.experiment.name].result = result
        self.latest.append(result.experiment.name)

    def failed(self, name: str, error: str) -> None:
        """It ended without a result."""
        self.runs[name].error = error

    def of_state(self, state: str) -> list[str]:
        """The names of those that are "done", "failed", "running" or "left"."""
        return [name for name, run in self.runs.items() if _state(run) == state]

    def seconds_left(self) -> float | None:
        """Of all together, by what runs have taken so far; None before anything is known."""
        running = [self.runs[name] for name in self.of_state("running")]
        known = [run for run in running if 0 < run.share < 1]
        took = [run.result.seconds for run in self.runs.values() if run.result]
        took += [run.seconds_left / (1 - run.share) for run in known]
        if not took:
            return None
        mean = sum(took) / len(took)
        waiting = len(self.of_state("left")) + len(running) - len(known)
        return (sum(run.seconds_left for run in known) + waiting * mean) / self.workers

    def lines(self) -> list[str]:
        """The table: one for all together, then those that failed, were done last, and run."""
        counts = [f"{len(self.of_state(s))} {s}" for s in ("done", "running", "left", "failed")]
        left = self.seconds_left() if self.of_state("left") + self.of_state("running") else 0
        over = "nobody knows yet when" if left is None else f"over in about {clock(left)}"
        begun = [*self.of_state("failed"), *self.latest[-LATEST:], *self.of_state("running")]
        return [", ".join([*counts, over]), *(f"  {self.line(name)}" for name in begun)]

    def line(self, name: str) -> str:
        """What is known of one."""
        run, paper = self.runs[name], printed()[self.cells[name]]
        if run.error:
            return f"{name}: failed, {run.error}"
        if run.result:
            beside = f" (paper {paper:.1f} %)" if paper else ""
            return f"{name}: {run.result.error:.2f} %{beside}, {clock(run.result.seconds)}"
        return f"{name}: {100 * run.share:.0f} %, {clock(run.seconds_left)} left"

    def show(self, last: bool = False) -> None:
        """Print the table; in a terminal in the place of the one before."""
        if self.stream.isatty():
            up = UP.format(self.printed) if self.printed else ""
            self.printed = len(lines := self.lines())
            print(up + "\n".join(lines), file=self.stream, flush=True)
        elif last or time.monotonic() - self.shown >= QUIET:
            self.shown = time.monotonic()
            print("\n".join(self.lines()), file=self.stream, flush=True)


def _state(run: Standing) -> str:
    """The first that holds."""
    if run.error:
        return "failed"
    if run.result:
        return "done"
    return "left" if run.share is None else "running"


def clock(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds."""
    if seconds == float("inf"):
        return "?"
    hours, minutes = divmod(round(seconds) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {round(seconds) % 60:02} s"
