"""ThetaLab: take hold of the sampling grid, and see what the output reads."""

import time
from collections.abc import Callable

import ipywidgets
import numpy
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.plotting import sampling_grid
from stn_course.samplers import warp
from stn_course.transforms import identity
from stn_course.validation import check_output_size
from stn_course.widgets.browser_lab import BrowserLab, from_browser, to_browser
from stn_course.widgets.choices import choice, sampling_choices, values_of
from stn_course.widgets.images import LARGEST, Picture, as_image, examples
from stn_course.widgets.theta_controls import NUMBERS, POSE, lab_sliders, one_theta

MOST = 4096  # pixels to a side that can be typed, unless the lab was given more
PRESETS = {
    "Identity": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "Quarter turn": [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]],
    "Zoom in": [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]],
    "Zoom out": [[1.8, 0.0, 0.0], [0.0, 1.8, 0.0]],
    "Mirror": [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "Everything outside": [[1.0, 0.0, 2.5], [0.0, 1.0, 0.0]],
}
READS, MOVES = "where the output reads", "how the picture moves"


class ThetaLab(BrowserLab):
    """Sliders and handles for one theta; all of them always agree.

    image: a tensor or an array, (H, W), (1, H, W), (3, H, W) or (H, W, 3), floating point from 0
    to 1, or uint8; a picture of Pillow's, or a file's path; left out, a digit. output_size:
    (H', W'), by default the input's. A picture of over 512 pixels to a side is shown reduced, and
    the lab says so; what PyTorch computes is not. mode, padding_mode, align_corners: as in
    `grid_sample`, the first choice shown. device: as in `choose_device`. readout: a function that
    is given the output (1, C, H', W') on the CPU, whenever the hand rests, and returns a line to
    show.

    Left the input with the output's frame over it, a dot where each output pixel reads (each n-th
    for large outputs), and the frame's x and y arrow: the first and second column of theta. Drag
    the centre or the tip of an arrow, or move it with the arrow keys. Right the output, computed in
    the browser, and by PyTorch on the device chosen when the hand rests: the lab says how far the
    two agree.

    `theta`, a (1, 2, 3) tensor on the CPU, can be read and set; `figure()` is a static figure.
    """

    module = "theta_lab.js"

    def __init__(
        self,
        image: Picture | None = None,
        output_size: tuple[int, int] | None = None,
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        align_corners: bool = False,
        device: str | None = None,
        readout: Callable[[Tensor], str] | None = None,
    ):
        check_output_size(output_size)
        self.own_image = None if image is None else as_image(image)
        self.readout = readout
        self.choices = sampling_choices(mode, padding_mode, align_corners, device)
        own = [("your image", -1)] if self.own_image is not None else []
        digits = [(f"digit {n}", n) for n in range(10)]
        self.source = choice("image", [*own, *digits], -1 if own else 7)
        self.view = ipywidgets.ToggleButtons(options=[READS, MOVES], description="show")
        self.view.style.button_width = "auto"
        own_size = output_size or self.image.shape[-2:]
        largest = max(MOST, *own_size, *self.image.shape[-2:])
        self.sizes = {
            name: size_entry(f"output {name}", pixels, largest)
            for name, pixels in zip(("height", "width"), own_size, strict=True)
        }
        self._open()

    def _open(self) -> None:
        pose, numbers = lab_sliders(POSE), lab_sliders(NUMBERS)
        options = self.choices | self.sizes
        controls = {"image": self.source, "view": self.view, **options, **pose, **numbers}
        state = {"theta": identity().flatten().tolist(), "image": self.source.index}
        columns = [ipywidgets.VBox(list(sliders.values())) for sliders in (pose, numbers)]
        heading = ipywidgets.Label("theta, where the output reads, as a pose and as six numbers:")
        choices = [self.source, *self.sizes.values(), *self.choices.values()]
        super().__init__(
            state, self._data(controls), controls, [[self.view], [heading], columns, choices]
        )

    def _data(self, controls: dict[str, ipywidgets.Widget]) -> dict:
        """What the browser is given once; `first`: where Reset puts the controls."""
        own = [] if self.own_image is None else [self.own_image]
        kept = ("image", "view", *self.choices, *self.sizes)  # an image sets the sizes: it is first
        return {
            "images": [to_browser(image) for image in [*own, *examples()]],
            "presets": {name: numpy.ravel(theta).tolist() for name, theta in PRESETS.items()},
            "first": {name: shown_by(controls[name]) for name in kept},
            "readout": self.readout is not None,
        }

    @property
    def theta(self) -> Tensor:
        """The transformation shown, (1, 2, 3), output -> input; a copy."""
        return from_browser(self.state["theta"])

    @theta.setter
    def theta(self, theta: Tensor) -> None:
        self.change(theta=one_theta(theta).flatten().tolist(), parts=None)

    @property
    def image(self) -> Tensor:
        """The image chosen, (C, H, W), floating point from 0 to 1; a copy."""
        return self._image_at(self.source.index)

    def _image_at(self, index: int) -> Tensor:
        """The image of a choice: the learner's own, if there is one, then the digits."""
        digit = index - (self.own_image is not None)
        return self.own_image.clone() if digit < 0 else examples()[digit].clone()

    @property
    def output_size(self) -> tuple[int, int]:
        """(H', W'): an image that was chosen brings its own."""
        if self.state["image"] != self.source.index:  # chosen here, and no browser has seen it
            return tuple(self.image.shape[-2:])
        return tuple(entry.value for entry in self.sizes.values())

    def output(self) -> Tensor:
        """What the grid reads at present, (1, C, H', W'), computed on the device chosen."""
        device = self.choices["device"].value
        image, theta = self.image[None].to(device), self.theta.to(device)
        return warp(image, theta, self.output_size, **values_of(self.choices)).cpu()

    def answer(self, question: dict) -> dict:
        """PyTorch's output for what the browser shows, and the readout's line."""
        device, size = question["device"], tuple(question["size"])
        image = self._image_at(question["image"])[None].to(device)
        theta = from_browser(question["theta"]).to(device)
        start = time.perf_counter()
        output = warp(image, theta, size, **question["options"]).cpu()
        answer = {"device": device, "milliseconds": 1000 * (time.perf_counter() - start)}
        answer["output"] = to_browser(output[0])
        answer["reduced"] = max(*size, *image.shape[-2:]) > LARGEST
        if self.readout is not None:
            answer["readout"] = self.readout(output)
        return answer

    def figure(self, title: str = "") -> Figure:
        """The lab's two pictures as a figure with labelled axes."""
        options = values_of(self.choices)
        return sampling_grid(self.image, self.theta, self.output_size, **options, title=title)

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        size = f"{height}×{width} → {self.output_size[0]}×{self.output_size[1]} pixels"
        return f"ThetaLab, {size}: run this cell to get its sliders"


def size_entry(label: str, pixels: int, largest: int) -> ipywidgets.BoundedIntText:
    """A number of pixels to type."""
    entry = ipywidgets.BoundedIntText(pixels, min=1, max=largest, description=label)
    entry.style.description_width, entry.layout.width = "initial", "12em"
    return entry


def shown_by(control: ipywidgets.Widget) -> int:
    """What a control shows, as the browser sets it: a choice by its index."""
    return control.index if hasattr(control, "index") else control.value
