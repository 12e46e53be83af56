"""Slips that can happen in any exercise, known by the result of one case alone."""

import re
from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor

from stn_course.checks.sandbox import Result
from stn_course.checks.writing import agree

KINDS = {
    "list": "a list is no tensor. torch.tensor(…) makes one of numbers, torch.stack(…, dim=-1) one "
    "of tensors.",
    "ndarray": "this is a NumPy array. Stay in torch, whose functions have the same names: then "
    "gradients and GPUs work, too.",
}
KINDS["tuple"] = KINDS["list"].replace("a list", "a tuple")
DTYPES = (
    "float32 meets float64. Make new tensors in the dtype of what came in: dtype=theta.dtype, "
    "x.new_tensor(…), torch.ones_like(x)."
)
INDICES = "an index must be a whole number of a whole dtype: round first, then .long()."
RAISED = (
    ("same dtype|expected scalar type|dtypes? .*mismatch", DTYPES),
    ("tensors used as indices must be", INDICES),
)
NO_BATCH = (
    "the batch axis is missing: the first axis counts the images, even if there is only one. "
    "[None] puts an axis in front."
)
AXES = (
    "the numbers are right, but their axes stand in another order. torch.stack(…, dim=-1) makes "
    "the new axis the last one; movedim moves one."
)
SHAPE = "the numbers are right and in the right order, but the shape is not."
DTYPE = (
    "the numbers are right, their dtype is not. Make new tensors with dtype=theta.dtype, or by "
    "x.new_tensor(…)."
)
SINGLE = (
    "right to seven digits only, though float64 came in: somewhere a float32 number was made. "
    "Make new tensors with dtype=theta.dtype, or by x.new_tensor(…)."
)
SIGN = "all numbers have the wrong sign."
NEARLY = (
    "nearly right, but not up to rounding. Was a number rounded on the way, or a slope taken as a "
    "small difference?"
)


def equal(expected: Tensor, value: Tensor) -> bool:
    """Whether two tensors have one shape and agree within the rounding of float32."""
    return value.shape == expected.shape and bool(agree(expected.float(), value).all())


def without_batch(expected: Tensor, received: Result) -> Result | None:
    """A result that lacks the batch axis of 1, with it; None for any other."""
    value = received.value
    lacking = value is not None and expected.dim() > 1 and value.shape == expected.shape[1:]
    return replace(received, value=value[None]) if lacking and len(expected) == 1 else None


def wrong_shape(expected: Tensor, value: Tensor) -> str | None:
    """What is wrong with the shape, where the numbers themselves are right."""
    if expected.numel() != value.numel():
        return None
    if expected.dim() == value.dim() <= 4:
        turned = (value.permute(order) for order in permutations(range(value.dim())))
        if any(equal(expected, one) for one in turned):
            return AXES
    return SHAPE if equal(expected.flatten(), value.flatten()) else None


def wrong_numbers(expected: Tensor, value: Tensor) -> str | None:
    """How numbers of the right shape differ from the right ones, if it is a slip."""
    if equal(expected, value):
        if value.dtype != expected.dtype:
            return DTYPE
        return None if agree(expected, value).all() else SINGLE
    if equal(-expected, value):
        return SIGN
    return NEARLY if torch.allclose(value.to(expected), expected, rtol=0.02, atol=1e-3) else None


def slip(expected: Tensor, received: Result) -> str | None:
    """The slip that a result shows, in words; None if it shows none."""
    if received.raised:
        text = received.raised[1]
        return next((words for pattern, words in RAISED if re.search(pattern, text)), None)
    value = received.value
    if value is None or value.is_complex():
        return KINDS.get(received.kind)
    if without_batch(expected, received):
        return NO_BATCH
    same = value.shape == expected.shape
    return wrong_numbers(expected, value) if same else wrong_shape(expected, value)
