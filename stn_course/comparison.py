"""With and without a transformer: the same recipe, epochs and seeds, on upright and turned digits.

`stn-course table` makes the table anew, `make table` stores it here; notebook 05 reads it.
"""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from stn_course import training
from stn_course.alignment import pose_spread, undoing
from stn_course.data import denormalise, load_digits, normalise, random_rotation
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.files import write_atomically
from stn_course.models import PlainNet, TutorialNet, count_parameters
from stn_course.transforms import to_pose

STORED = Path(__file__).parent / "results" / "comparison.json"
SEEDS = (0, 1, 2)
LIMIT = 90  # degrees, to both sides
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "plain": PlainNet,
    "plain, as many parameters": lambda: PlainNet(hidden=67),
    "with transformer": lambda: TutorialNet(padding_mode="border"),
}
# Which digits, by which recipe, for how many epochs: the same for all networks.
BUDGETS = [("upright", "course", 2), ("turned", "course", 6), ("turned", "rotated", 6)]
# Student's t for a 95 % interval of a mean, by how many values it is the mean of.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}


@dataclass
class Row:
    """What one network reached on one kind of digits, one value a seed.

    errors: on the test digits, in percent. seconds: of training. angle_spreads: of the pictures
    that the classifier sees, see `alignment.pose_spread`; correlations: of the turn with the grid's
    turn, for turned digits and a network with a transformer.
    """

    digits: str
    recipe: str
    epochs: int
    network: str
    parameters: int
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    angle_spreads: list[float] = field(default_factory=list)
    correlations: list[float] = field(default_factory=list)


@dataclass
class Comparison:
    """The rows, and what they were made with."""

    seeds: list[int]
    versions: dict[str, str]
    hardware: str
    rows: list[Row]


def compare(
    budgets: Sequence[tuple[str, str, int]] = BUDGETS,
    seeds: Sequence[int] = SEEDS,
    train: training.loop.Digits | None = None,
    test: training.loop.Digits | None = None,
    device: str | None = None,
    done: Callable[[], None] = lambda: None,
) -> Comparison:
    """Train every network on every budget with every seed; about 12 minutes on 2 cores.

    train, test: images (N, 1, 28, 28) from 0 to 1 and labels, all of MNIST by default.
    done: called after each of the runs.
    """
    device = choose_device(device)
    train = train or load_digits("train", device)
    test = test or load_digits("test", device)
    rows = [
        Row(*budget, name, count_parameters(make()))
        for budget in budgets
        for name, make in NETWORKS.items()
    ]
    for row in rows:
        for seed in seeds:
            add_run(row, seed, train, test, device)
            done()
    versions = training.history.versions()
    return Comparison(list(seeds), versions, describe_device(device), rows)


def add_run(row: Row, seed: int, train, test, device: torch.device) -> None:
    """Train the row's network with one seed, and write down what came of it."""
    distort = random_rotation(LIMIT) if row.digits == "turned" else None
    images, labels = test
    degrees = torch.zeros(len(images))
    if distort is not None:
        images, degrees = distort(images, torch.Generator().manual_seed(1))
    seed_everything(seed)
    model = NETWORKS[row.network]()
    history = training.fit(
        model,
        row.recipe,
        train=train,
        test=(images, labels),
        distort=distort,
        epochs=row.epochs,
        seed=seed,
        device=device,
        progress=False,
    )
    row.errors.append(100 * (1 - history.accuracy))
    row.seconds.append(history.seconds[-1])
    measure_alignment(row, model, images, degrees)


@torch.no_grad()
def measure_alignment(row: Row, model: nn.Module, images, degrees) -> None:
    """How alike the pictures lie that the classifier sees, and what the grid does to the turn."""
    seen = images
    if isinstance(model, TutorialNet):
        model.eval()
        seen = denormalise(model.stn(normalise(images))).clamp(0, 1)
        if degrees.any():
            found = undoing(degrees, to_pose(model.theta).rotation)
            row.correlations.append(found.correlation)
    row.angle_spreads.append(pose_spread(seen).angle)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean of 2 to 5 values and half the width of its 95 % interval (Student's t)."""
    if len(values) not in STUDENT:
        raise ValueError(f"an interval needs 2 to 5 values; got {len(values)}")
    error = statistics.stdev(values) / len(values) ** 0.5
    return statistics.mean(values), STUDENT[len(values)] * error


def to_markdown(comparison: Comparison) -> str:
    """The comparison in Markdown, a row a network: means with 95 % intervals over the seeds."""
    lines = [
        "| digits | recipe, epochs | network | parameters | error, % | seconds | spread of the "
        "axes that the classifier sees | correlation, turn and grid |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in comparison.rows:
        mean, half = interval(row.errors)
        turn = f"{statistics.mean(row.correlations):.2f}" if row.correlations else "-"
        lines.append(
            f"| {row.digits} | {row.recipe}, {row.epochs} | {row.network} | {row.parameters:,} | "
            f"{mean:.2f} ± {half:.2f} | {statistics.median(row.seconds):.0f} | "
            f"{statistics.mean(row.angle_spreads):.0f}° | {turn} |"
        )
    seeds = ", ".join(map(str, comparison.seeds))
    lines += ["", f"Seeds {seeds}; {comparison.hardware}, torch {comparison.versions['torch']}."]
    return "\n".join(lines)


def save_comparison(comparison: Comparison, path: Path = STORED) -> None:
    """Write it as JSON, all or nothing."""
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(asdict(comparison), indent=1) + "\n"
    write_atomically(path, text.encode())


def load_comparison(path: Path = STORED) -> Comparison:
    """The table that the package carries."""
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = [Row(**row) for row in content.pop("rows")]
    return Comparison(**content, rows=rows)
