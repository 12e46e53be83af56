"""A table: rows of networks, digits and epochs, several seeds each; made one run at a time."""

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stn_course import training
from stn_course.comparison.runs import Row, add_run, new_row, seconds_an_epoch
from stn_course.device import choose_device, describe_device
from stn_course.files import write_atomically
from stn_course.training.loop import Digits

RESULTS = Path(__file__).resolve().parent.parent / "results"  # what comes with the package
# Student's t for a 95 % interval of a mean, by how many values it is the mean of.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}


@dataclass(frozen=True)
class Plan:
    """What a table compares.

    digits: names in CONDITIONS. epochs: of the reference. as_often: who sees the digits as often.
    as_long: who gets as much time as it takes. seeds: of each row. reference: a network's name.
    """

    digits: tuple[str, ...]
    epochs: float
    as_often: tuple[str, ...]
    as_long: tuple[str, ...]
    seeds: tuple[int, ...]
    reference: str = "transformer"


def _families(digits: str) -> Plan:
    """Every family of transformations, and none, for as long as the affine one takes."""
    others = ("attention", "projective", "tps", "plain")
    return Plan((digits,), 3, (), others, (0, 1, 2), "affine")


def _on_turned(digits: str, epochs: float, seeds: int = 3) -> Plan:
    """Who is told nothing, who undoes a turn, and who knows of turns beforehand."""
    return Plan((digits,), epochs, (), ("plain", "polar", "four-turns"), tuple(range(seeds)))


TABLES = {
    "turned": Plan(
        ("upright", "turned30", "turned90"), 4, ("plain", "larger"), ("plain",), (0, 1, 2, 3, 4)
    ),
    "clutter": Plan(("clutter",), 10, ("pooled",), ("plain", "pooled"), (0, 1, 2)),
    "projected": _families("projected"),
    "elastic": _families("elastic"),
    "polar": Plan(("turned90",), 2, (), ("polar", "plain"), (0, 1, 2)),
    "symmetry": _on_turned("turned90", 2),
    "few": _on_turned("turned90-few", 1),
    "few-any-angle": _on_turned("turned180-few", 1, seeds=5),
    "deformable": Plan(("turned90",), 0.8, (), ("ordinary",), (0, 1, 2), "deformable"),
}


@dataclass
class Comparison:
    """The rows, and what they were made with."""

    versions: dict[str, str]
    hardware: str
    rows: list[Row]

    @property
    def runs(self) -> int:
        """How many have been made."""
        return sum(len(row.seeds) for row in self.rows)


def plan_rows(plan: Plan, device: torch.device, train: Digits | None = None) -> list[Row]:
    """The rows of a table before their first runs: equal epochs, then equal time."""
    rows = []
    for digits in plan.digits:
        for name in (*plan.as_often, plan.reference):
            rows.append(new_row(digits, name, plan.epochs))
        own, *seconds = seconds_an_epoch(digits, [plan.reference, *plan.as_long], device, train)
        for name, value in zip(plan.as_long, seconds, strict=True):
            rows.append(new_row(digits, name, round(plan.epochs * own / value, 1)))
    return rows


def compare(
    name: str,
    path: Path | None = None,
    device: str | None = None,
    train: Digits | None = None,
    test: Digits | None = None,
    done: Callable[[Comparison], None] = lambda comparison: None,
) -> Comparison:
    """Make a table; with a path, go on with the one begun there, and write it after each run.

    name: of the plan, in TABLES. train, test: images (N, 1, 28, 28) from 0 to 1 and labels, all of
    MNIST by default. done: called after each run.
    """
    chosen, plan = choose_device(device), TABLES[name]
    if path and path.exists():
        found = load_comparison(path)
    else:
        versions, hardware = training.history.versions(), describe_device(chosen)
        found = Comparison(versions, hardware, plan_rows(plan, chosen, train))
    for seed in plan.seeds:  # every row early, with few seeds, rather than few rows with all
        for row in found.rows:
            if seed not in row.seeds:
                add_run(row, seed, chosen, train, test)
                if path:
                    save_comparison(found, path)
                done(found)
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean of 2 to 5 values and half the width of its 95 % interval (Student's t)."""
    if len(values) not in STUDENT:
        raise ValueError(f"an interval needs 2 to 5 values; got {len(values)}")
    error = statistics.stdev(values) / len(values) ** 0.5
    return statistics.mean(values), STUDENT[len(values)] * error


def difference_of_means(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """How much larger the first mean is, and half the width of the 95 % interval of that.

    Each of 2 to 5 values, whose variances need not be equal; with as few degrees of freedom as the
    shorter has, which is on the safe side. Two intervals may overlap and their means differ all
    the same: the interval of the difference is narrower than both together.
    """
    (mean, half), (other, width) = interval(first), interval(second)
    error = math.hypot(half / STUDENT[len(first)], width / STUDENT[len(second)])
    return mean - other, STUDENT[min(len(first), len(second))] * error


def to_markdown(comparison: Comparison) -> str:
    """The comparison in Markdown, a row a network: means with 95 % intervals over the seeds."""
    measures = list(dict.fromkeys(name for row in comparison.rows for name in row.measured))
    heads = ["digits", "network", "parameters", "million multiply-adds", "epochs"]
    heads += ["seconds of CPU time", "error, %", *measures]
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for row in comparison.rows:
        mean, half = interval(row.errors)
        cells = [row.digits, row.network, f"{row.parameters:,}", f"{row.multiply_adds / 1e6:.1f}"]
        cells += [f"{row.epochs:g}", f"{statistics.median(row.cpu_seconds):.0f}"]
        cells += [f"{mean:.2f} ± {half:.2f}", *(_mean(row.measured.get(m)) for m in measures)]
        lines.append("| " + " | ".join(cells) + " |")
    seeds, torch_version = len(comparison.rows[0].seeds), comparison.versions["torch"]
    made = f"Means of {seeds} seeds with 95 % intervals; medians of the CPU time"
    return "\n".join([*lines, "", f"{made}. {comparison.hardware}, torch {torch_version}."])


def _mean(values: list[float] | None) -> str:
    return f"{statistics.mean(values):.2f}" if values else "-"


def save_comparison(comparison: Comparison, path: Path) -> None:
    """Write it as JSON, all or nothing."""
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(asdict(comparison), indent=1) + "\n"
    write_atomically(path, text.encode())


def load_comparison(path: Path | str = "turned") -> Comparison:
    """A table from its file, or by its name in TABLES the one that the package carries."""
    path = RESULTS / f"{path}.json" if isinstance(path, str) else path
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = [Row(**row) for row in content.pop("rows")]
    return Comparison(**content, rows=rows)
