"""What all labs share: a canvas, controls that repaint it, errors shown, everything freed."""

import contextlib
import traceback
from collections.abc import Iterable

import ipywidgets
import torch
from matplotlib.figure import Figure

from stn_course.device import available_devices, choose_device
from stn_course.samplers import MODES, PADDING_MODES
from stn_course.validation import check_choice
from stn_course.widgets.canvas import Canvas
from stn_course.widgets.lifetime import FreedWithCells
from stn_course.widgets.scene import Scene
from stn_course.widgets.static_figure import static_figure

CHOICE_STYLE, CHOICE_WIDTH = {"description_width": "initial"}, {"width": "auto"}
WRAP = {"flex_flow": "row wrap"}


class Lab(FreedWithCells, ipywidgets.VBox):
    """A canvas and the controls under it; a lab says in `scene` what the canvas shows.

    `figure()` is the lab as a static figure, `text` the same in words.
    """

    def __init__(self):
        self.canvas = Canvas()
        self._quiet = False
        super().__init__()
        self.add_class("stn-lab")

    def arrange(self, *rows: Iterable[ipywidgets.Widget]) -> None:
        """Put the canvas above and each row of controls under it, then paint."""
        boxes = [ipywidgets.HBox(list(row), layout=WRAP) for row in rows]
        self.children = [self.canvas, *boxes]
        self.paint()

    def scene(self) -> Scene:
        """What the canvas shows at present; see `scene.py`."""
        raise NotImplementedError

    def paint(self, _=None) -> None:
        """Show the present state: the one door to the picture, whatever has changed.

        An error stands in the lab, for a callback's would be lost.
        """
        if self._quiet:
            return
        with self.errors_shown(), one_thread():
            self.canvas.scene = self.scene()
            self.canvas.alert = ""

    @contextlib.contextmanager
    def errors_shown(self):
        """Show an error of the block in the lab, with the line of code that raised it."""
        try:
            yield
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"in {place.name}: {place.line}" if place.line else f"in {place.name}"
            self.canvas.alert = f"{type(error).__name__}: {error} ({where})"

    @contextlib.contextmanager
    def all_at_once(self):
        """Change several controls; the lab paints once, at the end."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before
        self.paint()

    @property
    def text(self) -> str:
        """What the canvas shows, in words."""
        return self.canvas.scene.text

    def figure(self) -> Figure:
        """The present state as a static figure."""
        return static_figure(self.scene(), self.canvas.images)


@contextlib.contextmanager
def one_thread():
    """Compute on one CPU thread: for so small a picture, waking the others takes longer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def choice(label: str, options: Iterable, value) -> ipywidgets.Dropdown:
    """A list to choose from; ValueError naming the choices where the value is none of them."""
    options = list(options)
    check_choice(label, value, [o[1] if isinstance(o, tuple) else o for o in options])
    return ipywidgets.Dropdown(
        options=options, value=value, description=label, style=CHOICE_STYLE, layout=CHOICE_WIDTH
    )


def sampling_choices(
    mode: str, padding_mode: str, align_corners: bool, device
) -> dict[str, ipywidgets.Dropdown]:
    """The choices of `grid_sample`, and the device: only those of this machine."""
    return {
        "mode": choice("mode", MODES, mode),
        "padding_mode": choice("padding_mode", PADDING_MODES, padding_mode),
        "align_corners": choice("align_corners", (False, True), align_corners),
        "device": choice("device", available_devices(), choose_device(device).type),
    }


def values_of(choices: dict[str, ipywidgets.Dropdown]) -> dict:
    """What `warp` takes: the choices by name, without the device."""
    return {name: control.value for name, control in choices.items() if name != "device"}
