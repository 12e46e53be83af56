"""The real notebooks in JupyterLab in a real Chromium: hands on the labs, compared with PyTorch.

`make test` finds a Chromium or installs one. Without any these tests are skipped and say so, but
where CI=true that is a failure.
"""

import base64
import contextlib
import io
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from stn_course import data, training, transforms
from stn_course.widgets import theta_lab

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import browser as tool  # noqa: E402

# Counts what would keep an idle notebook busy: frames asked for, timers started.
COUNTER = """
window.asked = {frames: [], timers: []};
for (const [name, kind] of [["requestAnimationFrame", "frames"], ["setInterval", "timers"]]) {
    const original = window[name].bind(window);
    window[name] = (...rest) => { asked[kind].push(new Error().stack); return original(...rest); };
}
"""
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
def chromium() -> str:
    """Without one: skipped, but where CI=true a failure."""
    reason = ""
    with contextlib.suppress(ImportError):
        if found := tool.find_chromium():
            return found
        reason = "no Chromium: run tools/browser.py"
    reason = reason or "Playwright is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    """JupyterLab over a copy of the notebooks, and one notebook of our own."""
    folder = tmp_path_factory.mktemp("browser") / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in SCRATCH.values()]
    cells[1:1] = [nbformat.v4.new_code_cell(f"labs[{i}]") for i in range(10)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "scratch.ipynb")
    with tool.jupyterlab(folder) as url:
        yield url


@pytest.fixture(scope="module")
def browser(chromium):
    with tool.headless_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def open_notebook(browser, address):
    """A function: a page with the notebook of that name, all cells run, its labs painted."""

    def opened(name: str, labs: int):
        page = tool.new_page(browser, height=1400)
        page.add_init_script(COUNTER)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.sockets = []
        page.on("websocket", lambda socket: page.sockets.append(socket))
        tool.run_notebook(page, address, name)
        page.wait_for_selector(
            f":nth-match(.stn-frame canvas[aria-label], {labs})", timeout=180_000
        )
        tool.wait_until_run(page)
        return page

    return opened


@pytest.fixture(scope="module")
def grids(open_notebook):
    """Notebook 02."""
    return open_notebook("02_grid_generation.ipynb", 1)


@pytest.fixture(scope="module")
def scratch(open_notebook):
    return open_notebook("scratch.ipynb", 11)


def lab(page, index: int = 0):
    """A lab of the page, in view and at rest: JupyterLab still lays out cells after scrolling."""
    found = page.query_selector_all(".stn-lab")[index]
    before = None
    for _ in range(50):
        found.scroll_into_view_if_needed()
        now = found.bounding_box()
        if now == before:
            break
        before = now
        page.wait_for_timeout(100)
    return found


def words(lab) -> str:
    return lab.query_selector("canvas").get_attribute("aria-label")


def settled(page, lab) -> None:
    """Wait until the picture has not changed for half a second."""
    before = None
    for _ in range(120):
        now = lab.query_selector("canvas").evaluate("c => c.toDataURL()"), lab.inner_text()
        if now == before:
            return
        before = now
        page.wait_for_timeout(500)
    raise TimeoutError("the lab does not come to rest")


def painted(lab) -> torch.Tensor:
    """The canvas' pixels, (height, width, 3), 0 to 255."""
    url = lab.query_selector("canvas").evaluate("canvas => canvas.toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    levels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return levels.reshape(picture.height, picture.width, 3).float()


def squares(pixels, x, y, side, rows: int, columns: int) -> torch.Tensor:
    """The middle of each of the squares that an image of rows × columns is painted as."""
    down = y + ((torch.arange(rows) + 0.5) * side / rows).long()
    across = x + ((torch.arange(columns) + 0.5) * side / columns).long()
    return pixels[down][:, across, 0]


def shown_theta(lab) -> torch.Tensor:
    """Theta from the pixel matrix that the lab offers to copy, which has six decimals."""
    (text,) = [n.inner_text() for n in lab.query_selector_all("pre") if "numpy" in n.inner_text()]
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text.split("(", 1)[1])]
    matrix = torch.tensor(numbers, dtype=torch.float64).reshape(1, 2, 3)
    theta = transforms.from_pixel_matrix(matrix, (28, 28), direction="output_to_input")
    return theta.float()


def pytorchs(image, theta, **options) -> torch.Tensor:
    """What PyTorch's own two functions make of a digit (1, 1, 28, 28): 0 to 255."""
    grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
    return F.grid_sample(image, grid, align_corners=False, **options)[0, 0] * 255


def assert_painted_as_pytorch_computes(lab, image, **options) -> None:
    """The output, the lab's right picture, for the theta that it shows."""
    got = squares(painted(lab), 280 + 16, 26, 280, 28, 28)
    assert (got - pytorchs(image, shown_theta(lab), **options)).abs().max() <= 1


def seven() -> torch.Tensor:
    return data.load_digits("test")[0][:1]


def readouts(lab) -> list[float]:
    found = lab.query_selector_all(".widget-slider .widget-readout")
    return [float(readout.inner_text().replace("\u2212", "-")) for readout in found]


def focus_slider(lab, index: int) -> None:
    lab.query_selector_all(".widget-slider .noUi-handle")[index].focus()


def drag(page, handle, dx: float, dy: float) -> None:
    """Take a handle and move it in twenty steps."""
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(x + dx * step / 20, y + dy * step / 20)
    page.mouse.up()


def press(page, lab, button: str) -> None:
    lab.query_selector(f'button:has-text("{button}")').click()
    settled(page, lab)


def test_the_lab_shows_the_digit(grids):
    lab_ = lab(grids)
    assert (squares(painted(lab_), 296, 26, 280, 28, 28) - seven()[0, 0] * 255).abs().max() <= 1
    assert torch.allclose(shown_theta(lab_), transforms.identity(), atol=1e-6)


def test_the_keyboard_turns_the_grid_and_nothing_else(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    focus_slider(lab_, 0)
    for _ in range(10):
        grids.keyboard.press("ArrowRight")
    settled(grids, lab_)
    assert "rotated 10 degrees, scale 1 in x and 1 in y" in words(lab_)
    assert readouts(lab_)[:6] == [10, 1, 1, 0, 0, 0]
    expected = transforms.rotation(degrees=10)
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-6)
    assert_painted_as_pytorch_computes(lab_, seven())


@pytest.mark.parametrize("name", ["centre", "x", "y"])
def test_a_handle_follows_the_mouse_and_the_sliders_the_handle(grids, name):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    drag(grids, lab_.query_selector(f"[data-handle={name}]"), -35, 21)
    settled(grids, lab_)
    expected = transforms.identity()
    column = {"x": 0, "y": 1, "centre": 2}[name]
    expected[0, :, column] += torch.tensor([-35, 21]) / 70  # 70 canvas pixels are 1
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    assert readouts(lab_)[6:] == pytest.approx(expected.flatten().tolist(), abs=0.0051)
    assert_painted_as_pytorch_computes(lab_, seven())


def test_a_handle_takes_the_focus_and_the_arrow_keys(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    lab_.query_selector("[data-handle=x]").focus()
    for key in ["ArrowDown"] * 4 + ["ArrowLeft", "Shift+ArrowUp"]:
        grids.keyboard.press(key)
    settled(grids, lab_)
    expected = torch.tensor([[[0.98, 0, 0], [0.08 - 0.2, 1, 0]]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    label = lab_.query_selector("[data-handle=x]").get_attribute("aria-label")
    assert "x 0.98, y -0.12" in label
    assert grids.evaluate("document.activeElement.dataset.handle") == "x"


def test_the_tab_key_leads_to_every_control(grids):
    lab_ = lab(grids)
    lab_.query_selector("[data-handle=centre]").focus()
    reached = []
    for _ in range(60):
        reached.append(
            grids.evaluate(
                "(e => e.getAttribute('aria-label') || e.innerText"
                " || e.labels?.[0]?.innerText || '')(document.activeElement)"
            )
        )
        grids.keyboard.press("Tab")
    everything = "\n".join(reached)
    for control in (
        *(
            "centre of",
            "tip of the x arrow",
            "tip of the y arrow",
            "rotation",
            "scale x",
            "scale y",
        ),
        *("shear", "translation x", "translation y", "theta[0, 0]", "theta[1, 2]", "Quarter turn"),
        *("Everything outside", "Reset", "where the output reads", "how the picture moves", "Copy"),
    ):
        assert control in everything


def test_typing_a_number_works(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    lab_.query_selector_all(".widget-readout")[6].click()
    grids.keyboard.press("Control+A")
    grids.keyboard.type("0.5")
    grids.keyboard.press("Enter")
    settled(grids, lab_)
    expected = torch.tensor([[[0.5, 0, 0], [0, 1, 0]]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-6)
    assert readouts(lab_)[1] == 0.5  # scale x agrees


def test_presets_choices_and_the_other_view(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Quarter turn")
    assert_painted_as_pytorch_computes(lab_, seven())
    press(grids, lab_, "Zoom out")
    lab_.query_selector_all("select")[2].select_option("reflection")
    settled(grids, lab_)
    assert_painted_as_pytorch_computes(lab_, seven(), padding_mode="reflection")
    press(grids, lab_, "how the picture moves")
    drag(grids, lab_.query_selector("[data-handle=centre]"), 14, 0)
    settled(grids, lab_)
    undone = transforms.inverse(shown_theta(lab_))
    assert torch.allclose(undone[0, :, 2], torch.tensor([14 / 70, 0]), atol=1e-4)
    press(grids, lab_, "Reset")
    assert_painted_as_pytorch_computes(lab_, seven())


@pytest.mark.parametrize("name", theta_lab.PRESETS)
def test_a_preset_beyond_the_sliders_ranges_stays_as_it_is(grids, name):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    press(grids, lab_, name)
    expected = torch.tensor([theta_lab.PRESETS[name]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    assert readouts(lab_)[6:] == pytest.approx(expected.flatten().tolist(), abs=0.0051)
    assert_painted_as_pytorch_computes(lab_, seven())


def test_the_x_arrow_dragged_over_the_centre_leaves_the_y_arrow_alone(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    drag(grids, lab_.query_selector("[data-handle=x]"), -70, 0)
    settled(grids, lab_)
    assert "squeezed into a line" in words(lab_)
    assert "none: theta squeezes" in lab_.inner_text()
    drag(grids, lab_.query_selector("[data-handle=x]"), -35, 0)
    settled(grids, lab_)
    expected = torch.tensor([[[-0.5, 0, 0], [0, 1, 0]]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)


def test_after_a_drag_out_of_the_panel_the_view_follows(grids):
    """While the hand holds the frame the panel stays as it is; then it shows all of it."""
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    centre = lab_.query_selector("[data-handle=centre]")
    before = centre.bounding_box()["x"]
    drag(grids, centre, -300, 0)
    settled(grids, lab_)
    assert shown_theta(lab_)[0, 0, 2].item() == pytest.approx(-300 / 70, abs=1e-4)
    moved = centre.bounding_box()["x"] - before
    assert moved == pytest.approx(-300 / 4, abs=1)  # a panel of 8 images' size, not of 2
    press(grids, lab_, "Reset")


def test_the_pixel_matrix_can_be_copied(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Quarter turn")
    lab_.query_selector("button:has-text('Copy'):visible").click()
    grids.wait_for_selector("button:has-text('Copied')")
    copied = grids.evaluate("navigator.clipboard.readText()")
    assert re.sub(r"\s", "", copied) == "numpy.float32([[0,-1,27],[1,0,0]])"
    press(grids, lab_, "Reset")


def test_the_next_cell_can_set_theta(grids):
    run_code(grids, "lab.theta = transforms.similarity(degrees=30, scale=0.5)")
    settled(grids, lab(grids))
    expected = transforms.similarity(degrees=30, scale=0.5)
    assert torch.allclose(shown_theta(lab(grids)), expected, atol=1e-5)
    assert readouts(lab(grids))[:2] == [30, 0.5]
    assert_painted_as_pytorch_computes(lab(grids), seven())


def run_code(page, code: str) -> None:
    """Write a cell under the last and run it, as a learner would."""
    page.query_selector_all(".jp-Notebook .jp-Cell")[-1].click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.type(code)
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(1000)


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
    settled(grids, lab(grids))
    grids.wait_for_timeout(2000)
    messages = []
    for socket in grids.sockets:
        for event in ("framesent", "framereceived"):
            socket.on(event, lambda payload: messages.append(str(payload)))
    grids.evaluate("asked.frames = []; asked.timers = []; 0")
    grids.wait_for_timeout(5000)
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
    assert broken.query_selector("[role=alert]").inner_text() == ""
    press(scratch, broken, "Everything outside")
    alert = broken.query_selector("[role=alert]").inner_text()
    assert "RuntimeError: nothing in sight" in alert
    press(scratch, broken, "Reset")
    assert broken.query_selector("[role=alert]").inner_text() == ""


def test_a_closed_lab_leaves_the_page(scratch):
    before = len(scratch.query_selector_all(".stn-lab"))
    run_code(scratch, "labs[5].close()")
    scratch.wait_for_timeout(1000)
    assert len(scratch.query_selector_all(".stn-lab")) == before - 1


def test_the_first_lessons_lab_asks_the_network(open_notebook):
    page = open_notebook("01_data.ipynb", 1)
    lab_ = lab(page)
    assert re.search(r"The network says 7 with \d+ %", lab_.inner_text())
    press(page, lab_, "Everything outside")
    assert not re.search("says 7 with 100 %", lab_.inner_text())
    press(page, lab_, "Quarter turn")
    assert_painted_as_pytorch_computes(lab_, seven())


def test_the_sampler_lab(open_notebook):
    page = open_notebook("03_sampling.ipynb", 2)
    lab_ = lab(page)
    drag(page, lab_.query_selector("[data-handle=point]"), -120, 33)
    settled(page, lab_)
    image = 0.3 + 0.7 * seven()[:, :, 4:14, 8:18]
    pixel = 300 / 14  # canvas pixels for one of the image's
    place = torch.tensor([4.7 - 120 / pixel, 4.8 + 33 / pixel])
    assert f"x {place[0]:.2f}, y {place[1]:.2f} pixels, outside" in words(lab_)
    grid = ((2 * place + 1) / 10 - 1)[None, None, None]
    for i, mode in enumerate(("zeros", "border", "reflection")):
        value = F.grid_sample(image, grid, padding_mode=mode, align_corners=False).item()
        x, y = int(4 + i * 616 / 3 + 20), 26 + 300 + 16 + 20
        assert abs(painted(lab_)[y, x, 0] - 255 * value) <= 1
    lab_.query_selector("[data-handle=point]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    settled(page, lab_)
    assert f"x {place[0]:.2f}, y {place[1] - 0.5:.2f} pixels" in words(lab_)
    check_accessibility(page)


def test_the_pilot_lab(open_notebook):
    page = open_notebook("04_stn_model.ipynb", 1)
    lab_ = lab(page)
    press(page, lab_, "Next digit")
    focus_slider(lab_, 0)
    for _ in range(67):
        page.keyboard.press("ArrowRight")
    settled(page, lab_)
    assert words(lab_).startswith("Digit 2 of 10, a 1. The grid is rotated 67 degrees")
    says, percent = re.search(r"says (\d) with (\d+) percent", words(lab_)).groups()
    assert says == "1" and int(percent) > 50  # steered upright, the classifier knows it
    images, labels = data.load_digits("test")
    ten = [(labels == digit).nonzero()[0].item() for digit in range(10)]
    turned, _ = data.random_rotation(90)(images[ten], torch.Generator().manual_seed(5))
    got = squares(painted(lab_), 252 + 16, 26, 252, 28, 28)
    theta = transforms.rotation(degrees=67)
    expected = pytorchs(turned[1:2], theta, padding_mode="border")
    assert (got - expected).abs().max() <= 1
    press(page, lab_, "Show the network's theta")
    assert "network" in lab_.inner_text()
    check_accessibility(page)


def test_the_replay_lab_plays_without_training(browser, address):
    """Of notebook 05 only the cells that it needs: the first, and the one of the recording."""
    page = tool.new_page(browser, height=1400)
    page.goto(address.format("05_training.ipynb"))
    page.wait_for_selector("text=| Idle", timeout=120_000)
    for text in ("import tempfile", "forced_lab = ReplayLab"):
        page.query_selector(f".jp-CodeCell:has-text('{text}') .cm-content").click()
        page.keyboard.press("Control+Enter")
    page.wait_for_selector(".stn-frame canvas[aria-label]", timeout=60_000)
    lab_ = lab(page)
    assert words(lab_).startswith("Step 0 of")
    play = lab_.query_selector("button[aria-label='Play or pause']")
    play.click()
    page.wait_for_function(
        "!document.querySelector('.stn-frame canvas').ariaLabel.startsWith('Step 0 ')"
    )
    play.click()
    settled(page, lab_)
    recording = training.load_recording()
    step = int(re.match(r"Step (\d+) of", words(lab_)).group(1))
    index = recording.probe_steps.index(step)
    assert 0 < index < len(recording.probe_steps) - 1
    assert readouts(lab_) == [index]
    theta = recording.probe_thetas[index]
    for i in (0, 7, 11):
        got = squares(painted(lab_), 46 + i * 66, 24 + 62 + 24, 62, 28, 28)[2:-2, 2:-2]
        image = recording.probe_images[i : i + 1]
        expected = pytorchs(image, theta[i : i + 1], padding_mode="border")[2:-2, 2:-2]
        assert (got - expected).abs().max() <= 1
    check_accessibility(page)


def test_the_theta_lab_is_accessible_in_light_and_dark(grids):
    check_accessibility(grids)


def check_accessibility(page) -> None:
    """No serious or critical finding of axe-core in any lab of the page, in both themes."""
    from axe_playwright_python.sync_playwright import Axe

    for theme in ("Dark", "Light"):
        page.click("text=Settings >> nth=0")
        page.hover("text=Theme >> nth=0")
        page.click(f"text=JupyterLab {theme} >> nth=0")
        page.wait_for_timeout(1500)
        for lab_ in page.query_selector_all(".stn-lab"):
            lab_.scroll_into_view_if_needed()
        found = Axe().run(page, context=".stn-lab").response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in serious] == []


def test_the_accessibility_check_can_fail(grids):
    lab(grids).evaluate("""lab => {
        const nameless = document.createElement("button");
        nameless.id = "nameless";
        lab.append(nameless);
    }""")
    with pytest.raises(AssertionError, match="button-name"):
        check_accessibility(grids)
    grids.evaluate("document.getElementById('nameless').remove()")


def test_nothing_went_wrong_in_the_browser(grids, scratch):
    for page in (grids, scratch):
        assert [e for e in page.errors if re.search("view|state|model|stn|anywidget", e)] == []
