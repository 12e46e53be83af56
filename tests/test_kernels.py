"""Kernels that give way. test_commands starts one as a learner does."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from stn_course import kernels

# Starts another when it is told to, and says which.
PROGRAM = """
import subprocess, sys
input()
print(subprocess.Popen([sys.executable, "-c", "input()"]).pid, flush=True)
input()
"""


@pytest.fixture
def process():
    """One in a session of its own, as a kernel's."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], start_new_session=True, **pipes
    ) as process:
        yield process
        process.stdin.close()


def test_a_process_gives_way_and_so_do_those_that_it_starts(process):
    kernels.give_way(process.pid)
    print("go on", file=process.stdin, flush=True)
    child = int(process.stdout.readline())
    lowered = psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else kernels.NICENESS
    assert [psutil.Process(pid).nice() for pid in (process.pid, child)] == [lowered, lowered]


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="sessions share alike here")
def test_its_session_gives_way_too(process):
    kernels.give_way(process.pid)
    said = Path(f"/proc/{process.pid}/autogroup").read_text()
    assert said.split()[1:] == ["nice", str(kernels.NICENESS)]


def test_a_process_that_has_ended_is_no_error():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert kernels.give_way(ended.pid) is None
