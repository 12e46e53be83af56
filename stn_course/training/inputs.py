"""What `fit` makes sure of before the first step: the data, and the kind of answers."""

import torch
from torch import Tensor, nn

from stn_course.training.transformers import answers_to
from stn_course.validation import check_images, describe

BEYOND = 0.25  # how far images may lie outside 0 to 1: a sharp interpolation overshoots a little
INEXACT = 0.05  # how far from 1 the probabilities of an image may add up to; bfloat16 is coarse


def check_split(split: str, images, labels) -> None:
    """Images (N, C, H, W) from 0 to 1, not normalised, and labels (N,) of torch.int64."""
    check_images(images, f"{split} images")
    low, high = (value.item() for value in images.aminmax())
    if low != low:  # aminmax is NaN if any value is
        raise ValueError(f"{split} images must be finite; got NaN in them")
    if not (low >= -BEYOND and high <= 1 + BEYOND):
        raise ValueError(
            f"{split} images must have values from 0 to 1, for fit normalises them itself; got "
            f"values from {low:.4g} to {high:.4g}. Leave data.normalise out, or undo it with "
            "data.denormalise; divide values up to 255 by 255"
        )
    expected = f"{split} labels must be a torch.int64 tensor of shape ({len(images)},)"
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        raise TypeError(f"{expected}; got {describe(labels)}")
    if labels.shape != (len(images),):
        raise ValueError(f"{expected}; got {describe(labels)}")


def check_answers(model: nn.Module, images: Tensor) -> int:
    """The model answers images (N, C, H, W), normalised, with log-probabilities; of how many."""
    answers, _ = answers_to(model, images)
    if not isinstance(answers, Tensor) or answers.dim() != 2 or len(answers) != len(images):
        expected = f"({len(images)}, classes) for {len(images)} images"
        raise ValueError(f"the model must answer with shape {expected}; got {describe(answers)}")
    sums = answers.double().exp().sum(dim=1)
    if ((sums - 1).abs() > INEXACT).any():
        raise ValueError(
            "the model must answer with log-probabilities, whose exp adds up to 1 for each image; "
            f"got sums from {sums.min():.3g} to {sums.max():.3g}. End it with "
            "F.log_softmax(x, dim=1), x the last layer's values"
        )
    return answers.shape[1]


def check_labels(split: str, labels: Tensor, classes: int) -> None:
    """Each label is the number of a class, from 0."""
    low, high = (value.item() for value in labels.aminmax())
    if low < 0 or high >= classes:
        raise ValueError(
            f"{split} labels must be from 0 to {classes - 1}, for the model knows {classes} "
            f"classes; got labels from {low} to {high}"
        )
