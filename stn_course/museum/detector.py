"""The detector put to the test: does it name each exhibit, and is it silent on healthy runs?"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from torch import nn

from stn_course.clutter import random_clutter
from stn_course.data import random_elastic, random_projection, random_rotation
from stn_course.data.distortions import Distortion
from stn_course.models import (
    AdditionNet,
    AttentionNet,
    PlainNet,
    SpatialTransformer,
    TutorialNet,
    load_straightener,
    localization_cnn,
    straighten_first,
)
from stn_course.museum.collection import EXHIBITS
from stn_course.museum.runs import QUICK, TURNED, Trial, train
from stn_course.museum.trained import CLUTTER, LONG, PAIRS
from stn_course.training import RECIPES

RESULT = Path(__file__).resolve().parent.parent / "results" / "museum.json"
SEEDS = (0, 1, 2)
KINDS = (
    *("initialisation", "learning rate", "padding", "spread"),
    *("bypassed", "twins", "memorised", "answers", "idle"),
)


def upright(images, generator):
    """A distortion that leaves digits upright."""
    return images, None


def frozen(part: str) -> TutorialNet:
    """The straightener, of which one part does not learn: "localization" or "classifier"."""
    model = load_straightener().requires_grad_(True)
    for name, parameter in model.named_parameters():
        chooses = name.split(".")[0] in ("localization", "fc_loc")
        parameter.requires_grad_(chooses == (part == "classifier"))
    return model


def in_a_row() -> nn.Sequential:
    """Two transformers, one behind the other, and a classifier."""
    pair = (SpatialTransformer(localization_cnn(1), padding_mode="border") for _ in range(2))
    return nn.Sequential(*pair, PlainNet())


def _by(recipe: str, **changed) -> Trial:
    return Trial(recipe=replace(RECIPES[recipe], batch_size=64, epochs=4, **changed))


def _on(distort: Distortion, make=TutorialNet, recipe=QUICK, **options) -> Trial:
    return Trial(make, recipe, distort, **options)


HEALTHY_RUNS = {
    "upright, zeros": _on(upright),
    "upright, border": _on(upright, EXHIBITS["tanh"].mended.make),
    "turned by 30°, zeros": _on(random_rotation(30)),
    "turned by 30°, border": _on(random_rotation(30), EXHIBITS["tanh"].mended.make),
    "turned by 90°, zeros": _on(TURNED),
    "turned by 90°, border": Trial(),
    "recipe tutorial": _by("tutorial"),
    "recipe course": _by("course"),
    "recipe sprint": _by("sprint"),
    "recipe rotated": _by("rotated"),
    "long, small batches": Trial(recipe=LONG),
    "500 digits, turned anew": Trial(recipe=LONG, digits=500),
    "no transformer": _on(TURNED, PlainNet),
    "frozen classifier": _on(TURNED, partial(frozen, "classifier")),
    "frozen transformer": _on(TURNED, partial(frozen, "localization")),
    "two in a row": _on(TURNED, in_a_row),
    "projective": _on(random_projection(), partial(straighten_first, "projective")),
    "thin plate spline": _on(random_elastic(), partial(straighten_first, "tps")),
    "clutter": _on(random_clutter(), AttentionNet, CLUTTER),
    "a sum, started apart": _on(PAIRS, AdditionNet, CLUTTER, paired=True),
}


@dataclass
class Confusion:
    """What the detector found in the runs of each exhibit, and in healthy runs.

    Attributes:
        runs: how many there were of each, by its name.
        named: in how many of them it found one of the kinds by which it is to name the exhibit.
        found: in how many of them it found each kind, by name and kind.
    """

    runs: dict[str, int]
    named: dict[str, int]
    found: dict[str, dict[str, int]]

    @property
    def false_alarms(self) -> int:
        """How many findings there are in healthy runs."""
        return sum(sum(self.found[name].values()) for name in HEALTHY_RUNS)

    def to_markdown(self) -> str:
        """A row an exhibit, a column a finding; all healthy runs are one row."""
        heads = ["exhibit", "runs", *KINDS]
        rows = [(EXHIBITS[n].title, self.runs[n], self.found[n]) for n in runs_of_exhibits()]
        healthy = sum(self.runs[name] for name in HEALTHY_RUNS)
        alarms = {k: sum(self.found[n].get(k, 0) for n in HEALTHY_RUNS) for k in KINDS}
        rows.append((f"{len(HEALTHY_RUNS)} healthy networks", healthy, alarms))
        lines = [heads, ["---"] * len(heads)]
        for title, runs, found in rows:
            lines.append([title, str(runs), *(str(found.get(kind) or "") for kind in KINDS)])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def runs_of_exhibits() -> dict[str, Trial]:
    """The exhibits that are trained here, broken, by name."""
    broken = {name: exhibit.broken for name, exhibit in EXHIBITS.items()}
    return {name: trial for name, trial in broken.items() if isinstance(trial, Trial)}


def findings(trial: Trial, seed: int) -> list[str]:
    """What the detector finds in a run of that seed, by kind."""
    run = replace(trial, seed=seed, measures=(), live=True)
    return list(train.__wrapped__(run)[1].findings)


def tally(names: Iterable[str], seeds: Iterable[int] = SEEDS) -> Confusion:
    """Train each of the exhibits and healthy runs with each seed.

    Args:
        names: of EXHIBITS that are trained, or of HEALTHY_RUNS.
        seeds: of each.

    Returns:
        What was found.
    """
    trials, seeds = runs_of_exhibits() | HEALTHY_RUNS, list(seeds)
    confusion = Confusion({}, {}, {})
    for name in names:
        runs = [findings(trials[name], seed) for seed in seeds]
        wanted = set(EXHIBITS[name].finds) if name in EXHIBITS else set()
        kinds = [kind for run in runs for kind in run]
        confusion.runs[name] = len(seeds)
        confusion.named[name] = sum(bool(wanted & set(run)) for run in runs)
        confusion.found[name] = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return confusion


def load_confusion(path: Path = RESULT) -> Confusion:
    """The table that comes with the package; `tools/museum.py` makes it.

    Args:
        path: its file.

    Returns:
        The table.
    """
    return Confusion(**json.loads(path.read_text(encoding="utf-8")))
