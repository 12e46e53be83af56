"""Show a figure or an animation in a notebook, with the same in words beside it; round numbers."""

import io

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from stn_course.validation import check_images, describe


class Described:
    """A figure with its text alternative: the picture, and under it the same in words."""

    def __init__(self, figure: Figure, words: str):
        if not isinstance(figure, Figure):
            raise TypeError(f"figure must be a matplotlib Figure; got {describe(figure)}")
        self.figure, self.words = figure, words

    def png(self) -> bytes:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=80)
        return buffer.getvalue()

    def _ipython_display_(self) -> None:
        show_picture(self.png(), self.words)


def show_picture(picture: bytes, words: str) -> None:
    """Display PNG or GIF bytes in a notebook, with a text alternative that also stands below."""
    from IPython import display

    display.display(display.Image(picture, alt=words))
    display.display(display.Markdown(f"*In words: {words}*"))


def show(figure: Figure, words: str) -> Described:
    """What a notebook cell ends with: the figure, and in words what it shows."""
    return Described(figure, words)


def rounded(values: Tensor, digits: int = 2) -> list | float:
    """A tensor's values as numbers to print: rounded to so many decimals, and 0.0 for -0.0."""
    exact = values.detach().cpu().double()
    return (exact.round(decimals=digits) + 0.0).tolist()


def moving_picture(inputs: Tensor, outputs: Tensor, enlarge: int = 6, ms: int = 60) -> bytes:
    """An animated GIF: frame by frame an input and beside it its output, (B, 1, H, W) from 0 to 1.

    enlarge: how many screen pixels wide a pixel is. ms: how long a frame stays.
    """
    check_images(inputs, "inputs")
    check_images(outputs, "outputs")
    gap = torch.full((*inputs.shape[:3], 2), 0.6)
    frames = torch.cat([inputs.cpu(), gap, outputs.cpu()], dim=-1)[:, 0]
    levels = (frames.clamp(0, 1) * 255).round().to(torch.uint8)
    levels = levels.repeat_interleave(enlarge, 1).repeat_interleave(enlarge, 2)
    first, *others = [Image.fromarray(level.numpy()) for level in levels]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=ms, loop=0)
    return buffer.getvalue()
