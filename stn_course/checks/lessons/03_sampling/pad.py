"""Padding as a change of place."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import samplers
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def padded_place(
    x: Tensor, size: int, padding_mode: str = "zeros", align_corners: bool = False
) -> Tensor:
    """The places (N,) that are read for x (N,), in pixels."""
    if padding_mode == "border":
        return x.clamp(0, size - 1)
    if padding_mode == "zeros":
        return x
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return torch.zeros_like(x)  # both mirrors stand on the only pixel
    distance = (x - low).abs() % (2 * span)  # from the left mirror; after two folds all repeats
    return (span - (distance - span).abs() + low).clamp(0, size - 1)


def cases() -> list[Case]:
    """Single places first, then many on both sides, far out too; last a row of one pixel.

    Every mode and `align_corners`.
    """
    few = [torch.tensor([x]) for x in (1.0, -1.2, 4.3)]
    many = torch.tensor([-0.4, -1.2, 0.3, 3.4, 4.3, -7.6, 11.2, 25.1], dtype=torch.float64)
    modes = ("zeros", "border", "reflection")
    return [
        Case((x, size, mode, corners))
        for x, size in [*((x, 4) for x in few), (many, 4), (many, 3), (many, 1)]
        for mode in modes
        for corners in (False, True)
    ]


def pad_by_pytorch(x: Tensor, size: int, padding_mode: str, align_corners: bool) -> Tensor:
    """Where F.grid_sample reads: a ramp of pixels 0, 1, 2 … has its own place as its value."""
    if padding_mode == "zeros":
        return x
    ramp = torch.arange(size, dtype=x.dtype).expand(1, 1, 1, size)
    between_centres = max(size - 1, 1)  # of one pixel PyTorch reads that, whatever the place
    normalised = 2 * x / between_centres - 1 if align_corners else (2 * x + 1) / size - 1
    grid = torch.stack([normalised, torch.zeros_like(x)], dim=-1)[None, None]
    options = {"padding_mode": padding_mode, "align_corners": align_corners}
    return F.grid_sample(ramp, grid, **options).flatten()


def _clip_to(low, high, x, size, padding_mode, align_corners):
    """Padding whose border stops at other ends, functions of the size."""
    if padding_mode == "border":
        return x.clamp(low(size), high(size))
    return samplers.pad(x, size, padding_mode, align_corners)


def _reflect_with(fold, x, size, padding_mode, align_corners):
    """Padding with another reflection, a function of (x, size, align_corners)."""
    if padding_mode == "reflection":
        return fold(x, size, align_corners)
    return samplers.pad(x, size, padding_mode, align_corners)


def _fold_left(x, size, align_corners):
    low = 0 if align_corners else -0.5
    return torch.where(x < low, 2 * low - x, x).clamp(0, size - 1)


def _fold_once_unclipped(x, size, align_corners):
    low, high = (0, size - 1) if align_corners else (-0.5, size - 0.5)
    x = torch.where(x < low, 2 * low - x, x)
    return torch.where(x > high, 2 * high - x, x)


def _fold_once(x, size, align_corners):
    return _fold_once_unclipped(x, size, align_corners).clamp(0, size - 1)


def _unclipped(x, size, align_corners):
    return samplers.reflect(x, size, align_corners)


def _divided_by_zero(x, size, align_corners):
    folded = samplers.pad(x, size, "reflection", align_corners)
    return folded * torch.nan if align_corners and size == 1 else folded


def _zeros_clipped(x, size, padding_mode, align_corners):
    mode = "border" if padding_mode == "zeros" else padding_mode
    return samplers.pad(x, size, mode, align_corners)


def _zeros_to_zero(x, size, padding_mode, align_corners):
    if padding_mode == "zeros":
        return torch.where((x < 0) | (x > size - 1), 0, x)
    return samplers.pad(x, size, padding_mode, align_corners)


def _other_corners(x, size, padding_mode, align_corners):
    return samplers.pad(x, size, padding_mode, not align_corners)


EXERCISE = FunctionExercise(
    attempt="my_pad",
    solution=padded_place,
    oracle=pad_by_pytorch,
    against="the places that torch.nn.functional.grid_sample reads",
    cases=cases,
    hints=(
        'With "zeros" the place stays. With "border" it stops at the first or last centre: '
        "x.clamp(0, size - 1).",
        "Mirrors repeat: after two folds the place is where it was, one period on. A period is "
        "twice the distance of the mirrors.",
        "Mirrors at low and low + span: d = (x - low).abs() % (2 · span), then span - (d - "
        "span).abs() + low, clamped to 0 and size - 1. With align_corners low = 0, span = size - "
        "1; without -0.5 and size. If span is 0, each place is place 0.",
    ),
    misconceptions=(
        Misconception(
            "one pixel too far",
            "the border stops at size, but the last pixel is number size - 1.",
            partial(_clip_to, lambda n: 0, lambda n: n),
            typed="""
                if padding_mode == "border":
                    return x.clamp(0, size)
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "border at the edges",
            "the border stops at the outer edges, -0.5 and size - 0.5. It stops at the centres of "
            "the first and last pixel, 0 and size - 1.",
            partial(_clip_to, lambda n: -0.5, lambda n: n - 0.5),
            typed="""
                if padding_mode == "border":
                    return torch.minimum(torch.maximum(x, x * 0 - 0.5), x * 0 + size - 0.5)
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "zeros set to 0",
            'with "zeros" a place outside became place 0, which is the first pixel. The place must '
            "stay: the value 0 comes when it is read.",
            _zeros_to_zero,
            typed="""
                if padding_mode == "zeros":
                    return x * ((x >= 0) & (x <= size - 1))
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "not reflected",
            'with "reflection" nothing happens yet.',
            partial(_reflect_with, lambda x, n, c: x.clone()),
            typed="return x.clamp(0, size - 1) if padding_mode == 'border' else x",
        ),
        Misconception(
            "clamped for reflected",
            '"reflection" does what "border" does: it stops at the end. A mirror leads back into '
            "the picture, as far as the place lies outside.",
            partial(_reflect_with, lambda x, n, c: x.clamp(0, n - 1)),
            typed="return x if padding_mode == 'zeros' else x.clamp(0, size - 1)",
        ),
        Misconception(
            "abs",
            "abs is a mirror at 0 alone, on the left. On the right, and further out, places are "
            "not reflected.",
            partial(_reflect_with, lambda x, n, c: x.abs()),
            typed="""
                if padding_mode == "reflection":
                    return x.abs()
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "folded on the left",
            "places are reflected at the left mirror alone; beyond the right one they stop at the "
            "last centre.",
            partial(_reflect_with, _fold_left),
            typed="""
                if padding_mode == "reflection":
                    mirror = 0.0 if align_corners else -0.5
                    return (mirror + (x - mirror).abs()).clamp(0, size - 1)
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "folded once",
            "places far out are folded once only, and stay outside. Between two mirrors the "
            "picture repeats.",
            partial(_reflect_with, _fold_once),
            typed="""
                if padding_mode == "reflection":
                    low = 0.0 if align_corners else -0.5
                    high = size - 1 - low
                    x = low + (x - low).abs()
                    return (high - (x - high).abs()).clamp(0, size - 1)
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "folded once, not clipped",
            "places are folded once only, so those far out stay outside. Nor are they clipped: "
            "after the folds a place may lie between the outermost centre and the edge, as -0.4.",
            partial(_reflect_with, _fold_once_unclipped),
            typed="""
                if padding_mode == "reflection":
                    low = 0.0 if align_corners else -0.5
                    high = size - 1 - low
                    x = low + (x - low).abs()
                    return high - (x - high).abs()
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "one pixel between mirrors",
            "with align_corners=True and a single pixel, both mirrors stand at 0: their distance "
            "is 0, and % 0 gives NaN. There each place is place 0.",
            partial(_reflect_with, _divided_by_zero),
            typed="""
                if padding_mode == "reflection":
                    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
                    return (span - ((x - low) % (2 * span) - span).abs() + low).clamp(0, size - 1)
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
            sign=lambda expected, received: bool(received.isnan().all() & (expected == 0).all()),
        ),
        Misconception(
            "wrapped round",
            "this repeats the picture, as % does. A mirror reverses it each time.",
            partial(_reflect_with, lambda x, n, c: x % n),
            typed="""
                if padding_mode == "reflection":
                    return torch.remainder(x, size)
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "reflected, not clipped",
            "after the fold a place may lie between the outermost centre and the edge, as -0.4: "
            "clip it to 0 and size - 1, as PyTorch does.",
            partial(_reflect_with, _unclipped),
            typed="""
                if padding_mode == "reflection":
                    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
                    if span == 0:
                        return x * 0
                    return span - ((x - low).abs() % (2 * span) - span).abs() + low
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "align_corners is the wrong way round: with True the mirrors stand at the centres of "
            "the border pixels, with False at their outer edges.",
            _other_corners,
            typed="""
                if padding_mode == "reflection":
                    low, span = (-0.5, size) if align_corners else (0.0, size - 1)
                    if span == 0:
                        return x * 0
                    return (span - ((x - low).abs() % (2 * span) - span).abs() + low).clamp(
                        0, size - 1
                    )
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "align_corners ignored",
            "the mirrors always stand at the outer edges. With align_corners=True they stand at "
            "the centres of the border pixels.",
            lambda x, n, mode, corners: samplers.pad(x, n, mode, False),
            typed="""
                if padding_mode == "reflection":
                    return (size - ((x + 0.5).abs() % (2 * size) - size).abs() - 0.5).clamp(
                        0, size - 1
                    )
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "mirrors at the centres",
            "the mirrors always stand at the centres of the border pixels. With "
            "align_corners=False they stand at the outer edges.",
            lambda x, n, mode, corners: samplers.pad(x, n, mode, True),
            typed="""
                if padding_mode == "reflection":
                    if size == 1:
                        return x * 0
                    return size - 1 - (x.abs() % (2 * size - 2) - size + 1).abs()
                return samplers.pad(x, size, padding_mode, align_corners)
            """,
        ),
        Misconception(
            "zeros moved",
            'with "zeros" the place must stay where it is: the 0 comes when it is read.',
            _zeros_clipped,
            typed="""
                if padding_mode == "reflection":
                    return samplers.pad(x, size, "reflection", align_corners)
                return x.clamp(0, size - 1)
            """,
        ),
    ),
)
