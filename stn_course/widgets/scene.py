"""What a canvas shows, as plain data: panels with marks in them, handles, notes, words.

A scene is a dict: width, height; panels, each with its place, its ground and its marks, painted in
order and cut off at the panel's edge; handles to drag; notes, texts beside the picture; text, the
same in words. Places are in canvas pixels, x to the right, y down.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from stn_course.grids import pixel_centres
from stn_course.plotting.drawing import COLOURS, edges
from stn_course.widgets.images import to_rgba

GROUND = "#8A8A8A"  # outside the image: neither black nor white, so that both are seen
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


def image_box(size: tuple[int, int], view: View, align_corners: bool) -> dict:
    """Where an image of `size` (H, W) lies: x, y, width, height."""
    half_x = edges(size[1], align_corners) * view.unit[0]
    half_y = edges(size[0], align_corners) * view.unit[1]
    x, y = view.centre[0] - half_x, view.centre[1] - half_y
    return {"x": x, "y": y, "width": 2 * half_x, "height": 2 * half_y}


def picture(image: Tensor, box: dict) -> dict:
    """A mark: an image (C, H, W) from 0 to 1 in a box, its pixels as squares."""
    return {"kind": "image", **box, **to_rgba(image)}


def named_picture(source: str, box: dict) -> dict:
    """A mark: an image that the canvas already has, in a box."""
    return {"kind": "image", **box, "source": source}


def dots(places: Tensor, radius: float, colour: str) -> dict:
    """A mark: squares of half side `radius` at places (..., 2)."""
    values = places.detach().cpu().float().reshape(-1, 2).contiguous()
    return {"kind": "dots", "places": values.numpy().tobytes(), "radius": radius, "colour": colour}


def path(
    places: list,
    colour: str,
    width: float = 3,
    closed: bool = False,
    fill: str | None = None,
    dash: tuple[float, ...] = (),
) -> dict:
    """A mark: a line through places, or a surface with a `fill` colour."""
    return {
        "kind": "path",
        "places": places,
        "colour": colour,
        "width": width,
        "closed": closed,
        "fill": fill,
        "dash": list(dash),
    }


def rectangle(box: dict, colour: str, width: float = 2, fill: str | None = None) -> dict:
    """A mark: the outline of a box, or the box filled."""
    x, y, right, low = box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]
    return path([[x, y], [right, y], [right, low], [x, low]], colour, width, True, fill)


def text(
    words: str, x: float, y: float, colour: str = COLOURS["text"], size: int = 13, align="center"
) -> dict:
    """A mark: one line of text; `align`: left, center or right of (x, y)."""
    return {
        "kind": "text",
        "text": words,
        "x": x,
        "y": y,
        "colour": colour,
        "size": size,
        "align": align,
    }


def panel(box: dict, marks: list[dict], ground: str = GROUND) -> dict:
    """A part of the canvas whose marks are cut off at its edge."""
    return {**box, "ground": ground, "marks": marks}


def sampling_dots(theta: Tensor, size: tuple[int, int], align_corners: bool, view: View) -> dict:
    """A mark: a dot for each output pixel, or each n-th where they would hide the picture."""
    step = max(1, -(-max(size) // DOTS))
    y, x = (pixel_centres(n, align_corners, dtype=theta.dtype)[::step] for n in size)
    y, x = torch.meshgrid(y, x, indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ theta[0].T
    # The nearest dots must not touch, or they would hide the picture under them.
    spacing = (theta[0, :, :2].norm(dim=0) * 2 * step / max(size)).min().item() * min(view.unit)
    return dots(view.tensor(grid), max(0.4, min(1.2, spacing / 5)), COLOURS["grid"])


def frame(matrix: Tensor, view: View, colour: str) -> list[dict]:
    """Marks: the square from -1 to 1 as `matrix` (1, 2, 3) lays it, and its x and y arrow."""
    corners = matrix.new_tensor([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    marks = [path(view.places(corners @ matrix[0].T), colour, closed=True)]
    for axis, name in enumerate("xy"):
        marks += arrow(matrix[0, :, 2], matrix[0, :, axis], view, name)
    return marks


def arrow(start: Tensor, vector: Tensor, view: View, name: str) -> list[dict]:
    """Marks: an arrow from `start` along `vector`, normalised, with its name beyond the tip."""
    tail, tip = view.places(torch.stack([start, start + vector]))
    across = [tip[0] - tail[0], tip[1] - tail[1]]
    length = max((across[0] ** 2 + across[1] ** 2) ** 0.5, 1e-9)
    away = [tip[0] + 22 * across[0] / length, tip[1] + 22 * across[1] / length]
    return [path([tail, tip], COLOURS[name]), text(name, *away, COLOURS[name], 15)]


def frame_handles(matrix: Tensor, view: View, box: dict, steps: float, what: str) -> list[dict]:
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
        inside = keep_inside(place, box)
        handles.append(handle(name, inside, label, colours[name], steps * min(view.unit)))
    return handles


def keep_inside(place: list[float], box: dict, margin: float = 8) -> list[float]:
    """The place, or the nearest one in the box, so that a handle can always be reached."""
    x = min(max(place[0], box["x"] + margin), box["x"] + box["width"] - margin)
    y = min(max(place[1], box["y"] + margin), box["y"] + box["height"] - margin)
    return [x, y]


def handle(name: str, place: list[float], label: str, colour: str, step: float) -> dict:
    """A handle; step: canvas pixels for one press of an arrow key."""
    return {
        "name": name,
        "x": place[0],
        "y": place[1],
        "label": label,
        "colour": colour,
        "step": step,
    }


def note(title: str, words: str, copy: bool = False) -> dict:
    """A text beside the picture, with a button that copies it if `copy`."""
    return {"title": title, "text": words, "copy": copy}


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


def corner_labels(view: View) -> list[dict]:
    """Marks: the coordinates of the corners -1, -1 and 1, 1, inside them."""
    (first, last) = view.places(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
    return [
        text("(-1, -1)", first[0] - 4, first[1] - 10, size=11, align="left"),
        text("(1, 1)", last[0] + 4, last[1] + 10, size=11, align="right"),
    ]
