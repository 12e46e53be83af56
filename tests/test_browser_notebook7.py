"""The labs in Jupyter Notebook 7, which the same server serves beside JupyterLab."""

import browser as browser_tool
import lab_page
import nbformat
import pytest
import small_labs
from hands import assert_moves, drag, press_an_arrow

pytest.importorskip("notebook")
BEGUN = ".jp-InputPrompt:text-matches('[*0-9]')"


@pytest.fixture(scope="module")
def page(browser, address, notebooks):
    """All labs in one notebook, and its cells have run."""
    nbformat.write(small_labs.notebook(), notebooks / "labs.ipynb")
    page = browser_tool.new_page(browser, height=1400)
    page.goto(address.replace("/lab/tree/", "/notebooks/").format("labs.ipynb"))
    page.wait_for_selector(".jp-CodeCell", timeout=60_000)
    for _ in range(60):  # until the kernel is there, it is to no avail
        page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
        page.wait_for_timeout(1000)
        if page.query_selector(BEGUN):
            break
    last = f":nth-match(.stn-frame canvas[aria-label], {len(small_labs.LABS)})"
    page.wait_for_selector(last, timeout=120_000)
    return page


@pytest.mark.parametrize("index", range(len(small_labs.LABS)), ids=list(small_labs.LABS))
def test_a_lab_is_moved_and_pytorch_agrees(page, index):
    lab = page.locator(".stn-lab").nth(index)
    grip = lab.locator(".stn-handle, .noUi-handle").first
    assert_moves(page, lab.locator("canvas").first, grip, [press_an_arrow, drag])
    assert "agrees" in lab_page.answered(page, lab.element_handle())


def test_nothing_went_wrong_in_the_browser(page):
    assert lab_page.errors(page) == []
