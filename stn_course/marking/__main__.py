"""Which exercises do handed-in notebooks solve?

Each file runs in a fresh kernel and a fresh folder, with limits of time. What a check was given in
that run is judged outside of it; stored outputs and recorded progress count for nothing.
A submission is somebody's program and runs with your rights: run this in a container, or on files
of people you trust. INSTRUCTORS.md says how. Ctrl+C ends the run; what is done is kept.
"""

import argparse
import glob
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from stn_course import cluster
from stn_course.files import write_atomically
from stn_course.marking import formats
from stn_course.marking.isolation import Cancelled, end_processes, only_environment
from stn_course.marking.report import TableRow, rows_of
from stn_course.marking.running import Limits, run_submission
from stn_course.marking.submissions import Submission, first_line, read_submission

ONE = threading.Lock()  # a worker of a cluster may have several threads, and one environment


def positive(text: str) -> float:
    """A number of seconds above zero, as an argument."""
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0; got {text}")
    return seconds


def whole_number(text: str) -> int:
    """A number from 1, as an argument."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return int(text)


def learner_pattern(text: str) -> re.Pattern:
    """A regular expression with a group, as an argument."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"no regular expression: {error}") from error
    if not pattern.groups:
        raise argparse.ArgumentTypeError(f"has no (group) that says the learner; got {text}")
    return pattern


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="stn-course check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("notebooks", nargs="+", help="files, or patterns such as 'handed_in/*.ipynb'")
    where = made.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=whole_number, default=1, help="how many run side by side here (1)"
    )
    where.add_argument(
        "--scheduler", help="a cluster of Dask's runs them, such as tcp://10.0.0.1:8786"
    )
    add("--timeout", type=positive, default=900, help="seconds for each notebook (900)")
    add("--cell-timeout", type=positive, default=300, help="seconds for each cell (300)")
    add("--learner", type=learner_pattern, help="a pattern whose (group) in a path is the learner")
    add("--format", choices=formats.FORMATS, default="table")
    add("--gradebook", type=Path, help="what Canvas or Moodle has exported: its people")
    add("--output", type=Path, help="a file, complete after each notebook; not the screen")
    return made


def files(patterns: list[str]) -> list[Path]:
    """The files meant, each once; a name without a match stays, and gets a row that says so."""
    found = []
    for pattern in patterns:
        exact = Path(pattern).exists() or not glob.has_magic(pattern)
        found += [pattern] if exact else sorted(glob.glob(pattern)) or [pattern]
    return [Path(name) for name in dict.fromkeys(found)]


def gradebook_of(chosen: argparse.Namespace) -> list[list[str]] | None:
    """The exported gradebook, if one is named; ends the program if it cannot be used."""
    if chosen.gradebook is None:
        if chosen.format == "canvas":
            parser().error("--format canvas needs --gradebook, what Canvas has exported")
        return None
    if chosen.format not in formats.PEOPLE:
        parser().error(f"--gradebook goes with --format {' or '.join(formats.PEOPLE)}")
    try:
        return formats.read_gradebook(chosen.gradebook, chosen.format)
    except (OSError, ValueError) as error:
        parser().error(f"--gradebook: {error}")


class Results:
    """The rows so far, in the order of the files, written out as they come."""

    def __init__(self, write: Callable[[list[TableRow]], str], output: Path | None):
        self._write, self._output = write, output and output.resolve()
        self._rows: dict[int, list[TableRow]] = {}

    @property
    def rows(self) -> list[TableRow]:
        """In the order of the files, whichever ended first."""
        return [row for place in sorted(self._rows) for row in self._rows[place]]

    def add(self, place: int, rows: list[TableRow]) -> None:
        """One file is done: the output is complete as far as it goes, and a line says so."""
        self._rows[place] = rows
        for row in rows:
            said = f"{row.file} {row.notebook}: {len(row.solved)} of {row.of}"
            tqdm.write(f"{said}; {formats.remarks_of(row)}", file=sys.stderr)
        self._save()

    def _save(self) -> None:
        if self._output is not None:
            write_atomically(self._output, self._write(self.rows).encode())

    def finish(self) -> None:
        """All that there is, on the screen or in the file."""
        self._save()
        if self._output is None:
            print(self._write(self.rows), end="")


def mark(submission: Submission, limits: Limits, stop: threading.Event) -> list[TableRow]:
    """A submission's rows; raises nothing but Cancelled, so that no submission costs the others."""
    if submission.problem:
        return rows_of(submission)
    try:
        return rows_of(submission, run_submission(submission, limits, stop))
    except Cancelled:
        raise
    except Exception as error:
        return rows_of(replace(submission, problem=f"failed: {first_line(error)}"))


def mark_on_worker(submission: Submission, line: cluster.Line, limits: Limits) -> list[TableRow]:
    """The same on a worker of a cluster, which judges nothing else meanwhile."""
    with ONE, tempfile.TemporaryDirectory() as home, only_environment(Path(home)):
        try:
            return mark(submission, limits, line)
        finally:
            end_processes(Path(home))


def mark_on_cluster(
    submissions: list[Submission], limits: Limits, scheduler: str, results: Results
) -> None:
    """Let the workers of a cluster run them, and note the rows of each as it ends."""
    things = {f"{place} {s.file}": s for place, s in enumerate(submissions)}
    with tqdm(total=len(things), unit="notebook", disable=None) as bar:

        def done(name: str, rows: list[TableRow] | None, error: BaseException | None) -> None:
            if error is not None:
                rows = rows_of(replace(things[name], problem=f"failed: {first_line(error)}"))
            results.add(int(name.split()[0]), rows)
            bar.update()

        job = partial(mark_on_worker, limits=limits)
        cluster.each_on_workers(job, things, done, scheduler=scheduler)


def mark_here(submissions: list[Submission], limits: Limits, jobs: int, results: Results) -> None:
    """Run them, `jobs` side by side, and note the rows of each as it ends."""
    stop = threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        begun = {pool.submit(mark, s, limits, stop): i for i, s in enumerate(submissions)}
        try:
            for done in tqdm(as_completed(begun), total=len(begun), unit="notebook", disable=None):
                results.add(begun[done], done.result())
        except (KeyboardInterrupt, Cancelled, CancelledError):
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise KeyboardInterrupt from None


def mark_all(
    submissions: list[Submission], limits: Limits, chosen: argparse.Namespace, results: Results
) -> None:
    """Run them here, or where a scheduler is named; ends the program if there is none."""
    if not chosen.scheduler:
        return mark_here(submissions, limits, chosen.jobs, results)
    try:
        return mark_on_cluster(submissions, limits, chosen.scheduler, results)
    except ImportError as error:
        parser().error(f"--scheduler: {error}; pip install 'stn_course[paper]'")
    except ConnectionError as error:
        parser().error(f"--scheduler: {error}")


def main(arguments: list[str] | None = None) -> int:
    """Run the files, print or write the table; 0, or 130 if interrupted half-way (2: bad usage)."""
    chosen = parser().parse_args(arguments)
    gradebook, write = gradebook_of(chosen), formats.FORMATS[chosen.format]
    if gradebook is not None:
        write = partial(formats.as_gradebook, gradebook=gradebook)
    results = Results(write, chosen.output)
    if chosen.output is not None and not chosen.output.resolve().parent.is_dir():
        parser().error(f"--output: there is no folder {chosen.output.resolve().parent}")
    submissions = [read_submission(path, chosen.learner) for path in files(chosen.notebooks)]
    limits, code = Limits(chosen.timeout, chosen.cell_timeout), 0
    with tempfile.TemporaryDirectory() as home, only_environment(Path(home)):
        try:
            mark_all(submissions, limits, chosen, results)
        except KeyboardInterrupt:
            print("interrupted; the table holds what was done", file=sys.stderr)
            code = 130
        finally:
            end_processes(Path(home))
    results.finish()
    if gradebook is not None:
        unknown = formats.unknown_learners(results.rows, gradebook)
        print("not in the gradebook:", ", ".join(unknown) or "nobody", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
