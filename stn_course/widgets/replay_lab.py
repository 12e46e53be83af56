"""ReplayLab: a slider through a recorded training; watch the digits straighten up."""

import ipywidgets
import torch
from torch import Tensor

from stn_course.device import available_devices, choose_device
from stn_course.plotting.drawing import COLOURS
from stn_course.samplers import warp
from stn_course.training import History
from stn_course.transforms import to_pose
from stn_course.validation import describe
from stn_course.widgets import scene as draw
from stn_course.widgets.lab import Lab, choice

TILE, GAP = 62, 4  # canvas pixels of each digit, and between
TITLE = 24  # above each row
CURVE = 130  # height of the loss curve
LEFT = 46  # room for the numbers at the curve's axis
TICK_MS = 100  # how long each recorded step is shown while it plays


class ReplayLab(Lab):
    """What a transformer did to the same digits, at each recorded step of a training run.

    history: of `fit`, or loaded from a file, with the thetas of its probe digits; nothing is
    trained. padding_mode: as the network read with. device: as in `choose_device`.
    index: the recorded step shown at first, from 0, or from the end if negative.

    Above the digits with the frame that their theta lays over them, in the middle what they became,
    below the loss on these digits. `index` counts the recorded steps from 0, and can be set.
    """

    def __init__(
        self,
        history: History,
        padding_mode: str = "border",
        device: str | None = None,
        index: int = 0,
    ):
        if not isinstance(history, History):
            raise TypeError(f"history must be a History; got {describe(history)}")
        if not history.probe_thetas:
            raise ValueError("this history holds no theta: the model has no spatial transformer")
        self.steps, self.losses = list(history.probe_steps), list(history.probe_losses)
        self.thetas = torch.stack(list(history.probe_thetas)).double()
        self.images, self.padding_mode = history.probe_images, padding_mode
        self.device = choice("device", available_devices(), choose_device(device).type)
        last = len(self.steps) - 1
        first = range(len(self.steps))[index]  # IndexError beyond the ends
        self.slider = ipywidgets.IntSlider(first, 0, last, description="recording")
        self.slider.style.description_width, self.slider.layout.width = "initial", "34em"
        self.player = ipywidgets.Play(first, min=0, max=last, interval=TICK_MS)
        super().__init__()
        self.link = ipywidgets.jslink((self.player, "value"), (self.slider, "value"))
        self.hidden = [self.link]
        for control in (self.slider, self.device):
            control.observe(self.changed, "value")
        self.arrange([self.player, self.slider, self.device])

    @property
    def index(self) -> int:
        """Which of the recorded steps is shown, from 0."""
        return self.slider.value

    @index.setter
    def index(self, index: int) -> None:
        self.slider.value = index

    def outputs(self) -> Tensor:
        """What the digits become at the step shown, (N, 1, H, W), computed on the device chosen."""
        device = self.device.value
        theta = self.thetas[self.index].to(device, self.images.dtype)
        return warp(self.images.to(device), theta, padding_mode=self.padding_mode).cpu()

    def angles(self, index: int) -> Tensor:
        """By how many degrees each grid is turned at a recorded step: (N,)."""
        return to_pose(self.thetas[index]).rotation

    def scene(self) -> dict:
        """The digits with their frames, under them the outputs, and the loss up to here."""
        width = LEFT + len(self.images) * (TILE + GAP)
        top = 2 * (TITLE + TILE)
        step, loss = self.steps[self.index], self.losses[self.index]
        last = len(self.steps) - 1
        words = [
            "input and frame",
            "output",
            f"loss on these digits: {loss:.2f} at step {step}, recording {self.index} of {last}",
        ]
        marks = [
            draw.text(line, LEFT, y + TITLE / 2, align="left")
            for line, y in zip(words, (0, TITLE + TILE, top), strict=True)
        ]
        whole = {"x": 0, "y": 0, "width": width, "height": top + TITLE + CURVE + 26}
        panels = [draw.panel(whole, [*marks, *self._curve_marks(top + TITLE, width)], "white")]
        for i, output in enumerate(self.outputs()):
            panels += self._tiles(i, output)
        return {
            "width": width,
            "height": whole["height"],
            "panels": panels,
            "handles": [],
            "notes": [],
            "text": self._in_words(),
        }

    def _tiles(self, i: int, output: Tensor) -> list[dict]:
        """The two panels of one digit."""
        x = LEFT + i * (TILE + GAP)
        first = {"x": x, "y": TITLE, "width": TILE, "height": TILE}
        centre = x + TILE / 2, TITLE + TILE / 2
        view = draw.view_of(self.images.shape[-2:], centre, 0.7 * TILE, False)
        box = draw.image_box(self.images.shape[-2:], view, False)
        frame = draw.frame(self.thetas[self.index, i : i + 1], view, COLOURS["output"])
        lines = [mark | {"width": 2} for mark in frame if mark["kind"] == "path"]
        second = first | {"y": 2 * TITLE + TILE}
        edge = draw.rectangle(second, COLOURS["output"], 3)
        return [
            draw.panel(first, [draw.picture(self.images[i], box), *lines]),
            draw.panel(second, [draw.picture(output, second), edge]),
        ]

    def _curve_marks(self, top: float, width: float) -> list[dict]:
        """The loss over the steps, and a mark where the slider stands."""
        most, last = max(self.losses), max(self.steps[-1], 1)
        places = [
            [LEFT + step / last * (width - LEFT - 12), top + CURVE * (1 - loss / most)]
            for step, loss in zip(self.steps, self.losses, strict=True)
        ]
        x, y = places[self.index]
        box = {"x": LEFT, "y": top, "width": width - LEFT - 12, "height": CURVE}
        point = {"x": x - 5, "y": y - 5, "width": 10, "height": 10}
        return [
            draw.rectangle(box, "#777777", 1),
            draw.path([[x, top], [x, top + CURVE]], COLOURS["grid"], 2),
            draw.path(places, COLOURS["input"], 2),
            draw.rectangle(point, "black", 1, fill=COLOURS["grid"]),
            draw.text(f"{most:.1f}", LEFT - 6, top + 8, align="right"),
            draw.text("0", LEFT - 6, top + CURVE, align="right"),
            draw.text("step 0", LEFT, top + CURVE + 14, align="left"),
            draw.text(f"step {last}", width - 12, top + CURVE + 14, align="right"),
        ]

    def _in_words(self) -> str:
        angles, loss = self.angles(self.index), self.losses[self.index]
        return (
            f"Step {self.steps[self.index]} of {self.steps[-1]}: loss {loss:.2f} "
            f"on these digits; their grids are turned by {angles.min().item():.0f} to "
            f"{angles.max().item():.0f} degrees."
        )

    def __repr__(self) -> str:
        return f"ReplayLab, {len(self.steps)} recorded steps: run this cell to play them"
