"""Hold the detector to the museum: python tools/museum.py [--seeds 0 1 2] [--patients]

Trains every exhibit and every healthy run of `stn_course.museum` with each seed, a quarter of an
hour on one core, and writes what the detector found into stn_course/results/museum.json; goes on
with the file that is there. With --patients it makes the recordings of the exercise instead.
"""

import argparse
import json
from dataclasses import asdict

from stn_course.models import WEIGHTS
from stn_course.museum.detector import (
    HEALTHY_RUNS,
    RESULT,
    SEEDS,
    Confusion,
    load_confusion,
    runs_of_exhibits,
    tally,
)
from stn_course.museum.patients import PATIENTS, unlabelled


def hold_to_the_museum(seeds: list[int]) -> None:
    """The table, one row after another."""
    whole = load_confusion() if RESULT.exists() else Confusion({}, {}, {})
    for name in [*runs_of_exhibits(), *HEALTHY_RUNS]:
        if whole.runs.get(name) == len(seeds):
            continue
        one = tally([name], seeds)
        for part in ("runs", "named", "found"):
            getattr(whole, part).update(getattr(one, part))
        print(f"{name}: {one.found[name] or 'nothing'} in {one.runs[name]} runs", flush=True)
        RESULT.write_text(json.dumps(asdict(whole), indent=1) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--patients", action="store_true")
    chosen = parser.parse_args(arguments)
    if not chosen.patients:
        hold_to_the_museum(chosen.seeds)
        return
    for name in PATIENTS:
        unlabelled(name).save(WEIGHTS / f"{name}.history.pt")


if __name__ == "__main__":
    main()
