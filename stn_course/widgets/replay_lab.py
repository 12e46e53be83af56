"""ReplayLab: a slider through a recorded training; watch the digits straighten up."""

import ipywidgets
import torch
from torch import Tensor

from stn_course.device import available_devices, choose_device
from stn_course.plotting.drawing import COLOURS
from stn_course.samplers import warp
from stn_course.training import History
from stn_course.transforms import to_pose
from stn_course.validation import check_output_size, describe
from stn_course.widgets.lab import Lab, choice
from stn_course.widgets.scene import Box, Label, Mark, Panel, Path, Scene, rectangle
from stn_course.widgets.training_scene import (
    CHART,
    LEFT,
    TITLE,
    chart,
    digit_panels,
    tiles_for,
    windows_in_words,
)

TICK_MS = 100  # how long each recorded step is shown while it plays
NO_OUTPUT = "The transformer reads a feature map, not these pictures, so only its frames are shown."
ON_PICTURES = "input and frame", "output"
ON_A_FEATURE_MAP = "input", "frames in the feature map that the transformer reads"


class ReplayLab(Lab):
    """What a transformer did to the same digits, at each recorded step of a training run.

    history: of `fit`, or loaded from a file, with the thetas of its probe digits; nothing is
    trained. padding_mode: as the network read with. device: as in `choose_device`.
    output_size: (H', W') of what it read, by default the pictures'. antialias: as it read with.
    index: the recorded step shown at first, from 0, or from the end if negative; by default the
    last, what came of the training, and Play begins at the first.

    Above the digits with the frame that their theta lays over them, in the middle what they became,
    below how many of them are read correctly, or, in recordings that do not say, their mean loss,
    which a single misread digit can dominate. Where the transformer reads a feature map, its frames
    are shown without a picture. `index` counts the recorded steps from 0, and can be set.
    """

    def __init__(
        self,
        history: History,
        padding_mode: str = "border",
        device: str | None = None,
        index: int = -1,
        output_size: tuple[int, int] | None = None,
        antialias: bool = False,
    ):
        check_output_size(output_size)
        if not isinstance(history, History):
            raise TypeError(f"history must be a History; got {describe(history)}")
        if not history.probe_thetas:
            raise ValueError("this history holds no theta: the model has no spatial transformer")
        self.steps = list(history.probe_steps)
        self.counts = len(history.probe_right) == len(self.steps)  # older ones tell the loss alone
        right = [int(some.sum()) for some in history.probe_right]
        self.values = right if self.counts else list(history.probe_losses)
        self.thetas = torch.stack(list(history.probe_thetas)).double()
        self.images = history.probe_images
        self.padding_mode, self.antialias = padding_mode, antialias
        self.output_size = output_size or tuple(self.images.shape[-2:])
        self.on_pictures = history.reads_pictures
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
            control.observe(self.paint, "value")
        self.arrange([self.player, self.slider, self.device])

    @property
    def index(self) -> int:
        """Which of the recorded steps is shown, from 0."""
        return self.slider.value

    @index.setter
    def index(self, index: int) -> None:
        self.slider.value = index

    def outputs(self) -> Tensor:
        """What the digits become at the step shown, (N, 1, H', W'), by the device chosen.

        ValueError where the transformer reads a feature map.
        """
        if not self.on_pictures:
            raise ValueError(NO_OUTPUT)
        device = self.device.value
        theta = self.thetas[self.index].to(device, self.images.dtype)
        images, size = self.images.to(device), self.output_size
        options = {"padding_mode": self.padding_mode, "antialias": self.antialias}
        return warp(images, theta, size, **options).cpu()

    def angles(self, index: int) -> Tensor:
        """By how many degrees each grid is turned at a recorded step: (N,)."""
        return to_pose(self.thetas[index]).rotation

    def scene(self) -> Scene:
        """The digits with their frames, under them the outputs, and how well they are read."""
        shown_below = self.output_size if self.on_pictures else self.images.shape[-2:]
        tiles = tiles_for(self.images, shown_below)
        width, top = tiles.width, tiles.height
        step, last = self.steps[self.index], len(self.steps) - 1
        words = f"{self._reading()} at step {step}, recording {self.index} of {last}"
        titles = ON_PICTURES if self.on_pictures else ON_A_FEATURE_MAP
        marks = [*tiles.titles(*titles), Label(words, LEFT, top + TITLE / 2, align="left")]
        whole = Box(0, 0, width, top + TITLE + CHART + 26)
        panels = [Panel(whole, [*marks, *self._curve_marks(top + TITLE, width)], "white")]
        outputs = self.outputs() if self.on_pictures else [None] * len(self.images)
        for i, output in enumerate(outputs):
            theta = self.thetas[self.index, i : i + 1]
            panels += digit_panels(tiles.boxes(i), self.images[i], theta, output)
        return Scene(width, whole.height, panels, text=self._in_words())

    def _reading(self) -> str:
        """How well these digits are read at the step shown, in words."""
        value = self.values[self.index]
        if self.counts:
            return f"read correctly: {value} of {len(self.images)} digits"
        return f"loss on these digits: {value:.2f}"

    def _curve_marks(self, top: float, width: float) -> list[Mark]:
        """How well they are read over the steps, and a mark where the slider stands."""
        most = len(self.images) if self.counts else max(self.values)
        last, highest = max(self.steps[-1], 1), f"{most}" if self.counts else f"{most:.1f}"
        box = Box(LEFT, top, width - LEFT - 12, CHART)
        points = [(a / last, b / most) for a, b in zip(self.steps, self.values, strict=True)]
        share, height = points[self.index]
        x, y = LEFT + share * box.width, top + CHART * (1 - height)
        mark = Box(x - 5, y - 5, 10, 10)
        return [
            Path([[x, top], [x, top + CHART]], COLOURS["grid"], 2),
            *chart(box, points, ("step 0", f"step {last}", "0", highest), COLOURS["input"]),
            rectangle(mark, "black", 1, fill=COLOURS["grid"]),
        ]

    def _in_words(self) -> str:
        angles = self.angles(self.index)
        turned = f"turned by {round(angles.min().item())} to {round(angles.max().item())} degrees"
        grids = windows_in_words(self.thetas, self.index) or turned
        words = (
            f"Step {self.steps[self.index]} of {self.steps[-1]}: {self._reading()}; "
            f"their grids are {grids}."
        )
        return words if self.on_pictures else f"{words} {NO_OUTPUT}"

    def __repr__(self) -> str:
        return f"ReplayLab, {len(self.steps)} recorded steps: run this cell to play them"
