"""The glossary: each term is built where its link leads; the notebook says what the file says."""

import re
from functools import cache
from pathlib import Path

import derived_text
import glossary
import nbformat
import pytest
from bs4 import BeautifulSoup
from website.pages import to_page

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
TERMS = glossary.load_terms(ROOT)
LINE = re.compile(r"^- \*\*(.+?)\*\*: (.+) \[(\d\d), (.+?)\]\((\w+)\.ipynb#(\S+)\)$", re.M)


@cache
def cells(name: str) -> list:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells


@cache
def page(name: str) -> BeautifulSoup:
    """What a notebook says in Markdown, as nbconvert renders it."""
    text = "\n\n".join(cell.source for cell in cells(name) if cell.cell_type == "markdown")
    return BeautifulSoup(to_page(text), "html.parser")


def words(text: str) -> str:
    """A text as a reader says it: `base_grid` is "base grid"."""
    return " ".join(re.sub("[`*_]", " ", text).casefold().split())


@pytest.fixture(scope="module")
def written() -> list[tuple[str, ...]]:
    """The lines of notebook 11: term, meaning, number, heading, notebook, anchor."""
    (source,) = [c.source for c in cells("11_then_and_now") if c.source.startswith("## Glossary")]
    return LINE.findall(source)


def test_the_notebook_says_what_the_file_says():
    followers = glossary.followers(ROOT)
    assert len(followers) == 2 and not derived_text.stale(followers), "run: make map"


def test_terms_are_sorted_and_none_is_there_twice(written):
    terms = [term.casefold() for term, *_ in written]
    assert terms == sorted(set(terms)) and len(terms) == len(TERMS) >= 35


def test_each_link_leads_to_a_heading(written):
    """By the anchors that nbconvert makes; JupyterLab makes them by the same rule."""
    for term, _, number, heading, name, anchor in written:
        assert name.startswith(number)
        found = page(name).find_all(id=anchor)
        assert [part.text.removesuffix("#") for part in found] == [heading.replace("`", "")], term


@pytest.mark.parametrize("term", TERMS)
def test_the_section_builds_the_term(term, written):
    """It speaks of the term, or defines what is called like it: a sampler is `grid_sample`."""
    ((_, _, _, heading, name, _),) = [line for line in written if line[0] == term]
    found = glossary.sections(nbformat.v4.new_notebook(cells=cells(name)))
    (text,) = [text for title, text in found if title == heading and TERMS[term]["cell"] in text]
    defined = re.match(r"(def|class) \w+[(:]$", TERMS[term]["cell"])
    called = defined and words(defined[0]).replace(" ", "")
    speaks = words(term) in words(f"{heading} {text}")
    assert speaks or (called and all(part[:6] in called for part in words(term).split()))
    assert words(term) in words(" ".join(cell.source for cell in cells(name)))


def test_a_definition_is_short_and_does_not_begin_with_its_term():
    for term, entry in TERMS.items():
        assert set(entry) == {"means", "notebook", "cell"}, term
        assert len(entry["means"]) <= 240 and entry["means"].endswith((".", ".)")), term
        assert not words(entry["means"]).startswith(words(term)), term


def test_a_heading_that_no_link_reaches_is_named():
    """Tried in JupyterLab 4.6: it opens the notebook, and stays at its top."""
    with pytest.raises(ValueError, match="02_probe: a link to 'Output → input' needs escapes"):
        glossary.link("02_probe", "Output → input")


@pytest.mark.parametrize(("cell", "count"), [("def nowhere(", 0), ("theta", 2)])
def test_words_that_find_no_cell_or_two_are_named(cell, count):
    found = [("Build 1", "theta"), ("Build 2", "theta times coordinates")]
    with pytest.raises(ValueError, match=rf"'{re.escape(cell)}' stands in {count} sections"):
        glossary.heading_of(cell, found)
