"""What all figures share: colours, an empty figure, an image, the sampling grid over it.

One thing has one colour in every figure and lab, see COLOURS (Okabe-Ito, safe for colour-blind
eyes). Figures carry their own white ground, so that they read on a dark page too.
"""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from stn_course.grids import grid_of

COLOURS = {
    "input": "#0072B2",  # blue: the input's frame
    "grid": "#E69F00",  # orange: the sampling grid
    "x": "#D55E00",  # vermillion: the x arrow, first column of theta
    "y": "#009E73",  # bluish green: the y arrow, second column
    "output": "#CC79A7",  # reddish purple: the output's frame
    "text": "#222222",
    "other": "#56B4E9",
}
SERIES = [COLOURS[name] for name in ("input", "x", "y", "output", "grid", "other")]
SIDE = 33  # places along each side of a frame, which may be bent; odd: one lies in the middle
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))]  # so colour is never alone


def new_figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (8, 3.6)):
    """A Figure and its Axes (a single one, or an array), `size` in inches, at most 11 wide."""
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    return figure, figure.subplots(rows, columns)


def draw_image(axes: Axes, image: Tensor, limits: tuple[float, float] = (0, 1)) -> None:
    """One image (C, H, W) or (H, W), a pixel as a square, without ticks; `limits`: black, white."""
    image = image.detach().cpu().reshape(image.shape[-3:] if image.dim() > 2 else image.shape)
    if image.dim() == 3:
        image = image[0] if image.shape[0] == 1 else image.movedim(0, -1).clamp(0, 1)
    axes.imshow(image.numpy(), cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def draw_normalised(axes: Axes, image: Tensor) -> None:
    """One image (C, H, W) in normalised coordinates, -1 and 1 at its outer edges, axes named."""
    draw_image(axes, image)
    axes.images[0].set_extent((-1, 1, 1, -1))
    axes.set(xlim=(-1, 1), ylim=(1, -1), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    label_axes(axes)


def label_axes(axes: Axes, unit: str = "normalised") -> None:
    """Name both axes of an image panel and say that y points down."""
    axes.set_xlabel(f"x, {unit} →")
    axes.set_ylabel(f"← y, {unit} (down)")


def frame_of(theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where theta (1, …), of any family, lays the square from -1 to 1.

    Its outline (K, 2), closed; its centre (2,); the tips (2, 2) of its x and its y arrow.
    """
    places = grid_of(theta.detach().cpu(), (1, 1, SIDE, SIDE), align_corners=True)[0]
    there, back = [places[0], places[:, -1]], [places[-1].flip(0), places[:, 0].flip(0)]
    middle = SIDE // 2
    tips = torch.stack([places[middle, -1], places[-1, middle]])
    return torch.cat(there + back), places[middle, middle], tips


def draw_sampling_grid(
    axes: Axes,
    image: Tensor,
    theta: Tensor,
    output_size: tuple[int, int],
    align_corners: bool,
    dot: float = 3,
) -> None:
    """The input with the outline of the output, a dot for each output pixel, the frame's arrows.

    image: (C, H, W). theta: (1, 2, 3), or of another family. dot: a dot's size in points.
    Coordinates are normalised.
    """
    height, width = image.shape[-2:]
    edge_x, edge_y = edges(width, align_corners), edges(height, align_corners)
    draw_image(axes, image)
    axes.images[0].set_extent((-edge_x, edge_x, edge_y, -edge_y))
    frame = (-edge_x, -edge_y), 2 * edge_x, 2 * edge_y
    axes.add_patch(Rectangle(*frame, fill=False, color=COLOURS["input"], linewidth=2))
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-1, 0, 1])
    grid = grid_of(theta, (1, 1, *output_size), align_corners)[0].reshape(-1, 2)
    axes.plot(*grid.T.numpy(), ".", color=COLOURS["grid"], markersize=dot, label="reads here")
    outline, centre, tips = frame_of(theta)
    axes.plot(*outline.T.numpy(), color=COLOURS["output"], linewidth=2, label="output frame")
    for name, tip in zip("xy", tips, strict=True):
        axes.annotate(
            "",
            xy=tip.tolist(),
            xytext=centre.tolist(),
            arrowprops={"arrowstyle": "-|>", "color": COLOURS[name], "linewidth": 2},
        )
        beyond = centre + 1.12 * (tip - centre)
        axes.text(*beyond.tolist(), name, color=COLOURS[name], weight="bold")
    limit = max(1.3, 1.1 * outline.abs().max().item())
    axes.set(xlim=(-limit, limit), ylim=(limit, -limit))
    label_axes(axes)


def edges(n: int, align_corners: bool) -> float:
    """The normalised coordinate of the last pixel's outer edge, for n pixels."""
    return n / max(n - 1, 1) if align_corners else 1.0
