"""Labs under load and at rest, in a real browser: many events, many labs, none at all."""

import lab_page
import nbformat
import pytest
import torch
from lab_page import (
    answered,
    assert_painted_as_pytorch_computes,
    focus_slider,
    lab,
    press,
    readouts,
    run_code,
    settled,
    seven,
    words,
)

ALERT = "[role=alert]"
SCRATCH = {
    "ten": """
import torch
from stn_course.widgets import ThetaLab
image = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
labs = [ThetaLab(image) for _ in range(10)]
""",
    "broken": """
def broken(output):
    if output.sum() < 1:
        raise RuntimeError("nothing in sight")
    return "something"
ThetaLab(image, readout=broken)
""",
}


@pytest.fixture(scope="module")
def grids(open_notebook):
    """Notebook 02."""
    return open_notebook("02_grid_generation.ipynb", 1, "ThetaLab(")


@pytest.fixture(scope="module")
def scratch(open_notebook, notebooks):
    """A notebook of our own: ten labs, and one whose readout can fail."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in SCRATCH.values()]
    cells[1:1] = [nbformat.v4.new_code_cell(f"labs[{i}]") for i in range(10)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks / "scratch.ipynb")
    return open_notebook("scratch.ipynb", 11)


def test_a_thousand_events_leave_no_queue(grids):
    """As fast as the browser can send them. Few pictures follow the last event; it is the last."""
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    paintings = lab_.evaluate("""async lab => {
        const canvas = lab.querySelector("canvas");
        const handle = lab.querySelector(".widget-slider .noUi-handle");
        let seen = [], sent = false;
        const observer = new MutationObserver(() => seen.push(sent));
        observer.observe(canvas, {attributeFilter: ["aria-label"]});
        for (let i = 0; i < 1000; i++) {
            const key = i < 540 ? "ArrowRight" : "ArrowLeft";
            handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
            if (i % 20 === 19) await new Promise(done => setTimeout(done));
        }
        sent = true;
        await new Promise(done => setTimeout(done, 3000));
        observer.disconnect();
        return seen;
    }""")
    # 540 to the right end at 180, 460 back from there.
    settled(grids, lab_)
    assert readouts(lab_)[:6] == [-180, 1, 1, 0, 0, 0]
    assert_painted_as_pytorch_computes(lab_, seven())
    assert len(paintings) < 500  # most events were never computed: a newer one was there
    assert paintings.count(True) <= 4
    run_code(grids, "print('alive', 6 * 7)")
    grids.wait_for_selector("text=alive 42", timeout=30_000)


def test_an_idle_lab_does_nothing(grids):
    """No frame is asked for, no timer started, no message sent or received."""
    answered(grids, lab(grids))
    grids.wait_for_timeout(1000)
    messages = []
    for socket in grids.sockets:
        for event in ("framesent", "framereceived"):
            socket.on(event, lambda payload: messages.append(str(payload)))
    grids.evaluate("asked.frames = []; asked.timers = []; 0")
    grids.wait_for_timeout(3000)
    assert asked_by_widgets(grids) == []
    assert [message[:80] for message in messages if "comm_msg" in message] == []


def asked_by_widgets(page) -> list[str]:
    """Where widgets, not JupyterLab itself, asked for a frame or a timer: stacks as text."""
    stacks = [stack for stacks in page.evaluate("asked").values() for stack in stacks]
    return [stack for stack in stacks if "blob:" in stack or "/extensions/" in stack]


def test_a_moved_lab_asks_for_frames(grids):
    """So that the test above can fail."""
    grids.evaluate("asked.frames = []; 0")
    focus_slider(lab(grids), 0)
    grids.keyboard.press("ArrowRight")
    settled(grids, lab(grids))
    assert len(asked_by_widgets(grids)) >= 1


def test_ten_labs_live_side_by_side(scratch):
    for index in (9, 0):
        focus_slider(lab(scratch, index), 0)
        for _ in range(3 + index):
            scratch.keyboard.press("ArrowRight")
    for index in range(10):
        settled(scratch, lab(scratch, index))
        turned = {9: 12, 0: 3}.get(index, 0)
        assert f"rotated {turned} degrees" in words(lab(scratch, index))
        image = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
        assert_painted_as_pytorch_computes(lab(scratch, index), image[None, None])


def test_an_error_stands_in_the_lab(scratch):
    broken = lab(scratch, 10)
    assert broken.query_selector(ALERT).inner_text() == ""
    press(scratch, broken, "Everything outside")
    scratch.wait_for_function("alert => alert.textContent", arg=broken.query_selector(ALERT))
    alert = broken.query_selector(ALERT).inner_text()
    assert "RuntimeError: nothing in sight" in alert
    press(scratch, broken, "Reset")
    assert broken.query_selector(ALERT).inner_text() == ""


def test_a_closed_lab_leaves_the_page(scratch):
    before = len(scratch.query_selector_all(".stn-lab"))
    run_code(scratch, "labs[5].close()")
    scratch.wait_for_timeout(1000)
    assert len(scratch.query_selector_all(".stn-lab")) == before - 1


def test_nothing_went_wrong_in_the_browser(grids, scratch):
    for page in (grids, scratch):
        assert lab_page.errors(page) == []
