"""The exercises of notebook 05: the training step, honest measuring, collapse."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import data
from stn_course.checks import solutions
from stn_course.checks.data_checks import shares
from stn_course.checks.kinds import Case, FunctionExercise, Misconception, PredictionExercise
from stn_course.checks.model_checks import seeded

NOTEBOOK = "05_training"


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


USUAL = "zero backward step"


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
    solutions.training_step(model.eval(), *arguments)


def _squared(scores, labels):
    return F.mse_loss(scores.exp(), F.one_hot(labels, 3).float())


TRAINING_STEP = FunctionExercise(
    name="training_step",
    notebook=NOTEBOOK,
    title="The training step",
    attempt="my_step",
    solution=solutions.training_step,
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
        ),
        Misconception(
            "nothing moves",
            "the weights have not moved. Is optimizer.step() missing, or backward, or was the "
            "gradient erased between the two?",
            partial(_step, F.nll_loss, "zero backward"),
        ),
        Misconception(
            "one step late",
            "each step uses the gradient of the batch before: backward must come before step.",
            partial(_step, F.nll_loss, "step zero backward"),
        ),
        Misconception(
            "stepped first",
            "optimizer.step() comes first, before the gradient of this batch is there. First "
            "backward, then step.",
            _step_first,
        ),
        Misconception(
            "uphill",
            "the weights move the wrong way: the loss grows. Minimise the loss, not its negative.",
            partial(_step, lambda s, t: -F.nll_loss(s, t), USUAL),
        ),
        Misconception(
            "summed",
            "the steps are four times too large, as many as there are pictures: the loss is "
            "summed. nll_loss takes the mean by default.",
            partial(_step, partial(F.nll_loss, reduction="sum"), USUAL),
        ),
        Misconception(
            "squared error",
            "this is another loss, the squared error. Asked was F.nll_loss on the model's "
            "log-probabilities.",
            partial(_step, _squared, USUAL),
        ),
        Misconception(
            "evaluation mode",
            "the step is taken in evaluation mode: dropout is off there, and batch normalisation "
            "does not use the batch. A training step leaves out model.eval().",
            _in_evaluation_mode,
        ),
        Misconception(
            "two steps",
            "it takes two steps a call with the same gradient.",
            partial(_step, F.nll_loss, "zero backward step step"),
        ),
    ),
)


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

    It names three of four rightly, in training mode two: no mistake gives the share of another.
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


EVALUATION = FunctionExercise(
    name="evaluation",
    notebook=NOTEBOOK,
    title="Repair: measured in training mode",
    attempt="my_accuracy",
    solution=solutions.accuracy_in_eval_mode,
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
        ),
        Misconception(
            "always training",
            "the model answers in training mode, with dropout: model.train() switches it on.",
            partial(_accuracy, lambda right: right.float().mean().item(), training=True),
        ),
        Misconception(
            "error",
            "this is the share of wrong answers. Asked was the share of right ones.",
            partial(_accuracy, lambda right: 1 - right.float().mean().item()),
        ),
        Misconception(
            "counted",
            "this is the number of right answers. Divide by how many there are.",
            partial(_accuracy, lambda right: right.sum().item()),
        ),
        Misconception(
            "whole division",
            "it is 0: // keeps whole numbers only, and so does a mean of whole numbers. Divide "
            "by /, or take the mean of .float().",
            partial(_accuracy, lambda right: right.sum().item() // len(right)),
        ),
        Misconception(
            "normalised twice",
            "the pictures are normalised a second time. They come normalised: give them to the "
            "model as they are.",
            lambda model, images, labels: solutions.accuracy_in_eval_mode(
                model, data.normalise(images), labels
            ),
        ),
        Misconception(
            "percent",
            "these are percent. Asked was a share, from 0 to 1.",
            partial(_accuracy, lambda right: 100 * right.float().mean().item()),
        ),
    ),
)


COLLAPSE_SHARE = PredictionExercise(
    name="collapse_share",
    notebook=NOTEBOOK,
    title="Predict: the accuracy of always the same answer",
    attempt="guess",
    answer=0.1135,
    tolerance=0.0006,  # three digits will do
    reason="1135 of the 10,000 test digits are ones, turned or not. A run that ends at exactly "
    "this accuracy has collapsed, and answers 1 to everything.",
    wrong=(
        (
            0.1,
            "that would be right if all digits were equally frequent. They are not quite: count "
            "the ones.",
        ),
        (0.11, "rounded too far: count how many of the 10,000 it names rightly."),
        (10.0, "a tenth, in percent? Not all digits are equally frequent; and asked was a share."),
        (1 / 9, "a ninth? There are ten digits, and not all equally frequent: count the ones."),
        (1135.0, "that is how many ones there are. Divide by the number of test digits."),
        (11.35, "that is percent. Asked was a share, from 0 to 1."),
        (0.8865, "that is the share of wrong answers."),
    ),
    hints=(
        "Which digits does it name rightly? Only one kind.",
        "How many of the 10,000 test digits are ones? (test_labels == 1).sum() counts.",
        "1135 of 10,000.",
    ),
)

TRAINING_EXERCISES = (TRAINING_STEP, EVALUATION, COLLAPSE_SHARE)
