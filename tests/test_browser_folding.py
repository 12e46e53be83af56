"""In JupyterLab, an answer under a prediction is folded until it is opened.

`hide-output` folds what a cell printed, `hide-cell` its code, too.
"""

import nbformat
import notebook_outputs
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


@pytest.fixture
def lesson(notebooks):
    """A stored notebook: an open cell, a prediction, a folded answer, and one with its code."""

    def printed(text, tags, code="1"):
        output = new_output("stream", name="stdout", text=text)
        metadata = {"tags": tags}
        return new_code_cell(code, execution_count=1, outputs=[output], metadata=metadata)

    cells = [
        printed("the question", []),
        new_markdown_cell("**Predict:** how many?"),
    ]
    cells += [printed("so many:\n3 of 4\n", ["hide-output", "tolerance=5%"])]
    cells += [printed("a plot:\nall fall\n", ["hide-cell"], 'plot(\n    "they fall")')]
    notebook = new_notebook(cells=cells)
    notebook_outputs.normalise(notebook)
    nbformat.write(notebook, notebooks / "lesson.ipynb")
    return notebooks / "lesson.ipynb"


def test_jupyterlab_shows_the_answer_when_it_is_asked_for(browser_page, address, lesson):
    browser_page.goto(address.format(lesson.name))
    browser_page.wait_for_selector("text=| Idle", timeout=120_000)
    answer = browser_page.get_by_text("3 of 4")
    assert browser_page.get_by_text("the question").is_visible()
    assert not answer.is_visible()
    assert "so many:" in browser_page.inner_text(".jp-OutputPlaceholder")  # its first line
    browser_page.click(".jp-OutputPlaceholder")
    answer.wait_for(state="visible")


def test_jupyterlab_shows_code_that_tells_the_answer_when_it_is_asked_for(
    browser_page, address, lesson
):
    browser_page.goto(address.format(lesson.name))
    browser_page.wait_for_selector("text=| Idle", timeout=120_000)
    code, answer = browser_page.get_by_text("they fall"), browser_page.get_by_text("all fall")
    assert "plot(" in browser_page.inner_text(".jp-InputPlaceholder")  # its first line
    assert not code.is_visible()
    assert not answer.is_visible()
    browser_page.click(".jp-InputPlaceholder")
    code.wait_for(state="visible")
    browser_page.locator(".jp-OutputPlaceholder").last.click()
    answer.wait_for(state="visible")
