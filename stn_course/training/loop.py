"""One epoch of training, evaluation, and a look at the probe digits."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from stn_course.data import batches, normalise
from stn_course.data.distortions import Distortion
from stn_course.samplers import warp
from stn_course.training import processes
from stn_course.training.transformers import answers_to
from stn_course.validation import check_images

Digits = tuple[Tensor, Tensor]
Criterion = Callable[[Tensor, Tensor], Tensor]


def train_epoch(
    model: nn.Module,
    digits: Iterable[Digits],
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
    after_step: Callable[[Tensor], None] | None = None,
    criterion: Criterion = F.nll_loss,
) -> None:
    """Show every batch to the model once and take a step after each.

    Args:
        model: answers images with log-probabilities (B, classes); it is left in training mode.
        digits: batches of images, normalised, and labels (B,).
        optimizer: of the model's parameters.
        scheduler: moves the learning rate after each step.
        after_step: called with the loss, a tensor without gradient, after each step.
        criterion: the loss of log-probabilities (B, classes) and labels (B,), a single number.

    Example:
        >>> net, losses = nn.Sequential(nn.Linear(1, 2), nn.LogSoftmax(dim=1)), []
        >>> three = 3 * [(torch.randn(2, 1), torch.tensor([0, 1]))]
        >>> sgd = torch.optim.SGD(net.parameters())
        >>> train_epoch(net, three, sgd, after_step=losses.append)
        >>> len(losses)
        3
    """
    model.train()
    for images, labels in digits:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if after_step is not None:
            after_step(loss.detach())


@torch.no_grad()
def evaluate(model: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 1000) -> float:
    """The share of images that the model names correctly.

    Args:
        model: answers images with a number for each class, (B, classes).
        images: (N, 1, 28, 28), normalised.
        labels: (N,).
        batch_size: how many are looked at in one go.

    Returns:
        From 0 to 1.

    Raises:
        TypeError: images is not a floating-point tensor, or batch_size not a whole number.
        ValueError: a wrong shape, or images and labels do not pair.

    Example:
        >>> white_or_black = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(4, 1, 1, 1)
        >>> model = nn.Sequential(nn.Flatten(), nn.ConstantPad1d((0, 1), 0.5))
        >>> evaluate(model, white_or_black, torch.tensor([0, 0, 1, 0]))  # 0, 0, 1, 1
        0.75
    """
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
    """The share of images that the model misreads where all are read through one theta.

    That theta is the mean of those that it chooses for the images. If the error is no larger than
    with a theta for each image, the transformer tells the classifier nothing about the single
    image.

    Args:
        model: such as `models.TutorialNet`; is left in eval mode.
        images: (N, 1, 28, 28), normalised.
        labels: (N,).

    Returns:
        From 0 to 1.

    Example:
        >>> from stn_course.models import TutorialNet
        >>> digits, labels = torch.randn(2, 1, 28, 28), torch.tensor([5, 0])
        >>> error_with_one_theta(TutorialNet(), digits, labels) in (0.0, 0.5, 1.0)
        True
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

    Args:
        images: (N, C, H, W) from 0 to 1.
        labels: (N,).
        batch_size: how many make a batch.
        distort: as `data.random_rotation` gives it; None for none.
        generator: shuffles and distorts, on the CPU.

    Yields:
        Images, normalised, and labels; with several processes, this one's share of each batch.

    Example:
        >>> black, labels = torch.zeros(5, 1, 1, 1), torch.arange(5)
        >>> shown = list(prepared(black, labels, 4, None, torch.Generator()))
        >>> len(shown), shown[0][0].flatten()
        (2, tensor([-0.4242, -0.4242, -0.4242, -0.4242]))
    """
    for some, truth in batches(images, labels, batch_size, generator):
        if distort is not None:
            some, _ = distort(some, generator)
        some, truth = processes.share(some), processes.share(truth)
        if len(truth):
            yield normalise(some), truth


def probe(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """The model's mean loss on some images, which it reads correctly, and their theta.

    Args:
        model: answers images with log-probabilities (N, classes).
        images: (N, C, H, W), normalised.
        labels: (N,).

    Returns:
        The loss; (N,) bool, whether each is read correctly; and theta (N, 2, 3), or that of another
        family, of the first transformer that the model calls, None for a model that calls none; on
        the model's device.

    Example:
        >>> from stn_course.models import TutorialNet
        >>> digits, labels = torch.randn(2, 1, 28, 28), torch.tensor([5, 0])
        >>> loss, right, theta = probe(TutorialNet(), digits, labels)
        >>> theta[0]
        tensor([[1., 0., 0.],
                [0., 1., 0.]])
    """
    answers, called = answers_to(model, images)
    theta = called[0].theta.clone() if called else None
    return F.nll_loss(answers, labels), answers.argmax(dim=1) == labels, theta
