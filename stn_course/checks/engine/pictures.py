"""Expected and received as a small picture; each comes with the same in words."""

import io

import torch
from torch import Tensor

from stn_course.checks.engine.formatting import agree
from stn_course.plotting.drawing import COLOURS, label_axes, new_figure
from stn_course.plotting.figures import image_grid


def png(figure) -> bytes:
    """A figure as PNG, small in bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=70)
    return buffer.getvalue()


def pair_of_images(expected: Tensor, received: Tensor) -> tuple[bytes, str]:
    """Two results (B, C, H, W) side by side in the same greys: the first image that differs."""
    differs = ~agree(expected, received).flatten(2).all(dim=2)
    image, channel = differs.nonzero()[0].tolist() if differs.any() else (0, 0)
    pair = torch.stack([t[image, channel][None].to(expected) for t in (expected, received)])
    pair = pair.nan_to_num(0, 0, 0)
    low, high = pair.min().item(), pair.max().item()
    figure = image_grid(
        pair, ["expected", "received"], columns=2, limits=(low, high if high > low else low + 1)
    )
    return png(figure), "the expected picture, and beside it the received one."


def pair_of_grids(expected: Tensor, received: Tensor) -> tuple[bytes, str]:
    """Two grids (…, H, W, 2 or 3) as dots over the input's frame, the first of the batch each."""
    figure, axes = new_figure(size=(3.6, 3.4))
    places = []
    for grid, name, colour, mark in (
        (expected, "expected", COLOURS["input"], "o"),
        (received, "received", COLOURS["x"], "x"),
    ):
        points = grid.reshape(-1, *grid.shape[-3:])[0, ..., :2].reshape(-1, 2)
        places.append(points.double().nan_to_num(0, 0, 0).T.numpy())
        axes.plot(*places[-1], mark, color=colour, label=name)
    for ends in zip(*(place.T for place in places), strict=True):  # which cross is for which dot
        axes.plot(*zip(*ends, strict=True), color=COLOURS["text"], linewidth=0.6, alpha=0.6)
    axes.plot([-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1], color=COLOURS["text"], linewidth=1)
    axes.invert_yaxis()
    axes.set_aspect("equal", adjustable="datalim")
    label_axes(axes)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    words = (
        "the input's frame from -1 to 1, the expected places as dots, the received as crosses, a "
        "line from each dot to its cross."
    )
    return png(figure), words


PICTURES = {"images": pair_of_images, "grids": pair_of_grids}
