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


def frame(matrix: Tensor, view: View, colour: str) -> list[Mark]:
    """The square from -1 to 1 as `matrix` (1, 2, 3) lays it, and its x and y arrow."""
    corners = matrix.new_tensor([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    marks: list[Mark] = [Path(view.places(corners @ matrix[0].T), colour, closed=True)]
    for axis, name in enumerate("xy"):
        marks += arrow(matrix[0, :, 2], matrix[0, :, axis], view, name)
    return marks


def arrow(start: Tensor, vector: Tensor, view: View, name: str) -> list[Mark]:
    """An arrow from `start` along `vector`, normalised, with its name beyond the tip."""
    tail, tip = view.places(torch.stack([start, start + vector]))
    across = [tip[0] - tail[0], tip[1] - tail[1]]
    length = max((across[0] ** 2 + across[1] ** 2) ** 0.5, 1e-9)
    away = [tip[0] + 22 * across[0] / length, tip[1] + 22 * across[1] / length]
    return [Path([tail, tip], COLOURS[name]), Label(name, *away, COLOURS[name], 15)]


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
        (place,) = view.places(point)
        x, y = (round(value, 2) + 0.0 for value in point.tolist())
        label = f"{words[name]}, x {x:g}, y {y:g}; arrow keys move it"
        inside = box.keep_inside(place)
        handles.append(Handle(name, *inside, label, colours[name], steps * min(view.unit)))
    return handles


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
