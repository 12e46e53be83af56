"""Runs experiments side by side, on workers of Dask, or one by one.

Whoever asked writes the results, so none is lost or counted twice: a worker that dies is replaced,
and what it ran is run again, from its checkpoint where the new one finds it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stn_course import cluster
from stn_course.experiments.paper import Experiment
from stn_course.experiments.results import checkpoint_path, full_name, save_result
from stn_course.experiments.running import Finding, run
from stn_course.experiments.whole.board import Board


def one_by_one(experiments: Sequence[Experiment], folder: Path, board: Board) -> None:
    """One after the other, in this process, without Dask."""
    for experiment in experiments:

        def tell(share: float, left: float, name: str = experiment.name) -> None:
            board.runs_on(name, share, left)
            board.show()

        try:
            result = run(experiment, None, checkpoint_path(folder, experiment), tell)
        except (RuntimeError, ValueError) as error:  # the others go on
            board.failed(experiment.name, repr(error))
        else:
            save_result(folder, result)
            board.done(result)
        board.show()


def on_workers(
    experiments: Sequence[Experiment],
    folder: Path,
    board: Board,
    scheduler: str | None = None,
) -> None:
    """Side by side, on this machine or on the cluster of a scheduler, such as tcp://10.0.0.1:8786.

    A checkpoint is written where a worker sees the folder. ImportError without Dask.
    """
    named = {full_name(experiment): experiment for experiment in experiments}

    def told(name: str, share: float, left: float) -> None:
        board.runs_on(named[name].name, share, left)

    def done(name: str, content: dict | None, error: BaseException | None) -> None:
        if error is not None:
            return board.failed(named[name].name, repr(error))
        save_result(folder, result := Finding.from_content(content))
        return board.done(result)

    job = partial(run_on_worker, folder=folder.resolve())
    cluster.each_on_workers(job, named, done, told, board.show, board.workers, scheduler)


def run_on_worker(experiment: Experiment, line: cluster.Line, folder: Path) -> dict:
    """What a worker does."""
    checkpoint = checkpoint_path(folder, experiment) if folder.is_dir() else None
    return run(experiment, None, checkpoint, line.tell).to_content()
