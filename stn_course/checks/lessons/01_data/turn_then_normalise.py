"""Repair: the page's grey corners."""

import math

import torch
from torch import Tensor

from stn_course import data
from stn_course.checks.engine.oracles import turn_by_pytorch
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def turn_then_normalise(images: Tensor, degrees: float) -> Tensor:
    """Images (B, 1, 28, 28) from 0 to 1, turned while black is 0, then normalised."""
    return data.normalise(data.rotate(images, degrees))


def cases() -> list[Case]:
    """A white square turned by 45 degrees, whose corners show the filling; then others."""
    white = torch.ones(1, 1, 3, 3)
    some = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(6))
    return [Case((white, 45.0)), Case((some, 30.0)), Case((some.double(), -20.0))]


def normalise_then_turn(images, degrees):
    """The broken program of the exercise `turn_then_normalise`."""
    return data.rotate(data.normalise(images), degrees)


EXERCISE = FunctionExercise(
    attempt="my_turned",
    solution=turn_then_normalise,
    oracle=lambda images, degrees: data.normalise(turn_by_pytorch(images, degrees)),
    against="PyTorch's rotation with black corners, then normalised",
    cases=cases,
    broken=normalise_then_turn,
    picture="images",
    hints=(
        "data.rotate fills with 0. Which grey is 0 when the pictures are normalised already?",
        "When is 0 black: before normalising, or after?",
        "Turn first, then normalise: data.normalise(data.rotate(images, degrees)).",
    ),
    misconceptions=(
        Misconception(
            "normalised first",
            "what comes in at the corners is 0 after normalising, and that is grey, not black, "
            "which is -0.4242. The pixels beside are mixed with it. Turn first.",
            lambda i, d: data.rotate(data.normalise(i), d),
            typed="""
                images = data.normalise(images)
                return data.rotate(images, degrees)
            """,
        ),
        Misconception(
            "not normalised",
            "the corners are black, but nothing is normalised any more.",
            data.rotate,
            typed="return data.rotate(images, degrees)",
        ),
        Misconception(
            "not turned",
            "the pictures are normalised, but not turned.",
            lambda i, d: data.normalise(i),
            typed="return (images - 0.1307) / 0.3081",
        ),
        Misconception(
            "the other way",
            "the pictures are turned the other way.",
            lambda i, d: data.normalise(data.rotate(i, -d)),
            typed="return data.normalise(data.rotate(images, -degrees))",
        ),
        Misconception(
            "normalised twice",
            "the pictures are normalised twice, both times after turning.",
            lambda i, d: data.normalise(data.normalise(data.rotate(i, d))),
            typed="return data.normalise((data.rotate(images, degrees) - 0.1307) / 0.3081)",
        ),
        Misconception(
            "normalised before and after",
            "the pictures are normalised twice: before turning, and after. Once is enough, after.",
            lambda i, d: data.normalise(data.rotate(data.normalise(i), d)),
            typed="return data.normalise(data.rotate(data.normalise(images), degrees))",
        ),
        Misconception(
            "degrees for radians",
            "data.rotate takes degrees: do not convert them.",
            lambda i, d: data.normalise(data.rotate(i, math.radians(d))),
            typed="return data.normalise(data.rotate(images, degrees * torch.pi / 180))",
        ),
    ),
)
