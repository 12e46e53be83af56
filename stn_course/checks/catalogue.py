"""Every exercise and every quiz question of the course, as the folders of `lessons` hold them."""

import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from stn_course.checks import lessons
from stn_course.checks.engine.types import Exercise, Option, Question

ROOM = Path(lessons.__file__).parent


def load_exercises(folder: Path = ROOM) -> dict[str, Exercise]:
    """The exercises by name, notebook by notebook.

    Each file of a notebook's folder holds one as EXERCISE: its name is the file's, its title the
    first line of the file's docstring.
    """
    found = {}
    for path in sorted(folder.glob("*/*.py")):
        notebook, name = path.parent.name, path.stem
        module = import_module(f"{lessons.__name__}.{notebook}.{name}")
        title = module.__doc__.splitlines()[0].rstrip(".")
        found[name] = replace(module.EXERCISE, name=name, notebook=notebook, title=title)
    return found


def load_questions(folder: Path = ROOM) -> dict[str, Question]:
    """The quiz questions by name, notebook by notebook; TypeError for an entry it does not know."""
    found = {}
    for path in sorted(folder.glob("*/quizzes.toml")):
        for name, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
            options = tuple(Option(**option) for option in entries.pop("options"))
            found[name] = Question(name, path.parent.name, options=options, **entries)
    return found


EXERCISES = load_exercises()
QUESTIONS = load_questions()
