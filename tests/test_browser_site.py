"""The course as a site, walked from its folder with the network off, in both themes."""

import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import make_site
import nbformat
import notebook_outputs
import pytest
from bs4 import BeautifulSoup
from website import libraries

from stn_course.checks.catalogue import EXERCISES, QUESTIONS
from stn_course.lessons import load_lessons

LIVE = ["02", "03"]  # their labs are quickly made
PAGES = ["index", *load_lessons()]
FIRST_LOOK = 1_500_000  # bytes
# Fulfilled when each part of the page has been in view.
WALK = """async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
        scrollTo(0, y);
        await new Promise(requestAnimationFrame);
    }
}"""
# Size of letters, in pixels, and HTML of all that holds text outside the labs and the formulas.
TEXT_SIZES = """[...document.querySelectorAll("body *")]
    .filter((part) => !part.closest(".lab, mjx-container, script, noscript"))
    .filter((part) => [...part.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((part) => [parseFloat(getComputedStyle(part).fontSize), part.outerHTML])"""
REFERRING = {"img": "src", "script": "src", "link": "href", "a": "href"}
each_page = pytest.mark.parametrize("name", PAGES)
each_lesson = pytest.mark.parametrize("name", load_lessons())


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, made anew; skipped where npm, or what it brings, is not to be had."""
    folder = tmp_path_factory.mktemp("site") / "below" / "a path"
    try:
        make_site.build(folder, [], live=LIVE)
    except libraries.NotBrought as reason:
        pytest.skip(str(reason))
    return folder


@pytest.fixture(scope="module")
def parsed(site) -> dict[str, BeautifulSoup]:
    return {
        name: BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for name in PAGES
    }


@pytest.fixture(scope="module")
def offline(browser, site):
    """A function: a page of the site, in a window of its own that cannot reach any network."""
    contexts = []

    def opened(name: str, **options):
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        return watched(context, site, name)

    yield opened
    for context in contexts:
        context.close()


def watched(context, site: Path, name: str):
    """Open a page; what it asked for and what went wrong is in `page.seen`."""
    page = context.new_page()
    page.seen = SimpleNamespace(asked=[], wrong=[])
    page.on("request", lambda request: page.seen.asked.append(request.url))
    page.on("requestfailed", lambda request: page.seen.wrong.append(request.url))
    page.on("console", lambda m: page.seen.wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.seen.wrong.append(str(error)))
    page.goto((site / f"{name}.html").as_uri())
    return page


def cells(name: str) -> list:
    path = make_site.NOTEBOOKS / f"{name}.ipynb"
    return nbformat.read(path, as_version=4).cells


@each_page
def test_nothing_is_fetched_from_elsewhere_and_every_link_leads_somewhere(site, parsed, name):
    for tag, attribute in REFERRING.items():
        for found in parsed[name].select(f"{tag}[{attribute}]"):
            address, _, anchor = found[attribute].partition("#")
            if tag == "a" and re.match("https?:", address):
                continue  # a reader may follow it, no page needs it
            target = (site / address) if address else site / f"{name}.html"
            assert target.is_file(), found
            if anchor:
                assert parsed[target.stem].find(id=anchor), found


@each_page
def test_a_page_is_small_at_a_first_look(site, offline, name):
    page = offline(name)
    page.wait_for_load_state()
    asked = {
        Path(page.evaluate("decodeURI", url).removeprefix("file://")) for url in page.seen.asked
    }
    assert site / "assets" / "embed-amd.js" not in asked
    assert sum(file.stat().st_size for file in asked) <= FIRST_LOOK


@each_page
def test_a_walk_finds_nothing_wrong(offline, name):
    """No request fails, the console says nothing, axe finds nothing serious in either theme."""
    page = offline(name, color_scheme="light")
    walk(page)
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious(page, runOnly=["color-contrast"]) == []  # what a theme can change
    assert page.seen.wrong == []


def walk(page) -> None:
    """Scroll through a page, and wait for its labs where they are alive."""
    page.evaluate(WALK)
    if page.query_selector(".lab"):
        page.wait_for_selector(".lab canvas[aria-label]", timeout=60_000)


def serious(page, **options) -> list:
    """What axe calls serious or critical: the rules, and the first place of each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False, **options})
    rules = [r for r in found.response["violations"] if r["impact"] in ("serious", "critical")]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in rules]


@each_page
def test_nothing_is_wider_than_a_phone(offline, name):
    page = offline(name, viewport={"width": 390, "height": 844}, has_touch=True)
    walk(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert [html for size, html in page.evaluate(TEXT_SIZES) if size < 16] == []


@each_lesson
def test_pictures_have_their_words(parsed, name):
    pictures = parsed[name].select("main img")
    kinds = [kind for c in cells(name) for o in c.get("outputs", []) for kind in o.get("data", {})]
    assert len(pictures) == sum(kind.startswith("image/") for kind in kinds) > 0
    assert all(len(picture["alt"]) > 20 for picture in pictures)


@each_lesson
def test_answers_and_hints_are_folded(parsed, name):
    page = parsed[name]
    folded = [c for c in cells(name) if notebook_outputs.folding(c.metadata.get("tags", []))]
    assert len(page.select("details.answer:not([open])")) == len(folded)
    assert not page.select("main .text details[open]")  # answers to questions without a check
    hints = [h for e in EXERCISES.values() if e.notebook == name for h in e.hints]
    assert len(page.select(".hints details:not([open])")) == len(hints)


@each_lesson
def test_every_quiz_is_there(parsed, name):
    asked = [q for q in QUESTIONS.values() if q.notebook == name]
    assert len(parsed[name].select(".quiz script")) == len(asked)


def test_a_quiz_answers(offline):
    page = offline("02_grid_generation")
    quiz = page.locator(".quiz").first
    wrong, right = (quiz.locator(".stn-option").nth(place) for place in (0, 1))
    wrong.click()
    assert quiz.locator(".stn-feedback").inner_text().startswith("Not this one.")
    right.focus()
    page.keyboard.press("Enter")
    assert quiz.locator(".stn-feedback").inner_text().startswith("Right.")
    assert "wrong" in wrong.inner_text() and "right" in right.inner_text()


def test_an_answer_and_a_hint_open(offline):
    page = offline("02_grid_generation")
    for selector, hidden in [(".answer", ".printed"), (".hints details", "p")]:
        part = page.locator(selector).first
        assert not part.locator(hidden).first.is_visible()
        part.locator("summary").click()
        assert part.locator(hidden).first.is_visible()


def test_a_formula_needs_no_script_and_has_its_words(parsed):
    formulas = parsed["03_sampling"].select("mjx-container")
    assert len(formulas) == 8
    assert all(
        formula.select("svg") and formula.select("mjx-assistive-mml") for formula in formulas
    )


def test_a_printed_page_is_the_text_alone(offline):
    page = offline("02_grid_generation", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    assert not any(page.locator(part).is_visible() for part in (".bar", ".contents", ".turn"))
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


def test_one_leads_to_the_next(parsed):
    names = list(load_lessons())
    for before, after in itertools.pairwise(names):
        assert parsed[before].select_one("a[rel=next]")["href"] == f"{after}.html"
        assert parsed[after].select_one("a[rel=prev]")["href"] == f"{before}.html"
    assert [a["href"] for a in parsed["index"].select(".cards a")] == [f"{n}.html" for n in names]
