"""ThetaLab: take hold of the sampling grid, and see what the output reads."""

import functools
from collections.abc import Callable

import ipywidgets
import numpy
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.data import load_mnist, to_float
from stn_course.plotting import sampling_grid
from stn_course.plotting.drawing import COLOURS
from stn_course.samplers import warp
from stn_course.transforms import identity, to_pixel_matrix
from stn_course.validation import check_output_size
from stn_course.widgets.images import LARGEST, as_image, reduced, to_rgba
from stn_course.widgets.lab import choice, sampling_choices, values_of
from stn_course.widgets.scene import Box, Image, Label, Mark, Note, Panel, Scene, rectangle
from stn_course.widgets.steering import KEY_STEP, REACH, SteeringLab, in_words
from stn_course.widgets.theta_scene import (
    View,
    corner_labels,
    frame,
    frame_handles,
    image_box,
    matrix_text,
    numpy_text,
    sampling_dots,
    view_of,
)
from stn_course.widgets.theta_sliders import undone

SIDE = 280  # canvas pixels of each picture: 10 for each of a digit's 28
GAP, TOP = 16, 26  # between the pictures; for the title above them
WIDTH = 2 * SIDE + GAP
MOST = 4096  # pixels to a side that can be typed, unless the lab was given more
PRESETS = {
    "Identity": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "Quarter turn": [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]],
    "Zoom in": [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]],
    "Zoom out": [[1.8, 0.0, 0.0], [0.0, 1.8, 0.0]],
    "Mirror": [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "Everything outside": [[1.0, 0.0, 2.5], [0.0, 1.0, 0.0]],
}
NO_FRAME = "theta has no inverse, so no frame"  # in the panel of the picture that moves
READS, MOVES = "where the output reads", "how the picture moves"


class ThetaLab(SteeringLab):
    """Sliders and handles for one theta; all of them always agree.

    image: a tensor or an array, (H, W), (1, H, W), (3, H, W) or (H, W, 3), floating point from 0
    to 1, or uint8; left out, a digit. output_size: (H', W'), by default the input's. A picture of
    over 512 pixels to a side is shown reduced, and the lab says so; what is computed is not.
    mode, padding_mode, align_corners: as in `grid_sample`, the first choice shown.
    device: as in `choose_device`. readout: a function that is given the output (1, C, H', W') on
    the CPU and returns a line to show.

    Left the input with the output's frame over it, a dot where each output pixel reads (each n-th
    for large outputs), and the frame's x and y arrow: the first and second column of theta. Drag
    the centre or the tip of an arrow, or move it with the arrow keys. Right the output.

    `theta`, a (1, 2, 3) tensor on the CPU, can be read and set; `figure()` is a static figure.
    """

    def __init__(
        self,
        image: Tensor | numpy.ndarray | None = None,
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
        self._first = {c: c.value for c in [*self.choices.values(), self.source, self.view]}
        super().__init__()
        self._take_image()
        self.sizes = [size_entry(f"output {name}") for name in ("height", "width")]
        self._enter(output_size or self.image.shape[-2:])
        self._first |= {entry: entry.value for entry in self.sizes}
        self._connect()

    def _connect(self) -> None:
        self.buttons = {name: ipywidgets.Button(description=name) for name in [*PRESETS, "Reset"]}
        for name, button in self.buttons.items():
            button.layout.width = "auto"
            button.on_click(lambda _, name=name: self._press(name))
        self.canvas.on_release(self.paint)
        self.source.observe(self._new_image, "value")
        for control in [*self.choices.values(), self.view, *self.sizes]:
            control.observe(self.paint, "value")
        pose, numbers = list(self.sliders.pose.values()), self.sliders.numbers
        columns = [ipywidgets.VBox(pose), ipywidgets.VBox(numbers)]
        choices = [self.source, *self.sizes, *self.choices.values()]
        heading = ipywidgets.Label("theta, where the output reads, as a pose and as six numbers:")
        self.arrange([self.view], [heading], columns, self.buttons.values(), choices)

    def _enter(self, size: tuple[int, int]) -> None:
        """Show an output size, whatever can be typed."""
        for entry, pixels in zip(self.sizes, size, strict=True):
            entry.max = max(entry.max, pixels)
            entry.value = pixels

    @property
    def output_size(self) -> tuple[int, int]:
        """(H', W')."""
        return tuple(entry.value for entry in self.sizes)

    def paint(self, _=None) -> None:
        """The panel reaches as far as needed; while a hand drags, the frame would slip from it."""
        if not self.canvas.held:
            self.reach = reach_of(self._shown_frame())
        super().paint()

    def _shown_frame(self) -> Tensor | None:
        """The matrix (1, 2, 3) of the frame that has the handles; None where it has no inverse."""
        theta = self.sliders.theta
        return theta if self.view.value == READS else undone(theta)

    def grip(self) -> tuple[View, bool]:
        """The handles lie on theta's frame over the input, or on its inverse's over the output."""
        moves = self.view.value == MOVES
        return (self._right() if moves else self._left()), moves

    def _press(self, name: str) -> None:
        if name != "Reset":
            self.theta = PRESETS[name]
            return
        with self.all_at_once():
            for control, value in self._first.items():
                control.value = value
            self.sliders.set(identity())
        self.sliders.restore_ranges()

    def _take_image(self) -> None:
        """The image chosen; the canvas gets it once, not with every movement."""
        if self.source.value == -1:
            self.image = self.own_image
        else:
            self.image = examples()[self.source.value].clone()
        self.canvas.images = {"input": to_rgba(reduced(self.image))}

    def _new_image(self, _) -> None:
        with self.errors_shown():
            self._take_image()
        with self.all_at_once():
            self._enter(self.image.shape[-2:])

    def output(self) -> Tensor:
        """What the grid reads at present, (1, C, H', W'), computed on the device chosen."""
        device = self.choices["device"].value
        image, theta = self.image[None].to(device), self.theta.to(device)
        return warp(image, theta, self.output_size, **values_of(self.choices)).cpu()

    def _left(self) -> View:
        """The view of the input's panel."""
        corners = self.choices["align_corners"].value
        centre = SIDE / 2, TOP + SIDE / 2
        reach = self.reach if self.view.value == READS else REACH
        return view_of(self.image.shape[-2:], centre, SIDE / reach, corners)

    def _right(self) -> View:
        """The view of the output's panel: filled by it, or with room for the picture that moves."""
        side = SIDE / self.reach if self.view.value == MOVES else SIDE
        centre = SIDE + GAP + SIDE / 2, TOP + SIDE / 2
        return view_of(self.output_size, centre, side, self.choices["align_corners"].value)

    def scene(self) -> Scene:
        """Left the input and the grid, right the output, beside them theta in three forms."""
        output = self.output()
        theta, moves = self.sliders.theta, self.view.value == MOVES
        back = undone(theta)
        left, right = (Box(x, TOP, SIDE, SIDE) for x in (0, SIDE + GAP))
        step = KEY_STEP * self.reach / REACH  # the same on the canvas, however far it reaches
        if not moves:
            handles = frame_handles(theta, self._left(), left, step, "output's frame")
        elif back is None:
            handles = []
        else:
            handles = frame_handles(back, self._right(), right, step, "picture")
        panels = [
            Panel(Box(0, 0, WIDTH, TOP), TITLES, "white"),
            Panel(left, self._input_marks(theta)),
            Panel(right, self._output_marks(output[0], back)),
        ]
        notes, words = self._notes(theta, back, output), self._in_words(theta, back)
        return Scene(WIDTH, TOP + SIDE, panels, handles, notes, words)

    def _input_marks(self, theta: Tensor) -> list[Mark]:
        view, corners = self._left(), self.choices["align_corners"].value
        box = image_box(self.image.shape[-2:], view, corners)
        marks = [Image(box, "input"), rectangle(box, COLOURS["input"])]
        marks += corner_labels(view)
        if self.view.value == READS:
            marks.append(sampling_dots(theta, self.output_size, corners, view))
            marks += frame(theta, view, COLOURS["output"])
        return marks

    def _output_marks(self, output: Tensor, back: Tensor | None) -> list[Mark]:
        view, corners = self._right(), self.choices["align_corners"].value
        box = image_box(self.output_size, view, corners)
        marks: list[Mark] = [Image(box, to_rgba(reduced(output)))]
        if self.view.value == READS:
            return marks
        marks += [rectangle(box, COLOURS["output"]), *corner_labels(view)]
        if back is None:
            return [*marks, Label(NO_FRAME, view.centre[0], TOP + SIDE - 14)]
        return marks + frame(back, view, COLOURS["input"])

    def _notes(self, theta: Tensor, back: Tensor | None, output: Tensor) -> list[Note]:
        sizes = tuple(self.image.shape[-2:]), self.output_size
        notes = [
            Note("theta: output → input", matrix_text(theta)),
            Note(
                "its inverse: input → output",
                "none: theta squeezes the grid into a line" if back is None else matrix_text(back),
            ),
        ]
        corners = self.choices["align_corners"].value
        if not corners or min(sizes[0] + sizes[1]) > 1:  # a single pixel has no pixel matrix then
            pixels = to_pixel_matrix(theta, *sizes, corners, "output_to_input")
            title = "in pixels, as OpenCV's warpAffine takes it with WARP_INVERSE_MAP"
            notes.append(Note(title, numpy_text(pixels), copy=True))
        if words := self._reduced():
            notes.append(Note("shown reduced", words))
        if self.readout is not None:
            notes.append(Note("the output", self.readout(output)))
        return notes

    def _in_words(self, theta: Tensor, back: Tensor | None) -> str:
        if self.view.value == READS or back is None:
            words = in_words("The grid", theta)
        else:
            words = in_words("The picture", back)
        return f"{words} {self._reduced()}".rstrip()

    def _reduced(self) -> str:
        """Which pictures are shown with fewer pixels than they have, in words, if any."""
        sizes = {"input": self.image.shape[-2:], "output": self.output_size}
        large = {name: size for name, size in sizes.items() if max(size) > LARGEST}
        if not large:
            return ""
        named = " and the ".join(f"{name} ({h}×{w} pixels)" for name, (h, w) in large.items())
        are = "is" if len(large) == 1 else "are"
        return f"The {named} {are} shown reduced; everything is computed at full size."

    def figure(self, title: str = "") -> Figure:
        """The lab's two pictures as a figure with labelled axes."""
        options = values_of(self.choices)
        return sampling_grid(self.image, self.theta, self.output_size, **options, title=title)

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        size = f"{height}×{width} → {self.output_size[0]}×{self.output_size[1]} pixels"
        return f"ThetaLab, {size}: run this cell to get its sliders"


TITLES = [
    Label("input, x → and y ↓ from -1 to 1", SIDE / 2, TOP / 2),
    Label("output", SIDE + GAP + SIDE / 2, TOP / 2),
]


def reach_of(frame: Tensor | None) -> float:
    """How many times the image's size a panel must show so that the frame lies in it."""
    if frame is None:
        return REACH
    far = frame[0].abs().sum(dim=1).max().item()  # of the frame's corners
    reach = REACH
    while far > 0.97 * reach and reach < 16:
        reach *= 2
    return reach


def size_entry(label: str) -> ipywidgets.BoundedIntText:
    """A number of pixels to type."""
    entry = ipywidgets.BoundedIntText(1, min=1, max=MOST, description=label)
    entry.style.description_width, entry.layout.width = "initial", "12em"
    return entry


@functools.cache  # to unpack ten thousand digits for one takes as long as many movements
def examples() -> Tensor:
    """The first test digit of each class, 0 to 9: (10, 1, 28, 28), from 0 to 1."""
    images, labels = load_mnist("test")
    return to_float(torch.stack([images[labels == digit][0] for digit in range(10)]))
