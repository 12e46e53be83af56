"""A photograph of a page, made by the course itself: drawn, laid on a desk, seen from the side."""

import functools
from typing import NamedTuple

import numpy
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.grids import projective_grid
from stn_course.plotting import COLOURS
from stn_course.transforms import from_corners

PAGE, PHOTOGRAPH = (320, 226), (320, 240)  # (H, W) in pixels; the page has A4's proportions
FINE = 2  # times as many pixels on each axis while it is made, averaged in the end
# Where the photograph shows the page: top left, top right, bottom left, bottom right, in pixels
# from its top left corner, x first.
CORNERS = [[74.0, 38.0], [214.0, 76.0], [18.0, 226.0], [188.0, 298.0]]
LINES = [
    (0.915, 17, "bold", "Where do I read?"),
    (0.845, 9.5, "normal", "Each pixel of the output asks theta"),
    (0.805, 9.5, "normal", "for a place in the input, and takes"),
    (0.765, 9.5, "normal", "the colour that it finds there:"),
    (0.685, 12, "normal", r"$x_s = \theta_{11}\,x_t + \theta_{12}\,y_t + \theta_{13}$"),
    (0.615, 12, "normal", r"$y_s = \theta_{21}\,x_t + \theta_{22}\,y_t + \theta_{23}$"),
    (0.055, 9.5, "normal", "So a grid that is bent unbends."),
]


class PagePhotograph(NamedTuple):
    """A photograph of a page, and what it was made from.

    Attributes:
        photograph: (3, 320, 240), from 0 to 1.
        page: (3, 320, 226), the page as it was drawn, flat.
        corners: (4, 2), where the photograph shows the page's top left, top right, bottom left and
            bottom right corner, normalised (x, y).
    """

    photograph: Tensor
    page: Tensor
    corners: Tensor


@functools.cache
def page_photograph() -> PagePhotograph:
    """A page of text with a drawing, photographed on a wooden desk.

    No camera has seen it: the course draws the page, projects it, and adds a desk, a shadow, some
    blur and some noise, the same each time.

    Returns:
        The photograph, the flat page and the page's true corners.

    Example:
        >>> page_photograph().photograph.shape
        torch.Size([3, 320, 240])
    """
    random = torch.Generator().manual_seed(7)
    page = drawn_page()
    height, width = PHOTOGRAPH
    corners = 2 * torch.tensor(CORNERS) / torch.tensor([width, height]) - 1
    to_page = torch.linalg.inv(from_corners(corners[None].double())).float()
    places = projective_grid(to_page, (1, 3, FINE * height, FINE * width))
    seen = on_the_desk(page, places, random)
    seen = blurred(F.avg_pool2d(seen, FINE), 0.55)
    noise = 0.012 * torch.randn(seen.shape, generator=random)
    flat = F.interpolate(page, PAGE, mode="area")
    return PagePhotograph((seen + noise).clamp(0, 1)[0], flat[0], corners)


def drawn_page() -> Tensor:
    """The page, flat, (1, 3, FINE · 320, FINE · 226)."""
    height, width = (FINE * n for n in PAGE)
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="#F4F1E8")
    for y, size, weight, words in LINES:
        look = {"fontsize": FINE * size * 0.72, "fontfamily": "DejaVu Serif"}
        figure.text(0.09, y, words, weight=weight, color=COLOURS["text"], va="center", **look)
    draw_two_frames(figure.add_axes((0.06, 0.09, 0.88, 0.47)))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = torch.from_numpy(numpy.array(canvas.buffer_rgba()))
    return pixels[None, ..., :3].movedim(-1, 1).float() / 255


def draw_two_frames(axes: Axes) -> None:
    """The output's grid, regular, and where it reads: a grid that is turned and sheared."""
    axes.set(xlim=(-0.3, 8.3), ylim=(4.3, -0.4), aspect="equal")
    axes.axis("off")
    for left, (a, b, c, d), colour in (
        (4.9, (0.75, 0, 0, 0.75), COLOURS["output"]),
        (1.0, (0.72, -0.24, 0.2, 0.66), COLOURS["grid"]),
    ):
        for i in range(5):
            for start, end in (((i, 0), (i, 4)), ((0, i), (4, i))):
                x, y = ([p * m + q * n for m, n in (start, end)] for p, q in ((a, b), (c, d)))
                axes.plot([left + n for n in x], [0.3 + n for n in y], color=colour, linewidth=3)
    arrow = {"arrowstyle": "-|>", "color": COLOURS["text"], "linewidth": 3, "mutation_scale": 24}
    axes.annotate("", (3.1, 1.6), (5.6, 1.6), arrowprops=arrow)


def on_the_desk(page: Tensor, places: Tensor, random: torch.Generator) -> Tensor:
    """What lies at places (1, H, W, 2) of the page's plane: the page, its shadow, or wood."""
    paper = F.grid_sample(page, places, align_corners=False)
    covered = F.grid_sample(torch.ones_like(page[:, :1]), places, align_corners=False)
    shadow = blurred(covered.roll((9, 7), dims=(2, 3)), 7.0)
    ground = wood(places, random) * (1 - 0.6 * shadow)
    rows, columns = (torch.linspace(0, 1, n) for n in places.shape[1:3])
    light = 1.04 - 0.16 * rows[:, None] - 0.14 * columns  # from the top left
    return light * (paper + (1 - covered) * ground)


def wood(places: Tensor, random: torch.Generator) -> Tensor:
    """Boards with a grain along x, (1, 3, H, W), at places of their plane."""
    x, y = places.unbind(dim=-1)
    boards = 0.9 * y + 0.35
    turned = torch.stack([x / 5, torch.sin(2.1 * y + 0.25 * torch.sin(1.3 * x))], dim=-1)
    grain = torch.zeros_like(y)
    for rows, strength in ((24, 0.5), (150, 0.5)):  # broad bands, and fine lines
        noise = torch.rand(1, 1, rows, 5, generator=random) - 0.5
        look = {"mode": "bicubic", "padding_mode": "reflection", "align_corners": False}
        grain += strength * F.grid_sample(noise, turned, **look)[:, 0]
    tone = torch.rand(32, generator=random)[boards.floor().long() % 32] - 0.5
    joint = torch.exp(-(((boards - boards.round()) / 0.012) ** 2))
    brightness = 1 + 0.5 * grain + 0.16 * tone - 0.5 * joint
    return torch.tensor([0.56, 0.40, 0.27])[:, None, None] * brightness[:, None]


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Images (B, C, H, W) out of focus: a Gaussian of `sigma` pixels on each axis."""
    reach = round(3 * sigma)
    kernel = torch.exp(-((torch.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 1, -1)
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    for part in (kernel, kernel.mT):
        padded = F.conv2d(padded, part, groups=images.shape[1])
    return padded
