"""The workers of a cluster mark a class: one is killed, and each submission gets its row, once."""

import csv
import io
import os
import signal
import threading
import time
from pathlib import Path

import dask
import psutil
import pytest
from handed_in import IMPORT, LESSON, WHICH_WAY, write

from stn_course.cluster import client
from stn_course.marking import __main__ as command

WAITS = """import os, pathlib, time
with open({begun!r}, "a") as file: print(os.getpid(), os.getppid(), file=file)
while not pathlib.Path({go!r}).exists(): time.sleep(0.05)"""


@pytest.fixture(scope="module")
def scheduler():
    """The address of one with two workers."""
    with client(None, 2) as dask_:
        yield dask_.cluster.scheduler_address


@pytest.fixture
def handed_in(tmp_path) -> list[str]:
    """Two notebooks that wait for a file, `go`, when each has written into `begun`."""
    waits = WAITS.format(begun=str(tmp_path / "begun"), go=str(tmp_path / "go"))
    names = ("anna", "bert")
    return [str(write(tmp_path / f"{n}_{LESSON}.ipynb", IMPORT, waits, WHICH_WAY)) for n in names]


def begun(folder: Path, count: int) -> list[tuple[int, int]]:
    """Of each kernel that waits, or has waited: its process, and the worker's; as many as that."""
    file = folder / "begun"
    while not file.exists() or len(lines := file.read_text().splitlines()) < count:
        time.sleep(0.05)
    return [tuple(map(int, line.split())) for line in lines]


def ended(pid: int, seconds: float = 20) -> bool:
    """Whether a process ends by itself within that time."""
    for _ in range(int(seconds / 0.1)):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that kills")
def test_what_a_killed_worker_marked_is_marked_again(scheduler, handed_in, tmp_path):
    killed = []

    def kill_one() -> None:
        killed.extend(begun(tmp_path, 2)[0])
        os.kill(killed[1], signal.SIGKILL)
        begun(tmp_path, 3)
        (tmp_path / "go").touch()

    threading.Thread(target=kill_one, daemon=True).start()
    output = tmp_path / "class.csv"
    options = ["--scheduler", scheduler, "--format", "csv", "--output", str(output)]
    assert command.main([*handed_in, *options]) == 0
    rows = list(csv.DictReader(io.StringIO(output.read_text(encoding="utf-8"))))
    assert [(row["learner"], row["solved"]) for row in rows] == [
        ("anna", "which_way"),
        ("bert", "which_way"),
    ]
    assert all(map(ended, killed))


def test_an_interrupted_run_leaves_no_kernel_and_the_workers_mark_on(
    scheduler, handed_in, tmp_path, monkeypatch
):
    def interrupt(*_):
        raise KeyboardInterrupt

    until = f"import pathlib\nwhile not pathlib.Path({str(tmp_path / 'begun')!r}).exists(): pass"
    third = str(write(tmp_path / f"cleo_{LESSON}.ipynb", until))
    monkeypatch.setattr(command.cluster, "EVERY", 0.5)
    monkeypatch.setattr(command.Results, "add", interrupt)
    assert command.main([handed_in[0], third, "--scheduler", scheduler]) == 130
    assert all(ended(kernel) for kernel, _ in begun(tmp_path, 1))
    monkeypatch.undo()
    (tmp_path / "go").touch()
    assert command.main([handed_in[1], "--scheduler", scheduler]) == 0


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "http://127.0.0.1:9"])
def test_a_scheduler_that_is_not_there_is_said(handed_in, capsys, address):
    soon = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with soon, pytest.raises(SystemExit) as stopped:
        command.main([handed_in[0], "--scheduler", address])
    assert stopped.value.code == 2
    assert f"--scheduler: no scheduler at {address}: " in capsys.readouterr().err


def test_a_table_that_cannot_be_written_is_not_the_schedulers_fault(
    scheduler, handed_in, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError("no space left")

    (tmp_path / "go").touch()
    monkeypatch.setattr(command.Results, "add", full)
    with pytest.raises(OSError, match="no space left"):
        command.main([handed_in[0], "--scheduler", scheduler])
