"""The course's notebooks: where they lie, and what `lessons.toml` beside them says of each."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Lesson:
    """One notebook.

    name: its file's name without the ending, such as "02_grid_generation". question: what it
    answers. minutes: to read it, to run its cells and to play; with_exercises: with all of its
    exercises. needs: what a learner knows already. afterwards: what goes on "afterwards you can …".
    """

    name: str
    title: str
    question: str
    minutes: int
    with_exercises: int
    needs: str
    afterwards: str

    @property
    def number(self) -> str:
        """Its place in the course, in two digits: "02"."""
        return self.name[:2]


def shipped(name: str) -> Path:
    """Where a file or folder of the repository lies: in an installed package, or beside it."""
    inside, beside = PACKAGE / name, PACKAGE.parent / name
    return inside if inside.exists() else beside


def notebooks_folder() -> Path:
    """Where the course's own notebooks lie."""
    return shipped("notebooks")


def load_lessons() -> dict[str, Lesson]:
    """The notebooks by name, in the course's order; TypeError for an entry it does not know."""
    text = (notebooks_folder() / "lessons.toml").read_text(encoding="utf-8")
    return {name: Lesson(name, **entries) for name, entries in tomllib.loads(text).items()}
