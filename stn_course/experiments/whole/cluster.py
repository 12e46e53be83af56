"""Runs experiments side by side: on workers of Dask, here or on a cluster, or one by one.

Whoever asked writes the results, so none is lost or counted twice: a worker that dies is replaced,
and what it ran is run again, from its checkpoint where the new one finds it.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from stn_course.experiments.paper import Experiment
from stn_course.experiments.results import checkpoint_path, full_name, save_result
from stn_course.experiments.running import Finding, run
from stn_course.experiments.whole.board import Board

EVERY = 5.0  # seconds between two words of a worker, and between two looks at the table
DEATHS = 100  # so many workers may die under one experiment, which need not be its fault


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
    from distributed import wait

    with client(scheduler, board.workers) as dask:
        topic = f"progress-{dask.id}"  # Dask itself speaks under the id
        dask.subscribe_topic(topic, lambda event: board.runs_on(*event[1]))
        # Keys of one group wait at the scheduler, in their order, until a worker is free.
        waiting = {
            dask.submit(
                run_on_worker,
                e,
                folder.resolve(),
                topic,
                key=("experiment", full_name(e)),
                priority=-place,
            ): e
            for place, e in enumerate(experiments)
        }
        while waiting:
            with contextlib.suppress(TimeoutError):
                wait(list(waiting), timeout=EVERY, return_when="FIRST_COMPLETED")
            for future in [future for future in waiting if future.done()]:
                collect(future, waiting.pop(future), folder, board)
            board.show()


@contextlib.contextmanager
def client(scheduler: str | None, workers: int) -> Iterator:
    """A client of Dask's, of that scheduler, or of as many workers here, ended with it."""
    import dask
    from distributed import Client, LocalCluster

    if scheduler:
        with Client(scheduler) as found:
            yield found
        return
    # The board says what there is to say. Without a limit of memory, nothing is killed for it.
    quiet = {"silence_logs": logging.CRITICAL, "dashboard_address": None}
    options = {"threads_per_worker": 1, "memory_limit": 0, **quiet}
    with (
        dask.config.set(
            {
                "distributed.scheduler.allowed-failures": DEATHS,
                "distributed.scheduler.worker-saturation": 1.0,  # none is dealt out beforehand
            }
        ),
        LocalCluster(n_workers=workers, **options) as cluster,
        Client(cluster) as found,
    ):
        yield found


def run_on_worker(experiment: Experiment, folder: Path, topic: str) -> dict:
    """What a worker does; under the topic it says now and then how far it is."""
    from distributed import get_worker

    worker, last = get_worker(), 0.0

    def tell(share: float, left: float) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            worker.log_event(topic, (experiment.name, share, left))

    checkpoint = checkpoint_path(folder, experiment) if folder.is_dir() else None
    return run(experiment, None, checkpoint, tell).to_content()


def collect(future, experiment: Experiment, folder: Path, board: Board) -> None:
    """Write down what came of one."""
    if future.status == "finished":
        result = Finding.from_content(future.result())
        save_result(folder, result)
        board.done(result)
    else:
        board.failed(experiment.name, repr(future.exception()))
    future.release()
