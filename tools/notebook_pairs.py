"""A notebook and its py:percent source: one as the other, and no edit of either lost in silence."""

import difflib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from notebook_outputs import METADATA


def to_source(notebook: NotebookNode) -> str:
    """A notebook as py:percent text: cells and their tags, nothing of the machine that ran it.

    Raises ValueError with a Python parser's words if a cell is no Python.
    """
    bare = nbformat.v4.new_notebook(cells=[])
    bare.metadata["jupytext"] = {
        "notebook_metadata_filter": "-all",
        "cell_metadata_filter": "tags,-all",
    }
    bare.cells = notebook.cells
    text = jupytext.writes(bare, fmt="py:percent")
    # jupytext and ruff count blank lines around functions differently; ruff has the last word.
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "notebook.py", "-"]
    done = subprocess.run(ruff, input=text, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise ValueError(done.stderr)
    return done.stdout


def from_source(text: str) -> NotebookNode:
    """py:percent text as a notebook without outputs or ids of its own."""
    notebook = jupytext.reads(text, fmt="py:percent")
    for cell in notebook.cells:  # blank lines around a cell are the source's, and as ever
        cell.source = cell.source.strip("\n")
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


def parsed(text: str, path: Path) -> NotebookNode:
    """The text of a file of that name as a notebook."""
    return nbformat.reads(text, as_version=4) if path.suffix == ".ipynb" else from_source(text)


def said(path: Path) -> str:
    """What a notebook or a source says, as py:percent text in its normal form."""
    try:
        return to_source(parsed(path.read_text(encoding="utf-8"), path))
    except ValueError as error:
        raise ValueError(f"{os.path.relpath(path)}: {error}") from None


def edited(text: str, path: Path, change: Callable[[NotebookNode], None]) -> str:
    """The text of a notebook or a source after a change of its cells; outputs stay."""
    notebook = parsed(text, path)
    change(notebook)
    return nbformat.writes(notebook) + "\n" if path.suffix == ".ipynb" else to_source(notebook)


def committed(path: Path) -> str | None:
    """The same of git's HEAD; None where git does not know the file, or it cannot be read."""
    show = ["git", "show", f"HEAD:./{path.name}"]
    try:
        done = subprocess.run(show, cwd=path.parent, capture_output=True, check=True)
        return to_source(parsed(done.stdout.decode("utf-8"), path))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


class Pair:
    """A notebook and its source, and what the two last had in common."""

    def __init__(self, stem: str, folder: Path):
        self.notebook = folder / f"{stem}.ipynb"
        self.source = folder / "src" / f"{stem}.py"
        self.common = folder.parent / "build" / "agreed" / f"{stem}.py"

    def files(self) -> tuple[Path, Path]:
        """The notebook, then its source."""
        return self.notebook, self.source

    def remember(self, text: str) -> None:
        """Note what both say, now that one was written from the other."""
        self.common.parent.mkdir(parents=True, exist_ok=True)
        self.common.write_text(text, encoding="utf-8")

    def loss(self, target: Path, origin: Path) -> str | None:
        """What to do first, where writing `target` from `origin` would lose an edit of `target`.

        None where the target says what its origin says, or what is committed, or where only the
        origin was edited since the two last agreed. Outputs do not count.
        """
        if not target.exists():
            return None
        old, new, heads = said(target), said(origin), {committed(target), committed(origin)}
        edited = new not in heads
        common = self.common.read_text(encoding="utf-8") if self.common.exists() else None
        if old in heads | {new} or (edited and old == common):
            return None
        return "\n".join([*advice(target, origin, edited and new != common), *difference(old, new)])


def advice(target: Path, origin: Path, both_edited: bool) -> list[str]:
    """What a maintainer may do about the edits of `target`; paths from where the command runs."""
    keep = {".ipynb": "make sources", ".py": "make notebooks"}[target.suffix]
    this, other = os.path.relpath(target), os.path.relpath(origin)
    drop = f"git checkout HEAD {this}" if committed(target) is not None else f"remove {this}"
    if both_edited:
        return [
            f"{this} and {other} were both edited, and differ.",
            "Carry the edits of the first into the second by hand; "
            f"then {drop}, and run this again.",
        ]
    return [
        f"{this} has edits that {other} lacks; they would be lost.",
        f"To keep them: {keep} NB={target.stem[:2]}. To drop them: {drop}, and run this again.",
    ]


def difference(old: str, new: str) -> list[str]:
    """The first lines in which the two differ: - would be lost, + is in the other."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    return changed[:20] + ["…"] * (len(changed) > 20)
