"""Quizzes and the map of progress in a real browser: mouse, keyboard, names, both themes."""

import browser as browser_tool
import lab_page
import nbformat
import pytest

CELLS = [
    "import os, tempfile\n"
    "os.environ['STN_COURSE_HOME'] = tempfile.mkdtemp()  # whatever other tests have solved\n"
    "from stn_course.widgets import ProgressMap, Quiz",
    'Quiz("zoom")',
    'Quiz("tanh_on_theta")',
    "ProgressMap()",
    'Quiz("grey_frame")',
]


@pytest.fixture(scope="module")
def page(browser, address, notebooks):
    """A notebook of our own with three quizzes and the map."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "quiz.ipynb")
    page = browser_tool.new_page(browser, height=1400)
    browser_tool.run_notebook(page, address, "quiz.ipynb")
    page.wait_for_selector(":nth-match(.stn-quiz, 3)", timeout=60_000)
    browser_tool.wait_until_run(page)
    return page


def options(page, index: int):
    return page.query_selector_all(".stn-quiz")[index].query_selector_all(".stn-option")


def feedback(page, index: int, begins: str) -> str:
    """What is said under a quiz, as soon as it begins like that."""
    selector = f":nth-match(.stn-feedback, {index + 1}):has-text('{begins}')"
    return page.wait_for_selector(selector, timeout=30_000).inner_text()


def test_a_press_gets_its_reason_and_only_a_right_first_answer_counts(page):
    _, wrong, _ = options(page, 0)
    wrong.click()
    assert "it covers a quarter of the input" in feedback(page, 0, "Not this one.")
    assert "wrong" in wrong.inner_text()
    wrong.focus()
    page.keyboard.press("x")  # it would cut the cell
    assert len(page.query_selector_all(".stn-quiz")) == 3
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert "Try it. In the lab of Play" in feedback(page, 0, "Right.")
    options(page, 1)[1].focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    feedback(page, 1, "Right.")
    page.query_selector_all(".jp-CodeCell")[3].query_selector(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".stn-progress td:has-text('1 of 3')", timeout=30_000)
    assert "1 of 4" not in page.query_selector(".stn-progress").inner_text()


def test_a_sections_name_is_marked(page):
    """So that "In The grey frame: warp …" is not read as one sentence (notebook 03)."""
    quiz = page.locator(".stn-quiz").nth(2)
    quiz.locator(".stn-option", has_text="black").click()
    feedback(page, 2, "Right.")
    marked = quiz.locator(".stn-feedback strong").all_inner_texts()
    assert "The grey frame" in marked


def test_what_assistive_technology_hears(page):
    tree = page.locator(".stn-quiz").nth(0).aria_snapshot()
    assert 'group "Quiz. Under' in tree
    assert 'button "C. It keeps its size and gets darker."' in tree
    assert "status:" in tree


def test_both_themes_are_accessible(page):
    from axe_playwright_python.sync_playwright import Axe

    for _ in lab_page.themes(page):
        for part in (".stn-quiz", ".stn-progress"):
            found = Axe().run(page, context=part).response["violations"]
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
    assert page.errors == []
