"""Cells with a lab that run again, and the Copy button, in a real browser."""

import lab_page
import nbformat
import pytest
from lab_page import focus_slider, lab, run_code, settled, words

SETUP = """
import torch
from ipywidgets.widgets.widget import _instances
from stn_course.widgets import Quiz, ThetaLab
image = torch.zeros(28, 28)
"""
CELLS = [SETUP, "made = ThetaLab(image)\nmade", "Quiz('zoom')"]


@pytest.fixture(scope="module")
def page(open_notebook, notebooks):
    """A notebook of our own with a lab and a quiz."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "rerun.ipynb")
    return open_notebook("rerun.ipynb", 1)


def run_again(page, cell: int) -> None:
    page.query_selector_all(".jp-Notebook .jp-CodeCell .cm-content")[cell].click()
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(2000)


def turn(page, lab_, times: int) -> None:
    focus_slider(lab_, 0)
    for _ in range(times):
        page.keyboard.press("ArrowRight")
    settled(page, lab_)


def widgets(page) -> int:
    """How many the kernel holds."""
    mark = f"held{page.evaluate('performance.now()'):.0f}"
    run_code(page, f"print('{mark}', len(_instances))")
    found = page.wait_for_selector(f".jp-OutputArea-output:has-text('{mark}')", timeout=30_000)
    return int(found.inner_text().split()[-1])


def test_a_button_copies(page):
    button = lab(page).query_selector(".stn-notes button:not([hidden])")
    button.click()
    page.wait_for_function("document.activeElement.innerText === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("numpy.float32([")


def test_without_a_clipboard_the_button_selects_the_text_and_says_so(page):
    """As over plain http, where a page may not write to the clipboard by itself."""
    page.evaluate("navigator.clipboard.writeText('something else')")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {configurable: true}); 0")
    lab_ = lab(page)
    turn(page, lab_, 7)
    button = lab_.query_selector(".stn-notes button:not([hidden])")
    text = button.evaluate("button => button.previousElementSibling.textContent")
    button.click()
    page.wait_for_function("document.activeElement.innerText.includes('Ctrl+C')")
    assert button.get_attribute("aria-label").startswith(button.inner_text())
    assert page.evaluate("getSelection().toString()") == text
    page.keyboard.press("Control+C")
    page.wait_for_timeout(500)
    page.evaluate("delete navigator.clipboard; 0")
    assert page.evaluate("navigator.clipboard.readText()") == text
    lab_.query_selector("[data-handle=centre]").focus()
    assert button.inner_text() == "Copy"


def test_cells_that_run_again_leave_nothing_behind(page):
    before = widgets(page)
    for cell in (1, 2):
        for _ in range(3):
            run_again(page, cell)
    page.wait_for_selector(".stn-lab canvas[aria-label]")
    assert widgets(page) == before
    turn(page, lab(page), 5)
    assert "rotated 5 degrees" in words(lab(page))
    assert len(page.query_selector_all(".stn-lab")) == 1
    assert len(page.query_selector_all(".stn-quiz")) == 1


def test_a_kept_lab_comes_back_and_moves(page):
    run_code(page, "kept, made = made, None")
    page.query_selector_all(".jp-Notebook .jp-CodeCell .cm-content")[1].click()
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".stn-lab", state="detached")
    run_code(page, "kept")
    page.wait_for_selector(".stn-lab canvas[aria-label]")
    turn(page, lab(page), 3)
    assert "rotated 8 degrees" in words(lab(page))


def test_nothing_went_wrong_in_the_browser(page):
    assert lab_page.errors(page) == []
