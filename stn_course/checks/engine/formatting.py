"""Values as text: arguments of a case, expected and received side by side."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn

ROWS = 40  # of a table; the cases that are shown first are smaller
DIGITS = 4  # after the point, and EXACT where 4 show no difference
EXACT = 10
DOWN, ACROSS = 8, 12  # of a tensor whose shape is wrong: lines, and numbers in a line
WIDE = 90  # characters in a line of the table, above which expected stands over received


def number(value, digits: int = DIGITS) -> str:
    """One number, rounded to some digits after the point, without a minus before zero."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, complex):
        return f"{value:.{digits}g}"
    if isinstance(value, int):
        return str(value)
    text = f"{value:.{digits}f}" if abs(value) < 1e5 else f"{value:.{digits}g}"
    text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return "0" if text == "-0" else text


def short(value: float) -> str:
    """One number by its first digits, however small: 1e-09 is no 0. Large ones are whole."""
    form = ",.0f" if 10**DIGITS <= abs(value) < 1e9 else f".{DIGITS}g"
    return f"{value + 0.0:{form}}"


def nested(value, write: Callable = number) -> str:
    """Nested lists of numbers, each written by `write`."""
    if isinstance(value, list | tuple):
        inside = ", ".join(nested(item, write) for item in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return write(value)


def argument(value) -> str:
    """An argument of a case on one line: numbers in full, modules by name."""
    if isinstance(value, Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        if value.numel() > 64:
            return f"a {kind} tensor of shape {tuple(value.shape)}"
        return f"{nested(value.detach().tolist())}  ({kind}, shape {tuple(value.shape)})"
    if isinstance(value, nn.Module):
        return f"a {type(value).__name__}"
    return nested(value) if isinstance(value, list | tuple) else repr(value)


def rows(value: Tensor) -> list[tuple[list[int], list]]:
    """A tensor as rows along its last axis, each with its place in the other axes."""
    flat = value.reshape(-1, value.shape[-1]) if value.dim() else value.reshape(1, 1)
    places = map(list, product(*map(range, value.shape[:-1])))
    return list(zip(places, flat.tolist(), strict=True))


def value_table(expected: Tensor, received: Tensor, equal: Tensor) -> list[str]:
    """A table of two tensors of one shape; lines that differ are marked with <.

    equal: bool, of the same shape: which numbers agree.
    """
    marks = [all(line) for _, line in rows(equal)]
    body = body_lines(expected, received, DIGITS)
    if any(one == other and not ok for (_, one, other), ok in zip(body, marks, strict=True)):
        body = body_lines(expected, received, EXACT)
    return table([("at", "expected", "received"), *body[:ROWS]], marks, len(body))


def body_lines(expected: Tensor, received: Tensor, digits: int) -> list[tuple[str, str, str]]:
    """The lines of the table: a row's place, its expected and its received numbers."""
    return [
        (
            str(place) if place else "",
            *(" ".join(number(v, digits) for v in line) for line in (one, other)),
        )
        for (place, one), (_, other) in zip(rows(expected), rows(received), strict=True)
    ]


def table(lines: list[tuple[str, str, str]], marks: list[bool], total: int) -> list[str]:
    """Three columns under their heads, the marks at the right; wide ones line by line."""
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    flags = ["", *("" if ok else "  <" for ok in marks)]
    if sum(widths) > WIDE:
        width = widths[0]
        texts = [
            text
            for (at, one, other), flag in zip(lines[1:], flags[1:], strict=False)
            for text in (f"{at:{width}}  expected  {one}", f"{'':{width}}  received  {other}{flag}")
        ]
    else:
        texts = [
            "  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)) + flag
            for line, flag in zip(lines, flags, strict=False)
        ]
    if total > ROWS:
        texts.append(f"… and {total - ROWS} lines more")
    return [f"  {text.rstrip()}" for text in texts]


def listed(value: Tensor) -> list[str]:
    """One tensor, a line for each row; of what is long, the beginning."""
    lines = [line for _, line in rows(value)] if value.numel() else []
    texts = [
        " ".join(map(number, line[:ACROSS])) + (" …" if len(line) > ACROSS else "")
        for line in lines[:DOWN]
    ]
    if len(lines) > DOWN:
        texts.append(f"… and {len(lines) - DOWN} lines more")
    return [f"    {text}" for text in texts]


def agree(expected: Tensor, received: Tensor) -> Tensor:
    """Which numbers of two tensors of one shape agree, within rounding of the narrower dtype."""
    narrow = torch.float32 in (expected.dtype, received.dtype) or expected.is_complex()
    tolerance = 1e-4 if narrow or received.dtype in (torch.float16, torch.bfloat16) else 1e-8
    wide = torch.complex128 if received.is_complex() else torch.float64
    return torch.isclose(
        expected.to(wide), received.to(wide), rtol=tolerance, atol=tolerance, equal_nan=False
    )
