"""Repair: rows and columns."""

import torch
from torch import Tensor

from stn_course.checks.engine.oracles import pytorch_affine_grid
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.grids import pixel_centres


def grid_with_rows_first(theta: Tensor, size: tuple[int, ...]) -> Tensor:
    """The affine grid (B, H, W, 2) of theta (B, 2, 3), rows before columns; size: (B, C, H, W)."""
    _, _, height, width = size
    y, x = torch.meshgrid(pixel_centres(height), pixel_centres(width), indexing="ij")
    target = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    return torch.einsum("bij,hwj->bhwi", theta, target)


def columns_first(theta, size):
    """The broken program of the exercise `swapped`: it fills the grid column by column."""
    _, _, height, width = size
    x, y = torch.meshgrid(pixel_centres(width), pixel_centres(height), indexing="ij")
    target = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    return torch.einsum("bij,hwj->bhwi", theta, target)


def cases() -> list[Case]:
    """A square first, where the shape cannot tell; then uneven ones."""
    theta = torch.tensor([[[0.5, 0.0, 0.2], [0.1, 1.0, -0.4]]])
    pair = torch.cat([theta, theta.flip(-2)])
    return [
        Case((t, (len(t), 1, *size)))
        for t, size in [(theta, (2, 2)), (theta, (2, 3)), (pair, (4, 3))]
    ]


EXERCISE = FunctionExercise(
    attempt="my_grid",
    solution=grid_with_rows_first,
    oracle=pytorch_affine_grid,
    against="torch.nn.functional.affine_grid",
    cases=cases,
    picture="grids",
    broken=columns_first,
    hints=(
        "On square images it raises nothing, and is wrong all the same. Print the shape it gives "
        "for a size of (1, 1, 2, 3).",
        "The grid's axes are (B, H, W, 2). What comes first into meshgrid becomes the first axis.",
        "Rows come first into meshgrid, and so out of it: y, x = torch.meshgrid(rows, columns, "
        'indexing="ij"). In the points x stays before y.',
    ),
    misconceptions=(
        Misconception(
            "columns first",
            "the axes are still columns before rows: what comes first into meshgrid becomes the "
            "first axis.",
            lambda t, s: pytorch_affine_grid(t, s).transpose(1, 2),
            typed="""
                y, x = torch.meshgrid(
                    grids.pixel_centres(size[2]), grids.pixel_centres(size[3]), indexing="xy"
                )
                return torch.einsum(
                    "bij,whj->bwhi", theta, torch.stack([x, y, torch.ones_like(x)], -1)
                )
            """,
        ),
        Misconception(
            "points swapped too",
            "the axes are right now, but the points are (y, x, 1). The axes are row before "
            "column, the content is (x, y).",
            lambda t, s: pytorch_affine_grid(t[..., [1, 0, 2]], s),
            typed="""
                y, x = torch.meshgrid(
                    grids.pixel_centres(size[2]), grids.pixel_centres(size[3]), indexing="ij"
                )
                return torch.einsum(
                    "bij,hwj->bhwi", theta, torch.stack([y, x, torch.ones_like(x)], -1)
                )
            """,
        ),
        Misconception(
            "points swapped instead",
            "the axes are still columns before rows, and the points are now (y, x, 1), too. Swap "
            "rows and columns where they go into meshgrid; the points stay (x, y, 1).",
            lambda t, s: pytorch_affine_grid(t[..., [1, 0, 2]], s).transpose(1, 2),
            typed="""
                x, y = torch.meshgrid(
                    grids.pixel_centres(size[3]), grids.pixel_centres(size[2]), indexing="ij"
                )
                return torch.einsum(
                    "bij,hwj->bhwi", theta, torch.stack([y, x, torch.ones_like(x)], -1)
                )
            """,
        ),
        Misconception(
            "reshaped",
            "the shape is right now, but reshape does not swap axes: it deals the same numbers "
            "out anew. Swap rows and columns before they come into meshgrid.",
            lambda t, s: pytorch_affine_grid(t, s).transpose(1, 2).reshape(len(t), *s[2:], 2),
            typed="""
                x, y = torch.meshgrid(
                    grids.pixel_centres(size[3]), grids.pixel_centres(size[2]), indexing="ij"
                )
                grid = torch.einsum(
                    "bij,whj->bwhi", theta, torch.stack([x, y, torch.ones_like(x)], -1)
                )
                return grid.reshape(size[0], size[2], size[3], 2)
            """,
        ),
        Misconception(
            "result swapped",
            "x and y are swapped in the result: its last axis is (x, y).",
            lambda t, s: pytorch_affine_grid(t, s).flip(-1),
            typed="""
                y, x = torch.meshgrid(
                    grids.pixel_centres(size[2]), grids.pixel_centres(size[3]), indexing="ij"
                )
                return torch.einsum(
                    "bij,hwj->bhwi", theta.flip(1), torch.stack([x, y, torch.ones_like(x)], -1)
                )
            """,
        ),
    ),
)
