"""Text that follows from a setting: which files do not say it, and writing them."""

import re
from collections.abc import Callable
from pathlib import Path

from notebook_pairs import Pair, said

Makers = dict[Path, Callable[[str], str]]  # a file, and what makes its text from the one it has


def between(text: str, name: str, make: Callable[[], str]) -> str:
    """A text with what stands between two comments, <!-- name --> and <!-- /name -->, made anew.

    Words may follow the first name after a colon.
    """
    comments = re.compile(rf"(<!-- {name}(?:: [^>]*)? -->).*?(<!-- /{name} -->)", re.DOTALL)
    return comments.sub(lambda found: found[1] + make() + found[2], text)


def stale(makers: Makers) -> dict[Path, str]:
    """The files, of those there are, that do not say what follows: each with what it should say."""
    old = {path: path.read_text(encoding="utf-8") for path in makers if path.exists()}
    new = {path: makers[path](text) for path, text in old.items()}
    return {path: text for path, text in new.items() if text != old[path]}


def write(makers: Makers, root: Path) -> None:
    """Write these files, name them, and note where a notebook and its source agree on it."""
    changed = stale(makers)
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(root))
    for path in changed:
        if path.suffix == ".ipynb":
            pair = Pair(path.stem, path.parent)
            if (text := said(pair.source)) == said(pair.notebook):
                pair.remember(text)
