"""What a check answers: text for every reader, and a picture where one helps."""

import base64
import html
import textwrap
from dataclasses import dataclass, field

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
    picture: PNG bytes, with `words` as its text alternative. expected, received: the values of the
    case that is shown, to be looked at further.
    """

    name: str
    solved: bool | None
    lines: list[str]
    picture: bytes | None = None
    words: str = ""
    expected: Tensor | None = field(default=None)
    received: Tensor | None = field(default=None)

    @property
    def text(self) -> str:
        """The answer as plain text."""
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        return wrapped(self.text)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """Text; with a picture, HTML, too, in the page's own colours."""
        bundle = {"text/plain": wrapped(self.text)}
        if self.picture is not None:
            source = base64.b64encode(self.picture).decode()
            bundle["text/html"] = (
                f'<pre style="{STYLE}">{html.escape(self.text)}</pre>'
                f'<img src="data:image/png;base64,{source}" alt="{html.escape(self.words)}">'
            )
        return bundle
