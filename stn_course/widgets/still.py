"""A lab's scene as a matplotlib Figure, for readers without a kernel."""

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke

DPI = 80  # canvas pixels to an inch


def still(scene: dict, images: dict) -> Figure:
    """What the canvas shows, and the notes under it; images: those that the scene refers to."""
    notes = [f"{note['title']}:\n{note['text']}" for note in scene["notes"]]
    lines = max((note.count("\n") + 1 for note in notes), default=0)
    height = scene["height"] + 13 * lines + (12 if lines else 0)
    figure = Figure(figsize=(scene["width"] / DPI, height / DPI), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, scene["width"]), ylim=(height, 0))
    axes.axis("off")
    for panel in scene["panels"]:
        draw_panel(axes, panel, images)
    for handle in scene["handles"]:
        style = {
            "markersize": 11,
            "color": handle["colour"],
            "markeredgecolor": "black",
            "zorder": 3,
        }
        axes.plot(handle["x"], handle["y"], "o", **style)
    for i, note in enumerate(notes):
        x, y = 8 + i * scene["width"] / len(notes), scene["height"] + 8
        axes.text(x, y, note, va="top", family="monospace", fontsize=8)
    return figure


def draw_panel(axes: Axes, panel: dict, images: dict) -> None:
    """One panel with its marks, cut off at its edge."""
    box = Rectangle((panel["x"], panel["y"]), panel["width"], panel["height"])
    box.set(color=panel["ground"], linewidth=0)
    axes.add_patch(box).set_zorder(2)
    for mark in panel["marks"]:
        if "source" in mark:
            mark = mark | images[mark["source"]]
        for artist in DRAW[mark["kind"]](axes, mark):
            artist.set_clip_path(box)
            artist.set_zorder(2)  # in the order of drawing; left alone, images lie below the rest


def image_artists(axes: Axes, mark: dict) -> list:
    """An image, its pixels as squares."""
    shape = mark["rows"], mark["columns"], 4
    pixels = numpy.frombuffer(mark["pixels"], dtype=numpy.uint8).reshape(shape)
    x, y = mark["x"], mark["y"]
    extent = (x, x + mark["width"], y + mark["height"], y)
    return [axes.imshow(pixels, extent=extent, interpolation="nearest", aspect="auto")]


def dots_artists(axes: Axes, mark: dict) -> list:
    """Small squares."""
    places = numpy.frombuffer(mark["places"], dtype=numpy.float32).reshape(-1, 2)
    size = 2 * mark["radius"] * 72 / DPI
    return axes.plot(*places.T, "s", color=mark["colour"], markersize=size, markeredgewidth=0)


def path_artists(axes: Axes, mark: dict) -> list:
    """A line or a surface."""
    dash = (0, mark["dash"]) if mark["dash"] else "-"
    shape = Polygon(mark["places"], closed=mark["closed"], fill=mark["fill"] is not None)
    shape.set(facecolor=mark["fill"] or "none", edgecolor=mark["colour"], linestyle=dash)
    shape.set_linewidth(mark["width"] * 72 / DPI)
    return [axes.add_patch(shape)]


def text_artists(axes: Axes, mark: dict) -> list:
    """A line of text with a halo."""
    place = {"ha": mark["align"], "va": "center_baseline"}
    words = axes.text(mark["x"], mark["y"], mark["text"], color=mark["colour"], **place)
    words.set_fontsize(0.85 * mark["size"] * 72 / DPI)  # matplotlib's letters are wider
    words.set_path_effects([withStroke(linewidth=2, foreground="white")])
    return [words]


DRAW = {"image": image_artists, "dots": dots_artists, "path": path_artists, "text": text_artists}
