"""Quiz: one question with buttons to answer it, and for each answer the reason."""

import html
import re
import textwrap
from pathlib import Path

import anywidget
import traitlets

from stn_course.checks.catalogue import QUESTIONS, Option
from stn_course.checks.progress import record
from stn_course.validation import check_choice
from stn_course.widgets.esm import joined
from stn_course.widgets.lifetime import FreedWithCells

HERE = Path(__file__).parent
LETTERS = "ABCDEFGH"
MARKS = [(r"`([^`]+)`", r"<code>\1</code>"), (r"\*\*(.+?)\*\*", r"<strong>\1</strong>")]


class Quiz(FreedWithCells, anywidget.AnyWidget):
    """One question of `stn_course.checks.catalogue`, by name; ValueError naming all for another.

    Each answer that is chosen gets its reason, and where to try it: the browser has them, so that
    it needs no kernel to say them. If the first answer is right, the quiz is recorded as solved, as
    "quiz:NAME"; run the cell again for another first answer.

    question, options: what is shown, as HTML. right: whether each option is. reasons: what is said
    of each, as HTML. chosen: the options that were chosen so far, in order, counted from 0.
    """

    _esm = joined("quiz.js")
    _css = HERE / "quiz.css"
    question = traitlets.Unicode().tag(sync=True)
    options = traitlets.List().tag(sync=True)
    right = traitlets.List().tag(sync=True)
    reasons = traitlets.List().tag(sync=True)
    chosen = traitlets.List().tag(sync=True)

    def __init__(self, name: str):
        check_choice("name", name, QUESTIONS)
        self.item = QUESTIONS[name]
        super().__init__(
            question=to_html(self.item.question),
            options=[to_html(option.text) for option in self.item.options],
            right=[option.right for option in self.item.options],
            reasons=[self._reason(option) for option in self.item.options],
        )
        self.observe(self._answered, "chosen")

    @traitlets.validate("chosen")
    def _of_the_options(self, proposal) -> list[int]:
        for index in proposal["value"]:
            if index not in range(len(self.item.options)):
                raise traitlets.TraitError(f"there is no option {index}")
        return proposal["value"]

    def _answered(self, _) -> None:
        """Record a right first answer; a busy kernel may hear of several answers at once."""
        if self.chosen and self.right[self.chosen[0]]:
            record(f"quiz:{self.item.name}")

    def _reason(self, option: Option) -> str:
        verdict = "Right." if option.right else "Not this one."
        try_it = f"<p><strong>Try it.</strong> {to_html(self.item.try_it)}</p>"
        return f"<p><strong>{verdict}</strong> {to_html(option.reason)}</p>{try_it}"

    def __repr__(self) -> str:
        answers = zip(LETTERS, self.item.options, strict=False)
        question = textwrap.fill(f"Quiz: {self.item.question}", 90, break_on_hyphens=False)
        lines = [question, *(f"  {letter}. {option.text}" for letter, option in answers)]
        return "\n".join([*lines, "Run this cell to answer it."])


def to_html(text: str) -> str:
    """A text with the marks `code` and **bold** as HTML; all else is shown as it is."""
    escaped = html.escape(text, quote=False)
    for pattern, replacement in MARKS:
        escaped = re.sub(pattern, replacement, escaped)
    return escaped
