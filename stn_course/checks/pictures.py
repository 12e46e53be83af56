"""Expected and received as a small picture."""

import io

import torch
from torch import Tensor

from stn_course.plotting.figures import image_grid


def pair_of_pictures(expected: Tensor, received: Tensor) -> tuple[bytes, str]:
    """Two results (B, C, H, W) as a PNG, the first of the batch each; and the same in words."""
    pair = torch.stack([expected[0, :1], received[0, :1].to(expected.dtype)]).nan_to_num(0, 0, 0)
    low, high = expected[0, 0].min().item(), expected[0, 0].max().item()
    limits = (low, high if high > low else low + 1)
    figure = image_grid(
        pair,
        ["expected", "received"],
        columns=2,
        title="what came beside what is right",
        limits=limits,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=60)
    words = "the expected picture and the received one; the table above has their values."
    return buffer.getvalue(), words
