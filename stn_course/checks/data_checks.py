"""The exercises of notebook 01: accuracy over the angle, and what normalising does to black."""

import functools
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import data, transforms
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception, PredictionExercise

NOTEBOOK = "01_data"


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


def shares(values):
    """Numbers or tensors of one element as a tensor (N,), float32 as means are; else as it is."""
    try:
        return torch.tensor([float(value) for value in values])
    except (TypeError, ValueError, RuntimeError):
        return values


def run_over_angles(attempt, *angles: float):
    """Give the attempt the classifier, in training mode, and the digits."""
    model, images, labels = small_set()
    return shares(attempt(model.train(), images, labels, list(angles)))


def turn_by_pytorch(images: Tensor, degrees: float) -> Tensor:
    """Pictures turned anticlockwise by PyTorch's two functions, black outside."""
    theta = transforms.rotation(degrees=torch.tensor(float(degrees)).to(images))
    grid = F.affine_grid(theta.expand(len(images), 2, 3), images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


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


ACCURACY_OVER_ANGLE = FunctionExercise(
    name="accuracy_over_angle",
    notebook=NOTEBOOK,
    title="Accuracy over the angle",
    attempt="my_accuracy_over_angle",
    solution=solutions.accuracy_over_angle,
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
        ),
        Misconception(
            "not normalised",
            "the pictures are not normalised. The network has learned from pictures whose black "
            "is -0.42.",
            partial(_measured, lambda i, a: data.rotate(i, a)),
        ),
        Misconception(
            "training mode",
            "the model is in training mode: dropout disturbs its answers. Call model.eval() "
            "first, or training.evaluate, which does.",
            partial(_measured, _right, training=True),
        ),
        Misconception(
            "degrees for radians",
            "the angles are in degrees already: do not convert them.",
            partial(_measured, lambda i, a: _right(i, torch.deg2rad(torch.tensor(a)))),
        ),
        Misconception(
            "the other way",
            "the pictures are turned clockwise: asked was anticlockwise, as data.rotate does.",
            partial(_measured, lambda i, a: _right(i, -a)),
        ),
        Misconception(
            "percent",
            "these are percent. Asked were shares, from 0 to 1.",
            partial(_measured, _right, factor=100),
        ),
        Misconception(
            "counted",
            "these are numbers of digits. Divide by how many there are.",
            lambda m, i, t, angles: [
                v * 80.0 for v in solutions.accuracy_over_angle(m, i, t, angles)
            ],
        ),
        Misconception(
            "not turned",
            "the pictures are the same at each angle: they are not turned.",
            partial(_measured, lambda i, a: data.normalise(i)),
        ),
    ),
)


def turning_cases() -> list[Case]:
    """A white square turned by 45 degrees, whose corners show the filling; then others."""
    white = torch.ones(1, 1, 3, 3)
    some = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(6))
    return [Case((white, 45.0)), Case((some, 30.0)), Case((some.double(), -20.0))]


def normalise_then_turn(images, degrees):
    """The broken program of the exercise `turn_then_normalise`."""
    return data.rotate(data.normalise(images), degrees)


TURN_THEN_NORMALISE = FunctionExercise(
    name="turn_then_normalise",
    notebook=NOTEBOOK,
    title="Repair: the page's grey corners",
    attempt="my_turned",
    solution=solutions.turn_then_normalise,
    oracle=lambda images, degrees: data.normalise(turn_by_pytorch(images, degrees)),
    against="PyTorch's rotation with black corners, then normalised",
    cases=turning_cases,
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
        ),
        Misconception(
            "not normalised",
            "the corners are black, but nothing is normalised any more.",
            data.rotate,
        ),
        Misconception(
            "not turned",
            "the pictures are normalised, but not turned.",
            lambda i, d: data.normalise(i),
        ),
        Misconception(
            "the other way",
            "the pictures are turned the other way.",
            lambda i, d: data.normalise(data.rotate(i, -d)),
        ),
        Misconception(
            "normalised twice",
            "the pictures are normalised twice, both times after turning.",
            lambda i, d: data.normalise(data.normalise(data.rotate(i, d))),
        ),
        Misconception(
            "normalised before and after",
            "the pictures are normalised twice: before turning, and after. Once is enough, after.",
            lambda i, d: data.normalise(data.rotate(data.normalise(i), d)),
        ),
        Misconception(
            "degrees for radians",
            "data.rotate takes degrees: do not convert them.",
            lambda i, d: data.normalise(data.rotate(i, math.radians(d))),
        ),
    ),
)
GREY_OF_ZERO = PredictionExercise(
    name="grey_of_zero",
    notebook=NOTEBOOK,
    title="Predict: which grey is 0 after normalising?",
    attempt="guess",
    answer=0.1307,
    tolerance=0.002,
    reason="0 is the mean of all pixels: a dark grey, 0.13 of the way from black to white.",
    wrong=(
        (0.0, "0 was black before normalising. After it black is -0.4242."),
        (
            -0.4242,
            "that is what black becomes. Asked was the way back: from 0 to a grey between 0 and 1.",
        ),
        (0.4242, "that is how far black lies below 0, in units of the standard deviation, 0.3081."),
        (0.3081, "that is the standard deviation."),
        (0.42, "that is how far black lies below 0, not the grey that became 0."),
        (33.0, "of 255? Asked was a grey between 0 and 1."),
        (13.0, "that is percent. Asked was a grey between 0 and 1."),
        (0.5, "that would be the middle between black and white. But MNIST is mostly black."),
    ),
    hints=(
        "normalise subtracts the mean, then divides. Which value becomes 0?",
        "(value - mean) / deviation = 0. Solve for the value.",
        "The mean of all training pixels, computed in Build 2.",
    ),
)

DATA_EXERCISES = (ACCURACY_OVER_ANGLE, TURN_THEN_NORMALISE, GREY_OF_ZERO)
