"""A job for each of many things, side by side on workers of Dask, here or on a cluster.

Whoever asked takes what comes of each, so nothing is lost or counted twice: a worker that dies is
replaced, and what it did is done again.
"""

import contextlib
import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

EVERY = 5.0  # seconds between two words of a job, and between two looks of whoever asked
STOPPING = 30.0  # seconds that jobs have to end, once they are told to stop
DEATHS = 100  # so many workers may die under one job, which need not be its fault


class Stopped(Exception):
    """Whoever asked for a job wants no more of it."""


class Line:
    """From a job to whoever asked for it, as it runs on a worker.

    name: of the thing that the job is for. topic: of this call of `each_on_workers`.
    """

    def __init__(self, name: str, topic: str):
        self._name, self._topic = name, topic
        self._told = self._asked = -EVERY
        self._stopped = False

    def tell(self, *words) -> None:
        """Pass these on, unless it told some a moment ago; ends the job if it is to stop."""
        from distributed import get_worker

        if time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            if self.is_set():
                raise Stopped
            get_worker().log_event(self._topic, (self._name, words))

    def is_set(self) -> bool:
        """Whether whoever asked wants no more of it, as a `threading.Event` would say it."""
        from distributed import Event

        if time.monotonic() - self._asked >= 1:
            self._asked, self._stopped = time.monotonic(), Event(self._topic).is_set()
        return self._stopped


def each_on_workers(
    job: Callable[[Any, Line], Any],
    things: Mapping[str, Any],
    done: Callable[[str, Any, BaseException | None], None],
    told: Callable[..., None] = lambda *_: None,
    look: Callable[[], None] = lambda: None,
    workers: int = 1,
    scheduler: str | None = None,
) -> None:
    """Do the job for each thing, the first ones first.

    ImportError without Dask, ConnectionError without that scheduler.

    Args:
        job: what a worker calls with a thing and a Line.
        things: by name.
        done: called with the name, what the job returned, and the error that it raised, or None.
        told: called with the name and the words that a job tells.
        look: called every few seconds.
        workers: how many processes here, without a scheduler.
        scheduler: a cluster's instead, such as tcp://10.0.0.1:8786.
    """
    from distributed import Event, wait

    with client(scheduler, workers) as dask:
        topic = f"told-{dask.id}"  # Dask itself speaks under the id
        dask.subscribe_topic(topic, lambda event: told(event[1][0], *event[1][1]))
        # Keys of one group wait at the scheduler, in their order, until a worker is free.
        waiting = {
            dask.submit(do, job, thing, Line(name, topic), key=(topic, name), priority=-place): name
            for place, (name, thing) in enumerate(things.items())
        }
        try:
            while waiting:
                with contextlib.suppress(TimeoutError):
                    wait(list(waiting), timeout=EVERY, return_when="FIRST_COMPLETED")
                for future in [future for future in waiting if future.done()]:
                    collect(future, waiting.pop(future), done)
                look()
        except BaseException:
            Event(topic).set()
            with contextlib.suppress(TimeoutError):
                wait(list(waiting), timeout=STOPPING)
            raise


def do(job: Callable[[Any, Line], Any], thing, line: Line):
    """On a worker: the job, unless nobody wants it any more."""
    if line.is_set():
        raise Stopped
    return job(thing, line)


def collect(future, name: str, done: Callable[[str, Any, BaseException | None], None]) -> None:
    """Hand over what came of one job."""
    if future.status == "finished":
        done(name, future.result(), None)
    else:
        done(name, None, future.exception())
    future.release()


@contextlib.contextmanager
def client(scheduler: str | None, workers: int) -> Iterator:
    """A client of Dask's, of that scheduler, or of as many workers here, ended with it.

    ConnectionError where there is no such scheduler.
    """
    import dask
    from distributed import Client, LocalCluster

    if scheduler:
        try:
            found = Client(scheduler)
        except (OSError, ValueError) as error:
            raise ConnectionError(f"no scheduler at {scheduler}: {error}") from error
        with found:
            yield found
        return
    # Whoever asked says what there is to say. Without a limit of memory, nothing is killed for it.
    # Port 0 is any free one: the usual one may be another run's.
    quiet = {"silence_logs": logging.CRITICAL, "dashboard_address": ":0"}
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
        found.register_plugin(undisturbed())
        yield found


def undisturbed():
    """For workers here: Ctrl+C in the terminal reaches them, too, but whoever asked ends them."""
    from distributed import WorkerPlugin

    class Undisturbed(WorkerPlugin):
        def setup(self, worker) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Undisturbed()
