"""Refresh notebooks from their py:percent sources, or sources from notebooks; compare the two.

python tools/notebooks.py refresh [02 ...]   run notebooks/src/NN_*.py and store it as a notebook
python tools/notebooks.py sources [02 ...]   write notebooks/src/NN_*.py from the notebooks
"""

import argparse
import difflib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from tqdm import tqdm

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"


def to_source(notebook: NotebookNode) -> str:
    """A notebook as py:percent text: cells and their tags, nothing of the machine that ran it."""
    bare = nbformat.v4.new_notebook(cells=[])
    bare.metadata["jupytext"] = {
        "notebook_metadata_filter": "-all",
        "cell_metadata_filter": "tags,-all",
    }
    bare.cells = notebook.cells
    text = jupytext.writes(bare, fmt="py:percent")
    # jupytext and ruff count blank lines around functions differently; ruff has the last word.
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "notebook.py", "-"]
    return subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout


def from_source(text: str) -> NotebookNode:
    """py:percent text as a notebook without outputs or ids of its own."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


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


def normalise(notebook: NotebookNode) -> None:
    """Leave out what differs between runs or needs the kernel that made it."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if not is_progress(o)]
        for output in cell.get("outputs", []):
            for part in ("data", "metadata"):
                output.get(part, {}).pop(WIDGET, None)


def is_progress(output: NotebookNode) -> bool:
    """Whether an output is a progress bar: on stderr, or a widget, which is stored as 0 %."""
    data = output.get("data", {})
    bar = WIDGET in data and re.match(r"\s*\d+%\|", data.get("text/plain", ""))
    return output.get("name") == "stderr" or bool(bar)


def refresh(source: Path) -> None:
    """Run one source from a fresh kernel in notebooks/ and store it with its outputs."""
    target = NOTEBOOKS / f"{source.stem}.ipynb"
    notebook = from_source(source.read_text(encoding="utf-8"))
    keep_ids(notebook, nbformat.read(target, as_version=4) if target.exists() else None)
    bar = tqdm(total=len(notebook.cells), desc=source.stem, unit="cell")
    client = NotebookClient(
        notebook,
        timeout=1800,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        store_widget_state=False,
        on_cell_complete=lambda **_: bar.update(),
    )
    with tempfile.TemporaryDirectory() as home:  # as for a learner who begins: nothing solved
        client.execute(env=os.environ | {"STN_COURSE_HOME": home})
    bar.close()
    normalise(notebook)
    nbformat.validate(notebook)
    temporary = target.with_suffix(".part")
    nbformat.write(notebook, temporary)
    temporary.replace(target)
    source.write_text(to_source(notebook), encoding="utf-8")  # the same text, blank lines as ever


def chosen(folder: Path, pattern: str, names: list[str]) -> list[Path]:
    """The files that begin with one of the names, or all; an error for a name without a file."""
    files = sorted(folder.glob(pattern))
    for name in names:
        if not any(file.name.startswith(name) for file in files):
            sys.exit(f"no notebook begins with {name!r}; there are {[f.stem for f in files]}")
    return [f for f in files if not names or any(f.name.startswith(n) for n in names)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["refresh", "sources"])
    parser.add_argument("names", nargs="*", help="the beginning of a name, for example 02")
    arguments = parser.parse_args()
    if arguments.command == "refresh":
        for source in chosen(NOTEBOOKS / "src", "*.py", arguments.names):
            refresh(source)
    else:
        for path in chosen(NOTEBOOKS, "*.ipynb", arguments.names):
            text = to_source(nbformat.read(path, as_version=4))
            (NOTEBOOKS / "src" / f"{path.stem}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
