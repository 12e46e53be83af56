"""How much of a grid is folded."""

import torch
from torch import Tensor

from stn_course import grids, transforms
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def count_folds(grid: Tensor) -> Tensor:
    """How many output pixels of each grid (B, H, W, 2) are folded or squeezed to a line, (B,).

    The derivatives are those of `torch.gradient`: from both neighbours, at the border from one.
    """
    along_y, along_x = torch.gradient(grid, dim=(1, 2))
    area = along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]
    return (area <= 0).sum(dim=(1, 2))


def cases() -> list[Case]:
    """A column that reads too far left; turns, a mirror, a line; flows at random; both dtypes."""
    one = torch.zeros(1, 3, 5, 2)
    one[..., 3, 0] = -2.5
    thetas = torch.cat(
        [
            *(transforms.rotation(degrees=degrees) for degrees in (0, 60, 90, 180)),
            *(transforms.scale(-1.0, 1.0), transforms.scale(1.0, 0.0)),
            transforms.from_pose(rotation=-80.0, shear=0.6),
        ]
    )
    generator = torch.Generator().manual_seed(4)
    flows = 1.5 * torch.randn(4, 5, 6, 2, generator=generator)
    return [
        Case((grids.flow_grid(one),)),
        Case((grids.affine_grid(thetas, (7, 1, 3, 4)).round(decimals=3),)),
        Case((grids.flow_grid(flows),)),
        Case((grids.flow_grid(flows.flip(0)).double(),)),
    ]


def pixel_by_pixel(grid: Tensor) -> Tensor:
    """Each pixel's neighbours to the right and left, below and above, where there are any."""
    batch, height, width, _ = grid.shape
    counts = torch.zeros(batch, dtype=torch.int64)
    for b in range(batch):
        for row in range(height):
            for column in range(width):
                right, left = min(column + 1, width - 1), max(column - 1, 0)
                below, above = min(row + 1, height - 1), max(row - 1, 0)
                a = (grid[b, row, right] - grid[b, row, left]) / (right - left)
                c = (grid[b, below, column] - grid[b, above, column]) / (below - above)
                counts[b] += bool(a[0] * c[1] - a[1] * c[0] <= 0)
    return counts


def _of_derivatives(program):
    """A program of the derivatives along x and along y, each (B, H, W, 2)."""

    def count(grid):
        along_y, along_x = torch.gradient(grid, dim=(1, 2))
        return program(along_x, along_y)

    return count


def _area(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _sum(wrong: Tensor) -> Tensor:
    return wrong.sum(dim=(1, 2))


def _cells(grid):
    """From one corner of each cell to the next: a row and a column fewer."""
    a, b = grid[:, :-1, 1:] - grid[:, :-1, :-1], grid[:, 1:, :-1] - grid[:, :-1, :-1]
    return _sum(_area(a, b) <= 0)


EXERCISE = FunctionExercise(
    attempt="my_count_folds",
    solution=count_folds,
    oracle=pixel_by_pixel,
    against="a loop over all pixels and their neighbours",
    cases=cases,
    hints=(
        "Where does the grid go if you step one pixel to the right in the output, and where if you "
        "step one down? These two arrows span a small parallelogram in the input.",
        "along_y, along_x = torch.gradient(grid, dim=(1, 2)) are the two arrows of each pixel, "
        "(B, H, W, 2) each.",
        "The parallelogram's area with its sign is the determinant: x of the first arrow times y "
        "of the second, minus y of the first times x of the second.",
        "Folded, or squeezed to a line, is a pixel with an area of 0 or less. Sum over the rows "
        "and the columns, dim=(1, 2), not over the batch.",
    ),
    misconceptions=(
        Misconception(
            "the others counted",
            "these are the pixels that are not folded: the area is positive where nothing turns "
            "over.",
            _of_derivatives(lambda a, b: _sum(_area(a, b) > 0)),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                return torch.count_nonzero(area > 0, dim=(1, 2))
            """,
        ),
        Misconception(
            "arrows swapped",
            "the two arrows are swapped, which changes the area's sign. torch.gradient gives them "
            "in the order of dim: first along the rows, that is y, then along x.",
            _of_derivatives(lambda a, b: _sum(_area(b, a) <= 0)),
            typed="""
                right, down = torch.gradient(grid, dim=(1, 2))
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                return torch.count_nonzero(area <= 0, dim=(1, 2))
            """,
        ),
        Misconception(
            "squeezed missed",
            "folded pixels are counted, those squeezed to a line are not: their area is exactly 0. "
            "Take 0 or less.",
            _of_derivatives(lambda a, b: _sum(_area(a, b) < 0)),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                return torch.count_nonzero(area < 0, dim=(1, 2))
            """,
        ),
        Misconception(
            "x alone",
            "this counts where x goes back. A grid turned by 180° goes back everywhere, and is not "
            "folded: both axes belong to it.",
            _of_derivatives(lambda a, b: _sum(a[..., 0] <= 0)),
            typed="""
                _, right = torch.gradient(grid, dim=(1, 2))
                return (right[..., 0] <= 0).flatten(1).sum(1)
            """,
        ),
        Misconception(
            "one of both axes goes back",
            "this counts where x or y goes back. A grid turned by 180° does so everywhere, and is "
            "not folded. Take the area of the two arrows.",
            _of_derivatives(lambda a, b: _sum((a[..., 0] <= 0) | (b[..., 1] <= 0))),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                back = torch.minimum(right[..., 0], down[..., 1]) <= 0
                return back.flatten(1).sum(1)
            """,
        ),
        Misconception(
            "cross terms forgotten",
            "this is the product of the two diagonal numbers alone. In a grid that is turned by "
            "90°, both are 0: the area needs the other two as well.",
            _of_derivatives(lambda a, b: _sum(a[..., 0] * b[..., 1] <= 0)),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                return (right[..., 0] * down[..., 1] <= 0).flatten(1).sum(1)
            """,
        ),
        Misconception(
            "plus for minus",
            "the cross terms are added. The determinant takes them away: a · d - b · c.",
            _of_derivatives(lambda a, b: _sum(a[..., 0] * b[..., 1] + a[..., 1] * b[..., 0] <= 0)),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                area = (right * down.flip(-1)).sum(-1)
                return (area <= 0).flatten(1).sum(1)
            """,
        ),
        Misconception(
            "all grids together",
            "this is one sum over the whole batch. Count for each grid: sum over dim=(1, 2).",
            lambda grid: count_folds(grid).sum(),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                return (area <= 0).sum()
            """,
        ),
        Misconception(
            "row by row",
            "this counts for each row. Sum over the rows, too: dim=(1, 2).",
            _of_derivatives(lambda a, b: (_area(a, b) <= 0).sum(dim=2)),
            typed="""
                down, right = torch.gradient(grid, dim=(1, 2))
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                return (area <= 0).sum(-1)
            """,
        ),
        Misconception(
            "cells for pixels",
            "this takes the difference to the next pixel alone, and leaves out the last row and "
            "column. torch.gradient looks to both sides, at the border to one.",
            _cells,
            typed="""
                right, down = grid.diff(dim=2)[:, :-1], grid.diff(dim=1)[:, :, :-1]
                area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
                return (area <= 0).sum(dim=(1, 2))
            """,
        ),
    ),
)
