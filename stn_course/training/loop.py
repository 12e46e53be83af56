"""One epoch of training, evaluation, and a look at the probe digits."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from stn_course.data import batches, normalise
from stn_course.samplers import warp
from stn_course.training import processes
from stn_course.training.transformers import answers_to
from stn_course.validation import check_images

Digits = tuple[Tensor, Tensor]
Distortion = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]


def train_epoch(
    model: nn.Module,
    digits: Iterable[Digits],
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
    after_step: Callable[[Tensor], None] | None = None,
) -> None:
    """Show every batch of (images, labels) to the model once and take a step after each.

    after_step: called with the loss, a tensor without gradient, after each step.
    """
    model.train()
    for images, labels in digits:
        loss = F.nll_loss(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if after_step is not None:
            after_step(loss.detach())


@torch.no_grad()
def evaluate(model: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 1000) -> float:
    """The share of images (N, 1, 28, 28), normalised, that the model names rightly: 0 to 1."""
    check_images(images, "images")
    was_training = model.training
    model.eval()
    right = 0
    for some, truth in batches(images, labels, batch_size):
        right += (model(some).argmax(dim=1) == truth).sum()
    model.train(was_training)
    return int(right) / len(labels)


@torch.no_grad()
def error_with_one_theta(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images that the model misreads where all are read through one theta: 0 to 1.

    That theta is the mean of those that it chooses for the images (N, 1, 28, 28), normalised. If
    the error is no larger than with a theta for each image, the transformer tells the classifier
    nothing about the single image. model: such as `models.TutorialNet`; is left in eval mode.
    """
    model.eval()
    model.stn(images)
    theta = model.theta.mean(dim=0, keepdim=True)
    alike = warp(images, theta, padding_mode=model.padding_mode)
    return (model.classify(alike).argmax(dim=1) != labels).float().mean().item()


def prepared(
    images: Tensor,
    labels: Tensor,
    batch_size: int,
    distort: Distortion | None,
    generator: torch.Generator,
) -> Iterable[Digits]:
    """Shuffled batches, distorted where asked, then normalised: what the network is shown.

    With several processes: this one's share of each batch.
    """
    for some, truth in batches(images, labels, batch_size, generator):
        if distort is not None:
            some, _ = distort(some, generator)
        some, truth = processes.share(some), processes.share(truth)
        if len(truth):
            yield normalise(some), truth


def probe(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
    """The mean loss on images, normalised, and the theta (N, 2, 3) that the model chose for them.

    Both are on the model's device; theta is of the first transformer that the model calls, None for
    a model that calls none.
    """
    answers, called = answers_to(model, images)
    return F.nll_loss(answers, labels), called[0].theta.clone() if called else None
