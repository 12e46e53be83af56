"""INSTRUCTORS.md says what the notebooks, the checks and the commands say."""

import importlib
import itertools
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from stn_course.checks.catalogue import EXERCISES, QUESTIONS
from stn_course.cli import HANDED_ON
from stn_course.lessons import load_lessons
from stn_course.marking.__main__ import main, parser

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "INSTRUCTORS.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, its head left out."""
    section = GUIDE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_misconception_leads_to_exercises_and_quizzes_that_there_are():
    table = rows("Misconceptions")
    assert len(table) >= 15
    for words, exercises, quizzes in table:
        assert words and (exercises or quizzes)
        assert set(re.findall(r"`(\w+)`", exercises)) <= set(EXERCISES), words
        assert set(re.findall(r"`(\w+)`", quizzes)) <= set(QUESTIONS), words


def test_every_quiz_stands_in_the_table():
    named = {name for row in rows("Misconceptions") for name in re.findall(r"`(\w+)`", row[2])}
    assert named == set(QUESTIONS)


SYLLABUS = GUIDE.split("\n## A syllabus\n")[1].split("\n## ")[0]
PLANS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", SYLLABUS, re.DOTALL | re.MULTILINE))
LESSONS = {lesson.number: lesson for lesson in load_lessons().values()}
each_plan = pytest.mark.parametrize("plan", PLANS)
Table = list[dict[str, str]]  # a row is a session, by the heads of the columns


def tables(plan: str) -> list[Table]:
    """Those of a plan, in order: its days, or the weeks and their homework."""
    found = re.findall(r"^(\|.+\|)\n\|[ |-]+\n((?:\|.+\n)+)", PLANS[plan], re.MULTILINE)
    cut = re.compile(r"\s*\|\s*").split
    return [
        [dict(zip(cut(heads), cut(row), strict=True)) for row in body.splitlines()]
        for heads, body in found
    ]


def numbers(session: dict[str, str]) -> tuple[str, ...]:
    """The notebooks of a session, which are linked by their numbers; none of a break."""
    linked = re.findall(r"\[(\d\d)\]\(notebooks/(\w+)\.ipynb\)", session["notebook"])
    assert all(LESSONS[number].name == name for number, name in linked)
    return tuple(number for number, _ in linked)


def by_notebooks(table: Table) -> dict[tuple[str, ...], Table]:
    """The sessions of the same notebooks, together; a notebook may take two."""
    found = defaultdict(list)
    for session in table:
        found[numbers(session)].append(session)
    found.pop((), None)
    return found


def solving(words: str, number: str) -> float:
    """The minutes of the exercises that are set: all, or a share of the notebook's for each."""
    lesson = LESSONS[number]
    whole = lesson.with_exercises - lesson.minutes
    if f"all of {number}" in words or (words.startswith("all") and "all of" not in words):
        return whole
    there = [name for name, exercise in EXERCISES.items() if exercise.notebook == lesson.name]
    return whole * sum(f"`{name}`" in words for name in there) / max(len(there), 1)


@each_plan
def test_a_session_takes_what_its_notebooks_and_exercises_take(plan):
    for table in tables(plan):
        (column,) = [head for head in table[0] if head.startswith("minutes")]
        in_class = column == "minutes"
        for group, parts in by_notebooks(table).items():
            words = " ".join(part["exercises"] for part in parts)
            least = sum(LESSONS[n].minutes * in_class + solving(words, n) for n in group)
            given = sum(int(part[column]) for part in parts)
            assert least <= given <= least + 20, (plan, group, least, given)


@pytest.mark.parametrize("plan", ["One day", "Three days"])
def test_the_sessions_of_a_day_follow_each_other_and_have_their_breaks(plan):
    for day in tables(plan):
        now, since_a_break = 9 * 60, 0
        for session in day:
            hours, minutes = map(int, session["from"].split(":"))
            assert hours * 60 + minutes == now, session
            now += int(session["minutes"])
            pause = session["notebook"] in ("break", "lunch")
            since_a_break = 0 if pause else since_a_break + int(session["minutes"])
            assert since_a_break <= 120, session
        assert now <= 17 * 60


def test_a_plan_has_its_notebooks():
    held = {
        plan: {n for day in tables(plan) for row in day for n in numbers(row)} for plan in PLANS
    }
    assert held.pop("One day") == {f"{n:02}" for n in range(7)}  # as its words say
    assert set(held) == {"Three days", "Six weeks"}
    assert all(found == set(LESSONS) for found in held.values())
    rows = [row for day in tables("Three days") for row in day if numbers(row) > ("00",)]
    assert {row["exercises"] for row in rows} == {"all"}


def prose(number: str) -> str:
    """All that a notebook says in Markdown."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{LESSONS[number].name}.ipynb", as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@each_plan
def test_a_plan_names_sections_and_exercises_that_its_notebooks_have(plan):
    set_so_far = []
    for session in itertools.chain(*tables(plan)):
        text = "\n".join(prose(number) for number in numbers(session))
        for section in re.findall(r"\*(.+?)\*", " ".join(session.values())):
            assert re.search(rf"^##+ {re.escape(section)}", text, re.MULTILINE), section
        names = re.findall(r"`(\w+)`", " ".join(session.values()))
        lessons = {LESSONS[number].name for number in numbers(session)}
        assert all(EXERCISES[name].notebook in lessons for name in names), session
        set_so_far += re.findall(r"`(\w+)`", session.get("exercises", ""))
    assert len(set_so_far) == len(set(set_so_far))


def blocks(language: str) -> list[str]:
    """Its blocks of code in a language; "" for commands."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def commands() -> list[str]:
    """The lines of its commands, those that go on joined."""
    return [line for block in blocks("") for line in block.replace("\\\n", "").splitlines()]


def program(words: str) -> str:
    """The Python program in it that holds these words."""
    (found,) = [text for text in blocks("python") if words in text]
    return found


def test_its_commands_exist():
    told = [shlex.split(line) for line in commands() if "stn-course check " in line]
    assert len(told) == 9
    for line in told:
        chosen = parser().parse_args(line[line.index("check") + 1 :])
        assert chosen.notebooks[0].endswith(".ipynb")
    assert "conda env create --file environment.yml" in commands()
    assert (ROOT / "environment.yml").exists()


def test_stn_course_check_is_what_is_told():
    assert importlib.import_module(HANDED_ON["check"][1]).main is main


def test_the_container_has_no_network_and_sees_no_more_than_it_needs():
    (line,) = [shlex.split(line) for line in commands() if line.startswith("docker run")]
    assert {"--network", "none", "--read-only", "--init", "--rm"} <= set(line)
    shared = [line[i + 1] for i, word in enumerate(line) if word == "--volume"]
    assert shared == ["$PWD/handed_in:/handed_in:ro", "$PWD/results:/results"]
    chosen = parser().parse_args(line[line.index("check") + 1 :])
    assert chosen.notebooks[0].startswith("/handed_in/")
    assert chosen.output.is_relative_to("/results")


@pytest.mark.skipif(sys.platform == "win32", reason="a hub runs on Linux or macOS")
@pytest.mark.parametrize("status", [0, 1])
def test_the_hubs_hook_makes_the_copy_and_starts_the_server(tmp_path, status):
    config = SimpleNamespace(Spawner=SimpleNamespace())
    exec(program("pre_spawn_hook"), {"c": config})
    spawner = SimpleNamespace(cmd=["jupyterhub-singleuser"], environment={})
    for _ in range(2):  # a learner starts again
        config.Spawner.pre_spawn_hook(spawner)
    for name, code in (("stn-course", status), ("jupyterhub-singleuser", 7)):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@"\nexit {code}\n', encoding="utf-8")
        stub.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": "/the home"}
    line = [*spawner.cmd, "--port=1", "a b"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "stn-course copy --folder /the home/stn_course",
        "jupyterhub-singleuser --port=1 a b",
    ]
    assert done.returncode == 7
    assert config.Spawner.default_url.endswith("/stn_course")


@pytest.mark.parametrize("number", ["02", "03"])
def test_the_assignment_for_nbgrader_has_a_cell_for_each_exercise(tmp_path, number):
    (source,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    target, text = tmp_path / "out.ipynb", tmp_path / "to_nbgrader.py"
    text.write_text(program("nbgrader"), encoding="utf-8")
    subprocess.run([sys.executable, text, source, target], check=True)
    made = nbformat.read(target, as_version=4)
    nbformat.validate(made)
    tests = [cell for cell in made.cells if "nbgrader" in cell.metadata]
    names = [cell.metadata.nbgrader.grade_id for cell in tests]
    assert set(names) == {n for n, e in EXERCISES.items() if e.notebook == source.stem}
    assert len(names) == len(set(names))
    for name, cell in zip(names, tests, strict=True):
        compile(cell.source, name, "exec")
        assert cell.source.startswith(f"assert checks.{name}(")


def test_its_figures_are_the_programs():
    for option in ("timeout", "cell-timeout"):
        default = parser().get_default(option.replace("-", "_"))
        assert f"`--{option}` seconds ({default:g} if you do not say)" in GUIDE.replace("\n", " ")
    hints = re.search(r"at least (\w+) hints", GUIDE).group(1)
    assert hints == "three" and all(len(exercise.hints) >= 3 for exercise in EXERCISES.values())


def test_files_and_names_that_it_mentions_are_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`(?:python )?(tools/\w+\.py)", GUIDE):
        assert (ROOT / path).exists(), path
    for goal in re.findall(r"`make (\w+)`", GUIDE):
        assert f"\n{goal}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
    progress = (ROOT / "stn_course" / "checks" / "progress.py").read_text(encoding="utf-8")
    for variable in re.findall(r"`(STN_\w+)`", GUIDE):
        assert variable in progress
