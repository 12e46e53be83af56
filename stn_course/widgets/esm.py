"""One module of JavaScript out of several: an anywidget takes one text that imports nothing."""

import functools
import re
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r"^import \{[^}]*\} from \"\./(\w+\.js)\";\n", flags=re.MULTILINE)


@functools.cache
def joined(name: str) -> str:
    """A module of this folder with all that it imports before it, as one module.

    The names at the top of all modules differ, which a test holds, so they can share one.
    """
    *needed, last = with_imports(name)
    bodies = [re.sub(r"^export (?!default)", "", text(part), flags=re.MULTILINE) for part in needed]
    return "\n".join([*bodies, text(last)])


def text(name: str) -> str:
    """A module's own text, without its imports."""
    return IMPORT.sub("", (HERE / name).read_text(encoding="utf-8"))


def with_imports(name: str) -> list[str]:
    """A module's name behind the names of those that it imports, each once."""
    found: list[str] = []
    for other in IMPORT.findall((HERE / name).read_text(encoding="utf-8")):
        found += [part for part in with_imports(other) if part not in found]
    return [*found, name]
