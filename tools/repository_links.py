"""What follows from where the project lives: badges, the cell for Colab, project URLs.

The address is one setting, in pyproject.toml, and empty until the project has one:

    [tool.stn_course]
    repository = "https://github.com/OWNER/NAME"

python tools/repository_links.py   write all that follows; with no address, take all of it out again
"""

import re
import sys
import tomllib
from functools import partial
from pathlib import Path
from urllib.parse import quote

import nbformat
from derived_text import Makers, write
from nbformat.v4 import new_code_cell, new_markdown_cell
from notebook_pairs import Pair, edited

from stn_course.lessons import Lesson, load_lessons

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "main"
BADGES, COLAB = "badges", "colab"  # the two cells' tags and ids
SETUP = """# In Google Colab: install the course if it is absent, and let its labs show.
import importlib.util
import subprocess
import sys

if "google.colab" in sys.modules:
    from google.colab import output as colab_output

    if importlib.util.find_spec("stn_course") is None:
        course = "stn_course @ git+{repository}"
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", course], check=True)
        importlib.invalidate_caches()
    colab_output.enable_custom_widget_manager()"""


def setting(root: Path) -> str:
    """The project's address, or nothing; ValueError if Colab and Binder could not open it."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    address = tomllib.loads(text)["tool"]["stn_course"]["repository"]
    if address and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+(?<!\.git)", address):
        raise ValueError(
            f"repository is {address!r}; expected https://github.com/OWNER/NAME, or nothing"
        )
    return address


def path(lesson: Lesson) -> str:
    return f"notebooks/{lesson.name}.ipynb"


def addresses(repository: str, notebook: str) -> dict[str, str]:
    """Where Colab and Binder open a notebook, by their names; nowhere without a repository."""
    if not repository:
        return {}
    project = repository.removeprefix("https://github.com/")
    binder = f"https://mybinder.org/v2/gh/{project}/{BRANCH}?labpath={quote(notebook, safe='')}"
    colab = f"https://colab.research.google.com/github/{project}/blob/{BRANCH}/{notebook}"
    return {"Colab": colab, "Binder": binder}


def badges(repository: str, notebook: str) -> tuple[str, str]:
    """Markdown that opens a notebook in Colab, and in Binder."""
    colab, binder = addresses(repository, notebook).values()
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})",
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})",
    )


def in_readme(text: str, repository: str, lessons: list[Lesson]) -> str:
    """README.md with a row of badges for each notebook between its two comments."""
    rows = [
        f"| {lesson.label} | {' | '.join(badges(repository, path(lesson)))} |\n"
        for lesson in (lessons if repository else [])
    ]
    table = "".join(["\n| open | in Colab | in Binder |\n| --- | --- | --- |\n", *rows, "\n"])
    between = re.compile(r"(<!-- badges: [^\n]*\n).*?(<!-- /badges -->)", re.DOTALL)
    return between.sub(lambda found: found[1] + (table if repository else "") + found[2], text)


def in_pyproject(text: str, repository: str) -> str:
    """pyproject.toml with the project's URLs in front of the setting."""
    urls = (
        f'[project.urls]\nRepository = "{repository}"\nIssues = "{repository}/issues"\n'
        f'Changelog = "{repository}/blob/{BRANCH}/CHANGELOG.md"\n\n'
    )
    bare = re.sub(r"\[project\.urls\]\n(.+\n)*\n", "", text)
    return bare.replace("[tool.stn_course]", (urls if repository else "") + "[tool.stn_course]")


def in_citation(text: str, repository: str) -> str:
    """CITATION.cff with the address after the licence."""
    bare = re.sub(r"^repository-code: .*\n", "", text, flags=re.MULTILINE)
    line = f"repository-code: {repository}\n" if repository else ""
    return re.sub(r"^license: .*\n", lambda found: found[0] + line, bare, flags=re.MULTILINE)


def link(notebook: nbformat.NotebookNode, repository: str, lesson: Lesson) -> None:
    """Put the badges and the cell for Colab after a notebook's title; renumber the cells that ran.

    The cell for Colab counts as one that ran: here it prints nothing.
    """
    made = [c for c in notebook.cells if {BADGES, COLAB} & set(c.metadata.get("tags", []))]
    cells = [cell for cell in notebook.cells if cell not in made]
    if repository:
        both = " ".join(badges(repository, path(lesson)))
        code = SETUP.format(repository=repository)
        cells[1:1] = [
            new_markdown_cell(both, id=BADGES, metadata={"tags": [BADGES]}),
            new_code_cell(code, id=COLAB, metadata={"tags": [COLAB]}, execution_count=0),
        ]
    ran = [c for c in cells if c.cell_type == "code" and c.execution_count is not None]
    for count, cell in enumerate(ran, start=1):
        cell.execution_count = count
    notebook.cells = cells


def followers(root: Path, repository: str) -> Makers:
    """Each file in which something follows from the address, and what makes its text."""
    lessons = list(load_lessons().values())
    made: Makers = {
        root / "README.md": partial(in_readme, repository=repository, lessons=lessons),
        root / "pyproject.toml": partial(in_pyproject, repository=repository),
        root / "CITATION.cff": partial(in_citation, repository=repository),
    }
    for lesson in lessons:
        pair = Pair(lesson.name, root / "notebooks")
        change = partial(link, repository=repository, lesson=lesson)
        made |= {path: partial(edited, path=path, change=change) for path in pair.files()}
    return made


if __name__ == "__main__":
    try:
        write(followers(ROOT, setting(ROOT)), ROOT)
    except ValueError as error:
        sys.exit(str(error))
