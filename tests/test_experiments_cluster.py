"""Workers of Dask run experiments side by side: one is killed, nothing is lost or counted twice."""

import io
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
import torch

from stn_course.cluster import client
from stn_course.experiments import Experiment, paper, run
from stn_course.experiments.results import load_results
from stn_course.experiments.whole import cluster
from stn_course.experiments.whole.board import Board

CELLS = [("R", "st-fcn", "affine"), ("R", "fcn", "none"), ("P", "fcn", "none")]


@pytest.fixture
def waiting() -> list[Experiment]:
    """Three runs of a few seconds, so that two workers have one left when one of them dies."""
    recipe = replace(paper.BASE, epochs=40, batch_size=64)
    return [Experiment(*cell, 0, recipe, few=64) for cell in CELLS]


@pytest.fixture
def one_thread():
    """As Dask has its workers compute: on more, sums are added up in another order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def two_workers():
    """Their cluster."""
    with client(None, 2) as dask:
        yield dask.cluster


def kill_one(two_workers, folder, killed: list[int]) -> None:
    """Who has done an epoch of some run, and is not done with it."""
    while not (begun := list(folder.glob("*.checkpoint"))):
        time.sleep(0.01)
    tasks = two_workers.scheduler.tasks.values()
    busy = next(task for task in tasks if task.key[-1] == begun[0].stem).processing_on
    killed.append(two_workers.workers[busy.name].pid)
    os.kill(killed[0], signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that kills")
def test_what_a_killed_worker_ran_is_run_again(waiting, two_workers, one_thread, tmp_path):
    board, killed = Board(waiting, 2, io.StringIO()), []
    killer = threading.Thread(target=kill_one, args=(two_workers, tmp_path, killed), daemon=True)
    killer.start()
    cluster.on_workers(waiting, tmp_path, board, two_workers.scheduler_address)
    killer.join()
    assert killed[0] not in {worker.pid for worker in two_workers.workers.values()}
    assert board.of_state("done") == [e.name for e in waiting]
    assert all(run.share > 0 for run in board.runs.values())
    results = load_results(tmp_path, waiting)
    assert {p.name for p in tmp_path.iterdir()} == {f"{e.name}.json" for e in waiting}
    assert any(result.cpu_seconds is None for result in results)  # one was gone on with
    assert [r.error for r in results] == [run(e, "cpu").error for e in waiting]


def test_a_run_that_fails_is_told_and_the_others_go_on(two_workers, tmp_path):
    good = Experiment(*CELLS[1], 0, replace(paper.BASE, epochs=1, batch_size=64), few=64)
    bad = replace(good, seed=1, recipe=replace(good.recipe, optimizer="adam"))
    board = Board([bad, good], 2, io.StringIO())
    cluster.on_workers([bad, good], tmp_path, board, two_workers.scheduler_address)
    assert board.of_state("done") == [good.name]
    assert "optimizer must be one of 'sgd', 'adamw'; got 'adam'" in board.runs[bad.name].error
    assert load_results(tmp_path, [bad, good])[0].experiment == good
