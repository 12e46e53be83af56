"""The course as a site, walked from its folder with the network off, in both themes."""

import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import make_site
import nbformat
import notebook_outputs
import pytest
import small_labs
from bs4 import BeautifulSoup
from hands import assert_moves
from website import libraries

from stn_course.checks.catalogue import EXERCISES, QUESTIONS
from stn_course.lessons import Lesson, load_lessons

LABS = {"02_grid_generation": 1, "03_sampling": 2, "05_training": 1}  # these are quickly made
SMALL = ["PilotLab", "FindLab", "WarpLab"]  # on a page of their own: their notebooks take long
PAGES = ["index", *load_lessons()]
FIRST_LOOK = 1_500_000  # bytes
# Fulfilled when each part of the page has been in view, painted or not.
WALK = """async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
        scrollTo(0, y);
        await Promise.race([
            new Promise(requestAnimationFrame), new Promise((done) => setTimeout(done, 500)),
        ]);
    }
}"""
# Leaves one piece of code of each kind: its classes, and those around it, are all that axe can
# judge where a piece has no other attribute.
THIN_CODE = """() => {
    const seen = new Set();
    for (const piece of document.querySelectorAll("pre span")) {
        let kind = "";
        for (let part = piece; part; part = part.parentElement) kind += `/${part.className}`;
        const plain = piece.getAttributeNames().every((name) => name === "class");
        if (plain && seen.has(kind)) piece.remove();
        seen.add(kind);
    }
}"""
# Size of letters, in pixels, and HTML of all that holds text outside the labs and the formulas.
TEXT_SIZES = """[...document.querySelectorAll("body *")]
    .filter((part) => !part.closest(".lab, mjx-container, script, noscript, sub"))
    .filter((part) => [...part.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((part) => [parseFloat(getComputedStyle(part).fontSize), part.outerHTML])"""
# What a finger is to meet: its HTML, width and height.
TARGETS = """[...document.querySelectorAll(`
        .stn-handle, .noUi-touch-area, .stn-button, .stn-option, .widget-toggle-button,
        main select, main input, summary, .bar a, .turn a, .button`)]
    .filter((part) => part.checkVisibility())
    .map((part) => [part.outerHTML, part.getBoundingClientRect()])
    .map(([html, { width, height }]) => [html.slice(0, 99), width + 0.01, height + 0.01])"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
REFERRING = {"img": "src", "script": "src", "link": "href", "a": "href"}
each_page = pytest.mark.parametrize("name", PAGES)
each_lesson = pytest.mark.parametrize("name", load_lessons())


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, made anew; skipped where npm, or what it brings, is not to be had."""
    folder = tmp_path_factory.mktemp("site") / "below" / "a path"
    try:
        make_site.build(folder, [], live=list(LABS))
    except libraries.NotBrought as reason:
        pytest.skip(str(reason))
    put_small_labs(folder, tmp_path_factory.mktemp("notebooks"))
    return folder


def put_small_labs(folder: Path, notebooks: Path) -> None:
    """A page of a notebook of our own, labs.html."""
    lesson = Lesson("labs", "Labs", "do they move?", 0, 0, "", "")
    common = {"lessons": [lesson], "version": "", "repository": ""}
    nbformat.write(small_labs.notebook(*SMALL), notebooks / "labs.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_site, "NOTEBOOKS", notebooks)
        make_site.write_page(folder, lesson, common, live=True)


@pytest.fixture(scope="module")
def parsed(site) -> dict[str, BeautifulSoup]:
    return {
        name: BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for name in PAGES
    }


@pytest.fixture
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
def test_a_page_is_small_at_a_first_look_and_a_walk_finds_nothing_wrong(site, offline, name):
    """No request fails, the console says nothing, axe finds nothing serious in either theme."""
    page = offline(name, color_scheme="light")
    assert_small(page, site)
    walk(page)
    put_axe(page)
    assert serious(page, runOnly=["scrollable-region-focusable"]) == []  # while lines are long
    page.evaluate(THIN_CODE)  # to look at each of thousands takes seconds
    assert serious(page, rules={"color-contrast": {"enabled": False}}) == []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert serious(page, runOnly=["color-contrast"]) == []
    assert page.seen.wrong == []


def assert_small(page, site: Path) -> None:
    """What a page that was only opened asked for: little, and nothing for labs out of view."""
    page.wait_for_load_state()
    asked = {
        Path(page.evaluate("decodeURI", url).removeprefix("file://")) for url in page.seen.asked
    }
    assert site / "assets" / "embed-amd.js" not in asked
    assert sum(file.stat().st_size for file in asked) <= FIRST_LOOK


def walk(page) -> None:
    """Scroll through a page, and wait for its labs where they are alive."""
    page.evaluate(WALK)
    if page.query_selector(".lab"):
        page.wait_for_selector(".lab canvas[aria-label]", timeout=60_000)


def put_axe(page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(Axe().axe_script)  # once a page: half a megabyte


def serious(page, **options) -> list:
    """What axe calls serious or critical: the rules, and the first place of each."""
    options = {"resultTypes": ["violations"], "preload": False, **options}
    found = page.evaluate("options => axe.run(options)", options)
    rules = [r for r in found["violations"] if r["impact"] in ("serious", "critical")]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in rules]


@each_page
def test_a_phone_is_wide_enough_and_a_finger_meets_its_mark(offline, name):
    page = offline(name, **PHONE)
    walk(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert {html: size for html, *size in page.evaluate(TARGETS) if min(size) < 44} == {}
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


each_lab = pytest.mark.parametrize(
    "name, index",
    [(n, i) for n, count in (LABS | {"labs": len(SMALL)}).items() for i in range(count)],
)


@each_lab
def test_a_lab_is_moved_by_keyboard_mouse_and_finger(offline, name, index):
    page = offline(name, has_touch=True)
    walk(page)
    lab = page.locator(".lab").nth(index)
    lab.locator(".stn-handle, .noUi-handle").first.wait_for(timeout=30_000)
    assert_moves(page, lab.locator("canvas").first, lab.locator(".stn-handle, .noUi-handle").first)
    assert "without a kernel" in lab.inner_text()
    assert page.seen.wrong == []


def test_a_page_keeps_no_progress_and_says_who_does(parsed):
    assert not parsed["00_start_here"].select(".stn-progress")
    (instead,) = parsed["00_start_here"].select(".elsewhere")
    assert "your own copy of the course" in instead.text
    assert instead.a["href"] == "#open"


# Which words on a canvas lose a part at the edge of their panel.
CUT = """
window.cut = [];
const { rect, fillText } = CanvasRenderingContext2D.prototype;
Object.assign(CanvasRenderingContext2D.prototype, {
    rect(...box) { this.panel = box; rect.apply(this, box); },
    fillText(words, x, y) {
        fillText.call(this, words, x, y);
        if (!this.panel) return;
        const [left, top, width, height] = this.panel;
        const size = this.measureText(words);
        const parts = [
            x - left - size.actualBoundingBoxLeft,
            y - top - size.actualBoundingBoxAscent,
            left + width - x - size.actualBoundingBoxRight,
            top + height - y - size.actualBoundingBoxDescent,
        ];
        if (Math.min(...parts) < 0) cut.push([words, ...parts]);
    },
});
"""


@pytest.mark.parametrize("width", [320, 390])
def test_on_the_front_page_no_words_are_cut_off(offline, site, width):
    phone = PHONE | {"viewport": {"width": width, "height": 844}}
    page = offline("index", reduced_motion="reduce", **phone)
    page.add_init_script(CUT)
    page.reload()
    page.wait_for_selector(".front-lab canvas[aria-label]")
    assert page.evaluate("cut") == []


def test_on_the_front_page_a_drawn_digit_is_straightened(offline):
    """A seven, drawn with the mouse and leaning by 35 degrees: alone it is misread."""
    page = offline("index", reduced_motion="reduce")
    box = page.locator(".front-pad canvas").bounding_box()
    stroke = [(0.43, 0.19), (0.79, 0.45), (0.26, 0.76)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=10)
    page.mouse.up()
    page.wait_for_selector(".front-verdict:has-text('through the frame, a 7')")
    assert "as it stands, the classifier reads a 7" not in page.inner_text(".front-verdict").lower()


def test_on_the_front_page_a_visitor_takes_the_frame_and_gives_it_back(offline):
    page = offline("index", has_touch=True, reduced_motion="reduce")
    network, identity = page.locator(".front-lab .stn-buttons .stn-button[data-press]").all()
    canvas = page.locator(".front-lab .stn-frame canvas")
    assert network.get_attribute("aria-pressed") == "true"
    before = canvas.get_attribute("aria-label")
    assert_moves(page, canvas, page.locator(".stn-handle").first)
    assert network.get_attribute("aria-pressed") == "false"
    identity.click()
    page.wait_for_selector("canvas[aria-label*='The frame is rotated 0 degrees, scaled by 1 ']")
    network.click()
    page.wait_for_function(
        "([canvas, before]) => canvas.ariaLabel === before", arg=[canvas.element_handle(), before]
    )
    assert page.seen.wrong == []


def test_on_the_front_page_the_picture_swings_until_a_visitor_acts(offline):
    page = offline("index")
    slider = page.locator(".front-turn input")
    page.wait_for_function("Math.abs(document.querySelector('.front-turn input').value) > 20")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.front-turn input').value === '-90'")
    page.wait_for_selector("canvas[aria-label^='The digit is turned by -90 degrees.']")
