"""Parts of a scene that follow a training run: the probe digits before and after, and charts."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from stn_course.plotting.drawing import COLOURS
from stn_course.widgets.images import to_rgba
from stn_course.widgets.scene import Box, Image, Label, Mark, Panel, Path, rectangle
from stn_course.widgets.theta_scene import View, frame, image_box, view_of

TILE, GAP = 62, 4  # canvas pixels of each digit, and between
TITLE = 24  # above each row
LEFT = 46  # room for the numbers at a chart's axis
CHART = 130  # the height of a chart
LOWER = TITLE + TILE + TITLE  # where the second row begins


def width_of(count: int) -> int:
    """How wide a row of so many digits is."""
    return LEFT + count * (TILE + GAP)


def digit_panels(i: int, image: Tensor, theta: Tensor | None, output: Tensor | None) -> list[Panel]:
    """The i-th digit (1, H, W), the frame of its theta (1, 2, 3) over it, and under it the output.

    theta: None for a network without a transformer. output: None also for a transformer that reads
    a feature map; the frame then stands in its place, for the picture is not what it lies on.
    """
    x = LEFT + i * (TILE + GAP)
    first, second = (Box(x, y, TILE, TILE) for y in (TITLE, LOWER))
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
    centre = tile.x + TILE / 2, tile.y + TILE / 2
    return view_of(size, centre, 0.7 * TILE, False)


def thin_frame(theta: Tensor, view: View) -> list[Mark]:
    """The frame of a theta (1, 2, 3) and its arrows, without their names."""
    marks = frame(theta, view, COLOURS["output"])
    return [replace(mark, width=2) for mark in marks if isinstance(mark, Path)]


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
