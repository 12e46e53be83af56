"""What the labs share that live in the browser: `lab.js` is their other half.

A lab's picture is computed where the hand is, by a module of JavaScript beside its Python file.
Python gives it what does not change (`data`), its controls, and a first `state`; it hears the
state at most 30 times a second, sets it when a learner's code does, and computes with PyTorch
what the module asks for when the hand rests.
"""

import contextlib
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import anywidget
import ipywidgets
import torch
import traitlets
from torch import Tensor

from stn_course.widgets.esm import joined
from stn_course.widgets.images import reduced
from stn_course.widgets.lifetime import FreedWithCells

WRAP = {"flex_flow": "row wrap"}


class LabCanvas(anywidget.AnyWidget):
    """The browser's half of a lab.

    controls: widgets by name; the module reads and sets them in the browser. data: what the module
    is given once. state: the one truth about what the lab shows; the hand's, but for `by`: the
    how-manieth time Python set it, or 0. question: what PyTorch is asked for; answer: what it said.
    """

    _css = Path(__file__).with_name("canvas.css")
    controls = traitlets.Dict().tag(sync=True, **ipywidgets.widget_serialization)
    data = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    question = traitlets.Dict().tag(sync=True, echo_update=False)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, module: str, **options):
        self._esm = joined(module)
        super().__init__(**options)


class BrowserLab(FreedWithCells, ipywidgets.VBox):
    """A canvas and rows of controls under it; `module` computes and paints, in the browser.

    state, data: for the module, numbers, texts, lists, dicts and bytes. controls: by name, those
    that the module reads or moves. rows: the widgets under the canvas.
    """

    module: ClassVar[str]

    def __init__(
        self,
        state: dict,
        data: dict,
        controls: dict[str, ipywidgets.Widget],
        rows: Iterable[Iterable[ipywidgets.Widget]],
    ):
        self.controls = controls
        self._times_set = 0
        first = {**state, "by": 0}
        self.canvas = LabCanvas(self.module, state=first, data=data, controls=controls)
        self.canvas.observe(self._answer, "question")
        boxes = [ipywidgets.HBox(list(row), layout=WRAP) for row in rows]
        super().__init__(children=[self.canvas, *boxes])
        self.add_class("stn-lab")

    @property
    def state(self) -> dict:
        """What the lab shows at present; a copy."""
        return dict(self.canvas.state)

    def change(self, **part) -> None:
        """Set a part of the state: a browser that shows the lab follows at once."""
        self._times_set += 1
        self.canvas.state = {**self.canvas.state, **part, "by": self._times_set}

    def answer(self, question: dict) -> dict:
        """What PyTorch says to a question of the module; `device` names where it computed."""
        raise NotImplementedError

    def _answer(self, change) -> None:
        """Answer with the milliseconds that it took; or with the error, for it would be lost."""
        question, start = change["new"], time.perf_counter()
        try:
            with one_thread():
                answer = self.answer(question)
        except Exception as error:
            answer = {"error": error_in_words(error)}
        took = {"milliseconds": 1000 * (time.perf_counter() - start)}
        self.canvas.answer = took | answer | {"serial": question["serial"]}


@contextlib.contextmanager
def one_thread():
    """Compute on one CPU thread: for so small a picture, waking the others takes longer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def error_in_words(error: Exception) -> str:
    """An error with the line of code that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"in {place.name}: {place.line}" if place.line else f"in {place.name}"
    return f"{type(error).__name__}: {error} ({where})"


def to_browser(image: Tensor) -> dict:
    """An image (C, H, W) as geometry.js takes it, at most 512 pixels to a side; `full`: [H, W]."""
    shown = reduced(image.detach().float().cpu())
    channels, rows, columns = shown.shape
    values = shown.contiguous().numpy().tobytes()
    size = {"channels": channels, "rows": rows, "columns": columns}
    return {**size, "values": values, "full": list(image.shape[-2:])}


def from_browser(theta: list[float], dtype: torch.dtype = torch.float32) -> Tensor:
    """Six numbers of the module as theta, (1, 2, 3)."""
    return torch.tensor(theta, dtype=torch.float64).reshape(1, 2, 3).to(dtype)
