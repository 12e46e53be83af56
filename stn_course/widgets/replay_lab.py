"""ReplayLab: a slider through a recorded training; watch the digits straighten up."""

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.plotting import Curve, recorded_step
from stn_course.samplers import warp
from stn_course.training import History
from stn_course.transforms import nearest_affine, to_pose
from stn_course.validation import check_any_theta, check_output_size, describe
from stn_course.widgets.browser_lab import BrowserLab
from stn_course.widgets.choices import device_choice
from stn_course.widgets.network import float32_bytes
from stn_course.widgets.training_film import chart, film, windows_in_words

TICK_MS = 100  # how long each recorded step is shown while it plays
NO_OUTPUT = "The transformer reads a feature map, not these pictures, so only its frames are shown."
ON_PICTURES = "input and frame", "output"
ON_A_FEATURE_MAP = "input", "frames in the feature map that the transformer reads"


class ReplayLab(BrowserLab):
    """What a transformer did to the same digits, at each recorded step of a training run.

    history: of `fit`, or loaded from a file, with the thetas of its probe digits, of any family
    that `grids.grid_of` knows; nothing is trained. padding_mode: as the network read with. device:
    as in `choose_device`. output_size: (H', W') of what it read, by default the pictures'.
    antialias: as it read with. index: the recorded step shown at first, from 0, or from the end if
    negative; by default the last, what came of the training, and Play begins at the first.

    Above the digits with the frame that their theta lays over them, in the middle what they became,
    below how many of them are read correctly, or, in recordings that do not say, their mean loss,
    which a single misread digit can dominate. Where the transformer reads a feature map, its frames
    are shown without a picture. `index` counts the recorded steps from 0, and can be set.
    """

    module = "replay_lab.js"

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
        check_any_theta(history.probe_thetas[0])
        self.steps = list(history.probe_steps)
        self.counts = len(history.probe_right) == len(self.steps)  # older ones tell the loss alone
        right = [int(some.sum()) for some in history.probe_right]
        self.values = right if self.counts else list(history.probe_losses)
        self.thetas = torch.stack(list(history.probe_thetas)).double()
        self.images = history.probe_images
        self.padding_mode, self.antialias = padding_mode, antialias
        self.output_size = output_size or tuple(self.images.shape[-2:])
        self.on_pictures = history.reads_pictures
        self.device = device_choice(device)
        self._open(range(len(self.steps))[index])  # IndexError beyond the ends

    def _open(self, first: int) -> None:
        last = len(self.steps) - 1
        self.slider = ipywidgets.IntSlider(first, 0, last, description="recording")
        self.slider.style.description_width = "initial"
        self.slider.layout.width, self.slider.layout.max_width = "34em", "100%"
        self.player = ipywidgets.Play(first, min=0, max=last, interval=TICK_MS)
        self.link = ipywidgets.jslink((self.player, "value"), (self.slider, "value"))
        self.hidden = [self.link]
        controls = {"index": self.slider, "device": self.device}
        rows = [[self.player, self.slider, self.device]]
        super().__init__({}, self._data(), controls, rows)

    def _data(self) -> dict:
        """The digits, and of each recorded step the thetas and the words."""
        titles = ON_PICTURES if self.on_pictures else ON_A_FEATURE_MAP
        size = self.output_size if self.on_pictures else None
        indices = range(len(self.steps))
        return {
            "film": film(self.images, size, self.padding_mode, self.antialias, titles),
            "thetas": float32_bytes(self.thetas),
            "chart": self._chart(),
            "steps": [{"title": self._title(i), "text": self._in_words(i)} for i in indices],
        }

    def _chart(self) -> dict:
        """How well the digits are read over the steps."""
        most = len(self.images) if self.counts else max(self.values)
        last, highest = max(self.steps[-1], 1), f"{most}" if self.counts else f"{most:.1f}"
        points = [(a / last, b / most) for a, b in zip(self.steps, self.values, strict=True)]
        return chart("", points, ("step 0", f"step {last}", "0", highest))

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
        return self._outputs(self.index, self.device.value)

    def _outputs(self, index: int, device: str) -> Tensor:
        if not self.on_pictures:
            raise ValueError(NO_OUTPUT)
        theta = self.thetas[index].to(device, self.images.dtype)
        options = {"padding_mode": self.padding_mode, "antialias": self.antialias}
        return warp(self.images.to(device), theta, self.output_size, **options).cpu()

    def answer(self, question: dict) -> dict:
        """The outputs of a step, by the device chosen."""
        device = question["device"]
        outputs = self._outputs(question["index"], device)
        return {"outputs": float32_bytes(outputs), "device": device}

    def angles(self, index: int) -> Tensor:
        """By how many degrees each grid is turned on the whole at a recorded step: (N,)."""
        return to_pose(nearest_affine(self.thetas[index])).rotation

    def _reading(self, index: int) -> str:
        """How well these digits are read at a step, in words."""
        value = self.values[index]
        if self.counts:
            return f"read correctly: {value} of {len(self.images)} digits"
        return f"loss on these digits: {value:.2f}"

    def _title(self, index: int) -> str:
        return f"{self._reading(index)} at step {self.steps[index]}"

    def _in_words(self, index: int) -> str:
        angles = self.angles(index)
        turned = f"turned by {round(angles.min().item())} to {round(angles.max().item())} degrees"
        grids = windows_in_words(self.thetas, index) or turned
        words = (
            f"Step {self.steps[index]} of {self.steps[-1]}: {self._reading(index)}; "
            f"their grids are {grids}."
        )
        return words if self.on_pictures else f"{words} {NO_OUTPUT}"

    @property
    def text(self) -> str:
        """What the lab shows, in words."""
        return self._in_words(self.index)

    def figure(self) -> Figure:
        """The present state as a static figure."""
        ylabel = "digits read correctly" if self.counts else "loss on these digits"
        curve = Curve("step", ylabel, self.steps, self.values, self.index)
        outputs = self.outputs() if self.on_pictures else None
        theta, title = self.thetas[self.index], self._title(self.index)
        return recorded_step(self.images, theta, outputs, [curve], title)

    def __repr__(self) -> str:
        return f"ReplayLab, {len(self.steps)} recorded steps: run this cell to play them"
