"""The course's notebooks: where they lie, and what `lessons.toml` beside them says of each."""

import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Lesson:
    """One notebook.

    name: its file's name without the ending, such as "02_grid_generation". title and question: its
    heading, "02 · Grid generation: where does each output pixel look?". minutes: to read it, to
    run its cells and to play; with_exercises: with all of its exercises, and the same where it has
    none. needs: what a learner knows already. afterwards: what goes on "afterwards you can …".
    builds: the functions that it builds, as they stand in the package: "grids.affine_grid".
    """

    name: str
    title: str
    question: str
    minutes: int
    with_exercises: int
    needs: str
    afterwards: str
    builds: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """Its place in the course, in two digits: "02"."""
        return self.name[:2]

    @property
    def label(self) -> str:
        """Its name in a table: "02 Grid generation"."""
        return f"{self.number} {self.title}"

    @property
    def has_exercises(self) -> bool:
        """Whether there is something to solve."""
        return self.with_exercises > self.minutes


def shipped(name: str) -> Path:
    """Where a file or folder of the repository lies: in an installed package, or beside it."""
    inside, beside = PACKAGE / name, PACKAGE.parent / name
    return inside if inside.exists() else beside


def notebooks_folder() -> Path:
    """Where the course's own notebooks lie."""
    return shipped("notebooks")


def load_lessons(folder: Path | None = None) -> dict[str, Lesson]:
    """The notebooks of a folder by name, in the course's order; by default the course's own.

    Raises ValueError for an entry of lessons.toml that lacks something, or that has too much.
    """
    file = (folder or notebooks_folder()) / "lessons.toml"
    entries = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _lesson(name, entries[name]) for name in sorted(entries)}


def _lesson(name: str, entry: dict) -> Lesson:
    """One entry as a Lesson, or what is wrong with it."""
    known = {field.name: field.default is MISSING for field in fields(Lesson)[1:]}
    required = {key for key, without_default in known.items() if without_default}
    if not re.fullmatch(r"\d\d_\w+", name):
        raise ValueError(f"lessons.toml: {name} is no name such as 02_grid_generation")
    if not required <= entry.keys() <= known.keys():
        said = f"has {', '.join(entry)}; expected {', '.join(known)} (builds may be left out)"
        raise ValueError(f"lessons.toml: {name} {said}")
    if entry["with_exercises"] < entry["minutes"]:
        raise ValueError(f"lessons.toml: {name} takes less with its exercises than without")
    return Lesson(name, **entry | {"builds": tuple(entry.get("builds", ()))})
