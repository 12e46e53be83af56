"""Jobs on workers of Dask: what they tell, return and raise, and how they are told to stop."""

import os
import time

import pytest

from stn_course import cluster


def root(number: float, line: cluster.Line) -> tuple[float, int]:
    """A job: tell the number, then its square root and whose process this is."""
    line.tell("of", number)
    return number**0.5 if number >= 0 else 1 / 0, os.getpid()


def wait_for_the_end(path: str, line: cluster.Line) -> None:
    """A job that ends when it is told to stop, and says in a file that it has begun and ended."""
    for word in ("begun", "ended"):
        with open(path, "a") as file:
            print(word, file=file)
        while word == "begun" and not line.is_set():
            time.sleep(0.1)


def test_each_job_is_done_once_and_what_it_tells_and_raises_arrives(monkeypatch):
    monkeypatch.setattr(cluster, "EVERY", 0.5)
    things = {"four": 4, "bad": -1, "nine": 9, "two": 2}
    done, told, looks = {}, [], []

    def take(name: str, value, error) -> None:
        assert name not in done
        done[name] = value[0] if error is None else type(error).__name__

    cluster.each_on_workers(
        root, things, take, lambda *words: told.append(words), lambda: looks.append(0), workers=2
    )
    assert done == {"four": 2, "bad": "ZeroDivisionError", "nine": 3, "two": 2**0.5}
    assert sorted(told) == sorted((name, "of", number) for name, number in things.items())
    assert looks


def test_an_interrupt_stops_what_runs_and_begins_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "EVERY", 0.5)
    files = {name: str(tmp_path / name) for name in ("first", "second")}

    def interrupt() -> None:
        if (tmp_path / "first").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.each_on_workers(wait_for_the_end, files, print, look=interrupt, workers=1)
    assert (tmp_path / "first").read_text().split() == ["begun", "ended"]
    assert not (tmp_path / "second").exists()
