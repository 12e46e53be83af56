"""Refresh notebooks from their py:percent sources, or sources from notebooks.

python tools/notebooks.py refresh [02 ...]   run notebooks/src/NN_*.py and store it as a notebook
python tools/notebooks.py sources [02 ...]   write notebooks/src/NN_*.py from the notebooks

Where one would overwrite the only copy of an edit, it says so and does nothing.
"""

import argparse
import difflib
import hashlib
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from notebook_outputs import keep_outputs, normalise, tolerances
from notebook_pairs import Pair, from_source, said
from tqdm import tqdm

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def keep_ids(new: NotebookNode, old: NotebookNode | None) -> None:
    """Give each cell the id it had; a new cell's id comes from its text: the same anywhere."""
    before = [] if old is None else old.cells
    matcher = difflib.SequenceMatcher(
        None, [c.source for c in before], [c.source for c in new.cells], autojunk=False
    )
    ids = {}
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and i2 - i1 == j2 - j1):
            ids.update({j1 + k: before[i1 + k].id for k in range(j2 - j1)})
    taken = set(ids.values())
    for j, cell in enumerate(new.cells):
        if j not in ids:
            ids[j] = next(i for i in candidates(cell.source) if i not in taken)
            taken.add(ids[j])
        cell["id"] = ids[j]


def candidates(source: str):
    """Ids made from a cell's text, each different."""
    for n in range(1000):
        yield hashlib.sha256(f"{n}{source}".encode()).hexdigest()[:12]


def refresh(pair: Pair) -> None:
    """Run one source from a fresh kernel in notebooks/ and store it with its outputs."""
    text = said(pair.source)  # the same text, blank lines as ever
    pair.source.write_text(text, encoding="utf-8")
    notebook = from_source(text)
    old = nbformat.read(pair.notebook, as_version=4) if pair.notebook.exists() else None
    keep_ids(notebook, old)
    tolerances(notebook)  # a malformed tag is an error now, not after minutes
    run(notebook, pair.source.stem)
    normalise(notebook)
    if old is not None:
        normalise(old)
        keep_outputs(notebook, old)
    nbformat.validate(notebook)
    stop_at(pair.loss(pair.notebook, pair.source))  # edited while the cells ran?
    temporary = pair.notebook.with_suffix(".part")
    nbformat.write(notebook, temporary)
    temporary.replace(pair.notebook)
    pair.remember(text)


def run(notebook: NotebookNode, name: str) -> None:
    """Run all cells in a fresh kernel, as for a learner who begins: nothing solved."""
    bar = tqdm(total=len(notebook.cells), desc=name, unit="cell")
    client = NotebookClient(
        notebook,
        timeout=1800,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        store_widget_state=False,
        on_cell_complete=lambda **_: bar.update(),
    )
    with tempfile.TemporaryDirectory() as home, bar:
        client.execute(env=os.environ | {"STN_COURSE_HOME": home})


def sources(pair: Pair) -> None:
    """Write one source from its notebook."""
    text = said(pair.notebook)
    pair.source.write_text(text, encoding="utf-8")
    pair.remember(text)


def stop_at(*losses: str | None) -> None:
    """Exit with what would be lost and what to do about it, if there is such a thing."""
    if any(losses):
        sys.exit("\n\n".join(filter(None, losses)))


def chosen(folder: Path, pattern: str, names: list[str]) -> list[Path]:
    """The files that begin with one of the names, or all; an error for a name without a file."""
    files = sorted(folder.glob(pattern))
    for name in names:
        if not any(file.name.startswith(name) for file in files):
            sys.exit(f"no notebook begins with {name!r}; there are {[f.stem for f in files]}")
    return [f for f in files if not names or any(f.name.startswith(n) for n in names)]


def refresh_all(names: list[str]) -> None:
    pairs = [Pair(path.stem, NOTEBOOKS) for path in chosen(NOTEBOOKS / "src", "*.py", names)]
    stop_at(*(pair.loss(pair.notebook, pair.source) for pair in pairs))
    for pair in pairs:
        refresh(pair)


def sources_all(names: list[str]) -> None:
    pairs = [Pair(path.stem, NOTEBOOKS) for path in chosen(NOTEBOOKS, "*.ipynb", names)]
    stop_at(*(pair.loss(pair.source, pair.notebook) for pair in pairs))
    for pair in pairs:
        sources(pair)


COMMANDS = {"refresh": refresh_all, "sources": sources_all}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("names", nargs="*", help="the beginning of a name, for example 02")
    given = parser.parse_args(arguments)
    try:
        COMMANDS[given.command](given.names)
    except ValueError as error:  # a file that cannot be read, a tag that is malformed
        sys.exit(str(error))


if __name__ == "__main__":
    main()
