"""The inverse of a theta."""

from functools import partial

import torch

from stn_course import transforms
from stn_course.checks.engine.oracles import pytorch_inverse
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def cases() -> list[Case]:
    """A move alone first, then turns, then any theta, then a batch; both dtypes."""
    move = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, -0.2]]])
    zoom = torch.tensor([[[2.0, 0.0, 0.4], [0.0, 0.5, 0.1]]])
    turn = torch.tensor([[[0.6, -0.8, 0.5], [0.8, 0.6, -0.2]]])
    any_theta = torch.tensor([[[0.5, -0.2, 0.3], [0.4, 1.5, -0.7]]])
    batch = torch.cat([zoom, turn, any_theta])
    return [
        Case((t,)) for t in (move, zoom, turn, any_theta, any_theta.double(), batch, batch.double())
    ]


def _parts(linear, move, theta):
    """Theta from its 2×2 part and the move that each formula makes of a theta."""
    return torch.cat([linear(theta[..., :2]), move(theta)[..., None]], dim=-1)


def _adjugate(linear):
    (a, b), (c, d) = (row.unbind(-1) for row in linear.unbind(-2))
    return torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)


EXERCISE = FunctionExercise(
    attempt="my_inverse",
    solution=transforms.inverse,
    oracle=pytorch_inverse,
    against="torch.linalg.inv of the 3×3 matrices",
    cases=cases,
    hints=(
        "Theta is not a square matrix. The row (0, 0, 1) below makes it one, and the inverse "
        "ends with the same row.",
        "By hand: from s = A t + m follows t = A⁻¹ (s - m) = A⁻¹ s - A⁻¹ m. So the move is not "
        "only negated.",
        "last = theta.new_tensor([[[0, 0, 1]]]).expand(len(theta), 1, 3); torch.cat([theta, "
        "last], dim=1) is (B, 3, 3). Invert it and take the first two rows.",
    ),
    misconceptions=(
        Misconception(
            "move only negated",
            "the move is only negated. From s = A t + m follows t = A⁻¹ s - A⁻¹ m: the inverse of "
            "A works on the move, too.",
            partial(_parts, torch.linalg.inv, lambda t: -t[..., 2]),
            typed="return torch.cat([theta[:, :, :2].inverse(), -theta[:, :, 2:]], dim=2)",
        ),
        Misconception(
            "move left",
            "the 2×2 part is inverted, but the move is left as it was.",
            partial(_parts, torch.linalg.inv, lambda t: t[..., 2]),
            typed="return torch.cat([theta[:, :, :2].inverse(), theta[:, :, 2:]], dim=2)",
        ),
        Misconception(
            "sign of the move",
            "the sign of the move is forgotten. From s = A t + m follows t = A⁻¹ s - A⁻¹ m, with a "
            "minus.",
            lambda t: pytorch_inverse(t) * t.new_tensor([1, 1, -1]),
            typed="""
                linear = theta[:, :, :2].inverse()
                return torch.cat([linear, linear @ theta[:, :, 2:]], dim=2)
            """,
        ),
        Misconception(
            "three rows",
            "this is the inverse of the 3×3 matrices, right but for its last row (0, 0, 1): theta "
            "is the first two rows, [:, :2].",
            lambda t: transforms.to_matrix(pytorch_inverse(t)),
            typed="""
                last = torch.tensor([0, 0, 1]).to(theta).repeat(len(theta), 1, 1)
                return torch.cat([theta, last], dim=1).inverse()
            """,
        ),
        Misconception(
            "transposed",
            "the 2×2 part is transposed. That inverts a pure rotation; a zoom or a shear needs "
            "the inverse.",
            partial(_parts, lambda a: a.mT, lambda t: -(t[..., :2].mT @ t[..., 2:])[..., 0]),
            typed="""
                linear = theta[:, :, :2].transpose(1, 2)
                return torch.cat([linear, -linear @ theta[:, :, 2:]], dim=2)
            """,
        ),
        Misconception(
            "number by number",
            "each number was turned into 1 / number. The inverse of a matrix is another thing.",
            lambda t: 1 / t,
            typed="return theta ** -1",
        ),
        Misconception(
            "negated",
            "theta is negated. The inverse undoes theta; the negative does not.",
            lambda t: -t,
            typed="return -theta",
        ),
        Misconception(
            "no determinant",
            "the determinant is forgotten: swap a and d, negate b and c, and then divide by a·d - "
            "b·c.",
            partial(_parts, _adjugate, lambda t: -(_adjugate(t[..., :2]) @ t[..., 2:])[..., 0]),
            typed="""
                a, b, c, d = theta[:, 0, 0], theta[:, 0, 1], theta[:, 1, 0], theta[:, 1, 1]
                linear = torch.stack([d, -b, -c, a], dim=1).reshape(-1, 2, 2)
                return torch.cat([linear, -linear @ theta[:, :, 2:]], dim=2)
            """,
        ),
        Misconception(
            "one for all",
            "every theta of the batch got the inverse of the first.",
            lambda t: pytorch_inverse(t[:1]).expand_as(t),
            typed="""
                linear = theta[0, :, :2].inverse()
                return torch.cat([linear, -linear @ theta[0, :, 2:]], dim=1).repeat(
                    len(theta), 1, 1
                )
            """,
        ),
        Misconception(
            "not inverted",
            "this is theta itself.",
            lambda t: t.clone(),
            typed="return theta",
        ),
    ),
)
