"""Parts of a scene that follow a training run: the probe digits before and after, and charts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from stn_course.plotting.drawing import COLOURS
from stn_course.transforms import to_pose
from stn_course.widgets.images import to_rgba
from stn_course.widgets.scene import Box, Image, Label, Mark, Panel, Path, rectangle
from stn_course.widgets.theta_scene import View, frame, image_box, view_of

TILE, GAP = 62, 4  # canvas pixels of each digit of 28 pixels, and between
SMALL = 28
ROW = 12 * (TILE + GAP)  # so many of them lie in a row
TITLE = 24  # above each row
LEFT = 46  # room for the numbers at a chart's axis
CHART = 130  # the height of a chart


class Tiles(NamedTuple):
    """Where pictures lie on the canvas, and under each its output: in rows, from the left.

    count: how many pictures. side, below: of a picture's tile and of its output's.
    """

    count: int
    side: int
    below: int

    @property
    def step(self) -> int:
        """From one tile to the next."""
        return max(self.side, self.below) + GAP

    @property
    def columns(self) -> int:
        """How many lie in a row."""
        return max(1, ROW // self.step)

    @property
    def width(self) -> int:
        """To the right edge of the last tile."""
        return LEFT + min(self.count, self.columns) * self.step

    @property
    def row_height(self) -> int:
        """Of pictures and outputs, with their titles."""
        return TITLE + self.side + TITLE + self.below

    @property
    def height(self) -> int:
        """Of all rows."""
        return -(-self.count // self.columns) * self.row_height

    def boxes(self, i: int) -> tuple[Box, Box]:
        """Of the i-th picture and of its output."""
        row, column = divmod(i, self.columns)
        top, middle = row * self.row_height + TITLE, LEFT + (column + 0.5) * self.step - GAP / 2
        first = Box(middle - self.side / 2, top, self.side, self.side)
        lower = top + self.side + TITLE
        return first, Box(middle - self.below / 2, lower, self.below, self.below)

    def titles(self, upper: str, lower: str) -> list[Label]:
        """What stands above the pictures and above the outputs, in each row."""
        return [
            Label(words, LEFT, top + y + TITLE / 2, align="left")
            for top in range(0, self.height, self.row_height)
            for words, y in ((upper, 0), (lower, TITLE + self.side))
        ]


def tiles_for(images: Tensor, output_size: tuple[int, int]) -> Tiles:
    """Tiles in which the pixels of larger pictures are about as large as a digit's."""
    sides = [
        max(1, round(max(size) / SMALL)) * (TILE + GAP) - GAP
        for size in (images.shape[-2:], output_size)
    ]
    return Tiles(len(images), *sides)


def digit_panels(
    boxes: tuple[Box, Box], image: Tensor, theta: Tensor | None, output: Tensor | None
) -> list[Panel]:
    """A digit (1, H, W), the frame of its theta (1, 2, 3) over it, and under it the output.

    boxes: see `Tiles`. theta: None for a network without a transformer. output: None also for a
    transformer that reads a feature map; the frame then stands in its place, for the picture is not
    what it lies on.
    """
    first, second = boxes
    size = image.shape[-2:]
    marks = [Image(image_box(size, view_in(first, size), False), to_rgba(image))]
    if theta is None:
        return [Panel(first, marks)]
    if output is None:
        edge = rectangle(image_box(size, view_in(second, size), False), COLOURS["input"])
        lower = [edge, *thin_frame(theta, view_in(second, size))]
    else:
        marks += thin_frame(theta, view_in(first, size))
        lower = [Image(second, to_rgba(output)), rectangle(second, COLOURS["output"], 3)]
    return [Panel(first, marks), Panel(second, lower)]


def view_in(tile: Box, size: tuple[int, int]) -> View:
    """The view of an image of `size` (H, W) in a tile, with room for a frame around it."""
    centre = tile.x + tile.width / 2, tile.y + tile.height / 2
    return view_of(size, centre, 0.7 * tile.width, False)


def thin_frame(theta: Tensor, view: View) -> list[Mark]:
    """The frame of a theta (1, 2, 3) and its arrows, without their names."""
    marks = frame(theta, view, COLOURS["output"])
    return [replace(mark, width=2) for mark in marks if isinstance(mark, Path)]


def windows_in_words(thetas: Tensor, index: int = -1) -> str | None:
    """How large the windows of a recorded step are and where; None where any ever turned.

    thetas: of all steps, (steps, N, 2, 3).
    """
    if thetas[..., 0, 1].any() or thetas[..., 1, 0].any():
        return None
    pose = to_pose(thetas[index])
    parts = [pose.scale_x, torch.hypot(pose.x, pose.y)]
    (small, large), (near, far) = ([f"{v.item():.2f}" for v in part.aminmax()] for part in parts)
    return f"{small} to {large} times as wide as the picture, {near} to {far} from its centre"


def chart(
    box: Box, points: Sequence[tuple[float, float]], ends: tuple[str, str, str, str], colour: str
) -> list[Mark]:
    """A curve in a box; points from 0 to 1, y up; ends: words at x first, x last, y low, y high."""
    right, bottom = box.x + box.width, box.y + box.height
    places = [[box.x + x * box.width, bottom - y * box.height] for x, y in points]
    line = [Path(places, colour, 2)] if len(places) > 1 else []
    dots = [
        rectangle(Box(x - 3, y - 3, 6, 6), colour, 1, fill=colour)
        for x, y in places
        if len(places) <= 20
    ]
    x_first, x_last, y_low, y_high = ends
    return [
        rectangle(box, "#777777", 1),
        *line,
        *dots,
        Label(y_high, box.x - 6, box.y + 8, align="right"),
        Label(y_low, box.x - 6, bottom, align="right"),
        Label(x_first, box.x, bottom + 14, align="left"),
        Label(x_last, right, bottom + 14, align="right"),
    ]
