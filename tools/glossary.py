"""Write the glossary, in notebook 11, from notebooks/glossary.toml: python tools/glossary.py

Each term, what it means, and a link to the section whose cell builds it. A link names the section,
too: where a notebook is shown without anchors, a reader still finds it.
"""

import re
import sys
import tomllib
from functools import partial
from pathlib import Path
from urllib.parse import quote

from derived_text import Makers, between, write
from nbformat import NotebookNode
from notebook_pairs import Pair, edited, from_source

from stn_course.lessons import load_lessons

ROOT = Path(__file__).resolve().parent.parent
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
Sections = list[tuple[str, str]]  # a heading, and what stands under it, words and code


def load_terms(root: Path) -> dict[str, dict[str, str]]:
    """What glossary.toml says of each term, in the order of the alphabet."""
    entries = tomllib.loads((root / "notebooks" / "glossary.toml").read_text(encoding="utf-8"))
    return {term: entries[term] for term in sorted(entries, key=str.casefold)}


def sections(notebook: NotebookNode) -> Sections:
    """Those of a notebook in order, each on one line; what comes first has no heading."""
    found = [("", "")]
    for cell in notebook.cells:
        parts = HEADING.split(cell.source) if cell.cell_type == "markdown" else [cell.source]
        heading, text = found[-1]
        found[-1] = (heading, f"{text} {parts[0]}")
        found += zip(parts[1::2], parts[2::2], strict=True)
    return [(heading, " ".join(text.split())) for heading, text in found]


def heading_of(cell: str, among: Sections) -> str:
    """The heading of the one section that holds these words; ValueError for none, or several."""
    headings = [heading for heading, text in among if cell in text]
    if len(headings) != 1:
        raise ValueError(f"glossary.toml: {cell!r} stands in {len(headings)} sections; expected 1")
    return headings[0]


def link(name: str, heading: str) -> str:
    """A link to a heading of a notebook, by the anchor that JupyterLab and nbconvert make of it.

    JupyterLab compares what a link says as it is escaped: an anchor must need no escapes.
    """
    anchor = heading.replace("`", "").replace(" ", "-")
    if quote(anchor, safe=":,'?") != anchor:
        raise ValueError(f"{name}: a link to {heading!r} needs escapes; give it another heading")
    return f"[{name[:2]}, {heading}]({name}.ipynb#{anchor})"


def written(root: Path) -> str:
    """A line for each term, in Markdown: a list, since a table is too wide for a phone."""
    paths = {path.name[:2]: path for path in (root / "notebooks" / "src").glob("*.py")}
    texts = {n: sections(from_source(path.read_text("utf-8"))) for n, path in paths.items()}
    lines = []
    for term, entry in load_terms(root).items():
        number = entry["notebook"]
        place = link(paths[number].stem, heading_of(entry["cell"], texts[number]))
        lines.append(f"- **{term}**: {entry['means']} {place}\n")
    return "\n\n" + "".join(lines) + "\n"


def fill_in(notebook: NotebookNode, made: str) -> None:
    """Bring the glossary of a notebook up to date."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = between(cell.source, "glossary", lambda: made)


def followers(root: Path) -> Makers:
    """The notebook that holds the glossary and its source, and what makes the text of each."""
    folder = root / "notebooks"
    files = [path for name in load_lessons(folder) for path in Pair(name, folder).files()]
    change = partial(fill_in, made=written(root))
    return {
        path: partial(edited, path=path, change=change)
        for path in files
        if "<!-- glossary" in path.read_text(encoding="utf-8")
    }


if __name__ == "__main__":
    try:
        write(followers(ROOT), ROOT)
    except ValueError as error:  # words that stand nowhere, or in two sections
        sys.exit(str(error))
