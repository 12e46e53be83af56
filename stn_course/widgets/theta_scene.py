"""Parts of a scene that show a theta: its frame with handles, its dots, its numbers.

All of the labs' geometry on the canvas is here.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from stn_course.grids import pixel_centres
from stn_course.plotting.drawing import COLOURS, edges
from stn_course.widgets.scene import Box, Dots, Handle, Label, Mark, Path

DOTS = 32  # at most so many dots on each axis, or they would hide the picture


class View(NamedTuple):
    """How normalised coordinates lie on the canvas: place = centre + unit * (x, y)."""

    centre: tuple[float, float]
    unit: tuple[float, float]

    def places(self, points: Tensor) -> list[list[float]]:
        """Normalised points (..., 2) as places on the canvas, to a hundredth of a pixel."""
        return self.tensor(points).reshape(-1, 2).mul(100).round().div(100).tolist()

    def tensor(self, points: Tensor) -> Tensor:
        points = points.detach().cpu()
        return points * points.new_tensor(self.unit) + points.new_tensor(self.centre)


def view_of(
    size: tuple[int, int], centre: tuple[float, float], side: float, align_corners: bool
) -> View:
    """The view in which an image of `size` (H, W) has a longer side of `side` canvas pixels."""
    pixel = side / max(size)
    height, width = size
    unit = (
        pixel * width / 2 / edges(width, align_corners),
        pixel * height / 2 / edges(height, align_corners),
    )
    return View(centre, unit)


def image_box(size: tuple[int, int], view: View, align_corners: bool) -> Box:
    """Where an image of `size` (H, W) lies."""
    half_x = edges(size[1], align_corners) * view.unit[0]
    half_y = edges(size[0], align_corners) * view.unit[1]
    x, y = view.centre[0] - half_x, view.centre[1] - half_y
    return Box(x, y, 2 * half_x, 2 * half_y)


def sampling_dots(theta: Tensor, size: tuple[int, int], align_corners: bool, view: View) -> Dots:
    """A dot for each output pixel, or each n-th where they would hide the picture."""
    step = max(1, -(-max(size) // DOTS))
    y, x = (pixel_centres(n, align_corners, dtype=theta.dtype)[::step] for n in size)
    y, x = torch.meshgrid(y, x, indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ theta[0].T
    # The nearest dots must not touch, or they would hide the picture under them.
    spacing = (theta[0, :, :2].norm(dim=0) * 2 * step / max(size)).min().item() * min(view.unit)
    places = view.tensor(grid).float().contiguous().numpy().tobytes()
    return Dots(places, max(0.4, min(1.2, spacing / 5)), COLOURS["grid"])


def outline(matrix: Tensor, view: View, colour: str) -> Path:
    """The square from -1 to 1 as `matrix` (1, 2, 3) lays it."""
    corners = matrix.new_tensor([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    return Path(view.places(corners @ matrix[0].T), colour, closed=True)


def frame(matrix: Tensor, view: View, colour: str, arrows: str | None = None) -> list[Mark]:
    """The outline of `matrix` (1, 2, 3), and its x and y arrow.

    arrows: the colour of both arrows; by default each has its own.
    """
    marks: list[Mark] = [outline(matrix, view, colour)]
    for axis, name in enumerate("xy"):
        look = arrows or COLOURS[name]
        marks += arrow(matrix[0, :, 2], matrix[0, :, axis], view, name, look)
    return marks


def arrow(start: Tensor, vector: Tensor, view: View, name: str, colour: str) -> list[Mark]:
    """An arrow from `start` along `vector`, normalised, with its name beyond the tip."""
    tail, tip = view.places(torch.stack([start, start + vector]))
    across = [tip[0] - tail[0], tip[1] - tail[1]]
    length = max((across[0] ** 2 + across[1] ** 2) ** 0.5, 1e-9)
    away = [tip[0] + 22 * across[0] / length, tip[1] + 22 * across[1] / length]
    return [Path([tail, tip], colour), Label(name, *away, colour, 15)]


def frame_handles(matrix: Tensor, view: View, box: Box, steps: float, what: str) -> list[Handle]:
    """Handles of a frame: its centre and the tips of its arrows, kept inside the panel's box.

    steps: normalised, how far one press of an arrow key moves a handle. what: the frame's name.
    """
    centre = matrix[0, :, 2]
    tips = {"centre": centre, "x": centre + matrix[0, :, 0], "y": centre + matrix[0, :, 1]}
    words = {"centre": f"centre of the {what}"}
    words |= {name: f"tip of the {name} arrow of the {what}" for name in "xy"}
    colours = {"centre": COLOURS["grid"], "x": COLOURS["x"], "y": COLOURS["y"]}
    handles = []
    for name, point in tips.items():
        x, y = (round(value, 2) + 0.0 for value in point.tolist())
        label = f"{words[name]}, x {x:g}, y {y:g}; arrow keys move it"
        handles.append(handle_at(name, point, view, box, label, colours[name], steps))
    return handles


def window_handles(theta: Tensor, view: View, box: Box, steps: float) -> list[Handle]:
    """Handles of an attention window: its centre, which moves it, and a corner, which resizes it.

    theta: (1, 2, 3), see `transforms.attention`. box: the panel's, which keeps them inside.
    steps: normalised, how far one press of an arrow key moves the centre or a side of the window.
    """
    centre, scale = theta[0, :, 2], theta[0, 0, 0]
    x, y, size = (round(value.item(), 2) + 0.0 for value in (*centre, scale))
    where = f"centre of the box, x {x:g}, y {y:g}; arrow keys move it"
    how_large = f"corner of the box, scale {size:g}; arrow keys resize it"
    # A press moves the corner along one axis, and its scale takes half of that: see `pull`.
    return [
        handle_at("centre", centre, view, box, where, COLOURS["grid"], steps),
        handle_at("corner", centre + scale, view, box, how_large, COLOURS["output"], 2 * steps),
    ]


def handle_at(
    name: str, point: Tensor, view: View, box: Box, label: str, colour: str, step: float
) -> Handle:
    """A handle at a normalised point (2,), or at the nearest place inside the panel's box."""
    (place,) = view.places(point)
    return Handle(name, *box.keep_inside(place), label, colour, step * min(view.unit))


def matrix_text(matrix: Tensor) -> str:
    """The two rows of (1, 2, 3) in columns."""
    return "\n".join(
        " ".join(f"{round(v, 3) + 0.0:+7.3f}" for v in row) for row in matrix[0].tolist()
    )


def numpy_text(matrix: Tensor) -> str:
    """The two rows of (1, 2, 3) as Python that makes the array."""
    rounded = matrix[0].mul(1e6).round().div(1e6) + 0.0  # no -0 and no 1e-15
    rows = ",\n ".join(f"[{', '.join(f'{v:.7g}' for v in row)}]" for row in rounded.tolist())
    return f"numpy.float32([\n {rows}])"


def corner_labels(view: View) -> list[Label]:
    """The coordinates of the corners -1, -1 and 1, 1, inside them."""
    (first, last) = view.places(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
    return [
        Label("(-1, -1)", first[0] - 4, first[1] - 10, size=11, align="left"),
        Label("(1, 1)", last[0] + 4, last[1] + 10, size=11, align="right"),
    ]
