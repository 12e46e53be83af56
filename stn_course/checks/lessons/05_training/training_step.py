"""The training step."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.checks.engine.networks import seeded
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

USUAL = "zero backward step"


def training_step(
    model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer
) -> None:
    """One step of training on one batch; the model gives log-probabilities (B, 10)."""
    loss = F.nll_loss(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def small_problem():
    """A model for pictures (B, 1, 2, 2) of three classes, and three batches of four.

    Its batch normalisation tells training mode from evaluation mode, always in the same way.
    """
    norm = nn.BatchNorm1d(4, affine=False)
    model = nn.Sequential(nn.Flatten(), norm, nn.Linear(4, 3), nn.LogSoftmax(dim=1))
    return (
        model,
        torch.randn(3, 4, 1, 2, 2),
        torch.tensor([[0, 1, 2, 0], [2, 1, 1, 0], [1, 1, 2, 0]]),
    )


def run_steps(attempt, steps: int):
    """The model's weights (3, 4) after that many calls of the attempt."""
    model, images, labels = seeded(small_problem)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for some, truth in zip(images[:steps], labels[:steps], strict=True):
        attempt(model, some, truth, optimizer)
    return model[2].weight.detach()


def steps_by_hand(steps: int) -> Tensor:
    """The same by the formula: each weight minus 0.5 times its gradient."""
    model, images, labels = seeded(small_problem)
    for some, truth in zip(images[:steps], labels[:steps], strict=True):
        gradients = torch.autograd.grad(F.nll_loss(model(some), truth), list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= 0.5 * gradient
    return model[2].weight.detach()


def _step(loss_of, order, model, images, labels, optimizer):
    """A training step with another loss, or another order."""
    loss = loss_of(model(images), labels)
    parts = {"zero": optimizer.zero_grad, "backward": loss.backward, "step": optimizer.step}
    for name in order.split():
        parts[name]()


def _step_first(model, images, labels, optimizer):
    optimizer.step()
    optimizer.zero_grad()
    F.nll_loss(model(images), labels).backward()


def _in_evaluation_mode(model, *arguments):
    training_step(model.eval(), *arguments)


def _squared(scores, labels):
    return F.mse_loss(scores.exp(), F.one_hot(labels, 3).float())


EXERCISE = FunctionExercise(
    attempt="my_step",
    solution=training_step,
    run=run_steps,
    oracle=steps_by_hand,
    against="each weight minus the rate times its gradient, by hand",
    cases=lambda: [
        Case((n,), f"the weights of a small model after {n} step{'s' * (n > 1)} of SGD, rate 0.5")
        for n in (1, 2, 3)
    ],
    hints=(
        "Four things: predict and compare, forget the old gradient, ask for the new one, take a "
        "step.",
        "F.nll_loss(model(images), labels) compares; optimizer.zero_grad() forgets; "
        "loss.backward() asks.",
        "Last optimizer.step(). It uses the gradient that lies there, so backward comes before it.",
    ),
    misconceptions=(
        Misconception(
            "gradients add up",
            "the first step is right, the next are not: the old gradient is still there and is "
            "added. Call optimizer.zero_grad() each time.",
            partial(_step, F.nll_loss, "backward step"),
            typed="""
                loss = F.nll_loss(model(images), labels)
                loss.backward()
                optimizer.step()
            """,
        ),
        Misconception(
            "nothing moves",
            "the weights have not moved. Is optimizer.step() missing, or backward, or was the "
            "gradient erased between the two?",
            partial(_step, F.nll_loss, "zero backward"),
            typed="""
                loss = F.nll_loss(model(images), labels)
                loss.backward()
                optimizer.zero_grad()
                optimizer.step()
            """,
        ),
        Misconception(
            "one step late",
            "each step uses the gradient of the batch before: backward must come before step.",
            partial(_step, F.nll_loss, "step zero backward"),
            typed="""
                loss = F.nll_loss(model(images), labels)
                optimizer.step()
                optimizer.zero_grad()
                loss.backward()
            """,
        ),
        Misconception(
            "stepped first",
            "optimizer.step() comes first, before the gradient of this batch is there. First "
            "backward, then step.",
            _step_first,
            typed="""
                optimizer.step()
                optimizer.zero_grad()
                F.nll_loss(model(images), labels).backward()
            """,
        ),
        Misconception(
            "uphill",
            "the weights move the wrong way: the loss grows. Minimise the loss, not its negative.",
            partial(_step, lambda s, t: -F.nll_loss(s, t), USUAL),
            typed="""
                optimizer.zero_grad()
                (-F.nll_loss(model(images), labels)).backward()
                optimizer.step()
            """,
        ),
        Misconception(
            "summed",
            "the steps are four times too large, as many as there are pictures: the loss is "
            "summed. nll_loss takes the mean by default.",
            partial(_step, partial(F.nll_loss, reduction="sum"), USUAL),
            typed="""
                optimizer.zero_grad()
                losses = F.nll_loss(model(images), labels, reduction="none")
                losses.sum().backward()
                optimizer.step()
            """,
        ),
        Misconception(
            "squared error",
            "this is another loss, the squared error. Use F.nll_loss on the model's "
            "log-probabilities.",
            partial(_step, _squared, USUAL),
            typed="""
                optimizer.zero_grad()
                truth = torch.eye(3)[labels]
                ((model(images).exp() - truth) ** 2).mean().backward()
                optimizer.step()
            """,
        ),
        Misconception(
            "evaluation mode",
            "the step is taken in evaluation mode: dropout is off there, and batch normalisation "
            "does not use the batch. A training step leaves out model.eval().",
            _in_evaluation_mode,
            typed="""
                model.eval()
                optimizer.zero_grad()
                loss = F.nll_loss(model(images), labels)
                loss.backward()
                optimizer.step()
            """,
        ),
        Misconception(
            "two steps",
            "it takes two steps a call with the same gradient.",
            partial(_step, F.nll_loss, "zero backward step step"),
            typed="""
                optimizer.zero_grad()
                F.nll_loss(model(images), labels).backward()
                for _ in range(2):
                    optimizer.step()
            """,
        ),
    ),
)
