"""The base grid, from nothing."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import grids
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def cases() -> list[Case]:
    """Sizes of uneven sides, a single row too, both `align_corners`."""
    sizes = [(2, 3), (3, 2), (1, 4), (5, 4)]
    return [Case((*size, corners)) for size in sizes for corners in (False, True)]


def pytorch_base_grid(height: int, width: int, align_corners: bool) -> Tensor:
    """PyTorch's grid of the identity, with ones: (H, W, 3)."""
    size = (1, 1, height, width)
    grid = F.affine_grid(torch.eye(2, 3)[None], size, align_corners=align_corners)
    return torch.cat([grid[0], torch.ones(height, width, 1)], dim=-1)


def _changed_base(change, height, width, corners):
    """The base grid with a change, a function of the grid (H, W, 3)."""
    return change(grids.base_grid(height, width, corners))


def _linspace(height, width):
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


def _in_pixels(height, width, align_corners):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)], dim=-1).float()


EXERCISE = FunctionExercise(
    attempt="my_base_grid",
    solution=grids.base_grid,
    oracle=pytorch_base_grid,
    against="torch.nn.functional.affine_grid under the identity, with ones",
    cases=cases,
    picture="grids",
    hints=(
        "Begin with one axis: where do the centres of the width pixels lie between -1 and 1? "
        "pixel_centres above answers that.",
        'torch.meshgrid(rows, columns, indexing="ij") gives two tensors (H, W): the first '
        "repeats the rows' values, the second the columns'.",
        "y, x = torch.meshgrid(pixel_centres(height, align_corners), pixel_centres(width, "
        'align_corners), indexing="ij"), then torch.stack([x, y, torch.ones_like(x)], dim=-1).',
    ),
    misconceptions=(
        Misconception(
            "x and y swapped",
            "x and y are swapped. The last axis holds (x, y, 1): the column's coordinate first, "
            "then the row's.",
            partial(_changed_base, lambda g: g[..., [1, 0, 2]]),
            typed="""
                rows, columns = (
                    grids.pixel_centres(height, align_corners),
                    grids.pixel_centres(width, align_corners),
                )
                y, x = torch.meshgrid(rows, columns, indexing="ij")
                return torch.stack([y, x, torch.ones(height, width)], dim=-1)
            """,
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped. The grid's axes are rows before columns: (H, W, 3).",
            partial(_changed_base, lambda g: g.transpose(0, 1)),
            typed="""
                rows, columns = (
                    grids.pixel_centres(height, align_corners),
                    grids.pixel_centres(width, align_corners),
                )
                x, y = torch.meshgrid(columns, rows, indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "no homogeneous one",
            "the homogeneous one is missing: every point is (x, y, 1), so that theta's last "
            "column can move it.",
            partial(_changed_base, lambda g: g[..., :2]),
            typed="""
                rows, columns = (
                    grids.pixel_centres(height, align_corners),
                    grids.pixel_centres(width, align_corners),
                )
                y, x = torch.meshgrid(rows, columns, indexing="ij")
                return torch.stack([x, y], dim=-1)
            """,
        ),
        Misconception(
            "zeros for ones",
            "the third number is 0, so theta's last column would be multiplied away. It must be 1.",
            partial(_changed_base, lambda g: g * torch.tensor([1, 1, 0])),
            typed="""
                rows, columns = (
                    grids.pixel_centres(height, align_corners),
                    grids.pixel_centres(width, align_corners),
                )
                y, x = torch.meshgrid(rows, columns, indexing="ij")
                return torch.stack([x, y, torch.zeros_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "y upwards",
            "y points upwards here. In an image y grows downwards: the first row is at the "
            "negative end.",
            partial(_changed_base, lambda g: g * torch.tensor([1, -1, 1])),
            typed="""
                rows, columns = (
                    grids.pixel_centres(height, align_corners),
                    grids.pixel_centres(width, align_corners),
                )
                y, x = torch.meshgrid(rows.flip(0), columns, indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "align_corners is the wrong way round: True puts -1 and 1 at the centres of the "
            "border pixels, False at their outer edges.",
            lambda h, w, corners: grids.base_grid(h, w, not corners),
            typed="""
                rows = grids.pixel_centres(height, not align_corners)
                columns = grids.pixel_centres(width, not align_corners)
                y, x = torch.meshgrid(rows, columns, indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "align_corners ignored",
            "align_corners is not used: the result is the one for False every time.",
            lambda h, w, corners: grids.base_grid(h, w, False),
            typed="""
                rows, columns = ((2 * torch.arange(n) + 1) / n - 1 for n in (height, width))
                y, x = torch.meshgrid(rows, columns, indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "align_corners always true",
            "align_corners is not used: the result is the one for True every time.",
            lambda h, w, corners: grids.base_grid(h, w, True),
            typed="""
                rows, columns = grids.pixel_centres(height, True), grids.pixel_centres(width, True)
                y, x = torch.meshgrid(rows, columns, indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "linspace always",
            "torch.linspace(-1, 1, n) puts -1 and 1 at the centres of the border pixels, which is "
            "right for align_corners=True alone. With False they lie half a pixel further in.",
            lambda h, w, corners: _linspace(h, w),
            typed="""
                grid = torch.ones(height, width, 3)
                grid[..., 0] = torch.linspace(-1, 1, width)
                grid[..., 1] = torch.linspace(-1, 1, height)[:, None]
                return grid
            """,
        ),
        Misconception(
            "linspace of one",
            "all is right but for a single row or column with align_corners=True: that lies at 0, "
            "and torch.linspace(-1, 1, 1) gives -1.",
            lambda h, w, corners: _linspace(h, w) if corners else grids.base_grid(h, w),
            typed="""
                grid = torch.ones(height, width, 3)
                for axis, n in ((0, width), (1, height)):
                    edge = 1 if align_corners else 1 - 1 / n
                    ends = torch.linspace(-edge, edge, n)
                    grid[..., axis] = ends if axis == 0 else ends[:, None]
                return grid
            """,
        ),
        Misconception(
            "from 0 to 1",
            "the coordinates run from 0 to 1. Normalised coordinates run from -1 to 1.",
            partial(_changed_base, lambda g: torch.cat([(g[..., :2] + 1) / 2, g[..., 2:]], dim=-1)),
            typed="""
                rows, columns = (
                    grids.pixel_centres(height, align_corners),
                    grids.pixel_centres(width, align_corners),
                )
                y, x = torch.meshgrid(rows / 2 + 0.5, columns / 2 + 0.5, indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1)
            """,
        ),
        Misconception(
            "in pixels",
            "these are pixels, counted from 0. The grid wants normalised coordinates, from -1 to "
            "1.",
            _in_pixels,
            typed="""
                y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
                return torch.stack([x, y, torch.ones_like(x)], dim=-1).float()
            """,
        ),
    ),
)
