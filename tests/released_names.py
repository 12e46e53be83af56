"""The names of the package that released notebooks use: released_names.txt, one a line.

python tests/released_names.py   adds those of today's notebooks; part of each release
"""

import ast
from pathlib import Path

STORED = Path(__file__).with_name("released_names.txt")
SOURCES = Path(__file__).resolve().parent.parent / "notebooks" / "src"


def names_used(source: str) -> set[str]:
    """What a program imports from the package, and the attributes of it that it uses."""
    nodes = list(ast.walk(ast.parse(source)))
    imports = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.level == 0]
    bound = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in imports
        if node.module.split(".")[0] == "stn_course"
        for alias in node.names
    }
    attributes = [
        n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    ]
    used = {f"{bound[n.value.id]}.{n.attr}" for n in attributes if n.value.id in bound}
    return used | set(bound.values())


def released() -> set[str]:
    """What the notebooks of all releases so far use."""
    return set(STORED.read_text(encoding="utf-8").split())


def main() -> None:
    names = released() | {
        name
        for path in SOURCES.glob("*.py")
        for name in names_used(path.read_text(encoding="utf-8"))
    }
    STORED.write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
