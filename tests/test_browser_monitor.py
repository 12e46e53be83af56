"""The monitor in a real browser: its buttons are heard while the training cell still runs."""

import lab_page
import nbformat
import pytest
from lab_page import lab, words

CELLS = [
    """
from stn_course import data, models, training
from stn_course.widgets import Monitor
images, labels = data.load_digits("test")
some = {"train": (images[:1280], labels[:1280]), "test": (images[:200], labels[:200])}
monitor = Monitor()
monitor
""",
    """
net = models.TutorialNet(padding_mode="border")
options = {"watch": monitor, "progress": False, "epochs": 2000, "device": "cpu"}
history = training.fit(net, "rotated", **some, **options)
print("stopped", history.stopped, "all losses kept", len(history.losses) == len(monitor.losses))
""",
]


@pytest.fixture(scope="module")
def training_page(open_notebook, notebooks):
    """A notebook that trains for many minutes, unless somebody stops it."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS[:1]]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "monitor.ipynb")
    return open_notebook("monitor.ipynb", 1)


def step_of(lab) -> int:
    return int(words(lab).split()[1])


def wait_until(page, condition, seconds: int = 60) -> None:
    for _ in range(seconds * 5):
        if condition():
            return
        page.wait_for_timeout(200)
    raise TimeoutError("it did not come to pass")


def test_a_run_is_watched_paused_resumed_and_stopped(training_page):
    """One story, for the run is one."""
    page = training_page
    lab_ = lab(page)
    assert "give this monitor to fit" in words(lab_)
    lab_page.run_code(page, CELLS[1].strip())
    wait_until(page, lambda: "Step" in words(lab_) and step_of(lab_) > 20)
    assert "seconds left" in words(lab_)
    lab_.query_selector("button:has-text('Pause')").click()
    page.wait_for_selector(".stn-lab button:has-text('Resume')")
    wait_until(page, lambda: words(lab_).endswith("paused."))
    paused_at = step_of(lab_)
    page.wait_for_timeout(3000)
    assert step_of(lab_) == paused_at
    lab_.query_selector("button:has-text('Resume')").click()
    wait_until(page, lambda: step_of(lab_) > paused_at)
    lab_.query_selector("button:has-text('Stop')").click()
    page.wait_for_selector("text=stopped True all losses kept True", timeout=60_000)
    assert lab_.query_selector("button:has-text('Stop')").is_disabled()
    wait_until(page, lambda: words(lab_).endswith("stopped."))


def test_the_monitor_is_accessible_in_light_and_dark(training_page):
    lab_page.check_accessibility(training_page)


def test_nothing_went_wrong_in_the_browser(training_page):
    assert lab_page.errors(training_page) == []
