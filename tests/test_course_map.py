"""`make map`: what lessons.toml says stands in README, INSTRUCTORS, notebook 00 and each notebook.

In a copy an entry is changed, and a seventh notebook added: its source and its entry, no more.
"""

import re
import shutil
import textwrap
from pathlib import Path

import course_map
import derived_text
import nbformat
import notebook_pairs
import pytest

from stn_course.lessons import Lesson, load_lessons

ROOT = Path(__file__).resolve().parent.parent
LESSONS = load_lessons()
BLOCKS = {
    "README.md": {"map", "hours"},
    "INSTRUCTORS.md": {"objectives"},
    "notebooks/src/00_start_here.py": {"questions"},
}


@pytest.fixture
def copy(tmp_path) -> Path:
    """What the command reads and writes."""
    for path in [ROOT / "notebooks" / "lessons.toml", *course_map.followers(ROOT)]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def make_map(root: Path) -> None:
    derived_text.write(course_map.followers(root), root)


def changed(root: Path) -> set[str]:
    """The files that the command writes."""
    before = {path: path.read_bytes() for path in root.rglob("*.*") if "build" not in path.parts}
    make_map(root)
    names = {path.relative_to(root).as_posix(): path for path in before}
    return {name for name, path in names.items() if path.read_bytes() != before[path]}


def test_what_follows_from_the_entries_is_written():
    stale = [str(path.relative_to(ROOT)) for path in derived_text.stale(course_map.followers(ROOT))]
    assert not stale, f"{', '.join(stale)}: run: make map"


@pytest.mark.parametrize("name", BLOCKS)
def test_each_table_has_its_place(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"<!-- (\w+)\b[^>]*-->.*?<!-- /\1 -->", text, re.DOTALL)
    assert set(found) >= BLOCKS[name] and len(found) == len(set(found))
    # In Markdown a comment that begins a line ends the paragraph before it.
    assert not re.search(r"^<!-- [^>]*-->.", text, re.MULTILINE)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_notebook_begins_with_its_heading_and_its_minutes(lesson):
    source = ROOT / "notebooks" / "src" / f"{lesson.name}.py"
    first = notebook_pairs.from_source(source.read_text(encoding="utf-8")).cells[0].source
    for line in (course_map.heading(lesson), course_map.minutes_line(lesson)):
        assert line in first.splitlines(), f"put this line into the first cell of {source}: {line}"


def test_the_lines_of_a_lesson_with_and_without_exercises():
    lesson = Lesson("06_probe", "Probe", "who asks?", 20, 45, "notebook 05", "ask")
    assert course_map.heading(lesson) == "# 06 · Probe: who asks?"
    assert course_map.minutes_line(lesson) == (
        "**20 minutes to read, 45 with the exercises · needs notebook 05 · runs on CPU or GPU, "
        "offline**"
    )
    lesson = Lesson("06_probe", "Probe", "who asks?", 20, 20, "notebook 05", "ask")
    assert "20 minutes to read, no exercises · needs" in course_map.minutes_line(lesson)


def test_the_sums_are_the_tables():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    columns = re.findall(r"^\| \[\d\d .+?\| (\d+) \| (\d+) \|", readme, re.MULTILINE)
    reading, whole = (sum(map(int, column)) / 60 for column in zip(*columns, strict=True))
    said = re.search(r"about ([\d½]+) hours to read, and ([\d½]+) with all", readme).groups()
    read, solve = (float(words.replace("½", ".5")) for words in said)
    assert abs(read - reading) <= 0.25 and abs(solve - whole) <= 0.25


@pytest.mark.parametrize(("minutes", "words"), [(60, "1"), (70, "1"), (80, "1½"), (200, "3½")])
def test_hours_are_told_to_the_nearest_half(minutes, words):
    assert course_map.in_words(minutes) == words


def test_a_changed_entry_changes_all_that_follows_from_it(copy):
    entries = copy / "notebooks" / "lessons.toml"
    text = entries.read_text(encoding="utf-8")
    text = text.replace('title = "Sampling"', 'title = "A \\\\1 title"').replace("= 90", "= 95")
    entries.write_text(text, encoding="utf-8")
    lessons = ("00_start_here", "02_grid_generation", "03_sampling")
    pairs = {f"notebooks/{n}.ipynb" for n in lessons} | {f"notebooks/src/{n}.py" for n in lessons}
    assert changed(copy) == {"README.md", "INSTRUCTORS.md", *pairs}
    assert "[03 A \\1 title](notebooks/03_sampling.ipynb)" in (copy / "README.md").read_text(
        "utf-8"
    )
    source = (copy / "notebooks" / "src" / "02_grid_generation.py").read_text(encoding="utf-8")
    assert "Next: [03 · A \\1 title](03_sampling.ipynb)" in source
    assert changed(copy) == set()


def test_outputs_stay_and_a_notebook_says_what_its_source_says(copy):
    entries = copy / "notebooks" / "lessons.toml"
    entries.write_text(entries.read_text("utf-8").replace("= 50", "= 55"), encoding="utf-8")
    make_map(copy)
    for name in ("00_start_here", "01_data"):
        pair = notebook_pairs.Pair(name, copy / "notebooks")
        assert notebook_pairs.said(pair.notebook) == notebook_pairs.said(pair.source)
        assert pair.loss(pair.notebook, pair.source) is None  # `make notebooks` goes on from here
        old = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        new = nbformat.read(pair.notebook, as_version=4)
        assert [c.get("outputs") for c in new.cells] == [c.get("outputs") for c in old.cells]


def shown_by_the_guide() -> list[str]:
    """The source and the entry of a new notebook, as CONTRIBUTING.md gives them."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## Add a notebook\n")[1]
    blocks = re.findall(r"^ +```\n(.*?)^ +```", guide, re.MULTILINE | re.DOTALL)[:2]
    return [textwrap.dedent(block) for block in blocks]


def test_a_new_notebook_is_its_source_and_one_entry(copy):
    text, entry = shown_by_the_guide()
    source = copy / "notebooks" / "src" / "06_topic.py"
    source.write_text(f"{text}# [02 · Grids](02_grid_generation.ipynb)\n", encoding="utf-8")
    with (copy / "notebooks" / "lessons.toml").open("a", encoding="utf-8") as entries:
        entries.write(f"\n{entry}")
    written = {"README.md", "INSTRUCTORS.md"}
    written |= {"notebooks/00_start_here.ipynb", "notebooks/src/00_start_here.py"}
    assert changed(copy) == {*written, "notebooks/src/06_topic.py"}
    for name in written:
        assert re.search(r"\[06 Find it\]\(\S*06_topic\.ipynb\)", (copy / name).read_text("utf-8"))
    assert source.read_text(encoding="utf-8").splitlines() == [
        "# %% [markdown]",
        "# # 06 · Find it: what if the digit is somewhere, among other things?",
        "#",
        "# **40 minutes to read, 80 with the exercises · needs notebooks 02 to 05 · "
        "runs on CPU or GPU, offline**",
        "# [02 · Grid generation](02_grid_generation.ipynb)",
    ]
