"""A family of your own."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import models, transforms
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


class TurnAndZoom(models.Transformation):
    """Two numbers: how far the grid turns, in radians, and the logarithm of its scale."""

    identity = (0.0, 0.0)

    def to_theta(self, answer: Tensor) -> Tensor:
        """(B, 2) -> (B, 2, 3)."""
        angle, log_scale = answer.unbind(dim=1)
        return transforms.similarity(radians=angle, scale=log_scale.exp())


def run_family(attempt, look: str, answer: Tensor):
    """Make one of the family; its theta of an answer or of its identity, a grid, or the gradient.

    First of all comes theta: a family without a program of its own says so there.
    """
    family, answer = attempt(), answer.clone().requires_grad_(look == "gradient")
    theta = family.to_theta(answer)
    if look == "identity":
        return family.to_theta(answer.new_tensor(family.identity).expand(1, -1))
    if look == "grid":
        return family.grid(theta, (len(answer), 1, 2, 3), False)
    if look == "theta" or not isinstance(theta, Tensor):
        return theta
    if not theta.requires_grad:
        return torch.zeros_like(answer)
    return torch.autograd.grad((theta * torch.arange(6.0).view(2, 3)).sum(), answer)[0]


def wanted(look: str, answer: Tensor) -> Tensor:
    """Theta and its derivatives by the math module, PyTorch's grid of that theta; the identity."""
    thetas, slopes = [], []
    for angle, log_scale in answer.tolist():
        cos, sin = (math.exp(log_scale) * f(angle) for f in (math.cos, math.sin))
        thetas.append([[cos, -sin, 0.0], [sin, cos, 0.0]])
        slopes.append([2 * cos - 4 * sin, 4 * cos + 2 * sin])
    theta = torch.tensor(thetas)
    return {
        "theta": theta,
        "gradient": torch.tensor(slopes),
        "grid": F.affine_grid(theta, (len(answer), 1, 2, 3), align_corners=False),
        "identity": torch.eye(2, 3)[None],
    }[look]


def cases() -> list[Case]:
    """A turn alone, a zoom alone, both in a batch; then what it starts with, and how it learns."""
    turn, zoom, both = [[0.5, 0.0]], [[0.0, 0.7]], [[0.3, -0.4], [-1.2, 0.2]]
    calls = [
        *((turn, "theta", "theta of"), (zoom, "theta", "theta of"), (both, "theta", "theta of")),
        (turn, "identity", "theta of the family's own `identity`, after that of"),
        (both, "grid", "where an output of 2×3 pixels reads by theta of"),
        (both, "gradient", "the gradient of a sum of theta's numbers to"),
    ]
    return [Case((look, torch.tensor(a)), f"{words} the answer {a}") for a, look, words in calls]


def _family(to_theta, start=(0.0, 0.0)):
    """A program that makes a family with another theta, a function of (B,) and (B,)."""

    class Family(models.Transformation):
        identity = start

        def to_theta(self, answer):
            return to_theta(*answer.unbind(dim=1))

    return Family


def _right(angle: Tensor, log_scale: Tensor) -> Tensor:
    return transforms.similarity(radians=angle, scale=log_scale.exp())


EXERCISE = FunctionExercise(
    attempt="TurnAndZoom",
    solution=TurnAndZoom,
    run=run_family,
    returns="a family: an object with identity, to_theta and grid",
    oracle=wanted,
    against="theta by the math module; and its identity changes nothing, and it learns",
    cases=cases,
    hints=(
        "How many numbers does the localization network answer with, and which of them change "
        "nothing? That is `identity`. An angle of 0 does not turn. And the logarithm of 1 is …",
        "to_theta gets answers (B, 2). answer.unbind(dim=1) gives the angles and the logarithms, "
        "(B,) each; .exp() makes a scale of a logarithm.",
        "transforms.similarity(radians=…, scale=…) takes both at once, and gives (B, 2, 3). `grid` "
        "comes with models.Transformation: it knows this shape.",
        "identity = (0.0, 0.0), and to_theta returns transforms.similarity(radians=angle, "
        "scale=log_scale.exp()).",
    ),
    misconceptions=(
        Misconception(
            "scale for its logarithm",
            "the second number is taken for the scale itself. It is the logarithm: .exp() makes a "
            "scale of it, which can then never be 0 or negative.",
            _family(lambda a, s: transforms.similarity(radians=a, scale=s), (0.0, 1.0)),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 1.0)

                    def to_theta(self, answer):
                        cos, sin = answer[:, 0].cos(), answer[:, 0].sin()
                        turn = torch.stack([cos, -sin, 0 * cos, sin, cos, 0 * cos], 1)
                        return (turn * answer[:, 1:]).view(-1, 2, 3)

                return Mine()
            """,
        ),
        Misconception(
            "degrees",
            "the angle is taken for degrees, and so the grid hardly turns. It is in radians.",
            _family(lambda a, s: transforms.similarity(degrees=a, scale=s.exp())),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 0.0)

                    def to_theta(self, answer):
                        turn = transforms.rotation(degrees=answer[:, 0])
                        return transforms.compose(turn, transforms.scale(answer[:, 1].exp()))

                return Mine()
            """,
        ),
        Misconception(
            "the two numbers swapped",
            "the two numbers are swapped: the angle comes first, then the logarithm of the scale.",
            _family(lambda a, s: _right(s, a)),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 0.0)

                    def to_theta(self, answer):
                        s, a = answer.exp()[:, 0], answer[:, 1]
                        return transforms.similarity(radians=a, scale=s)

                return Mine()
            """,
        ),
        Misconception(
            "the other way round",
            "the grid turns the other way. The first row of a clockwise turn is (cos, -sin).",
            _family(lambda a, s: _right(-a, s)),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 0.0)

                    def to_theta(self, answer):
                        cos, sin = answer[:, 0].cos(), answer[:, 0].sin()
                        zero = torch.zeros_like(cos)
                        turn = torch.stack([cos, sin, zero, -sin, cos, zero], 1)
                        return (turn * answer[:, 1:].exp()).view(-1, 2, 3)

                return Mine()
            """,
        ),
        Misconception(
            "zoom inverted",
            "the scale is the wrong way round: exp of a positive logarithm is above 1, and the "
            "grid grows.",
            _family(lambda a, s: _right(a, -s)),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 0.0)

                    def to_theta(self, answer):
                        angle, zoom = answer[:, 0], answer[:, 1].exp()
                        return transforms.similarity(radians=angle, scale=1 / zoom)

                return Mine()
            """,
        ),
        Misconception(
            "identity of ones",
            "theta is right, but `identity` is not: it must be the two numbers for which theta "
            "changes nothing. The logarithm of 1 is 0.",
            _family(_right, (0.0, 1.0)),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 1.0)

                    def to_theta(self, answer):
                        angle, zoom = answer[:, 0], answer[:, 1].exp()
                        return transforms.similarity(radians=angle, scale=zoom)

                return Mine()
            """,
        ),
        Misconception(
            "scale left out",
            "this only turns: the second number is not used.",
            _family(lambda a, s: _right(a, 0 * s)),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 0.0)

                    def to_theta(self, answer):
                        return transforms.rotation(radians=answer[:, 0])

                return Mine()
            """,
        ),
        Misconception(
            "no gradient",
            "theta is right, but it has no gradient to the answers: .tolist(), .item() and "
            "torch.tensor(…) make plain numbers of them. Stay with tensors.",
            _family(lambda a, s: _right(a.detach(), s.detach())),
            typed="""
                class Mine(models.Transformation):
                    identity = (0.0, 0.0)

                    def to_theta(self, answer):
                        thetas = [
                            transforms.similarity(radians=angle, scale=2.718281828459045**zoom)
                            for angle, zoom in answer.tolist()
                        ]
                        return torch.cat(thetas)

                return Mine()
            """,
        ),
    ),
)
