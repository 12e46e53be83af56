"""Pictures, grids and places: tensors in, Figure out; nothing here shows or saves a figure."""

import math
from collections.abc import Sequence

import numpy
import torch
import torch.nn.functional as F
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from torch import Tensor

from stn_course.grids import OUTSIDE, pixel_centres
from stn_course.plotting.drawing import (
    COLOURS,
    SERIES,
    draw_image,
    draw_normalised,
    draw_sampling_grid,
    edges,
    frame_of,
    label_axes,
    new_figure,
)
from stn_course.plotting.showing import rounded
from stn_course.samplers import to_pixels, warp
from stn_course.transforms import folded, to_matrix
from stn_course.validation import (
    check_any_theta,
    check_finite,
    check_images,
    check_theta,
    describe,
)

LINES = 11  # rows or columns of a grid that are drawn at most
FURTHEST = 1.6  # normalised: how far a panel shows what a grid reads
MARKS = "osDPX^"  # of queries, so that colour is never alone
UNIT_SQUARE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])  # closed


def image_grid(
    images: Tensor,
    titles: Sequence[object] | None = None,
    columns: int = 10,
    title: str = "",
    limits: tuple[float, float] = (0, 1),
) -> Figure:
    """Images (B, C, H, W) in rows of `columns`, each with its title.

    limits: the values that are black and white; where they are not 0 and 1 a bar shows them.
    """
    check_images(images, "images")
    rows = -(-len(images) // columns)
    tile = max(0.9, min(2.2, 6 / columns))  # inches: few images are drawn large
    high = tile * images.shape[-2] / images.shape[-1] + 0.2
    figure, axes = new_figure(rows, columns, (tile * columns, high * rows + 0.4))
    axes = list(axes.flat) if rows * columns > 1 else [axes]
    for i, ax in enumerate(axes):
        ax.axis("off")
        if i < len(images):
            draw_image(ax, images[i], limits)
            ax.axis("on")  # its frame, so that a white image is seen on the white ground
            ax.spines[:].set_color("#999999")
            ax.set_title("" if titles is None else str(titles[i]), fontsize=9)
    if limits != (0, 1):
        figure.colorbar(axes[0].images[0], ax=axes, shrink=0.8, label="value")
    figure.suptitle(title, fontsize=11)
    return figure


def boxes(
    pictures: Tensor,
    theta: Tensor,
    truth: Tensor | None = None,
    titles: Sequence[object] | None = None,
    columns: int = 4,
    title: str = "",
) -> Figure:
    """Pictures in rows, and over each the box that its theta reads; dashed the true one.

    pictures: (B, C, H, W) from 0 to 1. theta: (B, 2, 3). truth: (B, 4), left, top, width and height
    in pixels, as `random_clutter` gives them.
    """
    _check_boxes(pictures, theta, truth)
    height, width = pictures.shape[-2:]
    outlines = {"box of theta": (_around_theta(theta, (height, width)), "output", "-")}
    if truth is not None:
        outlines["true box"] = (_around_boxes(truth), "other", "--")
    figure = image_grid(pictures, titles, columns, title)
    beyond = 0.06 * max(height, width)  # or a box around the whole picture would be cut in half
    for i, axes in enumerate(figure.axes[: len(pictures)]):
        for name, (places, colour, dash) in outlines.items():
            look = {"color": COLOURS[colour], "linestyle": dash, "linewidth": 2}
            axes.plot(*places[i].T.numpy(), **look, label=name)
        axes.set_xlim(-0.5 - beyond, width - 0.5 + beyond)
        axes.set_ylim(height - 0.5 + beyond, -0.5 - beyond)
        axes.set_facecolor("#8A8A8A")
    figure.set_figheight(figure.get_figheight() + 0.35)  # for the legend
    lines = figure.axes[0].lines
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), fontsize=9)
    return figure


def places(
    images: Tensor,
    places: Tensor,
    titles: Sequence[object] | None = None,
    columns: int = 6,
    title: str = "",
) -> Figure:
    """Images in rows, and over each where its queries read: a colour and a mark for each query.

    images: (B, C, H, W) from 0 to 1. places: (B, Q, P, 2), normalised (x, y), Q up to six.
    """
    check_images(images, "images")
    if places.dim() != 4 or len(places) != len(images) or places.shape[-1] != 2:
        raise ValueError(f"places must be ({len(images)}, Q, P, 2); got {describe(places)}")
    figure = image_grid(images, titles, columns, title)
    for axes, queries in zip(figure.axes, places.detach().cpu(), strict=False):
        axes.images[0].set_extent((-1, 1, 1, -1))
        axes.set(xlim=(-1, 1), ylim=(1, -1), aspect=images.shape[-2] / images.shape[-1])
        for own, colour, mark in zip(queries, SERIES, MARKS, strict=False):
            look = {"color": colour, "markeredgecolor": "white", "markersize": 7}
            axes.plot(*own.T.numpy(), mark, **look)
    return figure


def _check_boxes(pictures: Tensor, theta: Tensor, truth: Tensor | None) -> None:
    """Pictures with as many thetas and, if there are any, true boxes."""
    check_images(pictures, "pictures")
    check_theta(theta)
    if truth is not None and truth.shape[1:] != (4,):
        raise ValueError(f"truth must have shape (B, 4); got {describe(truth)}")
    counts = {len(part) for part in (pictures, theta, truth) if part is not None}
    if len(counts) > 1:
        raise ValueError(f"pictures and boxes must pair; got {sorted(counts)} of them")


def _around_theta(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """The corners of each frame in pixels of a picture (H, W), the first again: (B, 5, 2)."""
    corners = torch.cat([2 * UNIT_SQUARE - 1, torch.ones(5, 1)], dim=1)
    x, y = (corners.to(theta) @ theta.detach().mT).cpu().unbind(dim=-1)
    return torch.stack([to_pixels(x, size[1]), to_pixels(y, size[0])], dim=-1)


def _around_boxes(boxes: Tensor) -> Tensor:
    """The same of boxes (B, 4): left, top, width and height in pixels."""
    left_top, extent = boxes.cpu().float()[:, None].split(2, dim=-1)
    return left_top - 0.5 + UNIT_SQUARE * extent  # a pixel reaches half a pixel beyond its centre


def side_by_side(
    inputs: Tensor,
    outputs: Tensor,
    names: tuple[str, str] = ("input", "output"),
    title: str = "",
    limits: tuple[float, float] = (0, 1),
) -> Figure:
    """Two rows of images, (B, C, H, W) each: above the inputs, under each its output."""
    check_images(inputs, "inputs")
    check_images(outputs, "outputs")
    if len(inputs) != len(outputs):
        raise ValueError(f"inputs and outputs must pair; got {len(inputs)} and {len(outputs)}")
    n = len(inputs)
    figure, axes = new_figure(2, n, (max(0.9 * n, 3), 2.5))
    axes = axes.reshape(2, n)
    for row, (name, images) in enumerate(zip(names, (inputs, outputs), strict=True)):
        for ax, image in zip(axes[row], images, strict=True):
            draw_image(ax, image, limits)
            for spine in ax.spines.values():
                spine.set(color=COLOURS["input" if row == 0 else "output"], linewidth=2)
        axes[row, 0].set_ylabel(name)
    figure.suptitle(title, fontsize=11)
    return figure


def sampling_grid(
    image: Tensor,
    theta: Tensor,
    output_size: tuple[int, int] | None = None,
    align_corners: bool = False,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    title: str = "",
) -> Figure:
    """On the left the input with the sampling grid over it, on the right what the grid reads.

    image: (C, H, W) from 0 to 1. theta: (1, 2, 3), or of another family. output_size: (H', W'), by
    default the input's.
    """
    check_any_theta(theta)
    check_finite("theta", theta)
    check_images(image[None], "image")
    image, theta = image.cpu(), theta.detach().cpu().to(image.dtype)
    output_size = output_size or tuple(image.shape[-2:])
    output = warp(image[None], theta, output_size, mode, padding_mode, align_corners)[0]
    figure, (left, right) = new_figure(1, 2, (8.4, 4.6))
    _, centre, tips = frame_of(theta)
    step = 2 * (tips - centre).norm(dim=1) / theta.new_tensor(output_size[::-1])
    dot = 60 * step.min().item()  # dots closer together are smaller: the image stays in sight
    draw_sampling_grid(left, image, theta, output_size, align_corners, min(3, max(1, dot)))
    left.set_title("where the output reads", color=COLOURS["text"], fontsize=10)
    left.legend(loc="lower right", fontsize=8)
    draw_normalised(right, output)
    for spine in right.spines.values():
        spine.set(color=COLOURS["output"], linewidth=2)
    right.set_title("the output", fontsize=10)
    figure.suptitle(title, fontsize=11)
    return figure


def bent_grid(
    image: Tensor,
    grid: Tensor,
    points: Tensor | None = None,
    title: str = "",
    align_corners: bool = False,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
) -> Figure:
    """On the left the input under the output's rows and columns, on the right what they read.

    Of many rows and columns ten or so are drawn. The output is hatched where the grid folds, and,
    the other way, where it reads OUTSIDE, behind a horizon.

    image: (C, H, W) from 0 to 1. grid: (1, H', W', 2). points: (K, 2), to be marked.
    """
    check_images(image[None], "image")
    image, grid = image.cpu(), grid.detach().cpu().to(image.dtype)
    beyond = (grid[0] == OUTSIDE).all(dim=-1)
    figure, (left, right) = new_figure(1, 2, (8.4, 4.6))
    _draw_shaped(left, image, align_corners)
    _draw_lines(left, grid[0].masked_fill(beyond[..., None], math.nan))
    if points is not None:
        look = {"color": COLOURS["output"], "markeredgecolor": "white"}
        left.plot(*points.detach().cpu().T.numpy(), "o", **look)
    left.set_title("where the output reads", fontsize=10)
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    output = F.grid_sample(image[None], grid, **options)[0]
    _draw_shaped(right, output, align_corners)
    _hatch(right, folded(grid)[0], align_corners, "////", COLOURS["x"])
    _hatch(right, beyond, align_corners, "\\\\\\\\", COLOURS["input"])
    right.set_title("the output", fontsize=10)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_shaped(axes: Axes, image: Tensor, align_corners: bool) -> None:
    """An image (C, H, W) in normalised coordinates, its pixels square."""
    height, width = image.shape[-2:]
    right, bottom = edges(width, align_corners), edges(height, align_corners)
    draw_normalised(axes, image)
    axes.images[0].set_extent((-right, right, bottom, -bottom))
    axes.set(xlim=(-right, right), ylim=(bottom, -bottom))
    axes.set_aspect(height / bottom * right / width)


def _draw_lines(axes: Axes, grid: Tensor) -> None:
    """Rows and columns of a grid (H, W, 2), LINES of each at most, and as much around as shows."""
    for way in (grid, grid.movedim(0, 1)):  # rows, then columns
        chosen = torch.linspace(0, len(way) - 1, min(len(way), LINES)).round().int().tolist()
        axes.plot(*way[chosen].movedim(-1, 0).movedim(1, 2).numpy(), color=COLOURS["grid"], lw=1)
    reach = min(max(1.05, 1.05 * grid.nan_to_num(0).abs().max().item()), FURTHEST)
    axes.set(xlim=(-reach, reach), ylim=(reach, -reach))


def _hatch(axes: Axes, where: Tensor, align_corners: bool, lines: str, colour: str) -> None:
    """Hatch the output's pixels (H, W) where True, axes in normalised coordinates."""
    if where.any():
        y, x = (pixel_centres(n, align_corners).numpy() for n in where.shape)
        look = {"hatches": [lines], "colors": "none"}
        with rc_context({"hatch.color": colour}):
            axes.contourf(x, y, where.float().numpy(), [0.5, 1.5], **look).set_edgecolor(colour)


def two_warps(
    image: Tensor, first: Tensor, second: Tensor, point: tuple[float, float], title: str = ""
) -> Figure:
    """How one output pixel finds its value through two warps in a row.

    Three panels: the image, the image read through `first`, that read through `second`. In each a
    place is marked: `point` in the last, where `second` sends it, where `first` sends that. Arrows
    lead from place to place, so from right to left.
    image: (C, H, W) from 0 to 1. first, second: theta (1, 2, 3). point: (x, y), normalised.
    """
    middle = warp(image[None], first)
    pictures = image, middle[0], warp(middle, second)[0]
    output = first.new_tensor([*point, 1])
    passed_on = to_matrix(second)[0] @ output
    places = (to_matrix(first)[0] @ passed_on)[:2], passed_on[:2], output[:2]
    names = "original", "middle picture", "output"
    figure, panels = new_figure(1, 3, (10.6, 4))
    figure.get_layout_engine().set(wspace=0.15)  # room for the arrows' names
    for axes, picture, name, place in zip(panels, pictures, names, places, strict=True):
        draw_normalised(axes, picture)
        axes.label_outer()
        axes.plot(*place, "o", color=COLOURS["grid"], markersize=10, markeredgecolor="black")
        axes.set_title("{}: ({:g}, {:g})".format(name, *rounded(place)), fontsize=10)
    _arrow_between(panels[2], places[2], panels[1], places[1], "second")
    _arrow_between(panels[1], places[1], panels[0], places[0], "first")
    figure.suptitle(title, fontsize=11)
    return figure


def _arrow_between(start: Axes, place: Tensor, end: Axes, target: Tensor, name: str) -> None:
    """A named arrow from a place in one panel to a place in another."""
    look = {"arrowstyle": "-|>", "mutation_scale": 16, "linewidth": 2, "color": COLOURS["grid"]}
    ends = {"coordsA": "data", "coordsB": "data", "axesA": start, "axesB": end}
    arrow = ConnectionPatch(place.tolist(), target.tolist(), **ends, shrinkA=6, shrinkB=6, **look)
    start.figure.add_artist(arrow)
    gap = {"xy": (-0.17, place[1].item()), "xycoords": ("axes fraction", "data")}
    above = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
    start.annotate(name, **gap, **above, fontsize=10, weight="bold")


def pixel_coordinates(n: int = 4) -> Figure:
    """Where -1 and 1 lie on n×n pixels, for both `align_corners`."""
    figure, panels = new_figure(1, 2, (8, 4.3))
    for axes, align_corners in zip(panels, (False, True), strict=True):
        centres = pixel_centres(n, align_corners)
        half = edges(n, align_corners)
        for edge in torch.linspace(-half, half, n + 1).tolist():
            axes.plot([edge, edge], [-half, half], color="#999999", linewidth=1)
            axes.plot([-half, half], [edge, edge], color="#999999", linewidth=1)
        x, y = torch.meshgrid(centres, centres, indexing="xy")
        axes.plot(
            x.flatten().numpy(),
            y.flatten().numpy(),
            "o",
            color=COLOURS["grid"],
            label="pixel centres",
        )
        frame = [-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]
        axes.plot(*frame, color=COLOURS["input"], linewidth=2.5, label="from -1 to 1")
        axes.set(xlim=(-1.5, 1.5), ylim=(1.5, -1.5), aspect="equal")
        axes.set_title(f"align_corners={align_corners}", fontsize=10)
        label_axes(axes)
    panels[0].legend(loc="upper right", fontsize=8)
    figure.suptitle("-1 and 1: the outer edges, or the centres of the border pixels", fontsize=11)
    return figure


def neighbours(image: Tensor, x: float, y: float, title: str = "") -> Figure:
    """The four pixels around a point, and a square of one pixel around it: areas are weights.

    image: (H, W) from 0 to 1. x, y: the point, in pixels, at least half a pixel inside.
    The piece of the square that covers a pixel has that pixel's weight as its area.
    """
    figure, axes = new_figure(size=(5.4, 4.9))
    draw_image(axes, image)
    left, top = math.floor(x), math.floor(y)
    corners = [(left + i, top + j) for j in (0, 1) for i in (0, 1)]
    for (m, n), colour in zip(corners, SERIES, strict=False):
        low = max(m, x) - 0.5, max(n, y) - 0.5
        width, height = 1 - abs(x - m), 1 - abs(y - n)
        axes.add_patch(Rectangle(low, width, height, color=colour, alpha=0.4, linewidth=0))
        axes.add_patch(Rectangle(low, width, height, fill=False, edgecolor=colour, linewidth=3))
        box = {"facecolor": "white", "edgecolor": colour, "linewidth": 2, "pad": 3}
        outer = m + 0.26 * (2 * (m - left) - 1), n + 0.4 * (2 * (n - top) - 1)
        words = f"value {image[n, m]:.2f}\nweight {width * height:.2f}"
        axes.text(*outer, words, ha="center", va="center", fontsize=9, bbox=box)
    axes.plot([x], [y], "o", color=COLOURS["grid"], markersize=9, markeredgecolor="black")
    axes.set(xlim=(left - 0.6, left + 1.6), ylim=(top + 1.6, top - 0.6))
    axes.set_xticks([left, left + 1])
    axes.set_yticks([top, top + 1])
    label_axes(axes, "pixels")
    axes.set_title(title, fontsize=11)
    return figure


def arrows(image: Tensor, grid: Tensor, vectors: Tensor, title: str = "") -> Figure:
    """Arrows over an image: at each point of a grid the direction of a vector, for a gradient.

    image: (C, H, W). grid, vectors: (H', W', 2), normalised (x, y). The longest arrow is drawn a
    quarter of a unit long, the others to the same scale.
    """
    figure, axes = new_figure(size=(5.6, 5.2))
    draw_normalised(axes, image)
    points, vectors = (v.detach().cpu().flatten(0, 1).numpy() for v in (grid, vectors))
    longest = max(float(numpy.hypot(*vectors.T).max()), 1e-12)
    style = {"color": COLOURS["x"], "angles": "xy", "width": 0.006}
    axes.quiver(*points.T, *vectors.T, scale_units="xy", scale=4 * longest, **style)
    axes.set(xlim=(-1.05, 1.05), ylim=(1.05, -1.05))
    axes.set_title(title, fontsize=11)
    return figure
