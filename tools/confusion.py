"""Hold the detector to the museum: python tools/confusion.py [--seeds 0 1 2 3 4]

Trains every exhibit and every healthy run of `stn_course.museum` with each seed, some ten minutes
on one core, and writes what the detector found into stn_course/results/museum.json.
"""

import argparse
import json
from dataclasses import asdict

from stn_course.museum.detector import HEALTHY_RUNS, RESULT, SEEDS, count, runs_of_exhibits


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    seeds = parser.parse_args(arguments).seeds
    whole = count([], seeds)
    for name in [*runs_of_exhibits(), *HEALTHY_RUNS]:
        one = count([name], seeds)
        whole.runs |= one.runs
        whole.found |= one.found
        print(f"{name}: {one.found[name] or 'nothing'} in {one.runs[name]} runs", flush=True)
    RESULT.write_text(json.dumps(asdict(whole), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
