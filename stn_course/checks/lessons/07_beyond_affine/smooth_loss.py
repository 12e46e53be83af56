"""A loss that keeps a flow smooth."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def smooth_loss(output: Tensor, target: Tensor, flow: Tensor, strength: float) -> Tensor:
    """Mean squared error of the pictures, plus strength times how unlike neighbours the flow is.

    output, target: (B, C, H, W). flow: (B, H, W, 2). Unlike is the mean of the squared differences
    to the right neighbour, plus the mean of those to the lower one. Returns ().
    """
    right, down = flow.diff(dim=2), flow.diff(dim=1)
    return F.mse_loss(output, target) + strength * (right.square().mean() + down.square().mean())


def run_loss(attempt, output: Tensor, target: Tensor, flow: Tensor, strength: float, look: str):
    """The loss, or its gradient to the flow; zeros where none arrives."""
    if look == "loss":
        return attempt(output, target, flow, strength)
    flow = flow.clone().requires_grad_()
    loss = attempt(output, target, flow, strength)
    if not isinstance(loss, Tensor) or not loss.requires_grad or loss.numel() != 1:
        return torch.zeros_like(flow)
    return torch.autograd.grad(loss.sum(), flow)[0]


def cases() -> list[Case]:
    """Equal pictures and a bent flow; then all of it; then the gradient to the flow."""
    generator = torch.Generator().manual_seed(2)

    def arguments(batch, height, width, strength, dtype=torch.float32):
        pictures = torch.rand(2, batch, 1, height, width, generator=generator, dtype=dtype)
        flow = 1 + torch.randn(batch, height, width, 2, generator=generator, dtype=dtype)
        return *pictures, flow, strength

    first = arguments(1, 2, 3, 1.0)
    calls = [
        ((first[0], first[0], *first[2:]), "loss"),
        ((*first[:3], 0.5), "loss"),
        (arguments(3, 4, 5, 0.25, torch.float64), "loss"),
        (arguments(2, 4, 3, 2.0), "gradient"),
    ]
    words = {"loss": "the loss of", "gradient": "the gradient, to the flow, of the loss of"}
    return [
        Case(
            (*call, look),
            f"{words[look]} {'equal' if torch.equal(*call[:2]) else 'two different'} pictures "
            f"{tuple(call[0].shape)} and a flow {tuple(call[2].shape)}, with strength {call[3]:g}",
        )
        for call, look in calls
    ]


def differences(flow: Tensor) -> tuple[Tensor, Tensor]:
    """To the right and to the lower neighbour, by PyTorch's convolution; x and y are channels."""
    channels = flow.permute(0, 3, 1, 2)
    kernel = flow.new_tensor([-1.0, 1.0]).expand(2, 1, 1, 2)
    return F.conv2d(channels, kernel, groups=2), F.conv2d(channels, kernel.mT, groups=2)


def _penalty(flow: Tensor) -> Tensor:
    return sum(difference.square().mean() for difference in differences(flow))


def loss_by_convolution(
    output: Tensor, target: Tensor, flow: Tensor, strength: float, look: str
) -> Tensor:
    """The loss, or its gradient to the flow."""
    return run_loss(_penalised(_penalty), output, target, flow, strength, look)


def _penalised(penalty):
    """A program with another penalty, a function of the flow."""
    return lambda output, target, flow, strength: (
        (output - target).square().mean() + strength * penalty(flow)
    )


def _everywhere(flow: Tensor) -> Tensor:
    """All differences in one mean: they are not as many to the right as down."""
    right, down = differences(flow)
    return torch.cat([right.flatten(), down.flatten()]).square().mean()


EXERCISE = FunctionExercise(
    attempt="my_smooth_loss",
    solution=smooth_loss,
    run=run_loss,
    oracle=loss_by_convolution,
    against="torch.nn.functional.conv2d's differences between neighbours",
    cases=cases,
    hints=(
        "A flow that is the same everywhere moves the whole picture. Nothing is bent, so it costs "
        "nothing. What differs between two neighbours costs.",
        "flow is (B, H, W, 2). flow[:, :, 1:] - flow[:, :, :-1] is each pixel's right neighbour "
        "minus itself; flow.diff(dim=2) says the same.",
        "Square both kinds of differences, take the mean of each, add the two.",
        "F.mse_loss(output, target) + strength * (right.square().mean() + down.square().mean()).",
    ),
    misconceptions=(
        Misconception(
            "no penalty",
            "this is the error of the pictures alone. The flow costs nothing yet, however it is "
            "bent.",
            _penalised(lambda flow: 0 * _penalty(flow)),
            typed="return F.mse_loss(output, target)",
        ),
        Misconception(
            "the flow itself",
            "this costs how long the flow is. Then a picture that was moved as a whole would pay, "
            "too. Take differences between neighbours.",
            _penalised(lambda flow: flow.square().mean()),
            typed="return F.mse_loss(output, target) + strength * (flow**2).mean()",
        ),
        Misconception(
            "right neighbours alone",
            "only neighbours to the right are compared. Rows may then slide along each other for "
            "nothing: compare with the lower neighbour as well.",
            _penalised(lambda flow: differences(flow)[0].square().mean()),
            typed="""
                bend = (flow[:, :, 1:] - flow[:, :, :-1]).pow(2).mean()
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
        Misconception(
            "lower neighbours alone",
            "only neighbours above each other are compared. Columns may then slide along each "
            "other for nothing: compare with the right neighbour as well.",
            _penalised(lambda flow: differences(flow)[1].square().mean()),
            typed="""
                bend = (flow[:, 1:] - flow[:, :-1]).pow(2).mean()
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
        Misconception(
            "x against y",
            "this compares the flow's x with its own y, on the last axis. Neighbours lie along the "
            "axes of H and W, 1 and 2.",
            _penalised(lambda flow: (flow[..., 1] - flow[..., 0]).square().mean()),
            typed="return F.mse_loss(output, target) + strength * flow.diff().square().mean()",
        ),
        Misconception(
            "axes off by one",
            "this compares columns, and x with y. flow has the shape (B, H, W, 2): rows are axis "
            "1, columns axis 2.",
            _penalised(
                lambda flow: differences(flow)[0].square().mean() + flow.diff(dim=3).square().mean()
            ),
            typed="""
                bend = sum(flow.diff(dim=axis).square().mean() for axis in (2, 3))
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
        Misconception(
            "sums",
            "the differences are summed. A larger picture would pay more for the same bend: take "
            "means.",
            _penalised(lambda flow: sum(d.square().sum() for d in differences(flow))),
            typed="""
                bend = sum(flow.diff(dim=axis).square().sum() for axis in (1, 2))
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
        Misconception(
            "absolute differences",
            "these are absolute differences. That is a known penalty as well (total variation), "
            "and allows sharp edges. Here they are squared.",
            _penalised(lambda flow: sum(d.abs().mean() for d in differences(flow))),
            typed="""
                bend = sum(flow.diff(dim=axis).abs().mean() for axis in (1, 2))
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
        Misconception(
            "around the border",
            "roll compares the last column with the first, and the last row with the first. These "
            "are no neighbours.",
            _penalised(lambda flow: sum((flow.roll(-1, d) - flow).square().mean() for d in (1, 2))),
            typed="""
                bend = sum((flow - flow.roll(1, axis)).square().mean() for axis in (1, 2))
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
        Misconception(
            "one mean of all",
            "both kinds of differences are in one mean. Take the mean of each, and add the two.",
            _penalised(_everywhere),
            typed="""
                both = [flow.diff(dim=axis).flatten() for axis in (1, 2)]
                return F.mse_loss(output, target) + strength * torch.cat(both).square().mean()
            """,
        ),
        Misconception(
            "the mean of both",
            "the penalty is half of what was asked for: the mean of the two parts. Add them.",
            _penalised(lambda flow: _penalty(flow) / 2),
            typed="""
                both = [flow.diff(dim=axis).square().mean() for axis in (1, 2)]
                return F.mse_loss(output, target) + strength * torch.stack(both).mean()
            """,
        ),
        Misconception(
            "strength on the wrong part",
            "strength multiplies the error of the pictures. It belongs to the penalty.",
            lambda output, target, flow, strength: (
                strength * F.mse_loss(output, target) + _penalty(flow)
            ),
            typed="""
                bend = sum(flow.diff(dim=axis).square().mean() for axis in (1, 2))
                return bend + strength * F.mse_loss(output, target)
            """,
        ),
        Misconception(
            "strength on the first part alone",
            "strength multiplies the differences to the right, not those to the lower neighbour. "
            "It counts for both: put brackets around their sum.",
            lambda output, target, flow, strength: (
                F.mse_loss(output, target)
                + strength * differences(flow)[0].square().mean()
                + differences(flow)[1].square().mean()
            ),
            typed="""
                right, down = flow[:, :, 1:] - flow[:, :, :-1], flow[:, 1:] - flow[:, :-1]
                loss = (output - target).pow(2).mean()
                return loss + strength * right.pow(2).mean() + down.pow(2).mean()
            """,
        ),
        Misconception(
            "strength on the second part alone",
            "strength multiplies the differences to the lower neighbour, not those to the right. "
            "It counts for both: put brackets around their sum.",
            lambda output, target, flow, strength: (
                F.mse_loss(output, target)
                + differences(flow)[0].square().mean()
                + strength * differences(flow)[1].square().mean()
            ),
            typed="""
                right, down = flow[:, :, 1:] - flow[:, :, :-1], flow[:, 1:] - flow[:, :-1]
                loss = (output - target).pow(2).mean()
                return loss + strength * down.pow(2).mean() + right.pow(2).mean()
            """,
        ),
        Misconception(
            "strength left out",
            "strength is not used: it says how much the penalty counts.",
            lambda output, target, flow, strength: F.mse_loss(output, target) + _penalty(flow),
            typed="""
                bend = sum(flow.diff(dim=axis).square().mean() for axis in (1, 2))
                return bend + F.mse_loss(output, target)
            """,
        ),
        Misconception(
            "penalty taken away",
            "the penalty is taken away: the wilder the flow, the smaller the loss. Add it.",
            _penalised(lambda flow: -_penalty(flow)),
            typed="""
                bend = sum(flow.diff(dim=axis).square().mean() for axis in (1, 2))
                return F.mse_loss(output, target) - strength * bend
            """,
        ),
        Misconception(
            "no gradient",
            "the loss is right, but the penalty has no gradient: .item(), .detach() and no_grad() "
            "cut it off, and training would never see it.",
            _penalised(lambda flow: _penalty(flow).item()),
            typed="""
                with torch.no_grad():
                    bend = sum(flow.diff(dim=axis).square().mean() for axis in (1, 2))
                return F.mse_loss(output, target) + strength * bend
            """,
        ),
    ),
)
