"""The affine grid from the base grid."""

import torch

from stn_course import grids
from stn_course.checks.engine.oracles import pytorch_affine_grid
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def cases() -> list[Case]:
    """Thetas and uneven sizes, both dtypes, both `align_corners`; batches after single images."""
    generator = torch.Generator().manual_seed(2)
    cases = []
    for size in [(1, 1, 2, 3), (1, 2, 4, 3), (2, 1, 2, 5), (3, 1, 5, 4)]:
        for dtype in (torch.float32, torch.float64):
            for align_corners in (False, True):
                theta = torch.randn(size[0], 2, 3, generator=generator, dtype=torch.float64)
                cases.append(Case(((theta * 10).round().to(dtype) / 10, size, align_corners)))
    return cases


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


EXERCISE = FunctionExercise(
    attempt="my_affine_grid",
    solution=grids.affine_grid,
    oracle=pytorch_affine_grid,
    against="torch.nn.functional.affine_grid",
    cases=cases,
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
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)[
                    ..., [1, 0, 2]
                ]
                return (target.reshape(-1, 3) @ theta.mT).reshape(size[0], size[2], size[3], 2)
            """,
        ),
        Misconception(
            "x and y swapped in the result",
            "x and y are swapped in the result. The last axis holds (x, y): how far to the right, "
            "then how far down.",
            lambda *a: grids.affine_grid(*a).flip(-1),
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)
                return (target.reshape(-1, 3) @ theta.mT).reshape(size[0], size[2], size[3], 2)[
                    ..., [1, 0]
                ]
            """,
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped. size is (B, C, H, W) and the grid is (B, H, W, 2): "
            "rows first.",
            lambda t, s, c: grids.affine_grid(t, (*s[:2], s[3], s[2]), c),
            typed="""
                _, _, width, height = size
                target = grids.base_grid(height, width, align_corners, dtype=theta.dtype)
                return (target.reshape(-1, 3) @ theta.mT).reshape(len(theta), height, width, 2)
            """,
        ),
        Misconception(
            "forward",
            "this is the way forward, from input to output: theta was inverted. Theta maps output "
            "to input already, so multiply by theta itself.",
            _forward,
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)
                linear, move = torch.linalg.inv(theta[:, :, :2]), theta[:, None, :, 2]
                points = target[..., :2].reshape(1, -1, 2) - move
                return (points @ linear.mT).reshape(size[0], size[2], size[3], 2)
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "align_corners is the wrong way round: True puts -1 and 1 at the centres of the "
            "border pixels, False at their outer edges.",
            lambda t, s, c: grids.affine_grid(t, s, not c),
            typed="return F.affine_grid(theta, size, align_corners=not align_corners)",
        ),
        Misconception(
            "align_corners ignored",
            "align_corners is not used: the result is the one for False every time. Hand it on to "
            "the base grid.",
            lambda t, s, c: grids.affine_grid(t, s, False),
            typed="""
                target = grids.base_grid(size[2], size[3], dtype=theta.dtype)
                return torch.einsum("bij,hwj->bhwi", theta, target)
            """,
        ),
        Misconception(
            "align_corners always true",
            "align_corners is not used: the result is the one for True every time. Hand it on to "
            "the base grid.",
            lambda t, s, c: grids.affine_grid(t, s, True),
            typed="return F.affine_grid(theta, size, align_corners=True)",
        ),
        Misconception(
            "no homogeneous one",
            "the move is missing: theta's last column is not added. The homogeneous 1 in (x, y, "
            "1) is what it multiplies.",
            _without_one,
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)
                return torch.einsum("bij,hwj->bhwi", theta[:, :, :2], target[..., :2])
            """,
        ),
        Misconception(
            "theta transposed",
            "theta is transposed: rows and columns of its 2×2 part are swapped. The new x is the "
            "first row of theta times (x, y, 1).",
            _transposed,
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)
                turned = torch.einsum("bji,hwj->bhwi", theta[:, :, :2], target[..., :2])
                return turned + theta[:, None, None, :, 2]
            """,
        ),
        Misconception(
            "reshaped without .mT",
            "theta @ points.T is (B, 2, H·W): all x, then all y. reshape deals these numbers out "
            "as they stand; .mT before it makes pairs (x, y) of them.",
            _dealt_out,
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)
                return (theta @ target.reshape(-1, 3).T).reshape(size[0], size[2], size[3], 2)
            """,
        ),
        Misconception(
            "one theta for all",
            "every image of the batch got the first theta. Theta is (B, 2, 3): each image has its "
            "own.",
            lambda t, s, c: grids.affine_grid(t[:1].expand_as(t), s, c),
            typed="""
                target = grids.base_grid(size[2], size[3], align_corners, dtype=theta.dtype)
                return (target @ theta[0].T).repeat(size[0], 1, 1, 1)
            """,
        ),
    ),
)
