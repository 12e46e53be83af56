"""INSTRUCTORS.md says what the notebooks, the checks and the commands say."""

import re
from pathlib import Path

from stn_course.checks.__main__ import parser
from stn_course.checks.catalogue import EXERCISES, QUESTIONS

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


def commands() -> list[str]:
    blocks = re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_its_commands_exist():
    told = [line for line in commands() if line.startswith("python -m stn_course.checks ")]
    assert len(told) == 2
    for line in told:
        chosen = parser().parse_args(line.replace("'", "").split()[3:])
        assert chosen.notebooks[0].startswith("handed_in/")
    assert "conda env create --file environment.yml" in commands()
    assert (ROOT / "environment.yml").exists()


def test_its_figures_are_the_programs():
    default = parser().get_default("timeout")
    assert f"({default:g} if you do not say)" in GUIDE
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
