"""Write what follows from notebooks/lessons.toml: python tools/course_map.py

In README.md, INSTRUCTORS.md and notebook 00 it stands between two comments, <!-- map --> and
<!-- /map -->; words may follow the name after a colon. In each notebook, and in its source, it is
the heading, the line with the minutes, and the titles in links to other notebooks.
"""

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from derived_text import Makers, between, write
from nbformat import NotebookNode
from notebook_pairs import Pair, edited

from stn_course.lessons import Lesson, load_lessons

ROOT = Path(__file__).resolve().parent.parent
Lessons = dict[str, Lesson]

# The columns of a table: their heads, and what stands in them for a lesson.
COLUMNS: dict[str, Callable[[Lesson], object]] = {
    "notebook": lambda lesson: f"[{lesson.label}](notebooks/{lesson.name}.ipynb)",
    "the question": lambda lesson: lesson.question[:1].upper() + lesson.question[1:],
    "minutes to read": lambda lesson: lesson.minutes,
    "with the exercises": lambda lesson: lesson.with_exercises,
    "needs": lambda lesson: lesson.needs,
    "afterwards you can": lambda lesson: lesson.afterwards,
    "afterwards a learner can": lambda lesson: lesson.afterwards,
}
TIMES = ["minutes to read", "with the exercises"]


def table(heads: list[str], lessons: Lessons) -> str:
    """A row for each lesson, in Markdown."""
    rows = [[str(COLUMNS[head](lesson)) for head in heads] for lesson in lessons.values()]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def in_words(minutes: int) -> str:
    """Hours to the nearest half: 200 minutes are "3½"."""
    hours, half = divmod(round(minutes / 30), 2)
    return f"{hours}{'½' * half}"


def hours(lessons: Lessons) -> str:
    """How long the whole course takes."""
    reading = sum(lesson.minutes for lesson in lessons.values())
    whole = sum(lesson.with_exercises for lesson in lessons.values())
    return f"about {in_words(reading)} hours to read, and {in_words(whole)} with all the exercises"


# What stands between two comments of that name.
BLOCKS: dict[str, Callable[[Lessons], str]] = {
    "map": partial(table, ["notebook", *TIMES, "afterwards you can"]),
    "objectives": partial(table, ["notebook", *TIMES, "needs", "afterwards a learner can"]),
    "questions": partial(table, ["notebook", "the question", *TIMES, "afterwards you can"]),
    "hours": hours,
}


def filled(text: str, lessons: Lessons) -> str:
    """A text with what is between its comments made anew."""
    for name, make in BLOCKS.items():
        text = between(text, name, partial(make, lessons))
    return text


def heading(lesson: Lesson) -> str:
    """The first line of a notebook."""
    return f"# {lesson.number} · {lesson.title}: {lesson.question}"


def minutes_line(lesson: Lesson) -> str:
    """The line under it."""
    solving = f"{lesson.with_exercises} with the" if lesson.has_exercises else "no"
    return (
        f"**{lesson.minutes} minutes to read, {solving} exercises · needs {lesson.needs} · "
        "runs on CPU or GPU, offline**"
    )


def retitled(text: str, lessons: Lessons) -> str:
    """A text whose links to notebooks, such as [02 · Grid generation](…), bear their titles."""
    for lesson in lessons.values():
        target = f"({lesson.name}.ipynb)"
        new = f"[{lesson.number} · {lesson.title}]{target}"
        text = re.sub(rf"\[\d\d · [^\]]*\]{re.escape(target)}", lambda _, new=new: new, text)
    return text


def fill_in(notebook: NotebookNode, lesson: Lesson, lessons: Lessons) -> None:
    """Bring the text of a notebook up to date."""
    first = notebook.cells[0]
    first.source = re.sub(r"^# \d\d · .*", lambda _: heading(lesson), first.source)
    line = re.compile(r"^\*\*\d+ minutes to read, .*\*\*$", re.MULTILINE)
    first.source = line.sub(lambda _: minutes_line(lesson), first.source)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = filled(cell.source, lessons).replace("](notebooks/", "](")  # it lies there, too
            cell.source = retitled(text, lessons)


def followers(root: Path) -> Makers:
    """Each file in which something follows from lessons.toml, and what makes its text."""
    lessons = load_lessons(root / "notebooks")
    fill = partial(filled, lessons=lessons)
    made: Makers = {root / "README.md": fill, root / "INSTRUCTORS.md": fill}
    for lesson in lessons.values():
        change = partial(fill_in, lesson=lesson, lessons=lessons)
        for path in Pair(lesson.name, root / "notebooks").files():
            made[path] = partial(edited, path=path, change=change)
    return made


if __name__ == "__main__":
    try:
        write(followers(ROOT), ROOT)
    except ValueError as error:  # an entry that is not as it should be, a file that is no notebook
        sys.exit(str(error))
