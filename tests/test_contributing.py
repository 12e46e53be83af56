"""CONTRIBUTING.md says what the commands, the settings and the red answers are."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What ruff, nbval, pytest-mpl, hypothesis and Python print: taken on trust.
THEIRS = {"Would reformat", "F401", "Warning", "Image files did not match", "Falsifying example"}
THEIRS |= {"Cell outputs differ", "Notebook cell execution failed"}


def section(heading: str) -> str:
    return GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def told() -> list[str]:
    """The words of a red answer, as the table quotes them."""
    rows = re.findall(r"^\| (.+?) \|", section("How to read a red answer"), re.MULTILINE)[2:]
    return [words for row in rows for words in re.findall(r"`(.+?)`(?=[ ,|]|$)", row)]


def text_of(folder: Path) -> str:
    """All Python below a folder, without the breaks of long strings."""
    files = [path for path in sorted(folder.rglob("*.py")) if path.name != Path(__file__).name]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    return re.sub(r'"\n\s+f?"', "", text)


def test_what_a_red_answer_says_is_what_is_printed():
    own = text_of(ROOT / "tests") + text_of(ROOT / "tools")
    missing = {words for words in told() if words not in own}
    assert not missing - THEIRS
    assert len(told()) >= 15


def test_every_command_is_one():
    commands = set(re.findall(r"`make ([a-z-]+)[ `]", GUIDE))
    assert {"quick", "check", "test", "test-newest", "links"} <= commands
    for target in commands:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_every_link_and_every_file_leads_somewhere():
    headings = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    anchors = {"#" + heading.lower().replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        known = target in anchors or target.startswith("https://") or (ROOT / target).exists()
        assert known, target
    for path in re.findall(r"`((?:tests|tools|stn_course|\.github)/[\w./]*)`", GUIDE):
        assert (ROOT / path).exists(), path


def test_its_contents_are_its_headings():
    head = GUIDE.split("\n## ")[0]
    assert re.findall(r"\[(.+?)\]\(#", head) == re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)


def test_the_setting_and_the_workflows_variables_are_those_there_are():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (table, key) = re.search(r"\[tool\.(\w+)\]\n(\w+) = ", GUIDE).groups()
    assert key in project["tool"][table]
    workflows = "".join(p.read_text("utf-8") for p in (ROOT / ".github" / "workflows").iterdir())
    used = set(re.findall(r"vars\.(\w+)", workflows))
    assert set(re.findall(r"^\| `(\w+)` \|", section("Publish the course"), re.M)) == used
