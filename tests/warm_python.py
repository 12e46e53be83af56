"""Programs in processes of their own that have torch already, which takes seconds to load.

On Linux each process is a copy of one that has loaded torch and done nothing else; elsewhere, where
such copies are not safe, each loads it anew.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.process import BaseProcess
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    CONTEXT.set_forkserver_preload(["torch", "torch._dynamo"])  # the latter is for optimizers


def execute(program: str, arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """In the new process: the program, as `python -c` runs it; what it says goes to two files."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = ["-c", *arguments]
    exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})


def start(program: str, *arguments: str, folder: Path) -> BaseProcess:
    """Start a program; `folder` gets its stdout and stderr."""
    given = program, list(arguments), dict(os.environ), str(folder)
    process = CONTEXT.Process(target=execute, args=given)
    process.start()
    return process


def run(program: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a program to its end: what it said, and its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        process = start(program, *arguments, folder=Path(folder))
        process.join()
        said = (Path(folder, name).read_text("utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(program, process.exitcode, *said)
