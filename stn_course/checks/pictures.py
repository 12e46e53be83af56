"""Expected and received as a small picture; each comes with the same in words."""

import io

import torch
from torch import Tensor

from stn_course.plotting.drawing import COLOURS, label_axes, new_figure
from stn_course.plotting.figures import image_grid


def png(figure) -> bytes:
    """A figure as PNG, small in bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=70)
    return buffer.getvalue()


def pair_of_images(expected: Tensor, received: Tensor) -> tuple[bytes, str]:
    """Two results (B, C, H, W), the first of the batch each, side by side in the same greys."""
    pair = torch.stack([expected[0, :1], received[0, :1].to(expected.dtype)]).nan_to_num(0, 0, 0)
    low, high = expected[0, 0].min().item(), expected[0, 0].max().item()
    figure = image_grid(
        pair, ["expected", "received"], columns=2, limits=(low, high if high > low else low + 1)
    )
    return png(figure), "the expected picture, and beside it the received one."


def pair_of_grids(expected: Tensor, received: Tensor) -> tuple[bytes, str]:
    """Two grids (…, H, W, 2 or 3) as dots over the input's frame, the first of the batch each."""
    figure, axes = new_figure(size=(3.6, 3.4))
    for grid, name, colour, mark in (
        (expected, "expected", COLOURS["input"], "o"),
        (received, "received", COLOURS["x"], "x"),
    ):
        places = grid.reshape(-1, *grid.shape[-3:])[0, ..., :2].reshape(-1, 2)
        axes.plot(*places.double().nan_to_num(0, 0, 0).T.numpy(), mark, color=colour, label=name)
    axes.plot([-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1], color=COLOURS["text"], linewidth=1)
    axes.invert_yaxis()
    axes.set_aspect("equal", adjustable="datalim")
    label_axes(axes)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    words = "the input's frame from -1 to 1, the expected places as dots, the received as crosses."
    return png(figure), words


PICTURES = {"images": pair_of_images, "grids": pair_of_grids}
