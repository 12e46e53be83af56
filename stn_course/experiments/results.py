"""Results in a folder: a JSON file for each experiment, whole or not there."""

import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from stn_course.experiments.paper import Experiment
from stn_course.experiments.running import Finding
from stn_course.files import write_atomically

T = TypeVar("T")
STORED = Path(__file__).resolve().parent.parent / "results" / "paper"  # comes with the package


def result_path(folder: Path, experiment: Experiment) -> Path:
    """The file of its result."""
    return folder / f"{experiment.name}.json"


def full_name(experiment: Experiment) -> str:
    """A name for it that changes with the recipe, and with all else that it says."""
    said = json.dumps(asdict(experiment), sort_keys=True)
    return f"{experiment.name}.{zlib.crc32(said.encode()):08x}"


def checkpoint_path(folder: Path, experiment: Experiment) -> Path:
    """The file that a run goes on from."""
    return folder / f"{full_name(experiment)}.checkpoint"


def save_result(folder: Path, result: Finding) -> None:
    """Write the result, all or nothing; what it was gone on from is no longer needed."""
    text = json.dumps(result.to_content(), indent=1) + "\n"
    write_atomically(result_path(folder, result.experiment), text.encode())
    checkpoint_path(folder, result.experiment).unlink(missing_ok=True)


def read_result(path: Path, from_content: Callable[[dict], T]) -> T | None:
    """What a file of JSON holds, made by `from_content`; None without a file."""
    try:
        return from_content(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no result; move it away: {error!r}") from error


def load_result(folder: Path, experiment: Experiment) -> Finding | None:
    """What came of exactly this experiment; None if it was not run, or by another recipe."""
    found = read_result(result_path(folder, experiment), Finding.from_content)
    return found if found is not None and found.experiment == experiment else None


def load_results(folder: Path, experiments: Iterable[Experiment]) -> list[Finding]:
    """Of these experiments, what came of those that have been run."""
    found = (load_result(folder, experiment) for experiment in experiments)
    return [result for result in found if result is not None]


def by_cell(results: Iterable[Finding]) -> dict[tuple[str, str, str], list[Finding]]:
    """The results of each cell of the table, its seeds one after the other."""
    cells: dict[tuple[str, str, str], list[Finding]] = {}
    for result in results:
        cells.setdefault(result.experiment.cell, []).append(result)
    return cells
