"""Repair: the bend of a thin plate spline."""

import math

import torch
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

FEW, MORE = [0.0, 0.5, 2.0, 0.7], [[0.0, 0.1], [0.9, 3.0], [5.0, 0.7]]  # distances


def u_of_r(r: Tensor) -> Tensor:
    """U(r) = r² log r of distances r (...), 0 where r is 0; its gradient is finite there, too."""
    held = r.clamp(min=torch.finfo(r.dtype).tiny)  # log sees no 0, and r² makes the rest 0
    return r.square() * held.log()


def nan_at_zero(r):
    """The broken program of the exercise `u_of_r`."""
    return r**2 * torch.log(r)


def run_bend(attempt, r: Tensor, look: str):
    """The attempt's values, or by autograd their slopes; zeros if there is no gradient.

    At r = 0, where other programs end differently, any finite slope will do.
    """
    if look == "values":
        return attempt(r)
    r = r.clone().requires_grad_()
    values = attempt(r)
    if not isinstance(values, Tensor) or not values.requires_grad:
        return torch.zeros_like(r)
    (slopes,) = torch.autograd.grad(values.sum(), r)
    return torch.where((r == 0) & slopes.isfinite(), 0, slopes)


def cases() -> list[Case]:
    """Values first, then slopes; each begins with a distance of 0 and ends with one of 0.7.

    There the value is negative, and the slope positive.
    """
    calls = [
        *((FEW, torch.float32, "values"), (MORE, torch.float64, "values")),
        *((FEW, torch.float32, "slopes"), (MORE, torch.float64, "slopes")),
    ]
    return [
        Case((torch.tensor(r, dtype=dtype), look), f"the {look} for r = {r}")
        for r, dtype, look in calls
    ]


def one_by_one(r: Tensor, look: str) -> Tensor:
    """By the math module: r² log r, and its derivative 2 r log r + r; both 0 at 0."""

    def of(one: float) -> float:
        if one == 0:
            return 0.0
        value, slope = one**2 * math.log(one), 2 * one * math.log(one) + one
        return value if look == "values" else slope

    return torch.tensor([of(one) for one in r.flatten().tolist()], dtype=r.dtype).reshape(r.shape)


def _nan_in_values(expected: Tensor, value: Tensor) -> bool:
    return bool(value.isnan().any() and expected.flatten()[-1] < 0)


def _nan_in_slopes(expected: Tensor, value: Tensor) -> bool:
    return bool(value.isnan().any() and expected.flatten()[-1] > 0)


def _falls_without_end(expected: Tensor, value: Tensor) -> bool:
    """Of values at the distance 0: log r of any number that was taken for it."""
    return bool(value.shape == expected.shape and value.flatten()[0] < -10)


def _offset(expected: Tensor, value: Tensor) -> bool:
    """Of values: more by what a small e adds, under the logarithm or to r, wherever r is not 0.

    log(r + e) adds nearly e r, log(r² + e) / 2 nearly e / 2, and r + e nearly e times the slope.
    """
    if value.shape != expected.shape:
        return False
    r = torch.tensor(FEW if expected.dim() == 1 else MORE).flatten()[1:]
    added = (value - expected).double().flatten()[1:]
    ratios = (added / shape for shape in (r, torch.ones_like(r), 2 * r * r.log() + r))
    return any(bool(ratio.min() > 0 and ratio.max() < 1.5 * ratio.min()) for ratio in ratios)


EXERCISE = FunctionExercise(
    attempt="my_u_of_r",
    solution=u_of_r,
    run=run_bend,
    oracle=one_by_one,
    against="the math module's r² log r, and its derivative",
    cases=cases,
    broken=nan_at_zero,
    hints=(
        "What is torch.log(torch.tensor(0.0))? And that times 0?",
        "torch.where(r > 0, …, 0) mends the values. But look at the gradient at r = 0: the branch "
        "that was not taken passes 0 · ∞ back, and that is NaN again.",
        "Do not let the logarithm see the 0: r.clamp(min=…) before log. The factor r² is 0 there "
        "whatever log says.",
    ),
    misconceptions=(
        Misconception(
            "NaN at 0",
            "at r = 0 it is NaN: log gives -∞ there, and 0 · -∞ is NaN. Each control point is at a "
            "distance of 0 from itself, so all of the spline would be NaN.",
            nan_at_zero,
            sign=_nan_in_values,
            typed="return torch.log(r).mul(r).mul(r)",
        ),
        Misconception(
            "NaN in the gradient",
            "the values are right, the gradient at r = 0 is NaN. torch.where chooses the value, "
            "but the branch not taken passes 0 · ∞ back; xlogy has no branch, but its gradient "
            "divides 0 by 0 there. Hold r at a tiny number before the logarithm.",
            lambda r: torch.where(r > 0, nan_at_zero(r), 0),
            sign=_nan_in_slopes,
            typed="""
                u = r**2 * torch.log(r)
                return torch.where(r == 0, torch.zeros_like(r), u)
            """,
        ),
        Misconception(
            "log of r²",
            "this is r² log r², twice as much. As a spline it would do: its weights become half as "
            "large. But it is not the U(r) that was asked for.",
            lambda r: 2 * u_of_r(r),
            typed="""
                s = r * r
                return s * torch.log(s.clamp(min=1e-30))
            """,
        ),
        Misconception(
            "r log r",
            "this is r log r. The factor is r², from the bending of a plate in two dimensions.",
            lambda r: r * r.clamp(min=torch.finfo(r.dtype).tiny).log(),
            typed="""
                safe = torch.where(r > 0, r, 1.0)
                return torch.where(r > 0, r * safe.log(), 0.0)
            """,
        ),
        Misconception(
            "distance taken for its square",
            "r is taken for the square of the distance, as `spline_basis` has it. Here r is the "
            "distance itself: square it, and leave out the half.",
            lambda r: r * r.clamp(min=torch.finfo(r.dtype).tiny).log() / 2,
            typed="return torch.special.xlogy(r, r.clamp(min=1e-30)) / 2",
        ),
        Misconception(
            "one added under the logarithm",
            "1 is added to r under the logarithm. That removes the NaN, and makes another function "
            "of it: U must fall below 0 between 0 and 1.",
            lambda r: r**2 * torch.log1p(r),
            typed="return r.pow(2) * (1 + r).log()",
        ),
        Misconception(
            "a small number added",
            "a small number is added under the logarithm, or to r. That removes the NaN, but it "
            "changes U at all other distances. Hold r at a tiny number in place of adding one: "
            "r.clamp(min=…) changes nothing but the 0.",
            lambda r: r**2 * torch.log(r + 1e-3),
            sign=_offset,
            typed="return 0.5 * r.square() * torch.log(1e-7 + r * r)",
        ),
        Misconception(
            "held at 1",
            "r is held at 1, so U is 0 at all distances up to 1. Only 0 itself needs care: hold r "
            "at a tiny number.",
            lambda r: r**2 * r.clamp(min=1).log(),
            typed="return r**2 * torch.log(torch.maximum(r, torch.ones_like(r)))",
        ),
        Misconception(
            "another base",
            "this is the logarithm to base 10. U has the natural one, torch.log.",
            lambda r: u_of_r(r) / math.log(10),
            typed="return r**2 * r.clamp(min=1e-30).log10()",
        ),
        Misconception(
            "r² left out",
            "this is log r alone. It falls without end at 0; r² log r ends there at 0.",
            lambda r: r.clamp(min=torch.finfo(r.dtype).tiny).log(),
            sign=_falls_without_end,
            typed="return torch.clamp(r, min=1e-30).log()",
        ),
    ),
)
