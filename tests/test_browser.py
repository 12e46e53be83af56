"""The real notebook in JupyterLab in a real Chromium: the lab shows what PyTorch computes.

Without Playwright or a Chromium on the PATH these tests say so and are skipped.
"""

import base64
import io
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from stn_course import data, transforms
from stn_course.widgets.drawing import SIDE

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
FETCH = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return btoa(Array.from(bytes, b => String.fromCharCode(b)).join(""));
}"""

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a JupyterLab over a copy of the notebooks, with its token."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    log = folder / "log"
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=8877"]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            for _ in range(240):
                found = re.search(r"(http://127\.0\.0\.1:\d+)\S*token=(\w+)", log.read_text())
                if found:
                    break
                time.sleep(0.25)
            yield found.groups()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture(scope="module")
def page(server):
    """Notebook 02, opened, all of its cells run; the console's errors in `page.errors`."""
    address, token = server
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.errors = []
        page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
        page.goto(f"{address}/lab/tree/02_grid_generation.ipynb?token={token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
        page.wait_for_selector("text=| Idle", timeout=120_000)
        page.click("text=Run >> nth=0")
        page.click("text=Run All Cells")
        page.wait_for_selector(".widget-slider .noUi-handle", timeout=120_000)
        yield page
        browser.close()


def shown(page) -> torch.Tensor:
    """The output in the lab's picture, one value a pixel, border pixels left out."""
    image = page.query_selector("img.jupyter-widgets")
    picture = Image.open(io.BytesIO(base64.b64decode(image.evaluate(FETCH)))).convert("L")
    levels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    right = levels.reshape(picture.height, picture.width)[:, -SIDE:]
    places = ((torch.arange(28) + 0.5) * SIDE / 28).long()
    return right[places][:, places][1:-1, 1:-1].float()


def pytorchs(theta: torch.Tensor) -> torch.Tensor:
    """The same from PyTorch's own two functions."""
    digit = data.load_digits("test")[0][:1]
    grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
    return F.grid_sample(digit, grid, align_corners=False)[0, 0, 1:-1, 1:-1] * 255


def readouts(page) -> list[str]:
    found = page.query_selector_all(".widget-slider .widget-readout")
    return [readout.inner_text().replace("\u2212", "-") for readout in found]


def test_the_lab_shows_the_digit(page):
    page.wait_for_selector("img.jupyter-widgets", timeout=60_000)
    assert (shown(page) - pytorchs(transforms.identity())).abs().max() <= 1


def test_the_keyboard_turns_the_grid_and_nothing_else(page):
    page.query_selector_all(".widget-slider .noUi-handle")[0].focus()
    for degrees in range(1, 11):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f"text=turned {degrees} degrees", timeout=30_000)
    page.wait_for_timeout(1500)  # for whatever the browser may still send back
    assert readouts(page)[:6] == ["10", "1.00", "1.00", "0.00", "0.00", "0.00"]
    assert (shown(page) - pytorchs(transforms.rotation(degrees=10))).abs().max() <= 1


def test_a_drag_ends_where_the_hand_lets_go(page):
    handle = page.query_selector_all(".widget-slider .noUi-handle")[4]  # translation x
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(x + step, y)
    page.mouse.up()
    page.wait_for_timeout(2000)
    values = [float(text) for text in readouts(page)]
    assert values[4] > 0.1
    assert values[:4] == [10, 1, 1, 0] and values[5] == 0
    assert values[8] == values[4]  # theta[0, 2] is the same number
    theta = transforms.similarity(degrees=10, x=values[4])
    assert (shown(page) - pytorchs(theta)).abs().max() <= 1


def test_nothing_went_wrong_in_the_browser(page):
    assert [error for error in page.errors if "view" in error or "state" in error] == []
