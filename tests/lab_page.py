"""A lab in a page of a real browser: what it shows, and hands to move it with."""

import base64
import io
import re
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from PIL import Image

from stn_course import data, transforms

# Fulfilled when no colour fades any more, or after five seconds: a page that the browser does not
# paint at present does not fade, either. Other animations, of what waits, may have no end.
FADED = """Promise.race([
    Promise.allSettled(
        document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished)
    ),
    new Promise(done => setTimeout(done, 5000)),
])"""
ANSWERED = "check => !check.textContent.startsWith('PyTorch checks')"
# A lab's words and picture have been the same for so many looks, 40 ms apart.
AT_REST = """async lab => {
    let before, unchanged = 0;
    for (let look = 0; look < 1500 && unchanged < 4; look += 1) {
        const now = lab.querySelector("canvas").toDataURL() + lab.innerText;
        unchanged = now === before ? unchanged + 1 : 0;
        before = now;
        await new Promise(done => setTimeout(done, 40));
        await Promise.race([
            new Promise(requestAnimationFrame), new Promise(done => setTimeout(done, 1000)),
        ]);
    }
    return unchanged;
}"""


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
    """Wait until the lab does not change any more."""
    if lab.evaluate(AT_REST) < 4:
        raise TimeoutError("the lab does not come to rest")


def answered(page, lab) -> str:
    """Wait until the hand rests and the kernel has answered; what the lab says of that."""
    check = lab.wait_for_selector(".stn-check", state="attached")
    page.wait_for_function(ANSWERED, arg=check, timeout=60_000)
    return check.text_content()


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


def type_at(page, field, text: str) -> None:
    """Write a number into a field, or beside a slider."""
    field.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def press(page, lab, button: str) -> None:
    lab.query_selector(f'button:has-text("{button}")').click()
    settled(page, lab)


def run_code(page, code: str) -> None:
    """Write a cell under the last and run it, as a learner would."""
    page.click(".jp-Notebook-footer")  # not the last cell: its output may keep its keys
    page.keyboard.press("Enter")
    page.keyboard.type(code)
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(1000)


def themes(page) -> Iterator[str]:
    """Put the page in each theme, and wait until it is painted so."""
    for theme, light in (("Dark", "false"), ("Light", "true")):
        page.click("text=Settings >> nth=0")
        page.hover(".lm-Menu-itemLabel >> text=Theme >> nth=0")  # a notebook may hold the word
        page.click(f".lm-Menu-itemLabel >> text=JupyterLab {theme} >> nth=0")
        page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
        page.wait_for_timeout(200)  # colours begin to fade
        page.evaluate(FADED)
        yield theme


def check_accessibility(page) -> None:
    """No serious or critical finding of axe-core in any lab of the page, in both themes."""
    from axe_playwright_python.sync_playwright import Axe

    for _ in themes(page):
        for lab_ in page.query_selector_all(".stn-lab"):
            lab_.scroll_into_view_if_needed()
        found = Axe().run(page, context=".stn-lab").response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in serious] == []


def errors(page) -> list[str]:
    """What the console says of widgets going wrong."""
    return [e for e in page.errors if re.search("view|state|model|stn|anywidget", e)]
