"""WarpLab: drag the places where points of the output read, and see which grid unbends it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.grids import (
    OUTSIDE,
    affine_grid,
    control_lattice,
    projective_grid,
    thin_plate_spline_grid,
)
from stn_course.plotting import bent_grid
from stn_course.samplers import grid_sample
from stn_course.transforms import folded, from_three_corners, through_corners
from stn_course.validation import check_choice, check_finite, check_output_size, describe
from stn_course.widgets.browser_lab import BrowserLab, to_browser
from stn_course.widgets.choices import choice, sampling_choices, values_of
from stn_course.widgets.images import LARGEST, Picture, as_image, examples, reduced
from stn_course.widgets.page import PAGE, page_photograph

PHOTOGRAPH = "photograph of a page"
SAME = 1e-6  # normalised: two places less far apart are one
CORNERS = ("top left", "top right", "bottom left", "bottom right")


class Family(NamedTuple):
    """What it is called in a sentence; how it makes a grid of `count` points (1, K, 2)."""

    name: str
    count: int
    to_theta: Callable[[Tensor], Tensor]
    grid: Callable[[Tensor, tuple[int, ...], bool], Tensor]


FAMILIES = {
    "affine": Family("affine", 3, from_three_corners, affine_grid),
    "projective": Family("projective", 4, through_corners, projective_grid),
    "tps": Family("a thin plate spline", 16, lambda points: points, thin_plate_spline_grid),
}


class WarpLab(BrowserLab):
    """Points to drag: where the output's corners, or the points of a lattice in it, read.

    image: as in `ThetaLab`; one of over 512 pixels to a side is reduced to that. Left out, the
    photograph of a page. family: "affine" (3 corners), "projective" (4 corners) or "tps" (a thin
    plate spline over 4×4 points). output_size: (H', W') for the image, by default its own; for the
    photograph of a page, the page's. mode ("bilinear" or "nearest"), padding_mode, align_corners:
    as in `grid_sample`, the first choice shown. device: as in `choose_device`.

    Left the input with the points, and with lines of the output's grid where they read. Right the
    output, computed in the browser, and by PyTorch on the device chosen when the hand rests. Shaded
    is what the grid folds or mirrors, and what lies behind the horizon of a homography. A change of
    the family keeps as much as the new one can. On a page without a kernel a button opens a picture
    of one's own.

    `points`, (K, 2) on the CPU, can be read and set; `theta`, `grid()` and `output()` follow from
    them. `figure()` is a static figure, `text` says what it shows.
    """

    module = "warp_lab.js"

    def __init__(
        self,
        image: Picture | None = None,
        family: str = "projective",
        output_size: tuple[int, int] | None = None,
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        align_corners: bool = False,
        device: str | None = None,
    ):
        check_choice("family", family, FAMILIES)
        check_output_size(output_size)
        own = {} if image is None else {"your image": reduced(as_image(image))}
        digits = {f"digit {n}": digit for n, digit in enumerate(examples())}
        self._images = own | {PHOTOGRAPH: page_photograph().photograph} | digits
        self._sizes = {name: tuple(image.shape[-2:]) for name, image in self._images.items()}
        self._sizes[PHOTOGRAPH] = PAGE
        first = next(iter(self._images))
        if output_size is not None:
            self._sizes[first] = tuple(output_size)
        check_sides(self._sizes[first])
        self.source = choice("image", self._images, first)
        self.choices = sampling_choices(mode, padding_mode, align_corners, device)
        controls = {"image": self.source, **self.choices}
        first_state = {"family": family, "points": start_of(family)}
        super().__init__(first_state, self._data(controls, family), controls, [controls.values()])

    def _data(self, controls: dict, family: str) -> dict:
        """What the browser is given once; `first`: where Reset puts the choices."""
        return {
            "images": [to_browser(image) for image in self._images.values()],
            "sizes": list(self._sizes.values()),
            "presets": presets(),
            "first": {name: control.index for name, control in controls.items()},
            "family": family,
        }

    @property
    def family(self) -> str:
        """Of which family the points are: "affine", "projective" or "tps"."""
        return self.state["family"]

    @property
    def points(self) -> Tensor:
        """Where in the input the points of the output read, (K, 2), normalised (x, y); a copy.

        Row by row from the top left; without the last corner in the affine family.
        """
        return torch.tensor(self.state["points"], dtype=torch.float32)

    @points.setter
    def points(self, points: Tensor) -> None:
        points = torch.as_tensor(points, dtype=torch.float64).detach().cpu()
        families = {family.count: name for name, family in FAMILIES.items()}
        if points.dim() != 2 or len(points) not in families or points.shape[1] != 2:
            raise ValueError(f"points must be (3, 2), (4, 2) or (16, 2); got {describe(points)}")
        check_finite("points", points)
        self.change(family=families[len(points)], points=points.tolist())

    @property
    def theta(self) -> Tensor:
        """What the family's grid is made of: (1, 2, 3), (1, 3, 3), or the points, (1, 16, 2)."""
        return FAMILIES[self.family].to_theta(self.points[None])

    @property
    def image(self) -> Tensor:
        """The image chosen, (C, H, W), floating point from 0 to 1; a copy."""
        return self._images[self.source.label].clone()

    @property
    def output_size(self) -> tuple[int, int]:
        """(H', W')."""
        return self._sizes[self.source.label]

    def grid(self) -> Tensor:
        """Where each output pixel reads at present, (1, H', W', 2), float32."""
        return self._grid_of(self._question()).cpu().float()

    def output(self) -> Tensor:
        """What the grid reads at present, (1, C, H', W'), computed on the device chosen."""
        return self._output_of(self._question())

    def _question(self) -> dict:
        """What is shown, as the browser asks about it."""
        shown = {"image": self.source.index, "device": self.choices["device"].value}
        return self.state | shown | {"options": values_of(self.choices)}

    def _grid_of(self, question: dict) -> Tensor:
        """In float64: near the horizon, places run far."""
        family, size = FAMILIES[question["family"]], list(self._sizes.values())[question["image"]]
        options = {"dtype": torch.float64, "device": question["device"]}
        theta = family.to_theta(torch.tensor([question["points"]], **options))
        return family.grid(theta, (1, 1, *size), question["options"]["align_corners"])

    def _output_of(self, question: dict) -> Tensor:
        grid = self._grid_of(question)
        image = list(self._images.values())[question["image"]]
        return grid_sample(image[None].to(grid), grid, **question["options"]).cpu().float()

    def answer(self, question: dict) -> dict:
        """PyTorch's output for what the browser shows."""
        return {"device": question["device"], "output": to_browser(self._output_of(question)[0])}

    @property
    def text(self) -> str:
        """What the lab shows, in words."""
        grid = self._grid_of(self._question())
        beyond = (grid == OUTSIDE).all(dim=-1)
        shares = [(folded(grid), "folded"), (beyond, "behind the horizon")]
        found = [
            f"{100 * where.double().mean().item():.1f} % of the output is {words}."
            for where, words in shares
            if where.any()
        ]
        return " ".join([self._points_in_words(), *(found or ["Nothing is folded."])])

    def _points_in_words(self) -> str:
        """Where the corners read; of more points, how many are moved, and the one furthest."""
        name, count, *_ = FAMILIES[self.family]
        points, start = self.state["points"], start_of(self.family)
        read = [point_in_words(i, count, *point) for i, point in enumerate(points)]
        if count <= len(CORNERS):
            return f"The grid is {name}. It reads the {'; the '.join(read)}."
        far = [math.dist(*pair) for pair in zip(points, start, strict=True)]
        moved = sum(distance > SAME for distance in far)
        first = next(i for i, distance in enumerate(far) if distance > max(far) - SAME)
        furthest = f", the furthest {read[first]}" if moved else ""
        return f"The grid is {name}. Points moved: {moved} of {count}{furthest}."

    def figure(self, title: str = "") -> Figure:
        """The lab's two pictures as a figure with labelled axes."""
        options = values_of(self.choices)
        return bent_grid(self.image, self.grid(), self.points, title, **options)

    def __repr__(self) -> str:
        (height, width), (rows, columns) = self.image.shape[-2:], self.output_size
        size = f"{height}×{width} → {rows}×{columns} pixels"
        return f"WarpLab, {size}: run this cell to drag its points"


def point_in_words(index: int, count: int, x: float, y: float) -> str:
    """What a point of a family of so many is called, and where it lies, to two decimals."""
    row, column = divmod(index, math.isqrt(count))
    name = f"point {column + 1} of row {row + 1}"
    if count <= len(CORNERS):
        name = f"{CORNERS[index]} corner"
    x, y = (f"{round(n, 2) + 0.0:g}" for n in (x, y))  # no -0
    return f"{name} at x {x}, y {y}"


def check_sides(size: tuple[int, int]) -> None:
    """An output that the lab can show, and that can fold."""
    if min(size) < 2 or max(size) > LARGEST:
        raise ValueError(f"the output must have 2 to {LARGEST} pixels on each axis; got {size}")


def start_of(family: str) -> list[list[float]]:
    """The points of a family that change nothing."""
    n = 4 if family == "tps" else 2
    return control_lattice(n, dtype=torch.float64)[: FAMILIES[family].count].tolist()


def presets() -> dict[str, dict]:
    """What the buttons put: a family and its points."""
    x, y = control_lattice(4, dtype=torch.float64).unbind(dim=1)
    bulge = 0.45 + 0.275 * (x**2 + y**2)  # 1 at the corners, less towards the middle
    crossed = torch.where(x.abs() < 0.5, -x, x)  # the second column and the third
    bends = {
        "Fish eye": (x * bulge, y * bulge),
        "Wave": (x, y + 0.15 * torch.sin(1.5 * math.pi * x)),
        "Fold": (crossed, y),
    }
    tilted = {
        "Page in perspective": page_photograph().corners,
        "Horizon": torch.tensor([[0.6, 1.15], [-0.6, 1.15], [-0.4, 0.9], [0.4, 0.9]]),
    }
    put = {name: ("projective", points) for name, points in tilted.items()}
    put |= {name: ("tps", torch.stack(points, dim=1)) for name, points in bends.items()}
    return {name: {"family": family, "points": p.tolist()} for name, (family, p) in put.items()}
