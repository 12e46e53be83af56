"""How control points travel over the pictures while a transformer of any family trains."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.grids import grid_of
from stn_course.plotting.drawing import COLOURS, draw_image, new_figure
from stn_course.samplers import warp
from stn_course.training import History

ROOM = 1.5  # how far around the picture is shown, normalised


def lattice_history(
    run: History, n: int = 4, digits: int = 6, looks: int = 3, title: str = ""
) -> Figure:
    """Where an n × n lattice of the output reads, over the probe digits; below, what they become.

    A row for each look, from before training to its end, with the way each point has come so far.
    The last row is what the trained transformer gives, padded with "border".
    run: of a transformer whose theta is one that `grids.grid_of` knows. n: for a thin plate spline
    that of its control points; 2 for corners. digits: how many of the probe's.
    """
    if not run.probe_thetas:
        raise ValueError("this history holds no theta: the model has no spatial transformer")
    images = run.probe_images[:digits]
    size = (len(images), 1, n, n)  # of the lattice: a pixel for each point
    places = [grid_of(theta[:digits], size, align_corners=True) for theta in run.probe_thetas]
    ways = torch.stack(places)  # (steps, digits, n, n, 2)
    figure, panels = new_figure(looks + 1, len(images), (1.5 * len(images), 1.5 * looks + 2.0))
    panels = panels.reshape(looks + 1, len(images))
    for row, step in enumerate(torch.linspace(0, len(ways) - 1, looks).long().tolist()):
        for axes, image, way in zip(panels[row], images, ways[: step + 1].unbind(1), strict=True):
            _draw_lattice(axes, image, way)
        panels[row, 0].set_ylabel(f"step {run.probe_steps[step]}", fontsize=10)
    read = warp(images, run.probe_thetas[-1][:digits], padding_mode="border")
    for axes, image in zip(panels[-1], read, strict=True):
        draw_image(axes, image)
        axes.spines[:].set(color=COLOURS["output"], linewidth=2)
    panels[-1, 0].set_ylabel("what it reads", fontsize=10)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_lattice(axes: Axes, image: Tensor, way: Tensor) -> None:
    """A lattice over an image, and the ways (steps, n, n, 2) of its points."""
    draw_image(axes, image)
    axes.images[0].set_extent((-1, 1, 1, -1))
    axes.set(xlim=(-ROOM, ROOM), ylim=(ROOM, -ROOM), facecolor="#8A8A8A")
    for lines in way[-1], way[-1].transpose(0, 1):
        axes.plot(*lines.unbind(-1), color=COLOURS["grid"], linewidth=0.8)
    x, y = way.flatten(1, 2).unbind(-1)
    axes.plot(x, y, color=COLOURS["other"], linewidth=0.9)
    axes.plot(x[-1], y[-1], "o", color=COLOURS["grid"], markersize=3)
