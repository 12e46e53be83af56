"""Co-localisation, from a terminal: `stn-course colocalise --help`."""

import argparse
import sys
from pathlib import Path

from stn_course.device import available_devices
from stn_course.experiments.colocalisation.learning import Found, colocalise
from stn_course.experiments.colocalisation.results import load_found, save_found
from stn_course.experiments.colocalisation.search import PRINTED, SETS, ZOOMS, Search


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="stn-course colocalise",
        description="Find the digits in pictures of one class, told neither the class nor a place, "
        "and print a line for each class: how many boxes are right.",
    )
    parser.add_argument("--set", choices=SETS, default="TC", help="without or with clutter (TC)")
    parser.add_argument(
        "--digit",
        type=int,
        choices=range(10),
        help="one class (all ten, half a minute of CPU time each)",
    )
    parser.add_argument(
        "--zoom",
        type=float,
        default=ZOOMS[0],
        help="by which factor a box may differ from 28×28 pixels; "
        "1.65 to learn its size, as the paper does (1)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=available_devices(), help="by default the fastest")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="keep a file for each class there; a class that is done is shown",
    )
    return parser.parse_args(arguments)


def line(found: Found) -> str:
    """What came of it, for people."""
    search, (low, high) = found.search, PRINTED[found.search.set]
    paper = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"{search.set}, digit {search.digit}, zoom {search.zoom:g}, seed {search.seed}: "
        f"{found.share:.0f} % of boxes right (paper {paper} %), {found.seconds:.0f} s, "
        f"{found.cpu_seconds:.0f} s of CPU time, torch {found.versions['torch']}, {found.hardware}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Search each class that was asked for, and print its line."""
    asked = parse(arguments)
    if asked.results:
        asked.results.mkdir(parents=True, exist_ok=True)
    for digit in range(10) if asked.digit is None else [asked.digit]:
        search = Search(asked.set, digit, asked.zoom, asked.seed)
        found = asked.results and load_found(asked.results, search)
        if not found:
            found = colocalise(search, asked.device)
            if asked.results:
                save_found(asked.results, found)
        print(line(found), flush=True)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"stn-course colocalise: {error}")
