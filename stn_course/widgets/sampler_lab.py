"""SamplerLab: one place between the pixels, its four neighbours, their weights, the gradient."""

import math

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.plotting.drawing import COLOURS, SERIES
from stn_course.samplers import PADDING_MODES, pad, read_pixels
from stn_course.transforms import normalised_to_pixels
from stn_course.widgets.exact_slider import ExactSlider
from stn_course.widgets.images import as_image, to_rgba
from stn_course.widgets.lab import Lab, sampling_choices, values_of
from stn_course.widgets.scene import (
    Box,
    Handle,
    Image,
    Label,
    Mark,
    Note,
    Panel,
    Path,
    Scene,
    rectangle,
)
from stn_course.widgets.theta_sliders import slider

SIDE, GAP, TOP = 300, 16, 26  # canvas pixels of each picture, between them, for their titles
MARGIN = 2  # pixels of padding shown around the image
AROUND = 2.4  # how many pixels wide the enlarged picture is
SWATCH = 40  # canvas pixels of each value at the bottom
ARROW, LONGEST = 250, 135  # canvas pixels of the arrow for a gradient of 1 per pixel; at most
KEY_STEP = 0.05  # pixels: how far an arrow key moves the point
CORNERS = [(0, 0), (1, 0), (0, 1), (1, 1)]  # the neighbours: right or not, below or not


class SamplerLab(Lab):
    """Drag a point over an image and see what a sampler reads there, and why.

    image: a tensor or an array, (H, W), (1, H, W), (3, H, W) or (H, W, 3), floating point from 0
    to 1, or uint8; colours become their mean. x, y: the point at first, in pixels, 0 is the centre
    of the first pixel; by default near the middle. mode, padding_mode, align_corners: as in
    `grid_sample`, the first choice shown. device: as in `choose_device`.

    Left the image with its padding around it; right the pixels around the point enlarged: a square
    of one pixel around the point covers each neighbour by its bilinear weight. The arrow is the
    gradient of the value with respect to the point. `point` can be read and set.
    """

    def __init__(
        self,
        image: Tensor | numpy.ndarray,
        x: float | None = None,
        y: float | None = None,
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        align_corners: bool = False,
        device: str | None = None,
    ):
        self.image = as_image(image).mean(dim=0, keepdim=True)
        height, width = self.image.shape[-2:]
        self.choices = sampling_choices(mode, padding_mode, align_corners, device)
        self.sliders = [pixel_slider(name, size) for name, size in (("x", width), ("y", height))]
        super().__init__()
        self._hand: tuple[float, float] | None = None  # where it is, beyond the edges, too
        self.canvas.on_move(self._drag)
        self.canvas.on_release(self._let_go)
        middle = width / 2 - 0.3, height / 2 - 0.2  # not on a pixel's centre: four weights
        with self.all_at_once():
            self.point = (middle[0] if x is None else x, middle[1] if y is None else y)
        for control in [*self.sliders, *self.choices.values()]:
            control.observe(self.paint, "value")
        self.arrange(self.sliders, self.choices.values())

    @property
    def point(self) -> tuple[float, float]:
        """Where the sampler reads, (x, y) in pixels; 0 is the centre of the first pixel."""
        return tuple(control.value for control in self.sliders)

    @point.setter
    def point(self, place: tuple[float, float]) -> None:
        with self.all_at_once():
            for control, value in zip(self.sliders, place, strict=True):
                control.show(min(max(float(value), control.min), control.max))

    def _drag(self, _, dx: float, dy: float) -> None:
        x, y = self._hand or self.point
        self._hand = x + dx / self._pixel(), y + dy / self._pixel()
        self.point = self._hand

    def _let_go(self) -> None:
        self._hand = None

    def _pixel(self) -> float:
        """How many canvas pixels a pixel of the image is wide in the left picture."""
        return SIDE / (max(self.image.shape[-2:]) + 2 * MARGIN)

    def read(self, padding_mode: str | None = None) -> tuple[float, tuple[float, float]]:
        """The value at the point, and its gradient in x and y, per pixel: PyTorch's own."""
        options = values_of(self.choices) | ({"padding_mode": padding_mode} if padding_mode else {})
        device = self.choices["device"].value
        point = torch.tensor(self.point, device=device, requires_grad=True)
        grid = self._normalised(point)[None, None, None]
        value = F.grid_sample(self.image[None].to(device), grid, **options).sum()
        (gradient,) = torch.autograd.grad(value, point)
        return value.item(), tuple(gradient.tolist())

    def _normalised(self, points: Tensor) -> Tensor:
        """From pixels (..., 2) to normalised coordinates."""
        size, corners = tuple(self.image.shape[-2:]), self.choices["align_corners"].value
        matrix = normalised_to_pixels(size, corners, device=points.device)
        return (points - matrix[:2, 2]) / matrix[:2, :2].diagonal()

    def padded(self) -> tuple[float, float]:
        """Where the sampler reads instead if the point lies outside, in pixels."""
        mode, corners = self.choices["padding_mode"].value, self.choices["align_corners"].value
        height, width = self.image.shape[-2:]
        x, y = (torch.tensor(value) for value in self.point)
        return pad(x, width, mode, corners).item(), pad(y, height, mode, corners).item()

    def neighbours(self) -> list[dict]:
        """The pixels that are read: column, row, value, weight; four, or the nearest one."""
        x, y = self.padded()
        if self.choices["mode"].value == "nearest":
            places = [(round(x), round(y), 1.0)]
        else:
            left, top = int(numpy.floor(x)), int(numpy.floor(y))
            places = [
                (left + m, top + n, (1 - abs(x - left - m)) * (1 - abs(y - top - n)))
                for m, n in CORNERS
            ]
        keys = ("column", "row", "weight", "value")
        return [
            dict(zip(keys, (m, n, weight, self._value(m, n)), strict=True))
            for m, n, weight in places
        ]

    def _value(self, column: int, row: int) -> float:
        place = torch.tensor([[[float(column)]]]), torch.tensor([[[float(row)]]])
        return read_pixels(self.image[None], *place).item()

    def scene(self) -> Scene:
        """Left the image, right the pixels around the point, below the three paddings' values."""
        value, gradient = self.read()
        left, right = (Box(x, TOP, SIDE, SIDE) for x in (0, SIDE + GAP))
        width, height = 2 * SIDE + GAP, TOP + SIDE + SWATCH + 2 * GAP
        place = left.keep_inside(self._on_the_left(*self.point))
        x, y = self.point
        label = f"the point, x {x:.2f}, y {y:.2f} pixels; arrow keys move it"
        handle = Handle("point", *place, label, COLOURS["grid"], KEY_STEP * self._pixel())
        swatches = self._swatches(TOP + SIDE + GAP)
        panels = [
            Panel(Box(0, 0, width, height), [*TITLES, *swatches], "white"),
            Panel(left, self._image_marks()),
            Panel(right, self._enlarged_marks(value, gradient)),
        ]
        notes, words = self._notes(value, gradient), self._in_words(value, gradient)
        return Scene(width, height, panels, [handle], notes, words)

    def _on_the_left(self, x: float, y: float) -> list[float]:
        """A place in pixels, on the canvas' left picture."""
        pixel = self._pixel()
        return [(x + 0.5 + MARGIN) * pixel, TOP + (y + 0.5 + MARGIN) * pixel]

    def _image_marks(self) -> list[Mark]:
        height, width = self.image.shape[-2:]
        x, y = self._on_the_left(-0.5, -0.5)
        box = Box(x, y, width * self._pixel(), height * self._pixel())
        marks = [self._padding_mark(), rectangle(box, COLOURS["input"], 3)]
        marks += [
            rectangle(self._square(*self._on_the_left(n["column"], n["row"])), colour, 2)
            for n, colour in zip(self.neighbours(), WEIGHTS, strict=False)
        ]
        instead = self._on_the_left(*self.padded())
        if instead != self._on_the_left(*self.point):
            there = self._on_the_left(*self.point)
            marks.append(Path([there, instead], COLOURS["x"], 2, dash=(4, 3)))
        return marks

    def _square(self, x: float, y: float, side: float | None = None) -> Box:
        side = self._pixel() if side is None else side
        return Box(x - side / 2, y - side / 2, side, side)

    def _padding_mark(self) -> Image:
        """The image with MARGIN pixels of its padding around it."""
        height, width = self.image.shape[-2:]
        y, x = torch.meshgrid(
            torch.arange(-MARGIN, height + MARGIN),
            torch.arange(-MARGIN, width + MARGIN),
            indexing="ij",
        )
        grid = self._normalised(torch.stack([x, y], dim=-1).float())[None]
        options = values_of(self.choices) | {"mode": "nearest"}
        pixels = F.grid_sample(self.image[None], grid, **options)[0]
        x, y = self._on_the_left(-0.5 - MARGIN, -0.5 - MARGIN)
        rows, columns = pixels.shape[-2:]
        box = Box(x, y, columns * self._pixel(), rows * self._pixel())
        return Image(box, to_rgba(pixels))

    def _enlarged_marks(self, value: float, gradient: tuple[float, float]) -> list[Mark]:
        """The pixels around the place read, the square over them, numbers, and the arrow."""
        x, y = self.padded()
        pixel = SIDE / AROUND
        centre = SIDE + GAP + SIDE / 2, TOP + SIDE / 2

        def place(column, row):
            return [centre[0] + (column - x) * pixel, centre[1] + (row - y) * pixel]

        marks = []
        for column in range(round(x) - 2, round(x) + 3):
            for row in range(round(y) - 2, round(y) + 3):
                box = self._square(*place(column, row), pixel)
                grey = level(self._value(column, row))
                marks.append(rectangle(box, "#777777", 1, fill=grey))
        for n, colour in zip(self.neighbours(), WEIGHTS, strict=False):
            marks += self._weight_marks(n, colour, place)
        marks.append(rectangle(self._square(*centre, 10), "black", 2, COLOURS["grid"]))
        if any(abs(part) > 1e-6 for part in gradient):
            scale = min(ARROW, LONGEST / math.hypot(*gradient))
            tip = [centre[0] + scale * gradient[0], centre[1] + scale * gradient[1]]
            marks += [Path([list(centre), tip], COLOURS["x"], 4)]
            corner = SIDE + GAP + 8, TOP + SIDE - 12
            marks += [Label("arrow: gradient", *corner, COLOURS["x"], align="left")]
        return marks

    def _weight_marks(self, neighbour: dict, colour: str, place) -> list[Mark]:
        """The part of the square that covers a neighbour, with its weight."""
        m, n, weight = neighbour["column"], neighbour["row"], neighbour["weight"]
        x, y = self.padded()
        if self.choices["mode"].value == "nearest":
            x, y = m, n  # all of that pixel
        low = place(max(m - 0.5, x - 0.5), max(n - 0.5, y - 0.5))
        high = place(min(m + 0.5, x + 0.5), min(n + 0.5, y + 0.5))
        box = Box(*low, high[0] - low[0], high[1] - low[1])
        middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2]
        centre = place(*self.padded())
        if max(abs(middle[0] - centre[0]), abs(middle[1] - centre[1])) < 20:
            middle[1] = centre[1] - 20  # not under the point
        marks = [rectangle(box, colour, 3, fill=f"{colour}66")]
        return [*marks, Label(f"{weight:.2f}", *middle)] if weight > 0.02 else marks

    def _swatches(self, top: float) -> list[Mark]:
        """The value at the point for each padding, as grey and as a number."""
        marks = []
        for i, mode in enumerate(PADDING_MODES):
            value, _ = self.read(mode)
            chosen = mode == self.choices["padding_mode"].value
            x = 4 + i * (2 * SIDE + GAP) / 3
            box = Box(x, top, SWATCH, SWATCH)
            colour = COLOURS["grid"] if chosen else "#777777"
            marks.append(rectangle(box, colour, 4 if chosen else 1, fill=level(value)))
            words = f"{mode}: {value:.3f}"
            marks.append(Label(words, x + SWATCH + 8, top + SWATCH / 2, align="left"))
        return marks

    def _notes(self, value: float, gradient: tuple[float, float]) -> list[Note]:
        lines = [
            f"{n['column']:2d},{n['row']:2d}  {n['value']:.2f}·{n['weight']:.2f} = "
            f"{n['value'] * n['weight']:.3f}"
            for n in self.neighbours()
        ]
        x, y = self._normalised(torch.tensor(self.point)).tolist()
        return [
            Note("column, row: value · weight", "\n".join([*lines, f"sum = {value:.3f}"])),
            Note(
                "gradient: change of the value per pixel",
                "\n".join(
                    f"in {n} {round(g, 3) + 0.0:+.3f}" for n, g in zip("xy", gradient, strict=True)
                ),
            ),
            Note("the point, normalised", f"x {x:+.3f}\ny {y:+.3f}"),
        ]

    def _in_words(self, value: float, gradient: tuple[float, float]) -> str:
        x, y = self.point
        height, width = self.image.shape[-2:]
        inside = -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5
        weights = [f"{n['weight']:.2f}" for n in self.neighbours()]
        source = f"pixels of weight {', '.join(weights)}" if weights[1:] else "the nearest pixel"
        return (
            f"The point lies at x {x:.2f}, y {y:.2f} pixels, {'inside' if inside else 'outside'} "
            f"the image. Its value is {value:.2f}, from {source}. "
            f"Its gradient is {gradient[0]:.2f} in x and {gradient[1]:.2f} in y."
        )

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        return f"SamplerLab, {height}×{width} pixels: run this cell to move its point"


WEIGHTS = SERIES[: len(CORNERS)]  # a colour for each neighbour
TITLES = [
    Label("the image and its padding; drag the point", SIDE / 2, TOP / 2),
    Label("around the place it reads: areas are weights", SIDE + GAP + SIDE / 2, TOP / 2),
]


def pixel_slider(name: str, size: int) -> ExactSlider:
    """A slider for a coordinate in pixels, a little beyond the image on both sides."""
    made = slider(f"{name}, pixels", -0.5 - MARGIN, size - 0.5 + MARGIN, 0.01)
    made.value = 0.0
    return made


def level(value: float) -> str:
    """A grey from 0, black, to 1, white, as a colour."""
    grey = round(255 * min(max(value, 0.0), 1.0))
    return f"#{grey:02x}{grey:02x}{grey:02x}"
