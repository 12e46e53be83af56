"""Slips that can happen in any exercise, known by the result of one case alone."""

import re
from dataclasses import replace
from itertools import permutations

from torch import Tensor

from stn_course.checks.engine.formatting import agree
from stn_course.checks.engine.worker import Result

KINDS = {
    "list": "a list is no tensor. torch.tensor(…) makes one of numbers, torch.stack(…, dim=-1) one "
    "of tensors.",
    "tuple": "these are several things, not one tensor. torch.stack(…, dim=-1) makes one of them; "
    "or is a comma too many?",
    "ndarray": "this is a NumPy array. Stay in torch, whose functions have the same names: then "
    "gradients and GPUs work, too.",
}
DTYPES = (
    "float32 meets float64. Make new tensors in the dtype of what came in: x.new_tensor(…), "
    "torch.ones_like(x), or dtype=x.dtype."
)
INDICES = "an index must be a whole number of a whole dtype: round first, then .long()."
AXIS = (
    "two shapes do not fit each other: print both. Where one lacks an axis, [None] puts it in: for "
    "(B, H, W) beside (B, C, H, W) it is [:, None]."
)
JOINED = (
    "what is joined must have the same sizes on all other axes. One row for each of a batch is "
    "row.expand(len(theta), 1, 3)."
)
PRODUCT = (
    "a @ b takes (…, n, m) and (…, m, k): the last axis of a meets the last but one of b. .mT "
    "swaps a matrix's axes, [:, None] puts an axis in."
)
STACKED = "torch.tensor(…) takes numbers. torch.stack(…, dim=-1) makes one tensor of several."
SQUARE = "theta is 2×3, and only a square matrix has an inverse. With the row (0, 0, 1) it is 3×3."
LEAF = "a parameter is changed while gradients are recorded: do it under with torch.no_grad():."
NO_GRADIENT = "no gradient was recorded: was the loss computed under no_grad, or detached?"
RAISED = (
    ("same dtype|expected scalar type|dtypes? .*mismatch", DTYPES),
    ("tensors used as indices must be", INDICES),
    ("Sizes of tensors must match", JOINED),
    ("must match the size of tensor|must match the existing size|not broadcastable", AXIS),
    ("shapes cannot be multiplied|to have same reduction dim|size mismatch|batch2 tensor", PRODUCT),
    ("only one element tensors|a Tensor with .* elements cannot be converted", STACKED),
    ("square matri", SQUARE),
    ("a leaf Variable that requires grad|a view of a leaf Variable", LEAF),
    ("does not require grad", NO_GRADIENT),
)
NO_BATCH = (
    "the first axis is missing. It counts the images, even if there is only one: [None] puts it in "
    "front."
)
AXES = (
    "the numbers are right, but their axes stand in another order. torch.stack(…, dim=-1) makes "
    "the new axis the last one; movedim moves one."
)
SHAPE = "the numbers are right and in the right order, but the shape is not."
DTYPE = (
    "the numbers are right, their dtype is not. Make new tensors in the dtype of what came in: "
    "x.new_tensor(…), torch.ones_like(x), or dtype=x.dtype."
)
SINGLE = (
    "right to seven digits only, though float64 came in: a float32 number was made on the way, or "
    "a rounded number typed in."
)
SIGN = "all numbers have the wrong sign."
NEARLY = "nearly right, but not up to rounding: something small is left over."
NEAR = 0.02  # of the spread of what is right


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
    off = (value.double() - expected.double()).abs().max()
    return NEARLY if off <= NEAR * spread(expected) else None


def spread(expected: Tensor) -> Tensor:
    """How far the right numbers lie apart, or where they are all the same, from 0."""
    low, high = expected.aminmax()
    return high - low if high > low else high.abs()


def raised_slip(received: Result) -> str | None:
    """The slip that an exception's text shows; None for any other, or without an exception."""
    text = received.raised[1] if received.raised else ""
    return next((words for pattern, words in RAISED if re.search(pattern, text)), None)


def slip(expected: Tensor, received: Result) -> str | None:
    """The slip that a result shows, in words; None if it shows none."""
    if received.raised:
        return raised_slip(received)
    value = received.value
    if value is None or value.is_complex():
        return KINDS.get(received.kind)
    if without_batch(expected, received):
        return NO_BATCH
    same = value.shape == expected.shape
    return wrong_numbers(expected, value) if same else wrong_shape(expected, value)
