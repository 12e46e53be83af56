"""The quiz questions: complete, and every right answer is computed, with PyTorch as the judge."""

import re
from pathlib import Path

import closing_answers
import pytest
import right_answers
import torch

from stn_course import samplers, transforms
from stn_course.checks.catalogue import QUESTIONS
from stn_course.lessons import load_lessons

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks" / "src"
each_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda q: q.name)


def test_at_least_two_for_each_lesson():
    lessons = [name for name, lesson in load_lessons().items() if lesson.has_exercises]
    asked = [question.notebook for question in QUESTIONS.values()]
    assert asked == sorted(asked)  # in the order of the course
    assert set(asked) == set(lessons)
    assert all(asked.count(lesson) >= 2 for lesson in lessons)


@each_question
def test_a_question_is_complete(question):
    assert [option.right for option in question.options].count(True) == 1
    assert len(question.options) >= 3
    assert len({option.text for option in question.options}) == len(question.options)
    assert question.question.strip().endswith("?")
    for option in question.options:
        assert len(option.reason) > 40
        assert len(option.text) <= 80


@each_question
def test_its_texts_are_clean(question):
    texts = [question.question, question.try_it]
    texts += [text for option in question.options for text in (option.text, option.reason)]
    for text in texts:
        assert text == text.strip() and "  " not in text and "\n" not in text
        assert text.count("`") % 2 == 0 and text.count("**") % 2 == 0
        assert not re.search(r"\b([Ss]imply|[Oo]bviously|[Jj]ust)\b", text)


@each_question
def test_the_place_to_try_it_in_exists(question):
    """`try_it` begins with a section of the notebook, or of another one, marked as its name."""
    elsewhere, name, number = re.match(
        r"In (?:notebook (\d\d), |the lab of )?\*\*([A-Z][\w: ?]*?)( \d)?\*\*:", question.try_it
    ).groups()
    (file,) = NOTEBOOKS.glob(f"{elsewhere}_*.py" if elsewhere else f"{question.notebook}.py")
    headings = re.findall(r"^# ## (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    whole = name + (number or "")
    assert any(h.startswith((whole, name)) for h in headings), whole


def test_the_right_answer_does_not_always_stand_in_the_same_place():
    places = [[o.right for o in q.options].index(True) for q in QUESTIONS.values()]
    assert len(set(places)) > 1
    assert max(map(places.count, places)) <= 0.5 * len(places)


COMPUTED = right_answers.COMPUTED + closing_answers.COMPUTED


def test_every_right_answer_is_computed():
    assert [compute.__name__ for compute in COMPUTED] == list(QUESTIONS)


@pytest.mark.parametrize("compute", COMPUTED, ids=lambda compute: compute.__name__)
def test_the_right_answer_is_right(compute, digits):
    compute(digits)


def test_border_padding_on_a_grey_ground_differs(digits):
    """What `grey_frame` says of its third answer."""
    theta = transforms.scale(1.6)
    for ground, same in ((0.0, True), (0.4, False)):
        image = ground + (1 - ground) * digits[0][:1]
        ways = [samplers.warp(image, theta, padding_mode=mode) for mode in ("zeros", "border")]
        assert torch.equal(*ways) is same
