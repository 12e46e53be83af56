"""A kernel of its own for each submission, and what keeps it away from the others.

It holds off accidents and simple tricks. The kernel still runs with the rights of whoever marks.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.utils import ensure_event_loop

START = 120  # seconds in which a kernel must be ready
GRACE = 10  # seconds in which an interrupted cell must end
# What a Python process may need of the environment; keys and tokens are not among it.
KEPT = {
    *("PATH", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("LANG", "LC_ALL", "LC_CTYPE", "TZ", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
    *("CUDA_VISIBLE_DEVICES", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT"),
}


class KernelLost(Exception):
    """The kernel died, or did not stop when it was told to."""


class Cancelled(Exception):
    """Whoever marks has stopped the run."""


class ThisPython(KernelSpecManager):
    """Whatever kernel a file names: this Python, without the current folder on its path."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one that there is."""
        launch = [sys.executable, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        history = "--HistoryManager.enabled=False"
        return KernelSpec(argv=[*launch, history], display_name="Python", language="python")


def environment(home: Path) -> dict[str, str]:
    """What a submission's processes see: no secrets, and `home` in place of the user's folders."""
    places = ("HOME", "USERPROFILE", "APPDATA", "TMPDIR", "TEMP", "TMP", "STN_COURSE_HOME")
    kept = {name: value for name, value in os.environ.items() if name.upper() in KEPT}
    return kept | dict.fromkeys(places, str(home))


@contextlib.contextmanager
def only_environment(home: Path) -> Iterator[None]:
    """This process, too, has no other environment while attempts are judged in its worker."""
    before = dict(os.environ)
    try:
        replace_environment(environment(home))
        yield
    finally:
        replace_environment(before)


def replace_environment(values: dict[str, str]) -> None:
    """Give this process this environment, and nothing of the one it had."""
    os.environ.clear()
    os.environ.update(values)


@contextlib.contextmanager
def fresh_folder(name: str, content: bytes) -> Iterator[Path]:
    """A new folder that holds a copy of one file, and `home` beside it; both go at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:
        for part in ("home", "work"):
            Path(root, part).mkdir()
        Path(root, "work", name).write_bytes(content)
        yield Path(root)


def end_processes(home: Path) -> None:
    """End every process that was started with this home, in whatever group or session it is now."""
    for _ in range(5):  # one may start another meanwhile
        there = [process for process in psutil.process_iter() if started_with(process, home)]
        for process in there:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if not there:
            return
        psutil.wait_procs(there, timeout=1)


def started_with(process: psutil.Process, home: Path) -> bool:
    """Whether a process's environment has this home; one that may not be asked has not."""
    try:
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return not zombie and process.environ().get("STN_COURSE_HOME") == str(home)
    except (psutil.Error, OSError):
        return False


class Kernel:
    """A kernel in a fresh folder; `with` starts it, and ends it with all that it started.

    It takes a thread that runs no event loop of its own.
    """

    def __init__(self, folder: Path, stop: threading.Event):
        self._home, self._work, self._stop = folder / "home", folder / "work", stop

    def __enter__(self) -> "Kernel":
        self._manager = KernelManager(
            kernel_spec_manager=ThisPython(),
            connection_file=str(self._home / "kernel.json"),
        )
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._manager.start_kernel(env=environment(self._home), cwd=str(self._work), **silent)
        self._group = self._manager.provisioner.pid
        try:
            self._client = self._manager.client()
            self._client.start_channels()
            self._client.wait_for_ready(timeout=START)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._client.stop_channels()
        with contextlib.suppress(RuntimeError):  # it has just ended by itself
            self._manager.shutdown_kernel(now=True)
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):  # nobody is left in its group
                os.killpg(self._group, signal.SIGKILL)
        end_processes(self._home)
        ensure_event_loop().close()  # the one that the client has made for this thread

    def run(self, code: str, limit: float) -> Iterator[tuple[str, dict]]:
        """Run a cell for at most `limit` seconds: the kind and content of each message it sends.

        Raises TimeoutError if it was stopped, KernelLost if there is no kernel left to go on with.
        """
        request = self._client.execute(code, allow_stdin=False, stop_on_error=False)
        try:
            yield from self._messages(request, limit)
        except TimeoutError:
            self._manager.interrupt_kernel()
            with self._lost_if_late():
                yield from self._messages(request, GRACE)
            raise

    @contextlib.contextmanager
    def _lost_if_late(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise KernelLost("did not stop") from error

    def _messages(self, request: str, limit: float) -> Iterator[tuple[str, dict]]:
        """What comes in answer to a request, to its end; TimeoutError if that does not come."""
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0:
            if self._stop.is_set():
                raise Cancelled
            try:
                message = self._client.get_iopub_msg(timeout=min(left, 0.5))
            except queue.Empty:
                if not self._manager.is_alive():
                    raise KernelLost("died") from None
                continue
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                return
            yield kind, content
        raise TimeoutError
