"""The site's index: what the course is, the moving picture, the map, how to run it."""

import shutil
from pathlib import Path

from course_map import hours
from jinja2 import Environment, FileSystemLoader

from website.pages import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "notebooks" / "images" / "straightener.gif"


def write(folder: Path, common: dict) -> None:
    """index.html, and the moving picture."""
    shutil.copy(PICTURE, folder / "pictures")
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    lessons = {lesson.name: lesson for lesson in common["lessons"]}
    values = common | {"hours": hours(lessons), "picture": f"pictures/{PICTURE.name}"}
    page = environment.get_template("index.html.j2").render(site=values)
    (folder / "index.html").write_text(page, encoding="utf-8")
