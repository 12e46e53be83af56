"""Repair: measured in training mode."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import data
from stn_course.checks.engine.networks import shares
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


@torch.no_grad()
def accuracy_in_eval_mode(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images (N, 1, 28, 28), normalised, that the model names correctly."""
    model.eval()
    return (model(images).argmax(dim=1) == labels).float().mean().item()


class Unsteady(nn.Module):
    """A classifier of five classes that in training mode takes every 0 for a 1.

    Its pictures are 0 and 1 when normalised as they should be; any others it takes for ones.
    """

    def forward(self, x: Tensor) -> Tensor:
        scores = x.flatten(1)
        if ((scores != 0) & (scores != 1)).any():
            return F.one_hot(torch.ones(len(x), dtype=torch.long), 5).float()
        if not self.training:
            return scores
        zeros = scores.argmax(dim=1, keepdim=True) == 0
        return torch.where(zeros, scores.roll(1, dims=1), scores)


def run_accuracy(attempt, was_training: bool, n: int):
    """Give the attempt the unsteady model and n pictures; its answer as a tensor (1,).

    It names three of four correctly, in training mode two: no mistake gives the share of another.
    """
    labels = torch.tensor([0, 1, 2, 2, 3, 4, 0, 3])
    answers = torch.tensor([0, 1, 2, 0, 3, 4, 0, 1])
    images = F.one_hot(answers, 5).float()[:, None, None]
    with torch.set_grad_enabled(True):
        result = attempt(Unsteady().train(was_training), images[:n], labels[:n])
    return shares([result]) if isinstance(result, float | int | Tensor) else result


def accuracy_by_hand(was_training: bool, n: int) -> Tensor:
    """A loop over the pictures, counting: (1,)."""

    def count(model, images, labels):
        pairs = zip(model.eval()(images), labels, strict=True)
        return sum(int(scores.argmax() == truth) for scores, truth in pairs) / len(labels)

    return run_accuracy(count, was_training, n)


def accuracy_as_it_is(model, images, labels):
    """The broken program of the exercise `evaluation`."""
    with torch.no_grad():
        answers = model(images).argmax(dim=1)
    return (answers == labels).float().mean().item()


def _accuracy(finish, model, images, labels, training=False):
    """What `finish` makes of the bool tensor (N,), whether an answer is the truth."""
    return finish(model.train(training)(images).argmax(dim=1) == labels)


EXERCISE = FunctionExercise(
    attempt="my_accuracy",
    solution=accuracy_in_eval_mode,
    run=run_accuracy,
    returns="a number",
    oracle=accuracy_by_hand,
    against="a count of the right answers",
    cases=lambda: [
        Case((True, 4), "a model in training mode, four pictures"),
        Case((False, 8), "a model in evaluation mode, eight pictures"),
        Case((True, 8), "a model in training mode, eight pictures"),
    ],
    broken=accuracy_as_it_is,
    hints=(
        "Run it twice on a network with dropout, in training mode. Do you get the same number?",
        "model.train() and model.eval() switch dropout on and off. In which mode is the model "
        "here?",
        "Call model.eval() before the model answers.",
    ),
    misconceptions=(
        Misconception(
            "mode as it is",
            "the model answers in the mode in which it came. After training that is training "
            "mode, with dropout. Call model.eval() first.",
            lambda *a: accuracy_as_it_is(*a),
            typed="return (model(images).argmax(dim=1) == labels).sum().item() / len(labels)",
        ),
        Misconception(
            "always training",
            "the model answers in training mode, with dropout: model.train() switches it on.",
            partial(_accuracy, lambda right: right.float().mean().item(), training=True),
            typed="""
                model.train()
                return (model(images).argmax(dim=1) == labels).float().mean().item()
            """,
        ),
        Misconception(
            "error",
            "this is the share of wrong answers. Return the share of right ones.",
            partial(_accuracy, lambda right: 1 - right.float().mean().item()),
            typed="""
                model.eval()
                return (model(images).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "counted",
            "this is the number of right answers. Divide by how many there are.",
            partial(_accuracy, lambda right: right.sum().item()),
            typed="""
                model.eval()
                return (model(images).argmax(dim=1) == labels).sum().item()
            """,
        ),
        Misconception(
            "whole division",
            "it is 0: // keeps whole numbers only, and so does a mean of whole numbers. Divide "
            "by /, or take the mean of .float().",
            partial(_accuracy, lambda right: right.sum().item() // len(right)),
            typed="""
                model.eval()
                return (model(images).argmax(dim=1) == labels).sum().item() // len(labels)
            """,
        ),
        Misconception(
            "normalised twice",
            "the pictures are normalised a second time. They come normalised: give them to the "
            "model as they are.",
            lambda model, images, labels: accuracy_in_eval_mode(
                model, data.normalise(images), labels
            ),
            typed="""
                model.eval()
                return (
                    (model((images - 0.1307) / 0.3081).argmax(dim=1) == labels)
                    .float()
                    .mean()
                    .item()
                )
            """,
        ),
        Misconception(
            "percent",
            "this is a percentage. Return a share, from 0 to 1.",
            partial(_accuracy, lambda right: 100 * right.float().mean().item()),
            typed="""
                model.eval()
                return (model(images).argmax(dim=1) == labels).float().mean().item() * 100
            """,
        ),
    ),
)
