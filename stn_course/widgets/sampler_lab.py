"""SamplerLab: one place between the pixels, its four neighbours, their weights, the gradient."""

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from stn_course.plotting import sampled_point
from stn_course.samplers import pad
from stn_course.transforms import normalised_to_pixels
from stn_course.widgets.browser_lab import BrowserLab, to_browser
from stn_course.widgets.choices import sampling_choices, values_of
from stn_course.widgets.images import Picture, as_image
from stn_course.widgets.theta_controls import lab_slider

BEYOND = 2.5  # pixels: how far the point goes beyond the centres of the border pixels


class SamplerLab(BrowserLab):
    """Drag a point over an image and see what a sampler reads there, and why.

    image: a tensor or an array, (H, W), (1, H, W), (3, H, W) or (H, W, 3), floating point from 0
    to 1, or uint8; a picture of Pillow's, or a file's path. Colours become their mean. x, y: the
    point at first, in pixels, 0 is the centre of the first pixel; by default near the middle. mode,
    padding_mode, align_corners: as in `grid_sample`, the first choice shown. device: as in
    `choose_device`.

    Left the image with its padding around it; right the pixels around the point enlarged: a square
    of one pixel around the point covers each neighbour by its bilinear weight. The arrow is the
    gradient of the value with respect to the point. `point` can be read and set.
    """

    module = "sampler_lab.js"

    def __init__(
        self,
        image: Picture,
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
        middle = width / 2 - 0.3, height / 2 - 0.2  # not on a pixel's centre: four weights
        point = self._within((middle[0] if x is None else x, middle[1] if y is None else y))
        sliders = {
            name: lab_slider(f"{name}, pixels", -BEYOND, n - 1 + BEYOND, 0.01)
            for name, n in (("x", width), ("y", height))
        }
        super().__init__(
            state={"point": point},
            data={"image": to_browser(self.image)},
            controls=sliders | self.choices,
            rows=[sliders.values(), self.choices.values()],
        )

    @property
    def point(self) -> tuple[float, float]:
        """Where the sampler reads, (x, y) in pixels; 0 is the centre of the first pixel."""
        return tuple(self.state["point"])

    @point.setter
    def point(self, place: tuple[float, float]) -> None:
        self.change(point=self._within(place))

    def _within(self, place: tuple[float, float]) -> list[float]:
        """The nearest point that the sliders reach."""
        sizes = reversed(self.image.shape[-2:])
        return [
            min(max(float(value), -BEYOND), n - 1 + BEYOND)
            for value, n in zip(place, sizes, strict=True)
        ]

    def read(self) -> tuple[float, tuple[float, float]]:
        """The value at the point, and its gradient in x and y, per pixel: PyTorch's own."""
        return self._read(self.point, self.choices["device"].value, values_of(self.choices))

    def _read(self, point, device: str, options: dict) -> tuple[float, tuple[float, float]]:
        point = torch.tensor(point, device=device, requires_grad=True)
        size = tuple(self.image.shape[-2:])
        matrix = normalised_to_pixels(size, options["align_corners"], device=device)
        grid = ((point - matrix[:2, 2]) / matrix[:2, :2].diagonal())[None, None, None]
        value = F.grid_sample(self.image[None].to(device), grid, **options).sum()
        (gradient,) = torch.autograd.grad(value, point)
        return value.item(), tuple(gradient.tolist())

    def answer(self, question: dict) -> dict:
        """The value that the device chosen reads."""
        device = question["device"]
        value, _ = self._read(question["point"], device, question["options"])
        return {"value": value, "device": device}

    @property
    def text(self) -> str:
        """What the lab shows, in words."""
        (x, y), (value, gradient) = self.point, self.read()
        right, down = (round(part, 2) + 0.0 for part in gradient)  # no -0
        height, width = self.image.shape[-2:]
        inside = -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5
        return (
            f"The point lies at x {x:.2f}, y {y:.2f} pixels, {'inside' if inside else 'outside'} "
            f"the image. Its value is {value:.2f}, from {self._source()}. "
            f"Its gradient is {right:.2f} in x and {down:.2f} in y."
        )

    def _source(self) -> str:
        """Which pixels are read, in words."""
        options = values_of(self.choices)
        if options["mode"] == "nearest":
            return "the nearest pixel"
        parts = []  # how far the place that is read lies towards the next pixel, in x and y
        for x, size in zip(self.point, reversed(self.image.shape[-2:]), strict=True):
            rule = options["padding_mode"], options["align_corners"]
            place = pad(torch.tensor(x), size, *rule)
            parts.append((place - place.floor()).item())
        across, down = ((1 - part, part) for part in parts)
        return f"pixels of weight {', '.join(f'{m * n:.2f}' for n in down for m in across)}"

    def figure(self) -> Figure:
        """The present state as a static figure."""
        return sampled_point(self.image, self.point, **values_of(self.choices))

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        return f"SamplerLab, {height}×{width} pixels: run this cell to move its point"
