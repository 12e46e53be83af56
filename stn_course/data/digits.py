"""Digits as a network takes them: from 0 to 1, normalised, in batches."""

from collections.abc import Iterator

import torch
from torch import Tensor

from stn_course.data.bundled import load_mnist
from stn_course.validation import check_positive, describe

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in [0, 1]; notebook 01 computes them


def to_float(images: Tensor) -> Tensor:
    """Grey images as a network takes them.

    Args:
        images: (N, H, W) uint8, 0 to 255.

    Returns:
        (N, 1, H, W) float32, 0 to 1.

    Raises:
        TypeError: images is not a uint8 tensor (N, H, W).

    Example:
        >>> to_float(torch.tensor([[[0, 51, 255]]], dtype=torch.uint8))
        tensor([[[[0.0000, 0.2000, 1.0000]]]])
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.dim() != 3:
        raise TypeError(f"images must be a uint8 tensor of shape (N, H, W); got {describe(images)}")
    return images[:, None].float() / 255


def normalise(images: Tensor) -> Tensor:
    """Subtract MNIST's mean and divide by its standard deviation.

    Args:
        images: any shape, values from 0 (black) to 1 (white).

    Returns:
        The same shape; black is -0.4242.

    Example:
        >>> normalise(torch.tensor([0.0, 0.1307, 1.0]))
        tensor([-0.4242,  0.0000,  2.8215])
    """
    return (images - MEAN) / STD


def denormalise(images: Tensor) -> Tensor:
    """The way back from `normalise`.

    Args:
        images: normalised, any shape.

    Returns:
        The same shape, values from 0 (black) to 1 (white).

    Example:
        >>> denormalise(torch.tensor([0.0, 1.0]))  # mean, one deviation more
        tensor([0.1307, 0.4388])
    """
    return images * STD + MEAN


def load_digits(split: str = "train", device=None) -> tuple[Tensor, Tensor]:
    """One split in memory, ready for a network.

    They are not yet normalised, so that a distortion can fill with black, which is 0.

    Args:
        split: "train" (60,000) or "test" (10,000).
        device: where they go, by default the CPU.

    Returns:
        Images (N, 1, 28, 28) from 0 to 1, and labels (N,).

    Raises:
        ValueError: an unknown split.
        OSError: the installed copy lacks a file, or one is damaged.

    Example:
        >>> images, labels = load_digits("test")
        >>> images.shape, images.max()
        (torch.Size([10000, 1, 28, 28]), tensor(1.))
    """
    images, labels = load_mnist(split)
    return to_float(images.to(device)), labels.to(device)


def batches(
    images: Tensor, labels: Tensor, size: int, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of images and labels, each once, the last pair maybe smaller.

    Args:
        images: (N, ...).
        labels: (N,).
        size: how many make a pair.
        generator: a CPU generator that shuffles; without one the order is kept.

    Yields:
        `size` images and their labels.

    Raises:
        TypeError: size is not a whole number.
        ValueError: size is 0 or less, or images and labels do not pair.

    Example:
        >>> images, labels = torch.zeros(5, 1, 28, 28), torch.arange(5)
        >>> [some.tolist() for _, some in batches(images, labels, size=2)]
        [[0, 1], [2, 3], [4]]
    """
    check_positive("size", size)
    if len(images) != len(labels) or len(images) == 0:
        raise ValueError(f"images and labels must pair; got {len(images)} and {len(labels)}")
    if generator is None:
        yield from zip(images.split(size), labels.split(size), strict=True)
        return
    order = torch.randperm(len(images), generator=generator).to(images.device)
    for index in order.split(size):
        yield images[index], labels[index]
