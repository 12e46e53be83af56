"""What a lab shows, as a still figure: for readers without a kernel, and for paper."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from stn_course.plotting.drawing import COLOURS, SERIES, draw_image, frame_of, label_axes
from stn_course.samplers import PADDING_MODES, bilinear, nearest, pad, to_pixels
from stn_course.validation import check_images

MARGIN = 2  # pixels of padding shown around an image
AROUND = 1.2  # pixels to each side of a point, enlarged
GROUND = "#8A8A8A"  # outside an image: neither black nor white, so that both are seen
ROOM = 0.2  # around a small picture, as a share of its size: for a frame that reaches beyond it
DARK = {"facecolor": "#222222CC", "edgecolor": "none", "pad": 1.5}  # under light letters
SMALL = 42  # pixels to a side of a picture of which twelve lie in a row, and of larger ones six


class Curve(NamedTuple):
    """A line over steps or epochs; `here` is the index of the point that a mark stands at."""

    xlabel: str
    ylabel: str
    x: Sequence[float]
    y: Sequence[float]
    here: int | None = None


class Reading(NamedTuple):
    """What somebody makes of N pictures.

    thetas: (N, 2, 3), or of another family. outputs: (N, 1, H', W') from 0 to 1. shares: (N, 10)
    probabilities.
    """

    thetas: Tensor
    outputs: Tensor
    shares: Tensor


def sampled_point(
    image: Tensor,
    point: tuple[float, float],
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Figure:
    """Left an image with its padding and a point; right the pixels that are read there, enlarged.

    image: (1, H, W) from 0 to 1. point: (x, y) in pixels, 0 is the centre of the first one. The
    others as in `grid_sample`. A weight is the area of a pixel in a square of one pixel around the
    place that is read. Above stands the value for each padding.
    """
    check_images(image[None], "image")
    figure = Figure(figsize=(8.4, 5), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    place = _padded(image, torch.tensor(point), padding_mode, align_corners)
    _draw_padded(left, image, padding_mode, align_corners)
    left.plot(*zip(point, place.tolist(), strict=True), "--", color=COLOURS["x"])
    left.plot(*point, "o", color=COLOURS["grid"], markersize=9, markeredgecolor="black")
    left.set_title("the image, its padding, the point", fontsize=10)
    _draw_weights(right, image, place, mode)
    values = [
        f"{name}: {_value(image, torch.tensor(point), mode, name, align_corners):.3f}"
        for name in PADDING_MODES
    ]
    figure.suptitle(f"the value, by padding: {', '.join(values)}", fontsize=11)
    return figure


def _padded(image: Tensor, points: Tensor, padding_mode: str, align_corners: bool) -> Tensor:
    """Where to read instead of at points (..., 2), in pixels."""
    sizes = reversed(image.shape[-2:])
    both = zip(points.unbind(dim=-1), sizes, strict=True)
    return torch.stack([pad(x, n, padding_mode, align_corners) for x, n in both], dim=-1)


def _value(
    image: Tensor, points: Tensor, mode: str, padding_mode: str, align_corners: bool
) -> Tensor:
    """What is read at points (..., 2)."""
    places = _padded(image, points, padding_mode, align_corners).reshape(1, 1, -1, 2)
    read = {"bilinear": bilinear, "nearest": nearest}[mode]
    return read(image[None], *places.unbind(dim=-1)).reshape(points.shape[:-1])


def _draw_padded(axes: Axes, image: Tensor, padding_mode: str, align_corners: bool) -> None:
    """The image with MARGIN pixels of its padding around it, coordinates in pixels."""
    height, width = image.shape[-2:]
    rows, columns = (torch.arange(-MARGIN, n + MARGIN).float() for n in (height, width))
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    draw_image(axes, _value(image, places, "nearest", padding_mode, align_corners))
    low, right, bottom = -MARGIN - 0.5, width + MARGIN - 0.5, height + MARGIN - 0.5
    axes.images[0].set_extent((low, right, bottom, low))
    axes.set(xlim=(low, right), ylim=(bottom, low))
    look = {"fill": False, "edgecolor": COLOURS["input"], "linewidth": 2}
    axes.add_patch(Rectangle((-0.5, -0.5), width, height, **look))
    axes.set_xticks([0, width - 1])
    axes.set_yticks([0, height - 1])
    label_axes(axes, "pixels")


def _draw_weights(axes: Axes, image: Tensor, place: Tensor, mode: str) -> None:
    """The pixels around a place; of each that is read the part of the square, and its weight."""
    x, y = place.tolist()
    columns, rows = (torch.arange(round(n) - 2, round(n) + 3).float() for n in (x, y))
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    draw_image(axes, _value(image, places, "nearest", "zeros", False))
    edges = columns[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5, rows[0] - 0.5
    axes.images[0].set_extent([edge.item() for edge in edges])
    if mode == "nearest":
        x, y = round(x), round(y)  # all of that pixel
    neighbours = [(math.floor(x) + i, math.floor(y) + j) for j in (0, 1) for i in (0, 1)]
    for (m, n), colour in zip(neighbours, SERIES, strict=False):
        low, width, height = (max(m, x) - 0.5, max(n, y) - 0.5), 1 - abs(x - m), 1 - abs(y - n)
        if width * height == 0:
            continue
        axes.add_patch(Rectangle(low, width, height, color=colour, alpha=0.4, linewidth=0))
        axes.add_patch(Rectangle(low, width, height, fill=False, edgecolor=colour, linewidth=2))
        middle = low[0] + width / 2, low[1] + height / 2
        words = f"{width * height:.2f}"
        axes.text(*middle, words, ha="center", va="center", color="white", bbox=DARK, fontsize=9)
    axes.plot(*place, "s", color=COLOURS["grid"], markersize=6, markeredgecolor="black")
    x, y = place.tolist()
    axes.set(xlim=(x - AROUND, x + AROUND), ylim=(y + AROUND, y - AROUND))
    axes.set_title("around the place it reads: areas are weights", fontsize=10)


def recorded_step(
    images: Tensor,
    thetas: Tensor | None,
    outputs: Tensor | None,
    curves: Sequence[Curve],
    title: str = "",
) -> Figure:
    """Pictures with the frames of their thetas, under each what it became; below, curves.

    images: (N, C, H, W) from 0 to 1. thetas: (N, 2, 3), or of another family; None for a network
    without a transformer. outputs: (N, C, H', W'); None where the transformer reads a feature map,
    so that its frames stand alone.
    """
    check_images(images, "images")
    columns = 12 if max(images.shape[-2:]) <= SMALL else 6
    blocks, each = -(-len(images) // columns), 1 if thetas is None else 2
    high = 9 / columns * blocks * each  # inches
    figure = Figure(figsize=(9, high + 2.8), layout="constrained", facecolor="white")
    above, below = figure.subfigures(2, 1, height_ratios=[high + 0.4, 2.4])
    tiles = above.subplots(blocks * each, columns, squeeze=False)
    for axes in tiles.flat:
        axes.axis("off")
    for i, image in enumerate(images):
        block, column = divmod(i, columns)
        theta = None if thetas is None else thetas[i : i + 1]
        output = None if outputs is None else outputs[i]
        _draw_step(tiles[block * each : (block + 1) * each, column], image, theta, output)
    for axes, curve in zip(below.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        _draw_curve(axes, curve)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_step(
    tiles: Sequence[Axes], image: Tensor, theta: Tensor | None, output: Tensor | None
) -> None:
    """One picture and, if there is a theta, its frame and the output, or the frame alone."""
    draw_image(tiles[0], image)
    if theta is None:
        return
    draw_image(tiles[1], torch.full_like(image, 0.54) if output is None else output)
    framed = tiles[1] if output is None else tiles[0]
    _draw_frame(framed, theta, image.shape[-2:], COLOURS["output"])
    _leave_room(framed, image.shape[-2:])


def _draw_frame(
    axes: Axes, theta: Tensor, size: Sequence[int], colour: str, arrows: bool = True
) -> None:
    """The frame of theta (1, …) over an image of `size` (H, W) in pixels, and its arrows."""
    outline, centre, tips = frame_of(theta)
    lines = {colour: outline}
    if arrows:
        lines |= {COLOURS[n]: torch.stack([centre, tip]) for n, tip in zip("xy", tips, strict=True)}
    for look, places in lines.items():
        x, y = to_pixels(places[:, 0], size[1]), to_pixels(places[:, 1], size[0])
        axes.plot(x, y, color=look, linewidth=2)


def _leave_room(axes: Axes, size: Sequence[int], room: float = ROOM) -> None:
    """Show a picture of `size` (H, W) with a grey ground around it."""
    height, width = size
    beyond = room * max(size)
    axes.set(xlim=(-0.5 - beyond, width - 0.5 + beyond))
    axes.set(ylim=(height - 0.5 + beyond, -0.5 - beyond))
    axes.axis("on")
    axes.set(xticks=[], yticks=[], facecolor=GROUND)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    """A curve and the mark on it; a point of few as a dot."""
    dots = {"marker": "o", "markersize": 4} if len(curve.x) <= 20 else {}
    axes.plot(curve.x, curve.y, color=COLOURS["input"], **dots)
    if curve.here is not None:
        x, y = curve.x[curve.here], curve.y[curve.here]
        axes.axvline(x, color=COLOURS["grid"])
        axes.plot(x, y, "s", color=COLOURS["grid"], markersize=9, markeredgecolor="black")
    axes.set(xlabel=curve.xlabel, ylabel=curve.ylabel)
    axes.grid(alpha=0.3)


def steering(
    pictures: Tensor,
    labels: Tensor,
    readings: Mapping[str, Reading],
    index: int = 0,
    arrows: bool = True,
    title: str = "",
) -> Figure:
    """One of N pictures with its frames, what a classifier sees there, what it says; below, all.

    pictures: (N, 1, H, W) from 0 to 1. labels: (N,). readings: by who chose the thetas; of the
    first all is shown, of the others the frames, the outputs and how certain the right digit is.
    arrows: whether the first frame has its x and y arrow.
    """
    check_images(pictures, "pictures")
    high = 9 / len(pictures) * len(readings) + 0.5
    figure = Figure(figsize=(9, 3.4 + high), layout="constrained", facecolor="white")
    above, below = figure.subfigures(2, 1, height_ratios=[3.4, high])
    left, middle, right = above.subplots(1, 3)
    mine, size = next(iter(readings.values())), pictures.shape[-2:]
    draw_image(left, pictures[index])
    colours = COLOURS["output"], COLOURS["other"]
    for reading, colour in zip(readings.values(), colours, strict=False):
        theta = reading.thetas[index : index + 1]
        _draw_frame(left, theta, size, colour, arrows and reading is mine)
    _leave_room(left, size, 0.4)
    left.set_title(f"the frame over digit {labels[index]}", fontsize=10)
    draw_image(middle, mine.outputs[index])
    middle.set_title("what the classifier sees", fontsize=10)
    _draw_shares(right, mine.shares[index], int(labels[index]))
    tiles = below.subplots(len(readings), len(pictures), squeeze=False)
    for row, (name, reading) in zip(tiles, readings.items(), strict=True):
        _draw_certainties(row, name, reading, labels, index)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_shares(axes: Axes, shares: Tensor, right: int) -> None:
    """A bar for each of ten probabilities; the right digit's is framed."""
    bars = axes.barh(range(len(shares)), (100 * shares).tolist(), color=COLOURS["other"])
    bars[int(shares.argmax())].set_color(COLOURS["grid"])
    axes.barh(right, 100, fill=False, edgecolor=COLOURS["text"], linewidth=2)
    axes.set(xlim=(0, 100), xlabel="certainty, %", yticks=range(len(shares)))
    axes.invert_yaxis()
    axes.set_title("what it says (right digit framed)", fontsize=10)


def _draw_certainties(
    row: Sequence[Axes], name: str, reading: Reading, labels: Tensor, index: int
) -> None:
    """A row of outputs with the probability of the right digit above each."""
    for i, axes in enumerate(row):
        draw_image(axes, reading.outputs[i])
        axes.set_title(f"{100 * reading.shares[i, labels[i]]:.0f} %", fontsize=9)
        axes.spines[:].set(color=COLOURS["grid"] if i == index else "#999999", linewidth=2)
    row[0].set_ylabel(name)
