"""The offsets of a deformable convolution as flows."""

import torch
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def offsets_as_flows(offset: Tensor) -> Tensor:
    """One flow for each tap: (B, 2 K, H, W) in (y, x) order as (B, K, H, W, 2) in (x, y) order."""
    return offset.unflatten(1, (-1, 2)).movedim(2, -1).flip(-1)


def tap_by_tap(offset: Tensor) -> Tensor:
    """Channel by channel: 2 k is how far tap k goes down, 2 k + 1 how far to the right."""
    taps = range(offset.shape[1] // 2)
    flows = [torch.stack([offset[:, 2 * k + 1], offset[:, 2 * k]], dim=-1) for k in taps]
    return torch.stack(flows, dim=1)


def cases() -> list[Case]:
    """One tap on one pixel, then nine taps, batches, uneven sizes."""
    generator = torch.Generator().manual_seed(10)
    small = torch.tensor([1.0, -0.5]).reshape(1, 2, 1, 1)
    shapes = [(1, 4, 1, 2), (2, 18, 3, 4)]
    return [Case((small,))] + [Case((torch.randn(s, generator=generator),)) for s in shapes]


EXERCISE = FunctionExercise(
    attempt="my_offsets_as_flows",
    solution=offsets_as_flows,
    oracle=tap_by_tap,
    against="the channels, one after the other",
    cases=cases,
    hints=(
        "The channels come in pairs, one pair a tap. offset.unflatten(1, (-1, 2)) makes the pairs "
        "an axis of their own. Where must that axis go?",
        "To the end: movedim(2, -1). Which of the two comes first in a flow?",
        "A flow is (x, y), an offset (y, x): flip(-1) at the end.",
    ),
    misconceptions=(
        Misconception(
            "y before x",
            "the flows are (y, x). An offset is how far down, then how far to the right; a flow is "
            "(x, y).",
            lambda offset: tap_by_tap(offset).flip(-1),
            typed="return offset.unflatten(1, (-1, 2)).movedim(2, -1)",
        ),
        Misconception(
            "all y before all x",
            "the first half of the channels is taken for y, the second for x. They alternate: y "
            "and x of the first tap, then of the next.",
            lambda offset: torch.stack(offset.chunk(2, dim=1)[::-1], dim=-1),
            typed="return offset.unflatten(1, (2, -1)).movedim(1, -1).flip(-1)",
        ),
        Misconception(
            "all x before all y",
            "the first half of the channels is taken for x, the second for y. They come in pairs, "
            "one a tap: y, then x.",
            lambda offset: torch.stack(offset.chunk(2, dim=1), dim=-1),
            typed="return offset.unflatten(1, (2, -1)).movedim(1, -1)",
        ),
        Misconception(
            "the other way",
            "the signs are turned round. Offset and flow both lead to where the tap reads.",
            lambda offset: -tap_by_tap(offset),
            typed="return -offset.unflatten(1, (-1, 2)).movedim(2, -1).flip(-1)",
        ),
    ),
)
