"""The whole table, from a terminal: `stn-course paper --help`."""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from stn_course.experiments.paper import Experiment, experiments
from stn_course.experiments.results import STORED, load_results
from stn_course.experiments.whole.board import Board
from stn_course.experiments.whole.cluster import on_workers, one_by_one
from stn_course.experiments.whole.table import to_table

FEW, STEPS = 64, 2  # of a quick run: digits, and steps over all of them


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="stn-course paper",
        description="Run the paper's table, and print ours beside it. It takes days; what was "
        "interrupted, at any moment, goes on.",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="a file for each run, written when it is done; gone on with if there "
        "(paper_results; with --show what comes with the course)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="each cell for two steps, to see that all works; nothing is kept",
    )
    parser.add_argument("--show", action="store_true", help="run nothing, print what there is")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=int,
        help="so many runs side by side on this machine (as many as it has cores); "
        "0 for one by one, without Dask",
    )
    where.add_argument(
        "--scheduler", help="a cluster of Dask's instead, such as tcp://10.0.0.1:8786"
    )
    asked = parser.parse_args(arguments)
    if asked.workers is not None and asked.workers < 0:
        parser.error(f"--workers must be 0 or more; got {asked.workers}")
    return asked


def quick(experiment: Experiment) -> Experiment:
    """The same for a few steps."""
    recipe = replace(experiment.recipe, epochs=STEPS, batch_size=FEW)
    return replace(experiment, few=FEW, recipe=recipe)


def make_table(asked: argparse.Namespace, folder: Path) -> int:
    """Run what is missing, and print the table; 1 if something failed, else 0."""
    every = [quick(e) for e in experiments(seeds=(0,))] if asked.quick else experiments()
    workers = (os.cpu_count() or 1) if asked.workers is None else asked.workers
    board = Board(every, max(1, workers), sys.stdout)
    for result in load_results(folder, every):
        board.done(result)
    waiting = [e for e in every if e.name in board.of_state("left")]
    if waiting and not asked.show:
        if asked.scheduler or (workers and not asked.quick):
            on_workers(waiting, folder, board, asked.scheduler)
        else:
            one_by_one(waiting, folder, board)
        board.show(last=True)
    print(to_table(load_results(folder, every)))
    return 1 if board.of_state("failed") else 0


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 if no run failed, 130 if interrupted."""
    asked = parse(arguments)
    try:
        if asked.quick:
            with tempfile.TemporaryDirectory() as folder:
                return make_table(asked, Path(folder))
        folder = asked.results or (STORED if asked.show else Path("paper_results"))
        folder.mkdir(parents=True, exist_ok=True)
        return make_table(asked, folder)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except ImportError as error:
        sys.exit(f"stn-course paper: {error}; pip install 'stn_course[paper]', or --workers 0")
    except (OSError, ValueError) as error:
        sys.exit(f"stn-course paper: {error}")


if __name__ == "__main__":
    sys.exit(main())
