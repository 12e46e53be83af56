"""Quiz without a browser: each answer gets its reason, and only a right first answer counts."""

import ast
import re
from pathlib import Path

import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from stn_course.checks import progress
from stn_course.checks.catalogue import QUESTIONS
from stn_course.widgets import Quiz
from stn_course.widgets.quiz import LETTERS, to_html

SOURCES = Path(__file__).resolve().parent.parent / "notebooks" / "src"
each_question = pytest.mark.parametrize("name", QUESTIONS)


def place_of_the_right(name: str) -> int:
    return [option.right for option in QUESTIONS[name].options].index(True)


def press(quiz: Quiz, *indices: int) -> None:
    """What the browser sends when buttons are pressed."""
    quiz.set_state({"chosen": [*quiz.chosen, *indices]})


@each_question
def test_the_browser_has_the_reason_of_each_answer(name):
    quiz, item = Quiz(name), QUESTIONS[name]
    assert quiz.chosen == []  # nothing preselected
    assert quiz.right == [option.right for option in item.options]
    for reason, option in zip(quiz.reasons, item.options, strict=True):
        assert to_html(option.reason) in reason
        assert to_html(item.try_it) in reason
        verdict = "Right." if option.right else "Not this one."
        assert f"<strong>{verdict}</strong>" in reason
    quiz.close()


@each_question
def test_a_right_first_answer_is_recorded(name):
    press(Quiz(name), place_of_the_right(name))
    assert progress.solved() == {f"quiz:{name}"}


@each_question
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "heard at once"])
def test_a_wrong_first_answer_is_not_and_another_go_may_be(name, at_once):
    """A kernel that was busy hears of both answers in one message."""
    quiz, right = Quiz(name), place_of_the_right(name)
    both = ((right + 1) % len(quiz.options), right)
    for answers in [both] if at_once else [both[:1], both[1:]]:
        press(quiz, *answers)
    assert progress.solved() == set()
    press(Quiz(name), right)  # the cell is run again
    assert progress.solved() == {f"quiz:{name}"}


def test_a_right_first_answer_counts_when_others_follow_before_the_kernel_hears():
    press(Quiz("zoom"), 0, 1)
    assert progress.solved() == {"quiz:zoom"}


def test_an_answer_that_is_none_changes_nothing():
    quiz = Quiz("zoom")
    for index in (3, -2):
        with pytest.raises(traitlets.TraitError, match=f"no option {index}"):
            press(quiz, index)
    assert quiz.chosen == []


@each_question
def test_without_a_kernel_the_question_can_be_read(name):
    """The stored text; the same in any run, and without the answer."""
    text = repr(Quiz(name))
    assert text == repr(Quiz(name)) == Quiz(name)._repr_mimebundle_()[0]["text/plain"]
    assert QUESTIONS[name].question in text.replace("\n", " ")
    assert max(map(len, text.splitlines())) <= 90
    for letter, option in zip(LETTERS, QUESTIONS[name].options, strict=False):
        assert f"  {letter}. {option.text}" in text
        assert option.reason not in text


def test_its_text_is_the_same_after_an_answer():
    quiz = Quiz("zoom")
    before = repr(quiz)
    press(quiz, 0)
    assert repr(quiz) == before


def test_marks_become_html_and_all_else_is_text():
    shown = to_html("**bold** `a < b & c` <b>")
    assert shown == "<strong>bold</strong> <code>a &lt; b &amp; c</code> &lt;b&gt;"


@given(st.text())
def test_no_text_becomes_other_html(text):
    tags = re.findall(r"<[^>]*>?", to_html(text))
    assert set(tags) <= {"<code>", "</code>", "<strong>", "</strong>"}


def test_every_question_is_asked_once_in_its_notebook():
    """Notebooks 01 to 04; of 05 as soon as it asks."""
    asked = []
    for path in sorted(SOURCES.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        names = [c.args[0].value for c in calls if getattr(c.func, "id", "") == "Quiz"]
        assert all(QUESTIONS[name].notebook == path.stem for name in names)
        asked += names
    assert len(asked) == len(set(asked))
    missing = {QUESTIONS[name].notebook for name in set(QUESTIONS) - set(asked)}
    assert missing == set()


@pytest.mark.parametrize("name", ["nothing", "", None, 3])
def test_a_question_that_there_is_not_is_named(name):
    with pytest.raises(ValueError, match=r"name must be one of 'normalised_range'.*got"):
        Quiz(name)
