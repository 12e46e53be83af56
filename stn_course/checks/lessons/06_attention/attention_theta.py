"""Repair: attention's three numbers as theta."""

import torch
from torch import Tensor

from stn_course import models
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

WEIGHTS = torch.tensor([[0.5, 7.0, 2.0], [11.0, 3.0, -1.0]])


def attention_theta(answer: Tensor) -> Tensor:
    """Scale, x and y (B, 3) as theta (B, 2, 3), one scale for both axes."""
    scale, x, y = answer.unbind(dim=1)
    zero = torch.zeros_like(x)
    return torch.stack([scale, zero, x, zero, scale, y], dim=1).view(-1, 2, 3)


def run_theta(attempt, answer: Tensor, look: str = "theta"):
    """Theta of the answer; or the gradient that reaches the answer from a weighted sum of theta."""
    answer = answer.clone().requires_grad_()
    theta = attempt(answer)
    if look == "theta" or not isinstance(theta, Tensor):
        return theta
    if theta.requires_grad:
        (theta.reshape(-1, 2, 3) * WEIGHTS.to(theta)).sum().backward()
    return torch.zeros_like(answer) if answer.grad is None else answer.grad


def by_models(answer: Tensor, look: str = "theta") -> Tensor:
    """What `SpatialTransformer` makes of the answer; the gradient by hand."""
    if look == "theta":
        return models.to_theta(answer, len(answer), "attention")
    (a, _, x), (_, d, y) = WEIGHTS.to(answer)
    return torch.stack([a + d, x, y]).expand(len(answer), 3)


def detached_theta(answer):
    """The broken program of the exercise `attention_theta`."""
    rows = [[[scale, 0, x], [0, scale, y]] for scale, x, y in answer.tolist()]
    return torch.tensor(rows)


def cases() -> list[Case]:
    """One window, several, more than that in float64; then the gradient."""
    one = torch.tensor([[0.5, 0.25, -0.75]])
    two = torch.tensor([[1.5, -0.125, 0.375], [0.25, 0.5, 1.0]])
    three = torch.tensor([[0.3, 0.2, 0.1], [1.0, 0.0, 0.0], [0.7, -0.9, 0.6]], dtype=torch.float64)
    weighted = (
        f"how much the sum of theta · {WEIGHTS.tolist()} grows with scale, x and y, answer.grad"
    )
    return [*(Case((answer,)) for answer in (one, two, three)), Case((two, "gradient"), weighted)]


def _rows(numbers):
    """A program that lays out six numbers of (scale, x, y, zero)."""

    def program(answer):
        scale, x, y = answer.unbind(dim=1)
        return torch.stack(numbers(scale, x, y, torch.zeros_like(x)), dim=1).view(-1, 2, 3)

    return program


EXERCISE = FunctionExercise(
    attempt="my_attention_theta",
    solution=attention_theta,
    run=run_theta,
    oracle=by_models,
    against="models.to_theta(answer, B, 'attention'), and gradients reach all three numbers",
    cases=cases,
    broken=detached_theta,
    hints=(
        "Give it an answer that asks for gradients, torch.rand(1, 3, requires_grad=True), and "
        "print theta.requires_grad. Where does the gradient get lost?",
        ".tolist() makes plain Python numbers, and torch.tensor makes new tensors of them, in "
        "float32: neither knows where the numbers came from. Stay in tensors.",
        "scale, x, y = answer.unbind(1) gives three tensors (B,). For the places that are 0 there "
        "is torch.zeros_like(x), which has the dtype of x.",
        "torch.stack([scale, zero, x, zero, scale, y], dim=1).view(-1, 2, 3)",
    ),
    misconceptions=(
        Misconception(
            "detached",
            "the numbers are right, but no gradient comes through: theta is made of plain numbers, "
            "or of a copy that is detached. Make it of the tensor `answer` itself.",
            detached_theta,
            typed="""
                theta = torch.zeros(len(answer), 2, 3, dtype=answer.dtype)
                for row, (scale, x, y) in zip(theta, answer.detach()):
                    row[0, 0] = row[1, 1] = scale
                    row[0, 2], row[1, 2] = x, y
                return theta
            """,
        ),
        Misconception(
            "scale learns along x only",
            "the numbers are right, but along y the scale is a detached copy: its gradient is that "
            "of one place only. Put the same tensor into both places.",
            _rows(lambda s, x, y, o: [s, o, x, o, s.detach(), y]),
            typed="""
                theta = answer.new_zeros(len(answer), 2, 3)
                theta[:, 0, 0] = answer[:, 0]
                theta[:, 0, 2], theta[:, 1, 2] = answer[:, 1], answer[:, 2]
                theta[:, 1, 1] = answer[:, 0].detach()
                return theta
            """,
        ),
        Misconception(
            "place learns alone",
            "the numbers are right, but the scale is a detached copy: the window can move, and "
            "never zoom.",
            _rows(lambda s, x, y, o: [s.detach(), o, x, o, s.detach(), y]),
            typed="""
                eye = torch.eye(2, 3, dtype=answer.dtype)
                scale = answer[:, 0].detach()
                place = torch.cat([answer.new_zeros(len(answer), 2, 2), answer[:, 1:, None]], 2)
                return eye * scale[:, None, None] + place
            """,
        ),
        Misconception(
            "y not scaled",
            "the scale stands in the first row only, so the window zooms along x and not along y. "
            "It belongs into theta[:, 1, 1], too.",
            _rows(lambda s, x, y, o: [s, o, x, o, torch.ones_like(s), y]),
            typed="""
                theta = torch.eye(2, 3, dtype=answer.dtype).repeat(len(answer), 1, 1)
                theta[:, 0, 0] = answer[:, 0]
                theta[:, :, 2] = answer[:, 1:]
                return theta
            """,
        ),
        Misconception(
            "y scale zero",
            "theta[:, 1, 1] is 0: all rows of the output read one and the same row of the picture. "
            "The scale belongs there, too.",
            _rows(lambda s, x, y, o: [s, o, x, o, o, y]),
            typed="""
                theta = answer.new_zeros(len(answer), 2, 3)
                theta[:, 0, 0] = answer[:, 0]
                theta[:, :, 2] = answer[:, 1:]
                return theta
            """,
        ),
        Misconception(
            "place first",
            "the answer is read as x, y, scale. Its first number is the scale.",
            lambda answer: attention_theta(answer[:, [2, 0, 1]]),
            typed="""
                x, y, scale = answer.unbind(1)
                return transforms.attention(scale, x, y)
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: the first row of theta makes x, so x ends the first row.",
            lambda answer: attention_theta(answer[:, [0, 2, 1]]),
            typed="""
                scale, y, x = answer.unbind(1)
                return transforms.attention(scale, x, y)
            """,
        ),
        Misconception(
            "second column",
            "x and y stand in theta's second column, where they shear and turn. A shift stands in "
            "the third.",
            _rows(lambda s, x, y, o: [s, x, o, y, s, o]),
            typed="""
                s, x, y = answer.unbind(1)
                o = torch.zeros_like(s)
                first, second = torch.stack([s, x, o], -1), torch.stack([y, s, o], -1)
                return torch.stack([first, second], 1)
            """,
        ),
        Misconception(
            "shift scaled",
            "the shift is multiplied by the scale. Theta's last column is where the window's "
            "middle reads, whatever the scale.",
            _rows(lambda s, x, y, o: [s, o, s * x, o, s, s * y]),
            typed="""
                scale, x, y = answer[:, 0], answer[:, 1], answer[:, 2]
                zoom, move = transforms.attention(scale), transforms.translation(x, y)
                return transforms.compose(zoom, move)
            """,
        ),
        Misconception(
            "identity added",
            "the identity is added. The head's bias is (1, 0, 0) at the start, so its answer is "
            "the scale itself.",
            _rows(lambda s, x, y, o: [s + 1, o, x, o, s + 1, y]),
            typed="""
                s, x, y = answer.unbind(1)
                o = torch.zeros_like(s)
                six = torch.stack([s, o, x, o, s, y], dim=1)
                return transforms.identity(dtype=answer.dtype) + six.view(-1, 2, 3)
            """,
        ),
        Misconception(
            "exponential",
            "the scale is put through exp, which keeps it positive. That can be done, but then the "
            "head must start at 0; here its answer is the scale itself.",
            _rows(lambda s, x, y, o: [s.exp(), o, x, o, s.exp(), y]),
            typed="return transforms.attention(torch.exp(answer[:, 0]), *answer[:, 1:].T)",
        ),
        Misconception(
            "columns for rows",
            "the six numbers are laid out column by column. Theta is (B, 2, 3), row by row: scale, "
            "0, x, then 0, scale, y.",
            _rows(lambda s, x, y, o: [s, o, o, s, x, y]),
            typed="""
                s, x, y = answer.unbind(1)
                o = torch.zeros_like(s)
                return torch.stack([s, o, o, s, x, y], dim=1).reshape(-1, 2, 3)
            """,
        ),
        Misconception(
            "flat",
            "the numbers are right, but they stand in one row of six. Theta has shape (B, 2, 3).",
            lambda answer: attention_theta(answer).flatten(1),
            typed="""
                s, x, y = answer.unbind(1)
                o = torch.zeros_like(s)
                return torch.stack([s, o, x, o, s, y], dim=1)
            """,
        ),
    ),
)
