"""Results as a table, ours beside the paper's."""

from collections.abc import Sequence

from stn_course.comparison import interval
from stn_course.experiments.paper import OURS, SETS, printed
from stn_course.experiments.results import by_cell
from stn_course.experiments.running import Finding


def to_table(results: Sequence[Finding]) -> str:
    """Our errors in Markdown, the paper's in brackets, and in words where our runs differ.

    Of several seeds the mean with its 95 % interval. A cell that is above the paper says so, see
    `standing`.
    """
    cells, ours = printed(), by_cell(results)
    rows = list(dict.fromkeys(cell[1:] for cell in cells))
    lines = ["| network | transformation | " + " | ".join(SETS) + " |"]
    lines.append("| --- " * (len(SETS) + 2) + "|")
    for row in rows:
        found = [_cell(cells, (digits, *row), ours) for digits in SETS]
        lines.append("| " + " | ".join([*row, *found]) + " |")
    sets = [f"- **{name}**: {digits.says}." for name, digits in SETS.items()]
    differing = [f"- {words}" for words in OURS]
    return "\n".join([*lines, "", cost(results), "", *sets, "", "What is ours:", "", *differing])


def _cell(cells: dict, cell: tuple[str, str, str], ours: dict) -> str:
    """One cell of the table."""
    if cell not in cells:
        return ""
    errors = [result.error for result in ours.get(cell, [])]
    paper = cells[cell]
    beside = "-" if paper is None else f"{paper:.1f}"
    if not errors:
        return f"not run ({beside})"
    mean, half = interval(errors) if len(errors) > 1 else (errors[0], None)
    found = f"{mean:.2f}" + ("" if half is None else f" ± {half:.2f}")
    stands = "" if paper is None else standing(errors, paper)
    return f"{found} ({', '.join(filter(None, (beside, stands)))})"


def standing(errors: Sequence[float], paper: float) -> str:
    """How the mean error of some seeds stands to the paper's: "" where it is at most that.

    Else "within", where the paper's lies in the 95 % interval, or "above".
    """
    mean, half = interval(errors) if len(errors) > 1 else (errors[0], 0.0)
    if round(mean, 2) <= paper:
        return ""
    return "within" if mean - half <= paper else "above"


def cost(results: Sequence[Finding]) -> str:
    """How long it took, where, and by which versions."""
    hours = sum(result.seconds for result in results) / 3600
    hardware = sorted({result.hardware for result in results})
    versions = sorted({f"torch {result.versions['torch']}" for result in results})
    seeds = f"{len(results)} runs" if len(results) != 1 else "1 run"
    made = "; ".join([*hardware, *versions])
    return f"Errors in %, the paper's in brackets. {seeds}, {hours:.1f} hours. {made}".rstrip()
