"""Accuracy over the angle."""

import functools
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import data, training
from stn_course.checks.engine.networks import shares
from stn_course.checks.engine.oracles import turn_by_pytorch
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def accuracy_over_angle(
    model: nn.Module, images: Tensor, labels: Tensor, angles: list[float]
) -> list[float]:
    """The share of images (N, 1, 28, 28), from 0 to 1, named correctly when turned by each angle.

    angles: degrees, anticlockwise.
    """
    return [
        training.evaluate(model, data.normalise(data.rotate(images, angle)), labels)
        for angle in angles
    ]


class NearestMean(nn.Module):
    """A classifier by the mean picture of each digit, made to notice the usual mistakes.

    A frame that is not black, which it was never shown, makes it say 0; in training mode its
    answers are one digit off, as dropout would disturb them, but always in the same way.
    """

    def __init__(self, images: Tensor, labels: Tensor):
        super().__init__()
        self.means = torch.stack([images[labels == digit].mean(0).flatten() for digit in range(10)])

    def forward(self, x: Tensor) -> Tensor:
        scores = x.flatten(1) @ self.means.T - self.means.square().sum(dim=1) / 2
        grey = (x[:, 0, 0, 0] - data.normalise(torch.zeros(()))).abs() > 0.01
        scores = torch.where(grey[:, None], F.one_hot(torch.zeros_like(grey).long(), 10), scores)
        return scores.roll(1, dims=1) if self.training else scores


@functools.cache
def small_set() -> tuple[nn.Module, Tensor, Tensor]:
    """The classifier, and 80 digits (80, 1, 28, 28) from 0 to 1 that it did not see.

    80 and not 100, so that a count is no percentage.
    """
    images, labels = data.load_digits("test")
    model = NearestMean(data.normalise(images[:1000]), labels[:1000])
    return model, images[1000:1080], labels[1000:1080]


def run_over_angles(attempt, *angles: float):
    """Give the attempt the classifier, in training mode, and the digits."""
    model, images, labels = small_set()
    return shares(attempt(model.train(), images, labels, list(angles)))


def accuracy_by_pytorch(*angles: float) -> Tensor:
    """The share of right answers at each angle: (N,)."""
    model, images, labels = small_set()
    answers = [model.eval()(data.normalise(turn_by_pytorch(images, a))).argmax(1) for a in angles]
    return torch.stack([(a == labels).double().mean() for a in answers])


def _measured(show, model, images, labels, angles, training=False, factor=1.0):
    """Accuracies of the model on what `show` makes of (images, angle)."""
    model.train(training)
    answers = [model(show(images, angle)).argmax(dim=1) for angle in angles]
    return [factor * (answer == labels).float().mean().item() for answer in answers]


def _right(images, angle):
    return data.normalise(data.rotate(images, angle))


EXERCISE = FunctionExercise(
    attempt="my_accuracy_over_angle",
    solution=accuracy_over_angle,
    run=run_over_angles,
    returns="a list of numbers, one for each angle",
    oracle=accuracy_by_pytorch,
    against="a count of the right answers on 80 digits, turned by PyTorch",
    cases=lambda: [
        Case(angles, f"a small classifier, 80 digits, angles = {list(angles)}")
        for angles in [(0.0,), (30.0,), (0.0, 20.0, -35.0, 90.0)]
    ],
    hints=(
        "For each angle three steps: turn the pictures, normalise them, measure.",
        "data.rotate(images, angle) turns by degrees and fills with 0, which is black before "
        "normalising. training.evaluate(model, …, labels) measures.",
        "[training.evaluate(model, data.normalise(data.rotate(images, angle)), labels) for angle "
        "in angles]",
    ),
    misconceptions=(
        Misconception(
            "normalised first",
            "the pictures are normalised before they are turned: the corners are filled with 0, "
            "which is grey then. Turn first, normalise after.",
            partial(_measured, lambda i, a: data.rotate(data.normalise(i), a)),
            typed="""
                from stn_course import training

                normal = data.normalise(images)
                return [
                    training.evaluate(model, data.rotate(normal, angle), labels) for angle in angles
                ]
            """,
        ),
        Misconception(
            "not normalised",
            "the pictures are not normalised. The network has learned from pictures whose black "
            "is -0.42.",
            partial(_measured, lambda i, a: data.rotate(i, a)),
            typed="""
                from stn_course import training

                return [
                    training.evaluate(model, data.rotate(images, angle), labels) for angle in angles
                ]
            """,
        ),
        Misconception(
            "training mode",
            "the model is in training mode: dropout disturbs its answers. Call model.eval() "
            "first, or training.evaluate, which does.",
            partial(_measured, _right, training=True),
            typed="""
                shares = []
                for angle in angles:
                    answers = model(data.normalise(data.rotate(images, angle))).argmax(dim=1)
                    shares.append((answers == labels).float().mean().item())
                return shares
            """,
        ),
        Misconception(
            "degrees for radians",
            "the angles are in degrees already: do not convert them.",
            partial(_measured, lambda i, a: _right(i, torch.deg2rad(torch.tensor(a)))),
            typed="""
                import math
                from stn_course import training
                turned = [data.rotate(images, math.radians(angle)) for angle in angles]
                return [training.evaluate(model, data.normalise(some), labels) for some in turned]
            """,
        ),
        Misconception(
            "the other way",
            "the pictures are turned clockwise. Turn them anticlockwise, as data.rotate does.",
            partial(_measured, lambda i, a: _right(i, -a)),
            typed="""
                from stn_course import training
                turned = [data.rotate(images, -angle) for angle in angles]
                return [training.evaluate(model, data.normalise(some), labels) for some in turned]
            """,
        ),
        Misconception(
            "percent",
            "these are percent. Asked were shares, from 0 to 1.",
            partial(_measured, _right, factor=100),
            typed="""
                from stn_course import training

                turned = [data.rotate(images, angle) for angle in angles]
                return [
                    100 * training.evaluate(model, data.normalise(some), labels) for some in turned
                ]
            """,
        ),
        Misconception(
            "counted",
            "these are numbers of digits. Divide by how many there are.",
            lambda m, i, t, angles: [v * 80.0 for v in accuracy_over_angle(m, i, t, angles)],
            typed="""
                model.eval()
                counts = []
                for angle in angles:
                    answers = model(data.normalise(data.rotate(images, angle))).argmax(dim=1)
                    counts.append((answers == labels).sum())
                return counts
            """,
        ),
        Misconception(
            "not turned",
            "the pictures are the same at each angle: they are not turned.",
            partial(_measured, lambda i, a: data.normalise(i)),
            typed="""
                from stn_course import training
                share = training.evaluate(model, data.normalise(images), labels)
                return [share] * len(angles)
            """,
        ),
    ),
)
