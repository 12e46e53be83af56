"""What a test does with a lab shown in a page without Jupyter (see lab_in_page), and sees of it."""

import base64
import io
import json

import lab_in_page
import torch
from PIL import Image

PUT = """async text => { REVIVE
    canvasModel.set_state(JSON.parse(text, revive));
    await rested();
}""".replace("REVIVE", lab_in_page.REVIVE)


def encoded(part) -> str:
    """As JSON, bytes in it as base64."""
    return json.dumps(part, default=lab_in_page.as_base64)


def state(page) -> dict:
    return page.evaluate("canvasModel.get('state')")


def words(page) -> str:
    """The picture in words."""
    return page.get_attribute("canvas", "aria-label")


def check(page) -> str:
    """What the lab says about PyTorch."""
    return page.inner_text(".stn-check")


def note(page, title: str) -> str:
    """The text of the note whose title begins so."""
    return page.inner_text(f'.stn-notes figure:has(figcaption:text-matches("^{title}")) pre')


def value(page, control: str) -> float:
    """What a slider shows."""
    return page.evaluate("name => controls[name].get('value')", control)


def rest(page) -> None:
    """Wait until what has changed is painted, and the sliders agree."""
    page.evaluate("rested()")


def move(page, control: str, value) -> None:
    """Move a slider to a value, or choose by an index, as a hand does."""
    page.evaluate(
        "async ([name, value]) => { move(name, value); await rested(); }", [control, value]
    )


def put(page, **attributes) -> None:
    """Set attributes of the canvas' model, as a message from Python does."""
    page.evaluate(PUT, encoded(attributes))


def painted(page, box) -> torch.Tensor:
    """What the canvas shows in a box of its pixels, (height, width, 3), 0 to 255."""
    url = page.evaluate("document.querySelector('canvas').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    x, y, width, height = (round(n) for n in box)
    levels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    levels = levels.reshape(picture.height, picture.width, 3).float()
    return levels[y : y + height, x : x + width]
