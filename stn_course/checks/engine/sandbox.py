"""Where attempts run, as the kernel sees it: a worker process of its own.

The process starts with the first attempt (about two seconds, torch must load), stays, and ends
with the kernel. What an attempt changes, however deep, ends with the attempt. On Linux one that
runs too long is ended alone; elsewhere each costs the process, and the next one starts at once.
"""

import atexit
import contextlib
import io
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

import cloudpickle

from stn_course.checks.engine.worker import (
    DONE,
    FORKS,
    READY,
    Result,
    of_file,
    raised,
    receive,
    send,
    unpack,
)

LIMIT = 10.0  # seconds for one attempt, from its own start
START = 60.0  # seconds that the process may take until an attempt can start
END = 2.0  # seconds that it may take to end an attempt, or itself
NAMELESS = ""  # the file of code whose file's name is sent beside it
LOST = (EOFError, OSError, ValueError)  # the process is gone, or says what cannot be read
PROGRAM = """
import sys
sys.path[:] = {path!r}
from stn_course.checks.engine.worker import serve
serve({forks})
"""


@dataclass
class Outcome:
    """What came back: a Result a case, up to the problem, if there was one.

    problem: None, or why the rest is missing: "unsendable", "start", "time", "ended" or "stopped";
    `words` says more.
    """

    results: list[Result] = field(default_factory=list)
    problem: str | None = None
    words: str = ""


def is_learners(file: str) -> bool:
    """Whether a file, or a notebook's cell, is the learner's own: not Python's nor the course's."""
    places = (sys.prefix, sys.base_prefix, Path(__file__).parents[2])
    return not any(Path(file).is_relative_to(place) for place in places)


class Packer(cloudpickle.Pickler):
    """cloudpickle's, but code keeps the name of its file or cell, so that errors show their line.

    From its version 3.1.3 on, cloudpickle leaves that name out.
    """

    def reducer_override(self, value):
        """How a value is sent: code without its file's name, and the name."""
        if isinstance(value, CodeType) and value.co_filename != NAMELESS:
            return of_file, (value.replace(co_filename=NAMELESS), value.co_filename)
        return super().reducer_override(value)


def packed(attempt: Callable, run: Callable, cases: list[tuple], limit: float) -> bytes:
    """The request as bytes. A function from a file of the learner's own is sent as it is now."""
    module = sys.modules.get(getattr(attempt, "__module__", None))
    own, content = is_learners(getattr(module, "__file__", None) or sys.prefix), io.BytesIO()
    if own:
        cloudpickle.register_pickle_by_value(module)
    try:
        Packer(content).dump((attempt, run, cases))
    finally:
        if own:
            cloudpickle.unregister_pickle_by_value(module)
    return pickle.dumps((sys.path, limit, content.getvalue()))


class Sandbox:
    """One process, started when needed, that runs attempts one at a time.

    forks: whether the process copies itself for each attempt; if not, each gets a new one.
    """

    def __init__(self, forks: bool = FORKS):
        self._forks = forks
        self._process: subprocess.Popen | None = None
        self._serves = False  # whether it has said that it is ready
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        self._lock = threading.Lock()

    def run(self, attempt: Callable, run: Callable, cases: list[tuple], limit: float) -> Outcome:
        """Run the attempt on every case, in `limit` seconds altogether; never raises for it."""
        try:
            request = packed(attempt, run, cases, limit)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return Outcome(problem="unsendable", words=": ".join(raised(error).raised))
        with self._lock:
            outcome = Outcome(problem="start")
            try:
                self._exchange(request, limit, outcome)
            except KeyboardInterrupt:
                outcome.problem = "stopped"
            except queue.Empty:
                outcome.words = f"nothing came in {START:g} s"
            except LOST as error:
                outcome.problem = "ended" if outcome.problem == "time" else outcome.problem
                outcome.words = str(error)
            else:
                if self._forks and self._goes_on(outcome):
                    return outcome
            self._renew()
            return outcome

    def _exchange(self, request: bytes, limit: float, outcome: Outcome) -> None:
        """Send the request and collect the answers; raises where they do not come."""
        if self._process is None or self._process.poll() is not None:
            self._renew()
        self._until_ready(START)
        self._ask(request)
        message = self._next(START)
        outcome.problem, deadline = "time", time.monotonic() + limit
        with contextlib.suppress(queue.Empty):
            while message != DONE and not isinstance(message, int):
                if isinstance(message, Result):
                    outcome.results.append(message)
                message = self._next(deadline - time.monotonic())
            outcome.problem = None if message == DONE else "ended"
            outcome.words = f"exit status {message}"

    def _goes_on(self, outcome: Outcome) -> bool:
        """Whether the process, which ends an attempt that still runs, is good for the next one."""
        with contextlib.suppress(queue.Empty, *LOST):
            if outcome.problem:
                self._until_ready(END)
            return True
        return False

    def _until_ready(self, seconds: float) -> None:
        """Wait until the process can take a request; raises where it does not say so."""
        self._ask(b"")
        while self._next(seconds) != READY:
            pass
        self._serves = True

    def _ask(self, message: bytes) -> None:
        """Send; where the process has ended and reads no more, `_next` tells how it ended."""
        with contextlib.suppress(OSError):
            send(self._process.stdin, message)

    def _next(self, seconds: float) -> str | int | Result:
        """What the process says next; queue.Empty where it says nothing in time."""
        content = self._answers.get(timeout=max(seconds, 0.01))
        if content is not None:
            return unpack(content)
        self._process.kill()  # it has closed the pipe, and should be at its end already
        raise EOFError(f"exit status {self._process.wait()}")

    def _renew(self) -> None:
        """A new process in place of the one that is, and a thread that reads what it says."""
        self.close()
        # A session of its own: stopping a cell in Jupyter stops the kernel's wait, not this.
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(path=sys.path, forks=self._forks)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._answers = queue.Queue()
        reader = threading.Thread(
            target=listen, args=(self._process.stdout, self._answers), daemon=True
        )
        reader.start()

    def close(self) -> None:
        """End the process, if there is one, and what it has started."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # which ends both; the other end's reader closes its own
        try:
            self._process.wait(END if self._serves else 0)
        except subprocess.TimeoutExpired:
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        self._process, self._serves = None, False


def listen(pipe, answers: queue.Queue) -> None:
    """Put every message of the pipe into the queue, and None at its end, or where it has none."""
    with contextlib.suppress(OSError, OverflowError, MemoryError), pipe:
        while (content := receive(pipe)) is not None:
            answers.put(content)
    answers.put(None)


SANDBOX = Sandbox()
atexit.register(SANDBOX.close)
