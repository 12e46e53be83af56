"""Turn each of two digits by an angle of its own."""

import torch
from torch import Tensor

from stn_course import data
from stn_course.checks.engine.oracles import turn_by_pytorch
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def turn_each_channel(pairs: Tensor, degrees: Tensor) -> Tensor:
    """Two digits a picture, one in each channel, each turned by an angle of its own.

    pairs: (B, 2, H, W). degrees: (B, 2), anticlockwise. Returns (B, 2, H, W).
    """
    turned = data.rotate(pairs.flatten(0, 1)[:, None], degrees.flatten())
    return turned[:, 0].unflatten(0, pairs.shape[:2])


def one_by_one(pairs: Tensor, degrees: Tensor) -> Tensor:
    """Each channel of each picture by itself, by PyTorch's two functions."""
    return torch.stack(
        [
            torch.cat(
                [turn_by_pytorch(d[None, None], a)[0] for d, a in zip(two, angles, strict=True)]
            )
            for two, angles in zip(pairs, degrees.tolist(), strict=True)
        ]
    )


def cases() -> list[Case]:
    """One pair by quarter turns, two, then three by any angles; noise, so that all shows."""
    one = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]])
    two = torch.cat([one, one + 10])
    many = torch.rand(3, 2, 6, 6, generator=torch.Generator().manual_seed(4))
    angles = torch.tensor([[30.0, -50.0], [10.0, 80.0], [-20.0, 65.0]])
    quarters = torch.tensor([[0.0, 90.0]]), torch.tensor([[0.0, 90.0], [180.0, 0.0]])
    return [Case((one, quarters[0])), Case((two, quarters[1])), Case((many, angles))]


def _with(angles):
    """The right program with other angles."""
    return lambda pairs, degrees: one_by_one(pairs, angles(degrees))


EXERCISE = FunctionExercise(
    attempt="my_turn_each_channel",
    solution=turn_each_channel,
    oracle=one_by_one,
    against="each channel turned by itself, with PyTorch's two functions",
    cases=cases,
    picture="images",
    hints=(
        "data.rotate turns whole pictures: all channels of one by the same angle. How can each "
        "channel become a picture of its own?",
        "pairs.flatten(0, 1)[:, None] is (2B, 1, H, W), one digit a picture, in the order of "
        "degrees.flatten().",
        "Turn those, take the channel away with [:, 0], and unflatten(0, (B, 2)).",
    ),
    misconceptions=(
        Misconception(
            "first angle for both",
            "both channels are turned by the first angle of their pair. Each digit has its own.",
            _with(lambda degrees: degrees[:, :1].expand(-1, 2)),
            typed="""
                return data.rotate(pairs, degrees[:, 0])
            """,
        ),
        Misconception(
            "second angle for both",
            "both channels are turned by the second angle of their pair. Each digit has its own.",
            _with(lambda degrees: degrees[:, 1:].expand(-1, 2)),
            typed="""
                return data.rotate(pairs, degrees[:, 1])
            """,
        ),
        Misconception(
            "angles by digit",
            "the angles are in another order than the digits: flatten() of (B, 2) goes picture by "
            "picture, as flatten(0, 1) does, and .T.flatten() takes all first digits first.",
            _with(lambda degrees: degrees.T.reshape(-1, 2)),
            typed="""
                B, C, H, W = pairs.shape
                turned = data.rotate(pairs.reshape(B * C, 1, H, W), degrees.T.flatten())
                return turned.reshape(B, C, H, W)
            """,
        ),
        Misconception(
            "never paired again",
            "each digit still is a picture of its own. Bring them back into pairs: "
            "unflatten(0, (B, 2)), after the channel is gone.",
            lambda pairs, degrees: one_by_one(pairs, degrees).flatten(0, 1)[:, None],
            typed="""
                B, C, H, W = pairs.shape
                return data.rotate(pairs.reshape(B * C, 1, H, W), degrees.flatten())
            """,
        ),
        Misconception(
            "angles swapped",
            "the two angles of a pair are swapped: the first belongs to channel 0.",
            _with(lambda degrees: degrees.flip(1)),
            typed="""
                first, second = pairs[:, :1], pairs[:, 1:]
                turned = data.rotate(first, degrees[:, 1]), data.rotate(second, degrees[:, 0])
                return torch.cat(turned, dim=1)
            """,
        ),
        Misconception(
            "channels swapped",
            "the two channels have changed places. Keep the order that they came in.",
            lambda pairs, degrees: one_by_one(pairs, degrees).flip(1),
            typed="""
                first, second = pairs[:, :1], pairs[:, 1:]
                turned = data.rotate(second, degrees[:, 1]), data.rotate(first, degrees[:, 0])
                return torch.cat(turned, dim=1)
            """,
        ),
        Misconception(
            "clockwise",
            "the digits turn clockwise. Positive degrees turn anticlockwise.",
            _with(lambda degrees: -degrees),
            typed="""
                B, C, H, W = pairs.shape
                turned = data.rotate(pairs.reshape(B * C, 1, H, W), -degrees.reshape(B * C))
                return turned.reshape(B, C, H, W)
            """,
        ),
        Misconception(
            "radians",
            "the angles were taken for radians. data.rotate takes degrees, as they come.",
            _with(torch.rad2deg),
            typed="""
                flat = pairs.flatten(0, 1).unsqueeze(1)
                return data.rotate(flat, degrees.flatten().rad2deg()).view_as(pairs)
            """,
        ),
    ),
)
