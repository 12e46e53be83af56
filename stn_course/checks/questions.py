"""The quiz questions, as data: each wrong answer with the reason why it is wrong."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Option:
    """One answer to choose: its text, the reason why it is right or wrong, and which it is."""

    text: str
    reason: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question; notebook: such as "02_grid_generation"; try_it: the cell to try it in."""

    name: str
    notebook: str
    question: str
    try_it: str
    options: tuple[Option, ...]


def _question(name: str, options: list[dict], **entries: str) -> Question:
    """A question from its entries in the file; TypeError for an entry it does not know."""
    return Question(name, options=tuple(Option(**option) for option in options), **entries)


def _load() -> dict[str, Question]:
    """The questions of questions.toml by name, in the order of the course."""
    text = (Path(__file__).parent / "questions.toml").read_text(encoding="utf-8")
    return {name: _question(name, **entries) for name, entries in tomllib.loads(text).items()}


QUESTIONS = _load()
