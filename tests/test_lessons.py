"""lessons.toml: one entry for each notebook, and a clear answer to one that is not as it should."""

from pathlib import Path

import pytest

from stn_course.checks.catalogue import EXERCISES, QUESTIONS
from stn_course.lessons import Lesson, load_lessons, notebooks_folder

ROOT = Path(__file__).resolve().parent.parent
ENTRY = {
    **{"title": '"Probe"', "question": '"why?"', "minutes": "10", "with_exercises": "20"},
    **{"needs": '"nothing"', "afterwards": '"ask why"'},
}


def written(folder: Path, name: str = "06_probe", **changed: str | None) -> Path:
    """A folder with a lessons.toml of one entry, changed; None takes something out."""
    lines = [f"{key} = {value}" for key, value in (ENTRY | changed).items() if value is not None]
    folder.joinpath("lessons.toml").write_text("\n".join([f"[{name}]", *lines]), encoding="utf-8")
    return folder


def test_each_notebook_has_its_source_and_its_entry():
    names = list(load_lessons())
    assert [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))] == names
    assert [path.stem for path in sorted((ROOT / "notebooks" / "src").glob("*.py"))] == names
    numbers = [name[:2] for name in names]
    assert numbers[0] == "00" and len(set(numbers)) == len(numbers)


def test_what_there_is_to_solve_stands_in_the_lessons_that_have_exercises():
    with_exercises = {name for name, lesson in load_lessons().items() if lesson.has_exercises}
    written = {exercise.notebook for exercise in EXERCISES.values()}
    asked = {question.notebook for question in QUESTIONS.values()}
    assert asked == with_exercises
    assert with_exercises - written == {"11_then_and_now"}  # the closing quiz alone


def test_an_entry_is_read(tmp_path):
    (lesson,) = load_lessons(written(tmp_path, builds='["grids.affine_grid"]')).values()
    assert lesson == Lesson(
        *("06_probe", "Probe", "why?", 10, 20, "nothing", "ask why", ("grids.affine_grid",))
    )
    assert (lesson.number, lesson.label) == ("06", "06 Probe")


def test_lessons_come_in_the_courses_order(tmp_path):
    text = (notebooks_folder() / "lessons.toml").read_text(encoding="utf-8")
    first, last = text.split("\n[05_training]")
    tmp_path.joinpath("lessons.toml").write_text(f"[05_training]{last}\n{first}", encoding="utf-8")
    assert list(load_lessons(tmp_path)) == list(load_lessons())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"needs": None}, "06_probe has title, .*, afterwards; expected title, .*, needs"),
        ({"minuts": "9"}, "06_probe has .*, minuts; expected title"),
        ({"name": "probe"}, "probe is no name such as 02_grid_generation"),
        ({"with_exercises": "9"}, "06_probe takes less with its exercises than without"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, changed, said):
    with pytest.raises(ValueError, match=f"lessons.toml: {said}"):
        load_lessons(written(tmp_path, **changed))
