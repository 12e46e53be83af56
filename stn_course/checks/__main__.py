"""Which exercises do submitted notebooks solve? Each runs in a fresh kernel, with a time limit.

A submission is somebody's program, and runs with your rights: run files of people you trust, or
run this in a container. Only what is solved during the run counts, never a stored output.
Ctrl+C ends the notebook that is running; the next one begins.
"""

import argparse
import csv
import glob
import io
import json
import sys
from pathlib import Path

from tqdm import tqdm

from stn_course.checks.running import Submission, run_notebook
from stn_course.files import write_atomically

COLUMNS = ("file", "solved", "of", "solved_names", "unsolved_names", "seconds", "outcome")


def entries(result: Submission) -> dict:
    """A result under the columns' names."""
    values = (
        result.file,
        len(result.solved),
        len(result.exercises),
        list(result.solved),
        list(result.unsolved),
        result.seconds,
        result.outcome,
    )
    return dict(zip(COLUMNS, values, strict=True))


def as_table(results: list[Submission]) -> str:
    """For eyes: one line a file, in columns."""
    head = ("file", "solved", "outcome", "not solved")
    rows = [
        (
            result.file,
            f"{len(result.solved)} of {len(result.exercises)}",
            result.outcome,
            " ".join(result.unsolved) or "-",
        )
        for result in results
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines) + "\n"


def as_csv(results: list[Submission]) -> str:
    """For a spreadsheet: names in one field are separated by spaces."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for result in results:
        row = {k: " ".join(v) if isinstance(v, list) else v for k, v in entries(result).items()}
        writer.writerow({k: harmless(v) for k, v in row.items()})
    return buffer.getvalue()


def harmless(value):
    """A text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def as_json(results: list[Submission]) -> str:
    """For programs: a list of objects."""
    return json.dumps([entries(result) for result in results], indent=1) + "\n"


FORMATS = {"table": as_table, "csv": as_csv, "json": as_json}


def positive(text: str) -> float:
    """A number of seconds above zero, as an argument."""
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0; got {text}")
    return seconds


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m stn_course.checks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("notebooks", nargs="+", help="files, or patterns such as 'handed_in/*.ipynb'")
    made.add_argument("--timeout", type=positive, default=900, help="seconds for each (900)")
    made.add_argument("--format", choices=FORMATS, default="table")
    made.add_argument("--output", type=Path, help="a file to write to, in place of the screen")
    return made


def files(patterns: list[str]) -> list[Path]:
    """The files meant, each once; a name without a match stays, and gets a row that says so."""
    found = []
    for pattern in patterns:
        exact = Path(pattern).exists() or not glob.has_magic(pattern)
        found += [pattern] if exact else sorted(glob.glob(pattern)) or [pattern]
    return [Path(name) for name in dict.fromkeys(found)]


def main(arguments: list[str] | None = None) -> int:
    """Run the files, print or write the table; 0, or 130 if interrupted half-way (2: bad usage)."""
    chosen = parser().parse_args(arguments)
    if chosen.output is not None and not chosen.output.resolve().parent.is_dir():
        parser().error(f"--output: there is no folder {chosen.output.resolve().parent}")
    results, code = [], 0
    try:
        for path in tqdm(files(chosen.notebooks), unit="notebook", disable=None):
            results.append(run_notebook(path, chosen.timeout))
    except KeyboardInterrupt:
        print("interrupted; the table holds what was done", file=sys.stderr)
        code = 130
    text = FORMATS[chosen.format](results)
    if chosen.output is None:
        print(text, end="")
    else:
        write_atomically(chosen.output.resolve(), text.encode())
    return code


if __name__ == "__main__":
    sys.exit(main())
