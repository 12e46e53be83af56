"""A notebook as a page of the site: nbconvert with the course's template."""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from PIL import Image
from traitlets.config import Config

from stn_course.checks.catalogue import EXERCISES
from stn_course.exercise_cells import CALL
from stn_course.widgets.quiz import Quiz, to_html
from website.formulas import to_typeset, typeset

TEMPLATES = Path(__file__).parent / "templates"
QUIZ = re.compile(r'^Quiz\("(\w+)"\)$')
ELSEWHERE = {"badges", "colab"}  # tags of cells that tools/repository_links.py has made
PICTURES = {"image/png": "png", "image/gif": "gif", "image/jpeg": "jpg"}
# What is shown of an output that comes in several forms: the first of these that it has.
FORMS = ["text/html", "text/markdown", *PICTURES, "text/plain"]


class Renderer(IPythonRenderer):
    """Markdown as nbconvert renders it, but for formulas, and tables in a box that scrolls."""

    def block_math(self, body: str) -> str:
        return to_typeset(body, display=True)

    def inline_math(self, body: str) -> str:
        return to_typeset(body, display=False)

    def table(self, text: str) -> str:
        return f'<div class="table"><table>\n{text}</table></div>\n'


def to_page(source: str) -> str:
    """Markdown as HTML."""
    return MarkdownWithMath(renderer=Renderer(escape=False, anchor_link_text="#")).render(source)


@dataclass(frozen=True)
class Heading:
    """A section of a page, for its table of contents."""

    anchor: str
    title: str


def headings(notebook: NotebookNode) -> list[Heading]:
    """The sections of a notebook, in order."""
    text = "\n".join(to_page(c.source) for c in notebook.cells if c.cell_type == "markdown")
    found = re.findall(r'<h2 id="([^"]*)">(.*?)<a class="anchor-link"', text)
    return [Heading(anchor, title) for anchor, title in found]


def hints(cell: NotebookNode) -> list[str]:
    """The hints of the exercise that a cell asks for, as HTML; none where it asks for none."""
    return [to_html(hint) for name in CALL.findall(cell.source) for hint in EXERCISES[name].hints]


def quiz(cell: NotebookNode) -> str:
    """What quiz.js needs for the quiz that a cell is, as JSON; nothing if it is none."""
    if not (found := QUIZ.match(cell.source)):
        return ""
    made = Quiz(found[1])
    state = {name: getattr(made, name) for name in ("question", "options", "right", "reasons")}
    made.close()
    return json.dumps(state | {"chosen": []}).replace("</", "<\\/")


def keep_pictures(notebook: NotebookNode, folder: Path, stem: str) -> None:
    """Write each picture of the outputs into a file; its metadata says which, and its size."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    for number, output in enumerate(outputs):
        for kind in PICTURES.keys() & output.data.keys():
            file = folder / f"{stem}_{number}.{PICTURES[kind]}"
            file.write_bytes(base64.b64decode(output.data[kind]))
            with Image.open(file) as picture:
                width, height = picture.size
            size = {"file": f"{folder.name}/{file.name}", "width": width, "height": height}
            output.metadata[kind] = output.metadata.get(kind, {}) | size


def render(path: Path, folder: Path, **values) -> str:
    """One notebook as HTML, its pictures in a folder; values: what the template shows around it."""
    notebook = nbformat.read(path, as_version=4)
    cells = [c for c in notebook.cells if not ELSEWHERE & set(c.metadata.get("tags", []))]
    notebook.cells = cells
    keep_pictures(notebook, folder, path.stem)
    exporter = HTMLExporter(
        template_file=str(TEMPLATES / "page.html.j2"),
        extra_template_basedirs=[str(TEMPLATES)],
        filters={"to_page": to_page, "hints": hints, "quiz": quiz},
        config=Config(NbConvertBase={"display_data_priority": FORMS}),
    )
    values |= {"headings": headings(notebook)}
    page, _ = exporter.from_notebook_node(notebook, resources={"site": values})
    page = re.sub(r'href="(\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', page)
    return typeset(page)
