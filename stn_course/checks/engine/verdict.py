"""What a check answers: text for every reader, and a picture where one helps."""

import base64
import html
import textwrap
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

# The page's own style would break a long line anywhere, even within a word.
STYLE = "margin: 0; padding: 0; white-space: pre-wrap; word-break: normal; font-size: 1em"
WIDTH = 100  # characters: a notebook's page breaks longer lines within words


def wrapped(text: str) -> str:
    """The text with long lines broken between words, each going on under its own beginning."""
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if len(line) <= WIDTH or "  " in line.strip():  # a table's line says nothing in parts
            lines.append(line)
        else:
            lines += textwrap.wrap(line, WIDTH, subsequent_indent=indent)
    return "\n".join(lines)


@dataclass(repr=False)
class Verdict:
    """The answer to one attempt.

    solved: True, False, or None where nothing was attempted yet. lines: the answer as text.
    expected, received: the values of the case that is shown, to be looked at further. drawn_as:
    what these are drawn as, "images" or "grids"; None if a picture would not help.
    """

    name: str
    solved: bool | None
    lines: list[str]
    expected: Tensor | None = field(default=None)
    received: Tensor | None = field(default=None)
    drawn_as: str | None = None

    @property
    def text(self) -> str:
        """The answer as plain text."""
        return "\n".join(self.lines)

    @cached_property
    def picture(self) -> tuple[bytes, str] | None:
        """PNG bytes and the same in words, drawn when first asked for; None without a picture."""
        if self.drawn_as is None:
            return None
        # Late: it loads matplotlib, which the process that runs attempts never needs.
        from stn_course.checks.engine.pictures import PICTURES

        return PICTURES[self.drawn_as](self.expected, self.received)

    def __repr__(self) -> str:
        return wrapped(self.text)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """Text; with a picture, HTML, too, in the page's own colours."""
        bundle = {"text/plain": wrapped(self.text)}
        if self.picture is not None:
            content, words = self.picture
            source = base64.b64encode(content).decode()
            bundle["text/html"] = (
                f'<pre style="{STYLE}">{html.escape(self.text)}</pre>'
                f'<img src="data:image/png;base64,{source}" alt="{html.escape(words)}">'
            )
        return bundle
