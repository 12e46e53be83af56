"""The exercises of notebook 02 on grids: the affine grid, rows and columns."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import grids
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception
from stn_course.grids import pixel_centres

NOTEBOOK = "02_grid_generation"


def affine_cases() -> list[Case]:
    """Thetas and uneven sizes, both dtypes, both `align_corners`; batches after single images."""
    generator = torch.Generator().manual_seed(2)
    cases = []
    for size in [(1, 1, 2, 3), (1, 2, 4, 3), (2, 1, 2, 5), (3, 1, 5, 4)]:
        for dtype in (torch.float32, torch.float64):
            for align_corners in (False, True):
                theta = torch.randn(size[0], 2, 3, generator=generator, dtype=torch.float64)
                cases.append(Case(((theta * 10).round().to(dtype) / 10, size, align_corners)))
    return cases


def pytorch_affine_grid(
    theta: Tensor, size: tuple[int, ...], align_corners: bool = False
) -> Tensor:
    """PyTorch's own: (B, 2, 3) -> (B, H, W, 2)."""
    return F.affine_grid(theta, size, align_corners=align_corners)


def _through(theta, size, align_corners=False, order=(0, 1, 2)):
    """Theta times the base grid, whose three numbers stand in another order."""
    target = grids.base_grid(*size[2:], align_corners, dtype=theta.dtype)[..., list(order)]
    return torch.einsum("bij,hwj->bhwi", theta, target)


def _forward(theta, size, align_corners=False):
    last = theta.new_tensor([[[0, 0, 1]]]).expand(len(theta), 1, 3)
    return _through(torch.linalg.inv(torch.cat([theta, last], dim=1))[:, :2], size, align_corners)


def _transposed(theta, size, align_corners=False):
    return _through(torch.cat([theta[..., :2].mT, theta[..., 2:]], -1), size, align_corners)


def _without_one(theta, size, align_corners=False):
    return _through(theta * theta.new_tensor([1, 1, 0]), size, align_corners)


def _dealt_out(theta, size, align_corners=False):
    """All x and then all y, reshaped to pairs as they stand."""
    return _through(theta, size, align_corners).movedim(-1, 1).reshape(len(theta), *size[2:], 2)


AFFINE_GRID = FunctionExercise(
    name="affine_grid",
    notebook=NOTEBOOK,
    title="The affine grid from the base grid",
    attempt="my_affine_grid",
    solution=grids.affine_grid,
    oracle=pytorch_affine_grid,
    against="torch.nn.functional.affine_grid",
    cases=affine_cases,
    picture="grids",
    hints=(
        "Two steps: make the base grid of the output's size, then multiply each of its points by "
        "theta.",
        "base_grid(height, width, align_corners, dtype=theta.dtype) is (H, W, 3), theta is (B, 2, "
        "3), and the result is (B, H, W, 2). Which axis do the first two have in common?",
        "target.reshape(-1, 3) @ theta.mT is (B, H·W, 2): all points times all thetas. Reshape it "
        "to (B, H, W, 2).",
    ),
    misconceptions=(
        Misconception(
            "x and y swapped",
            "x and y are swapped in the points that theta multiplies. A point is (x, y, 1), "
            "column before row, though a tensor's axes are row before column.",
            lambda *a: _through(*a, order=(1, 0, 2)),
        ),
        Misconception(
            "x and y swapped in the result",
            "x and y are swapped in the result. The last axis holds (x, y): how far to the right, "
            "then how far down.",
            lambda *a: grids.affine_grid(*a).flip(-1),
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped. size is (B, C, H, W) and the grid is (B, H, W, 2): "
            "rows first.",
            lambda t, s, c: grids.affine_grid(t, (*s[:2], s[3], s[2]), c),
        ),
        Misconception(
            "forward",
            "this is the way forward, from input to output: theta was inverted. Theta maps output "
            "to input already, so multiply by theta itself.",
            _forward,
        ),
        Misconception(
            "align_corners mixed up",
            "align_corners is the wrong way round: True puts -1 and 1 at the centres of the "
            "border pixels, False at their outer edges.",
            lambda t, s, c: grids.affine_grid(t, s, not c),
        ),
        Misconception(
            "align_corners ignored",
            "align_corners is not used: the result is the one for False every time. Hand it on to "
            "the base grid.",
            lambda t, s, c: grids.affine_grid(t, s, False),
        ),
        Misconception(
            "align_corners always true",
            "align_corners is not used: the result is the one for True every time. Hand it on to "
            "the base grid.",
            lambda t, s, c: grids.affine_grid(t, s, True),
        ),
        Misconception(
            "no homogeneous one",
            "the move is missing: theta's last column is not added. The homogeneous 1 in (x, y, "
            "1) is what it multiplies.",
            _without_one,
        ),
        Misconception(
            "theta transposed",
            "theta is transposed: rows and columns of its 2×2 part are swapped. The new x is the "
            "first row of theta times (x, y, 1).",
            _transposed,
        ),
        Misconception(
            "reshaped without .mT",
            "theta @ points.T is (B, 2, H·W): all x, then all y. reshape deals these numbers out "
            "as they stand; .mT before it makes pairs (x, y) of them.",
            _dealt_out,
        ),
        Misconception(
            "one theta for all",
            "every image of the batch got the first theta. Theta is (B, 2, 3): each image has its "
            "own.",
            lambda t, s, c: grids.affine_grid(t[:1].expand_as(t), s, c),
        ),
    ),
)


def columns_first(theta, size):
    """The broken program of the exercise `swapped`: it fills the grid column by column."""
    _, _, height, width = size
    x, y = torch.meshgrid(pixel_centres(width), pixel_centres(height), indexing="ij")
    target = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    return torch.einsum("bij,hwj->bhwi", theta, target)


def square_cases() -> list[Case]:
    """A square first, where the shape cannot tell; then uneven ones."""
    theta = torch.tensor([[[0.5, 0.0, 0.2], [0.1, 1.0, -0.4]]])
    pair = torch.cat([theta, theta.flip(-2)])
    return [
        Case((t, (len(t), 1, *size)))
        for t, size in [(theta, (2, 2)), (theta, (2, 3)), (pair, (4, 3))]
    ]


SWAPPED = FunctionExercise(
    name="swapped",
    notebook=NOTEBOOK,
    title="Repair: rows and columns",
    attempt="my_grid",
    solution=solutions.grid_with_rows_first,
    oracle=pytorch_affine_grid,
    against="torch.nn.functional.affine_grid",
    cases=square_cases,
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
        ),
        Misconception(
            "points swapped too",
            "the axes are right now, but the points are (y, x, 1). The axes are row before "
            "column, the content is (x, y).",
            lambda t, s: _through(t, s, order=(1, 0, 2)),
        ),
        Misconception(
            "reshaped",
            "the shape is right now, but reshape does not swap axes: it deals the same numbers "
            "out anew. Swap rows and columns before they come into meshgrid.",
            lambda t, s: pytorch_affine_grid(t, s).transpose(1, 2).reshape(len(t), *s[2:], 2),
        ),
        Misconception(
            "result swapped",
            "x and y are swapped in the result: its last axis is (x, y).",
            lambda t, s: pytorch_affine_grid(t, s).flip(-1),
        ),
    ),
)

GRID_EXERCISES = (AFFINE_GRID, SWAPPED)
