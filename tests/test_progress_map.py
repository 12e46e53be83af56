"""ProgressMap: the numbers are those of the progress file; the words and the bars agree."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stn_course.checks import progress
from stn_course.checks.catalogue import EXERCISES, QUESTIONS
from stn_course.lessons import load_lessons
from stn_course.widgets import ProgressMap
from stn_course.widgets.progress_map import bar

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
TWO = {"02_grid_generation": ["base_grid", "affine_grid", "quiz:zoom"], "03_sampling": ["pad"]}


def shown(map_: ProgressMap) -> list[str]:
    """The words in the HTML, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", map_._repr_html_())
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows]


def widths(map_: ProgressMap) -> list[str]:
    return re.findall(r"width:(\d+%)", map_._repr_html_())


def test_at_first_all_bars_are_empty():
    map_ = ProgressMap(TWO)
    assert shown(map_) == [
        "notebook exercises quizzes",
        "02 Grid generation 0 of 2 0 of 1",
        "03 Sampling 0 of 1",
    ]
    assert widths(map_) == ["0%", "0%", "0%"]


def test_what_is_solved_fills_them_without_a_new_map():
    map_ = ProgressMap(TWO)
    for name in ("affine_grid", "quiz:zoom", "unknown"):
        progress.record(name)
    assert shown(map_)[1:] == ["02 Grid generation 1 of 2 1 of 1", "03 Sampling 0 of 1"]
    assert widths(map_) == ["50%", "100%", "0%"]
    assert repr(map_).splitlines() == [
        "Your progress",
        "02 Grid generation: 1 of 2 exercises, 1 of 1 quizzes",
        "03 Sampling: 0 of 1 exercises",
    ]


def test_by_default_it_holds_the_whole_course():
    counts = ProgressMap().counts()
    assert list(counts) == [name for name, x in load_lessons().items() if x.has_exercises]
    assert sum(c["exercises"][1] for c in counts.values()) == len(EXERCISES)
    assert sum(c["quizzes"][1] for c in counts.values()) == len(QUESTIONS)
    for name in [*EXERCISES, *(f"quiz:{name}" for name in QUESTIONS)]:
        progress.record(name)
    assert set(widths(ProgressMap())) == {"100%"}


def test_its_titles_are_the_lessons_own():
    labels = [lesson.label for lesson in load_lessons().values() if lesson.has_exercises]
    assert [line.split(":")[0] for line in repr(ProgressMap()).splitlines()[1:]] == labels
    rows = shown(ProgressMap())[1:]
    assert all(html.unescape(r).startswith(name) for r, name in zip(rows, labels, strict=True))


def test_a_name_that_is_no_notebook_stays():
    assert shown(ProgressMap({"my <lesson>": ["pad"]}))[1] == "my &lt;lesson&gt; 0 of 1"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=9), max_size=4), max_size=4))
def test_any_names_make_whole_html(names):
    """Every tag is closed, nothing of a name becomes a tag, and no bar is wider than its frame."""
    text = ProgressMap(names)._repr_html_()
    open_, tags = [], []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: (open_.append(tag), tags.append(tag))
    parser.handle_endtag = lambda tag: open_.pop() == tag or pytest.fail(tag)
    parser.feed(text)
    assert open_ == []
    assert set(tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "span"}
    assert isinstance(repr(ProgressMap(names)), str)


@pytest.mark.parametrize("done, all_, width", [(0, 3, 0), (1, 3, 33), (2, 3, 66), (9, 9, 100)])
def test_a_bar_is_full_only_when_all_is_done(done, all_, width):
    assert f"width:{width}%" in bar(done, all_)
    assert f"{done} of {all_}" in bar(done, all_)
    assert bar(0, 0) == ""


def test_the_stored_map_is_a_beginners():
    """nbval leaves the map's content out, so this holds it: nothing solved, all of the course."""
    notebook = nbformat.read(NOTEBOOKS / "00_start_here.ipynb", as_version=4)
    (output,) = [
        output
        for cell in notebook.cells
        if cell.source.strip() == "ProgressMap()"
        for output in cell.outputs
    ]
    assert output.data["text/html"] == ProgressMap()._repr_html_(), "run: make notebooks NB=00"
    assert output.data["text/plain"] == repr(ProgressMap())


@pytest.mark.parametrize("names", ["base_grid", ["base_grid"], 3])
def test_bad_input_is_named(names):
    with pytest.raises(TypeError, match="names must be a dict"):
        ProgressMap(names)
