"""A lab's scene as a matplotlib Figure, for readers without a kernel."""

from collections.abc import Mapping
from functools import singledispatch

import numpy
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke

from stn_course.widgets.scene import Dots, Image, Label, Mark, Panel, Path, Pixels, Scene

DPI = 80  # canvas pixels to an inch


def static_figure(scene: Scene, images: Mapping[str, Pixels]) -> Figure:
    """What the canvas shows, and the notes under it; images: those that the scene refers to."""
    notes = [f"{note.title}:\n{note.text}" for note in scene.notes]
    lines = max((note.count("\n") + 1 for note in notes), default=0)
    height = scene.height + 13 * lines + (12 if lines else 0)
    figure = Figure(figsize=(scene.width / DPI, height / DPI), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, scene.width), ylim=(height, 0))
    axes.axis("off")
    for panel in scene.panels:
        draw_panel(axes, panel, images)
    for handle in scene.handles:
        style = {
            "markersize": 11,
            "color": handle.colour,
            "markeredgecolor": "black",
            "zorder": 3,
        }
        axes.plot(handle.x, handle.y, "o", **style)
    for i, note in enumerate(notes):
        x, y = 8 + i * scene.width / len(notes), scene.height + 8
        axes.text(x, y, note, va="top", family="monospace", fontsize=8)
    return figure


def draw_panel(axes: Axes, panel: Panel, images: Mapping[str, Pixels]) -> None:
    """One panel with its marks, cut off at its edge."""
    edge = Rectangle(panel.box[:2], panel.box.width, panel.box.height)
    edge.set(color=panel.ground, linewidth=0)
    axes.add_patch(edge).set_zorder(2)
    for mark in panel.marks:
        for artist in paint(mark, axes, images):
            artist.set_clip_path(edge)
            artist.set_zorder(2)  # in the order of drawing; left alone, images lie below the rest


@singledispatch
def paint(mark: Mark, axes: Axes, images: Mapping[str, Pixels]) -> list[Artist]:
    """Draw one mark, as `canvas.js` does; the artists that it is made of."""
    raise NotImplementedError(f"no painter for {type(mark).__name__}")


@paint.register
def _(mark: Image, axes: Axes, images: Mapping[str, Pixels]) -> list[Artist]:
    shown = images[mark.picture] if isinstance(mark.picture, str) else mark.picture
    pixels = numpy.frombuffer(shown.pixels, dtype=numpy.uint8)
    x, y, width, height = mark.box
    placed = {"extent": (x, x + width, y + height, y), "aspect": "auto"}
    levels = pixels.reshape(shown.rows, shown.columns, 4)
    return [axes.imshow(levels, interpolation="nearest", **placed)]


@paint.register
def _(mark: Dots, axes: Axes, images: Mapping[str, Pixels]) -> list[Artist]:
    places = numpy.frombuffer(mark.places, dtype="<f4").reshape(-1, 2)
    size = 2 * mark.radius * 72 / DPI
    return axes.plot(*places.T, "s", color=mark.colour, markersize=size, markeredgewidth=0)


@paint.register
def _(mark: Path, axes: Axes, images: Mapping[str, Pixels]) -> list[Artist]:
    shape = Polygon(mark.places, closed=mark.closed, fill=mark.fill is not None)
    dash = (0, tuple(mark.dash)) if mark.dash else "-"
    shape.set(facecolor=mark.fill or "none", edgecolor=mark.colour, linestyle=dash)
    shape.set_linewidth(mark.width * 72 / DPI)
    return [axes.add_patch(shape)]


@paint.register
def _(mark: Label, axes: Axes, images: Mapping[str, Pixels]) -> list[Artist]:
    place = {"ha": mark.align, "va": "center_baseline"}
    words = axes.text(mark.x, mark.y, mark.text, color=mark.colour, **place)
    words.set_fontsize(0.85 * mark.size * 72 / DPI)  # matplotlib's letters are wider
    words.set_path_effects([withStroke(linewidth=2, foreground="white")])
    return [words]
