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


def notebooks_folder() -> Path:
    """Where the course's own notebooks lie: in an installed package, or beside it in a checkout."""
    inside, beside = PACKAGE / "notebooks", PACKAGE.parent / "notebooks"
    return inside if inside.exists() else beside


def load_lessons() -> dict[str, Lesson]:
    """The notebooks by name, in the course's order; TypeError for an entry it does not know."""
    text = (notebooks_folder() / "lessons.toml").read_text(encoding="utf-8")
    return {name: Lesson(name, **entries) for name, entries in tomllib.loads(text).items()}
