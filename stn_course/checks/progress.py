"""What a learner has solved: one small file in the user's data folder, never in the repository.

The file is JSON, {"solved": [names]}. The folder is the user's data folder for this course, or the
environment variable STN_COURSE_HOME. Names that this version of the course does not know stay.
"""

import contextlib
import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import filelock
import platformdirs

from stn_course.files import write_atomically
from stn_course.validation import describe

PATIENCE = 5  # seconds to wait for another kernel that writes
_said: set[str] = set()


def progress_file() -> Path:
    """Where the progress is kept; the file need not exist."""
    home = os.environ.get("STN_COURSE_HOME")
    folder = Path(home).expanduser() if home else platformdirs.user_data_path("stn_course")
    return folder / "progress.json"


def record(name: str) -> None:
    """Remember that an exercise was solved (or a quiz, as "quiz:NAME").

    Two kernels may record at once: each reads again, under a lock, what the other wrote. Where
    nothing can be written, a line on stderr says so, once, and nothing is raised.
    Raises TypeError if name is not a text, ValueError if it is empty.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a text; got {describe(name)}")
    if not name:
        raise ValueError("name must not be empty")
    try:
        with _locked():
            content = _read_or_set_aside()
            if name not in content["solved"]:
                content["solved"] = sorted({*content["solved"], name})
                text = json.dumps(content, indent=1)
                write_atomically(progress_file(), text.encode())
    except (OSError, NotImplementedError) as error:
        _say_once(f"Your progress cannot be saved in {progress_file().parent}: {error}")


def solved() -> set[str]:
    """The names of all that was solved; empty where there is no file, or no readable one."""
    try:
        return set(read(progress_file())["solved"])
    except ValueError:
        return set(_after_a_second_look()["solved"])
    except OSError as error:
        _say_once(f"Your progress cannot be read: {error}")
        return set()


def _after_a_second_look() -> dict:
    """The content, read again under the lock; a damaged file is set aside there."""
    try:
        with _locked():
            return _read_or_set_aside()
    except (OSError, NotImplementedError) as error:
        _say_once(f"{progress_file()} is damaged, and cannot be set aside: {error}")
        return {"solved": []}


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Hold the lock beside the file; the system frees it when a process dies."""
    file = progress_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(file.with_suffix(".lock"), timeout=PATIENCE):
        yield


def read(file: Path) -> dict:
    """A progress file's content, {"solved": [names], ...}; without a file nothing is solved.

    Raises ValueError if it is damaged, OSError if it cannot be read.
    """
    try:
        content = json.loads(file.read_bytes().decode())
    except FileNotFoundError:
        return {"solved": []}
    except RecursionError as error:  # brackets without end
        raise ValueError("too deep") from error
    names = content.get("solved") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError('expected {"solved": [names]}')
    return content


def _read_or_set_aside() -> dict:
    """The content; a damaged file gets another name, one that is free. The lock is held."""
    file = progress_file()
    try:
        return read(file)
    except ValueError as error:
        names = (file.with_suffix(f".damaged-{n}.json") for n in itertools.count(1))
        aside = next(name for name in names if not name.exists())
        file.rename(aside)
        _say(f"{file} was damaged ({error}). It is kept as {aside.name}; a new one begins.")
        return {"solved": []}


def _say(message: str) -> None:
    """A message to the learner: on stderr, so that a cell's own output stays what it is."""
    print(message, file=sys.stderr)


def _say_once(message: str) -> None:
    if message not in _said:
        _said.add(message)
        _say(message)
