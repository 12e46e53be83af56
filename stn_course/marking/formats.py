"""The results as text: for eyes, for spreadsheets, for programs, for Canvas and Moodle."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

from stn_course.marking.report import TableRow, exercises_in
from stn_course.marking.submissions import NOTEBOOKS

# The columns by which an exported gradebook tells people; some may be missing.
PEOPLE = {
    "canvas": ("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
    "moodle": ("First name", "Last name", "Surname", "Username", "ID number", "Email address"),
}
POINTS = "Points Possible"  # what Canvas calls the row that is no student's


def as_table(rows: list[TableRow]) -> str:
    """One line a file and notebook, in columns."""
    head = ("learner", "notebook", "solved", "wrong", "not attempted", "not reached", "remarks")
    return columns([head, *map(line_of, rows)])


def line_of(row: TableRow) -> tuple[str, ...]:
    """A row in words."""
    states = (row.wrong, row.not_attempted, row.not_reached)
    names = [names_of(names, row.of) for names in states]
    solved = f"{len(row.solved)} of {row.of}"
    return (row.learner, row.notebook or row.file, solved, *names, remarks_of(row))


def names_of(names: tuple[str, ...], total: int) -> str:
    """Names of exercises, in short where they are all."""
    return f"all {total}" if len(names) == total > 1 else " ".join(names) or "-"


def remarks_of(row: TableRow) -> str:
    """Everything that is to be said of a file in one line."""
    raised = f"{row.raised} of {row.cells} cells raised, first {row.first_error}"
    said = [*row.remarks, *[raised] * bool(row.raised)]
    said += [f"suspicious: {words}" for words in row.suspicious]
    return "; ".join(said) or "ran"


def columns(lines: list[tuple[str, ...]]) -> str:
    """Lines of texts, one under the other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join(padded) + "\n"


def as_csv(rows: list[TableRow]) -> str:
    """For a spreadsheet: names in one field are separated by spaces, other texts by semicolons."""
    lists = {"suspicious": "; ", "remarks": "; "}
    entries = [
        {k: lists.get(k, " ").join(v) if isinstance(v, list) else v for k, v in row.items()}
        for row in map(TableRow.entries, rows)
    ]
    return csv_text([list(TableRow("", "").entries()), *(row.values() for row in entries)])


def csv_text(lines: Iterable[Iterable]) -> str:
    """Lines as CSV; no text in them is taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([harmless(value) for value in line] for line in lines)
    return buffer.getvalue()


def harmless(value):
    """A text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def as_json(rows: list[TableRow]) -> str:
    """For programs: a list of objects."""
    return json.dumps([row.entries() for row in rows], indent=1) + "\n"


def by_learner(rows: list[TableRow]) -> dict[str, dict[str, int]]:
    """How many exercises each learner solved of each notebook: of several files the best."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        solved = found.setdefault(row.learner, {})
        if row.notebook:
            solved[row.notebook] = max(len(row.solved), solved.get(row.notebook, 0))
    return found


def handed_in(rows: list[TableRow]) -> list[str]:
    """The notebooks that anybody handed in, in the course's order."""
    there = {row.notebook for row in rows}
    return [notebook for notebook in NOTEBOOKS if notebook in there]


def learner_lines(rows: list[TableRow], first: str) -> list[list]:
    """A line a learner, with a head: solved exercises by notebook (none: not handed in), total."""
    notebooks = handed_in(rows)
    lines = [
        [learner, *(solved.get(notebook, "") for notebook in notebooks), sum(solved.values())]
        for learner, solved in sorted(by_learner(rows).items())
    ]
    return [[first, *notebooks, "total"], *lines]


def as_learners(rows: list[TableRow]) -> str:
    """For eyes: one line a learner, over all notebooks."""
    (_, *names), *lines = learner_lines(rows, "learner")
    sizes = [len(exercises_in(name)) for name in names[:-1]]
    heads = [f"{name[:2]} (of {n})" for name, n in zip(names[:-1], sizes, strict=True)]
    head = ("learner", *heads, f"total (of {sum(sizes)})")
    return columns([head, *(tuple(str(v) if v != "" else "-" for v in line) for line in lines)])


def as_moodle(rows: list[TableRow]) -> str:
    """For Moodle's grade import, where a teacher says which column is which."""
    return csv_text(learner_lines(rows, "username"))


def as_gradebook(rows: list[TableRow], gradebook: list[list[str]]) -> str:
    """The people of an exported gradebook, with a column for each notebook, to be imported.

    gradebook: what `read_gradebook` gave: a head, and a line for each person.
    """
    notebooks, solved = handed_in(rows), lower_keys(by_learner(rows))
    head, *people = gradebook
    lines = [[*head, *notebooks]]
    for person in people:
        if person[0].strip() == POINTS:
            counts = [len(exercises_in(notebook)) for notebook in notebooks]
        else:
            mine = next((solved[name] for name in names_for(person) if name in solved), {})
            counts = [mine.get(notebook, "") for notebook in notebooks]
        lines.append([*person, *counts])
    return csv_text(lines)


def names_for(person: list[str]) -> list[str]:
    """What a learner may be called: any of a person's fields, or the first two of them."""
    return [name.strip().lower() for name in (*person, " ".join(person[:2])) if name.strip()]


def lower_keys(values: dict) -> dict:
    """The same under keys in small letters."""
    return {key.lower(): value for key, value in values.items()}


def unknown_learners(rows: list[TableRow], gradebook: list[list[str]]) -> list[str]:
    """The learners that a gradebook does not know."""
    known = {name for person in gradebook[1:] for name in names_for(person)}
    return [learner for learner in by_learner(rows) if learner.lower() not in known]


def read_gradebook(path: Path, system: str) -> list[list[str]]:
    """An exported gradebook's columns that tell people; ValueError if there are not two of them.

    system: "canvas" or "moodle".
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file) if line]
    head = lines[0] if lines else []
    places = [head.index(name) for name in PEOPLE[system] if name in head]
    if len(places) < 2:
        wanted = ", ".join(PEOPLE[system])
        raise ValueError(f"{path} is no gradebook of {system}: it needs two columns of {wanted}")
    return [[line[place] if place < len(line) else "" for place in places] for line in lines]


FORMATS = {
    "table": as_table,
    "csv": as_csv,
    "json": as_json,
    "learners": as_learners,
    "moodle": as_moodle,
    "canvas": as_gradebook,
}
