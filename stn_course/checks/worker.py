"""The kernel's side of the worker process in which attempts run.

The process starts with the first attempt (about two seconds, torch must load), stays, and ends with
the kernel. An attempt that runs too long, or takes the process down, costs only the process.
"""

import atexit
import contextlib
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cloudpickle

from stn_course.checks.sandbox import Result, raised, receive, send

LIMIT = 10.0  # seconds for one check
START = 60.0  # seconds that the process may take to start
PROGRAM = "import sys; sys.path[:] = {path!r}; from stn_course.checks.sandbox import serve; serve()"


@dataclass
class Outcome:
    """What came back: a Result a case, up to the problem, if there was one.

    problem: None, or why the rest is missing: "unsendable", "time", "ended" or "stopped"; `words`
    says more.
    """

    results: list[Result] = field(default_factory=list)
    problem: str | None = None
    words: str = ""


def packed(attempt: Callable, run: Callable, cases: list[tuple], limit: float) -> bytes:
    """The request as bytes. A function from a file of the learner's own is sent as it is now."""
    module = sys.modules.get(getattr(attempt, "__module__", None))
    file = Path(getattr(module, "__file__", None) or sys.prefix)
    foreign = (sys.prefix, sys.base_prefix, Path(__file__).parents[1])
    own = not any(file.is_relative_to(place) for place in foreign)
    if own:
        cloudpickle.register_pickle_by_value(module)
    try:
        content = cloudpickle.dumps((attempt, run, cases, limit))
    finally:
        if own:
            cloudpickle.unregister_pickle_by_value(module)
    return pickle.dumps((sys.path, content))


class Worker:
    """One process, started when needed, that runs attempts one at a time."""

    def __init__(self):
        self._process: subprocess.Popen | None = None
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
            outcome = Outcome()
            try:
                self._exchange(request, len(cases), limit, outcome)
            except queue.Empty:
                outcome.problem = "time"
            except (EOFError, OSError):
                outcome.problem, outcome.words = "ended", f"exit status {self._process.wait()}"
            except KeyboardInterrupt:
                outcome.problem = "stopped"
            if outcome.problem or any(result.memory for result in outcome.results):
                self.close()
            return outcome

    def _exchange(self, request: bytes, cases: int, limit: float, outcome: Outcome) -> None:
        """Send the request and collect the answers; raises where they do not come."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        send(self._process.stdin, request)
        deadline = time.monotonic() + limit
        while True:
            content = self._answers.get(timeout=max(deadline - time.monotonic(), 0.01))
            if content is None:
                raise EOFError
            message = pickle.loads(content)
            if message is None:
                return
            outcome.results.append(message)

    def _start(self) -> None:
        """A new process, and a thread that reads what it says."""
        self.close()
        command = [sys.executable, "-c", PROGRAM.format(path=sys.path)]
        # A session of its own: stopping a cell in Jupyter stops the kernel's wait, not this.
        self._process = subprocess.Popen(
            command,
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
        send(self._process.stdin, pickle.dumps((sys.path, pickle.dumps((None, None, [], LIMIT)))))
        if self._answers.get(timeout=START) is None:
            raise EOFError

    def close(self) -> None:
        """End the process, if there is one; the next run starts a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # the other end's reader closes its own
            self._process = None


def listen(pipe, answers: queue.Queue) -> None:
    """Put every message of the pipe into the queue, and None at its end."""
    with contextlib.suppress(OSError), pipe:
        while (content := receive(pipe)) is not None:
            answers.put(content)
    answers.put(None)


WORKER = Worker()
atexit.register(WORKER.close)
