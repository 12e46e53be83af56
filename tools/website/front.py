"""The site's index: what the course is, a lab to draw in, the map, how to run it."""

import base64
import json
import re
import shutil
from pathlib import Path

import torch
from course_map import hours
from jinja2 import Environment, FileSystemLoader
from torch import nn

from stn_course import data, models
from stn_course.widgets import esm
from stn_course.widgets.browser_lab import to_browser
from stn_course.widgets.network import Layer, layers_of, scaling
from website.pages import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "notebooks" / "images" / "straightener.gif"
LAB = Path(__file__).with_name("front_lab.js")
IMPORT = re.compile(r'^import \{[^}]*\} from "[./]*stn_course/widgets/(\w+\.js)";\n', re.MULTILINE)
EXAMPLES = (24, 15, 0, 1, 18)  # of the test digits: a four, a five, a seven, a two, a three


def write(folder: Path, common: dict) -> None:
    """index.html, the moving picture, and the lab's script and numbers."""
    shutil.copy(PICTURE, folder / "pictures")
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    lessons = {lesson.name: lesson for lesson in common["lessons"]}
    values = common | {"hours": hours(lessons), "picture": f"pictures/{PICTURE.name}"}
    page = environment.get_template("index.html.j2").render(site=values)
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "assets" / "front.js").write_text(script(), encoding="utf-8")


def script() -> str:
    """The lab as one classic script, which leaves `stnFront`: how it renders, and its data."""
    own = LAB.read_text(encoding="utf-8")
    names = [part for name in IMPORT.findall(own) for part in esm.with_imports(name)]
    modules = [*(esm.text(name) for name in dict.fromkeys(names)), IMPORT.sub("", own)]
    body = re.sub(r"^export (?!default)", "", "\n".join(modules), flags=re.MULTILINE)
    body = body.replace("export default", "window.stnFront =")
    given = json.dumps(numbers(), default=lambda part: {"base64": base64.b64encode(part).decode()})
    return f"(() => {{\n{body}\nstnFront.data = {given};\n}})();\n"


def numbers() -> dict:
    """The trained transformer and its classifier, and digits to begin with."""
    digits = data.load_digits("test")[0]
    network = models.load_straightener()
    classifier = models.PlainNet()
    own = classifier.state_dict()
    classifier.load_state_dict({name: network.state_dict()[name] for name in own})
    localization = nn.Sequential(network.localization, nn.Flatten(), network.fc_loc)
    return {
        "examples": [to_browser(digits[index]) for index in EXAMPLES],
        "localization": [normalising(), *layers_of(localization)],
        "classifier": [normalising(), *layers_of(classifier)],
    }


def normalising() -> Layer:
    """What `data.normalise` does to a digit."""
    return scaling(torch.tensor([1 / data.STD]), torch.tensor([-data.MEAN / data.STD]))
