"""ProgressMap: how much of each notebook is solved, as bars and as words."""

import html
from collections.abc import Iterable, Mapping

from stn_course.checks.catalogue import EXERCISES, QUESTIONS
from stn_course.checks.progress import solved
from stn_course.lessons import load_lessons
from stn_course.validation import describe

GREEN = "#009e73"  # 3 : 1 against white and against JupyterLab's dark ground
BAR = f"display:inline-block;width:9em;height:0.8em;border:1px solid;color:{GREEN}"
FILL = f"display:block;height:100%;background:{GREEN}"
CELL = 'style="text-align:left;padding:2px 14px 2px 0"'
QUIZ = "quiz:"


class ProgressMap:
    """A bar for each notebook: how many of its exercises and quizzes are solved.

    names: {notebook: names of its exercises and, as "quiz:NAME", of its quizzes}; by default all of
    the course. The progress is read when the map is shown: run its cell again to see it anew.
    Plain HTML, so it needs no widget and no kernel to stay readable.
    """

    def __init__(self, names: Mapping[str, Iterable[str]] | None = None):
        names = all_names() if names is None else names
        if not isinstance(names, Mapping):
            raise TypeError(f"names must be a dict from notebook to names; got {describe(names)}")
        self.names = {notebook: list(of_it) for notebook, of_it in names.items()}

    def counts(self) -> dict[str, dict[str, tuple[int, int]]]:
        """By notebook, then "exercises" or "quizzes": how many are solved, of how many."""
        done = solved()
        return {
            notebook: {
                "exercises": count((n for n in names if not n.startswith(QUIZ)), done),
                "quizzes": count((n for n in names if n.startswith(QUIZ)), done),
            }
            for notebook, names in self.names.items()
        }

    def _repr_html_(self) -> str:
        kinds = ("exercises", "quizzes")
        head = "".join(f'<th scope="col" {CELL}>{name}</th>' for name in ("notebook", *kinds))
        rows = [
            f'<tr><th scope="row" {CELL}>{html.escape(label(notebook))}</th>'
            + "".join(f"<td {CELL}>{bar(*counts[kind])}</td>" for kind in kinds)
            + "</tr>"
            for notebook, counts in self.counts().items()
        ]
        caption = '<caption style="text-align:left">Your progress</caption>'
        return (
            f'<table class="stn-progress">{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>"
        )

    def __repr__(self) -> str:
        lines = [
            f"{label(notebook)}: {solved_of(counts)}" for notebook, counts in self.counts().items()
        ]
        return "\n".join(["Your progress", *lines])


def all_names() -> dict[str, list[str]]:
    """The exercises and quizzes of each notebook that has some, in the course's order."""
    names: dict[str, list[str]] = {name: [] for name in load_lessons()}
    for question in QUESTIONS.values():
        names[question.notebook].append(f"{QUIZ}{question.name}")
    for exercise in EXERCISES.values():
        names[exercise.notebook].append(exercise.name)
    return {notebook: of_it for notebook, of_it in names.items() if of_it}


def count(names: Iterable[str], done: set[str]) -> tuple[int, int]:
    """How many of the names are done, and how many there are."""
    names = set(names)
    return len(names & done), len(names)


def label(notebook: str) -> str:
    """What a reader calls a notebook, such as "02 Grid generation"; an unknown name stays."""
    lesson = load_lessons().get(notebook)
    return lesson.label if lesson else notebook


def solved_of(counts: Mapping[str, tuple[int, int]]) -> str:
    """How many of each kind, such as "1 of 2 exercises"; nothing of a kind that is not there."""
    return ", ".join(f"{done} of {all_} {kind}" for kind, (done, all_) in counts.items() if all_)


def bar(done: int, all_: int) -> str:
    """A bar filled as far as it is done, and the two numbers; nothing where there is nothing."""
    if all_ == 0:
        return ""
    filled = f'<span style="{FILL};width:{100 * done // all_}%"></span>'
    return f'<span style="{BAR}" aria-hidden="true">{filled}</span> {done} of {all_}'
