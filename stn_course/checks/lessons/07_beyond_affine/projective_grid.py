"""The projective grid, horizon and all."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import grids
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def projective_grid(theta: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """Where an output of size (B, C, H, W) reads under a homography theta (B, 3, 3).

    Returns (B, H, W, 2); what lies on the horizon or behind it reads OUTSIDE, on both axes.
    """
    target = grids.base_grid(*size[2:], align_corners, dtype=theta.dtype)
    places, w = torch.einsum("bij,hwj->bhwi", theta, target).split([2, 1], dim=-1)
    divisor = torch.where(w > 0, w, 1)  # never 0: autograd would pass NaN back
    return torch.where(w > 0, places / divisor, grids.OUTSIDE)


def run_grid(
    attempt,
    theta: Tensor,
    size: tuple[int, ...],
    align_corners: bool = False,
    look: str = "places",
):
    """The places, or the gradient to theta of their sum; zeros where none arrives."""
    if look == "places":
        return attempt(theta, size, align_corners)
    theta = theta.clone().requires_grad_()
    places = attempt(theta, size, align_corners)
    if not isinstance(places, Tensor) or not places.requires_grad:
        return torch.zeros_like(theta)
    return torch.autograd.grad(places.sum(), theta)[0]


def cases() -> list[Case]:
    """All before the horizon; across it; a gradient where a w is 0; then batches, both dtypes."""
    tilted = torch.tensor([[[1.0, 0.2, 0.1], [-0.2, 0.5, 0.3], [0.4, -0.2, 1.0]]])
    across = torch.tensor([[[1.0, 0.1, 0.2], [0.3, 0.8, -0.1], [2.0, -0.4, 0.6]]])
    pair = torch.cat([2 * tilted, across])
    behind = torch.cat([-tilted, -across]).double()
    onto = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, -4.0, 1.0]]])
    return [
        Case((tilted, (1, 1, 2, 3))),
        Case((across, (1, 1, 2, 3))),
        Case(
            (onto, (1, 1, 2, 2), False, "gradient"),
            f"the gradient to theta of the sum of all places, for theta = {onto.tolist()} and "
            "size = (1, 1, 2, 2): w is 2 and 4 above, -2 and 0 below",
        ),
        Case((pair, (2, 1, 4, 3))),
        Case((behind, (2, 1, 3, 4))),
        Case((pair.double(), (2, 3, 3, 2), True)),
    ]


def parts_by_pytorch(
    theta: Tensor, size: tuple[int, ...], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """(u, v) and w, for each is affine: (B, H, W, 2), (B, H, W, 1)."""
    places = F.affine_grid(theta[:, :2], size, align_corners=align_corners)
    w = F.affine_grid(theta[:, [2, 2]], size, align_corners=align_corners)[..., :1]
    return places, w


def divided_by_pytorch(theta: Tensor, size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    """The quotient where w is positive; elsewhere OUTSIDE."""
    places, w = parts_by_pytorch(theta, size, align_corners)
    ahead = (w > 0).expand_as(places)
    quotients = places[ahead] / w.expand_as(places)[ahead]  # of those alone
    return torch.full_like(places, grids.OUTSIDE).masked_scatter(ahead, quotients)


def right_by_pytorch(theta: Tensor, *arguments) -> Tensor:
    """The places, or the gradient to theta of their sum."""
    return run_grid(divided_by_pytorch, theta, *arguments)


def _of_parts(program):
    """A program of (u, v) and w."""
    return lambda *args: program(*parts_by_pytorch(*args))


def _flung_away(expected: Tensor, value: Tensor) -> bool:
    """Right before the horizon, and further away than OUTSIDE somewhere behind it."""
    if value.shape != expected.shape:
        return False
    behind = expected == grids.OUTSIDE
    near = torch.allclose(expected[~behind], value[~behind], atol=1e-4)
    return bool(near and (value[behind].abs() > 2 * grids.OUTSIDE).any())


def _nan_in_gradient(expected: Tensor, value: Tensor) -> bool:
    """Of the gradient, which has theta's shape."""
    return bool(expected.shape[1:] == (3, 3) and value.isnan().any())


EXERCISE = FunctionExercise(
    attempt="my_projective_grid",
    solution=projective_grid,
    run=run_grid,
    oracle=right_by_pytorch,
    against="torch.nn.functional.affine_grid for u, v and w, divided, and OUTSIDE where w is not "
    "positive, and to its gradient",
    cases=cases,
    hints=(
        "Begin as affine_grid does: theta times (x, y, 1). Theta has three rows here, so it gives "
        "three numbers for each pixel: u, v and w.",
        "The place is (u / w, v / w). u, v and w are on the last axis: [..., :2] and [..., 2:].",
        "Where is w 0 or less? There the pixel looks at the horizon or behind itself. torch.where("
        "w > 0, …, grids.OUTSIDE) chooses for each pixel.",
        "Where w is 0, autograd passes 0 · ∞ back through the division, though it was not chosen: "
        "NaN for all of theta. Divide by torch.where(w > 0, w, 1).",
        "target = grids.base_grid(H, W, align_corners, dtype=theta.dtype), then out = torch.einsum("
        '"bij,hwj->bhwi", theta, target); u and v are out[..., :2], w is out[..., 2:].',
    ),
    misconceptions=(
        Misconception(
            "not divided",
            "this is (u, v). A homography divides by the third number: (u / w, v / w). Without "
            "that, parallels stay parallel.",
            _of_parts(lambda places, w: places),
            typed="""
                return F.affine_grid(theta[:, :2], size, align_corners=align_corners)
            """,
        ),
        Misconception(
            "mirrored behind the horizon",
            "before the horizon it is right. Where w is negative, u / w and v / w are places, too, "
            "of what lies behind the camera, mirrored. Those pixels must read OUTSIDE.",
            _of_parts(lambda places, w: places / w),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                out = G @ theta.mT[:, None]
                return out[..., :2] / out[..., [2]]
            """,
        ),
        Misconception(
            "absolute w",
            "before the horizon it is right. The absolute value of w hides that a pixel looks "
            "behind itself: it reads the picture all the same. Those pixels must read OUTSIDE.",
            _of_parts(lambda places, w: places / w.abs()),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                out = G @ theta.mT[:, None]
                return out[..., :2] / torch.abs(out[..., 2:])
            """,
        ),
        Misconception(
            "the middle behind the horizon",
            "before the horizon it is right. Behind it, all pixels read 0, and that is the middle "
            "of the picture. They must read OUTSIDE.",
            _of_parts(lambda places, w: torch.where(w > 0, places / w, 0)),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                out = G @ theta.mT[:, None]
                ahead = out[..., 2:] > 0
                return ahead * out[..., :2] / out[..., 2:]
            """,
        ),
        Misconception(
            "w held at a small number",
            "before the horizon it is right. Behind it, w is held at a small number: most places "
            "fly far away, but near u = v = 0 a pixel still reads the picture. Put OUTSIDE there.",
            _of_parts(lambda places, w: places / w.clamp(min=1e-6)),
            sign=_flung_away,
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                out = G @ theta.mT[:, None]
                return out[..., :2] / out[..., 2:].clamp(min=1e-8)
            """,
        ),
        Misconception(
            "divided by the last number of theta",
            "theta was divided by its last number first. That keeps every place, but where the "
            "number is negative, it changes the sign of w, and what lies behind the horizon is "
            "taken for what lies before it.",
            lambda theta, *args: divided_by_pytorch(theta / theta[:, 2:, 2:], *args),
            typed="""
                theta = theta / theta[:, 2, 2].view(-1, 1, 1)
                u_v = F.affine_grid(theta[:, :2], size, align_corners=align_corners)
                G = grids.base_grid(*size[2:], align_corners, dtype=theta.dtype)
                w = torch.einsum("hwj,bj->bhw", G, theta[:, 2])[..., None]
                return torch.where(w > 0, u_v / w.where(w > 0, 1), grids.OUTSIDE)
            """,
        ),
        Misconception(
            "rows for columns",
            "theta is transposed: (x, y, 1) meets its columns. Each of its rows gives one number: "
            "the first u, the second v, the third w.",
            lambda theta, *args: divided_by_pytorch(theta.mT, *args),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                out = G @ theta[:, None]
                w = out[..., 2:]
                return torch.where(w > 0, out[..., :2] / w.where(w > 0, 1), grids.OUTSIDE)
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped in the result: its last axis is (u / w, v / w).",
            lambda *args: divided_by_pytorch(*args).flip(-1),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                u, v, w = (G @ theta.mT[:, None]).unbind(-1)
                d = w.masked_fill(w <= 0, 1)
                place = torch.stack([v / d, u / d], dim=-1)
                return place.masked_fill(w[..., None] <= 0, grids.OUTSIDE)
            """,
        ),
        Misconception(
            "the other side outside",
            "it is the other way round: OUTSIDE stands where w is positive, before the horizon, "
            "and the places behind it are kept.",
            _of_parts(lambda places, w: torch.where(w > 0, grids.OUTSIDE, places / w)),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                u, v, w = (G @ theta.mT[:, None]).unbind(-1)
                place = torch.stack([u / w, v / w], dim=-1)
                return place.masked_fill(w[..., None] > 0, grids.OUTSIDE)
            """,
        ),
        Misconception(
            "align_corners ignored",
            "with align_corners=False it is right. With True the border pixels' centres lie at -1 "
            "and 1: give align_corners to base_grid.",
            lambda theta, size, align_corners=False: divided_by_pytorch(theta, size),
            typed="""
                G = grids.base_grid(size[2], size[3]).to(theta)
                u, v, w = (G @ theta.mT[:, None]).unbind(-1)
                d = w.masked_fill(w <= 0, 1)
                place = torch.stack([u / d, v / d], dim=-1)
                return place.masked_fill(w[..., None] <= 0, grids.OUTSIDE)
            """,
        ),
        Misconception(
            "NaN in the gradient",
            "the gradient to theta is NaN, however right the places are. Where w is 0, the "
            "division gives infinity. torch.where does not choose that, but passes 0 · ∞ back. Let "
            "the division see no 0: choose for w as well, before you divide.",
            _of_parts(lambda places, w: torch.where(w > 0, places / w, grids.OUTSIDE)),
            sign=_nan_in_gradient,
            typed="""
                G = grids.base_grid(*size[2:], align_corners, dtype=theta.dtype)
                u, v, w = (G @ theta.mT[:, None]).unbind(-1)
                place = torch.stack([u / w, v / w], dim=-1)
                return place.masked_fill(w[..., None] <= 0, grids.OUTSIDE)
            """,
        ),
        Misconception(
            "no gradient",
            "the places are right, but no gradient reaches theta: .detach(), .tolist() and "
            "no_grad() cut it off, and a network would never learn a theta.",
            lambda theta, *args: divided_by_pytorch(theta.detach(), *args),
            typed="""
                with torch.no_grad():
                    G = grids.base_grid(*size[2:], align_corners, dtype=theta.dtype)
                    u, v, w = (G @ theta.mT[:, None]).unbind(-1)
                    place = torch.stack([u / w, v / w], dim=-1)
                return place.masked_fill(w[..., None] <= 0, grids.OUTSIDE)
            """,
        ),
        Misconception(
            "the pixel's own place",
            "behind the horizon, pixels read their own place, inside the picture. They must read "
            "OUTSIDE.",
            lambda theta, *args: torch.where(
                parts_by_pytorch(theta, *args)[1] > 0,
                divided_by_pytorch(theta, *args),
                parts_by_pytorch(torch.eye(3).to(theta).expand_as(theta), *args)[0],
            ),
            typed="""
                G = grids.base_grid(size[2], size[3], align_corners).to(theta)
                out = G @ theta.mT[:, None]
                w = out[..., 2:]
                return torch.where(w > 0, out[..., :2] / w.where(w > 0, 1), G[..., :2])
            """,
        ),
    ),
)
