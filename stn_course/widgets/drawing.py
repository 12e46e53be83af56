"""Fast pictures for the labs: the sampling grid over the input, and the output, as PNG bytes.

Pillow draws them, for a lab redraws at every movement; the colours are those of the figures.
"""

import io

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from stn_course.grids import affine_grid
from stn_course.plotting import COLOURS

SIDE = 288  # pixels of each of the two pictures
REACH = 1.8  # the left picture shows normalised coordinates from -REACH to REACH
DOTS = 28  # at most so many dots on each axis
GROUND = "#8A8A8A"  # outside the image: neither black nor white, so that both are seen


def to_pillow(image: Tensor, size: tuple[int, int]) -> Image.Image:
    """(C, H, W) from 0 to 1, C 1 or 3, as a picture (width, height); pixels stay squares."""
    levels = (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    array = levels.movedim(0, -1).expand(-1, -1, 3).contiguous().numpy()
    return Image.fromarray(array).resize(size, Image.Resampling.NEAREST)


def to_canvas(points: Tensor) -> list[tuple[float, float]]:
    """Normalised (x, y), any shape (..., 2), as places in the left picture."""
    places = (points.detach().cpu().reshape(-1, 2) / REACH + 1) / 2 * SIDE
    return [tuple(place) for place in places.tolist()]


def draw_grid(image: Tensor, theta: Tensor, output_size: tuple[int, int], align_corners: bool):
    """The input (C, H, W), the output's frame over it, dots where it reads, its two arrows."""
    inner = round(SIDE / REACH)
    canvas = Image.new("RGB", (SIDE, SIDE), GROUND)
    canvas.paste(to_pillow(image, (inner, inner)), ((SIDE - inner) // 2, (SIDE - inner) // 2))
    draw = ImageDraw.Draw(canvas)
    edge = (SIDE - inner) // 2
    box = (edge - 2, edge - 2, edge + inner + 1, edge + inner + 1)
    draw.rectangle(box, outline=COLOURS["input"], width=2)
    size = (1, 1, min(DOTS, output_size[0]), min(DOTS, output_size[1]))
    # The nearest dots must not touch, or they would hide the picture under them.
    spacing = 2 * theta[0, :, :2].norm(dim=0).min().item() / max(size) / (2 * REACH) * SIDE
    r = max(0.3, min(1.5, spacing / 4))
    for x, y in to_canvas(affine_grid(theta, size, align_corners)):
        draw.ellipse((x - r, y - r, x + r, y + r), fill=COLOURS["grid"])
    corners = theta.new_tensor([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1], [-1, -1, 1]])
    draw.line(to_canvas(corners @ theta[0].T), fill=COLOURS["output"], width=3)
    for axis, name in enumerate("xy"):
        draw_arrow(draw, theta[0, :, 2], theta[0, :, axis], name)
    return canvas


def draw_arrow(draw: ImageDraw.ImageDraw, start: Tensor, vector: Tensor, name: str) -> None:
    """An arrow from `start` along `vector`, normalised, with its name at the tip."""
    (tail, tip) = to_canvas(torch.stack([start, start + vector]))
    draw.line((tail, tip), fill=COLOURS[name], width=3)
    draw.ellipse((tip[0] - 5, tip[1] - 5, tip[0] + 5, tip[1] + 5), fill=COLOURS[name])
    (label,) = to_canvas(start + 1.15 * vector)
    draw.text(label, name, fill="white", anchor="mm", stroke_width=2, stroke_fill=COLOURS[name])


def picture(image: Tensor, theta: Tensor, output: Tensor, align_corners: bool) -> bytes:
    """PNG bytes: left the input with the grid over it, right the output.

    image: (C, H, W) from 0 to 1. theta: (1, 2, 3). output: (C, H', W').
    """
    gap = 16
    both = Image.new("RGBA", (2 * SIDE + gap, SIDE), (0, 0, 0, 0))  # a gap in the page's colour
    both.paste(draw_grid(image, theta.detach().cpu(), output.shape[-2:], align_corners), (0, 0))
    both.paste(to_pillow(output, (SIDE, SIDE)), (SIDE + gap, 0))
    frame = (SIDE + gap, 0, 2 * SIDE + gap - 1, SIDE - 1)
    ImageDraw.Draw(both).rectangle(frame, outline=COLOURS["output"], width=3)
    buffer = io.BytesIO()
    both.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
