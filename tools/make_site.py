"""Write the course as a site, into site/: python tools/make_site.py [02 ...]

An index, and a page for each notebook, or for those whose names begin like that. It needs no host:
open site/index.html. The pages are as the notebooks are stored; only the labs' cells run.
"""

import argparse
import shutil
import sys
from pathlib import Path

import nbformat
from repository_links import addresses, setting
from website import front, labs, libraries, pages

import stn_course
from stn_course.lessons import Lesson, load_lessons
from stn_course.widgets import esm

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SITE = ROOT / "site"
ASSETS = Path(pages.__file__).parent / "assets"
WIDGETS = Path(stn_course.__file__).parent / "widgets"


def build(folder: Path, names: list[str], live: list[str] | None = None) -> None:
    """Write the site anew. names: beginnings of the notebooks' names, all without any.

    live: of which notebooks the labs are alive, likewise; for tests, which run few.
    """
    libraries.bring()
    lessons = [lesson for lesson in load_lessons().values() if begins(lesson, names)]
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("assets", "pictures", "notebooks"):
        (folder / part).mkdir(parents=True)
    put_assets(folder / "assets")
    common = {
        "lessons": lessons,
        "version": stn_course.__version__,
        "repository": setting(ROOT),
    }
    for lesson in lessons:
        write_page(folder, lesson, common, begins(lesson, live or []))
    front.write(folder, common)


def begins(lesson: Lesson, names: list[str]) -> bool:
    return not names or any(lesson.name.startswith(name) for name in names)


def put_assets(folder: Path) -> None:
    """Styles and scripts of our own, as they are; a quiz as a classic script; the libraries."""
    for file in ASSETS.iterdir():
        shutil.copy(file, folder)
    for style in ("quiz.css", "canvas.css"):
        shutil.copy(WIDGETS / style, folder)
    script = esm.joined("quiz.js").replace("export default", "window.stnQuiz =")
    (folder / "quiz.js").write_text(f"(() => {{\n{script}}})();\n", encoding="utf-8")
    libraries.put(folder)


def write_page(folder: Path, lesson: Lesson, common: dict, live: bool) -> None:
    """A notebook's page, the state of its labs, and the notebook itself."""
    path = NOTEBOOKS / f"{lesson.name}.ipynb"
    shutil.copy(path, folder / "notebooks")
    shown = labs.live_labs(nbformat.read(path, as_version=4)) if live else {}
    if shown:
        script = folder / "assets" / f"{lesson.name}.labs.js"
        script.write_text(labs.state_script(shown), encoding="utf-8")
    page = pages.render(
        path,
        folder / "pictures",
        **common,
        lesson=lesson,
        labs=set(shown),
        elsewhere=addresses(common["repository"], f"notebooks/{path.name}"),
        **neighbours(lesson, common["lessons"]),
    )
    (folder / f"{lesson.name}.html").write_text(page, encoding="utf-8")


def neighbours(lesson: Lesson, lessons: list[Lesson]) -> dict[str, Lesson | None]:
    """The lessons before and after, in the course's order."""
    place = lessons.index(lesson)
    before, after = lessons[max(place - 1, 0) : place], lessons[place + 1 : place + 2]
    return {"before": before[0] if before else None, "after": after[0] if after else None}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="the beginning of a name, for example 02")
    given = parser.parse_args(arguments)
    try:
        build(SITE, given.names)
    except (libraries.NotBrought, ValueError) as error:
        sys.exit(str(error))
    print(SITE / "index.html")


if __name__ == "__main__":
    main()
