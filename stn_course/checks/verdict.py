"""What a check answers: text for every reader, and a picture where one helps."""

import base64
import html
from dataclasses import dataclass, field

from torch import Tensor


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
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """Text; with a picture, HTML, too, in the page's own colours."""
        bundle = {"text/plain": self.text}
        if self.picture is not None:
            source = base64.b64encode(self.picture).decode()
            bundle["text/html"] = (
                f"<pre>{html.escape(self.text)}</pre>"
                f'<img src="data:image/png;base64,{source}" alt="{html.escape(self.words)}">'
            )
        return bundle
