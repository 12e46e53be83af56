"""Readable errors for bad input; each says what came and what was expected.

Every check returns None, and raises TypeError for the wrong kind of thing, ValueError for the wrong
value of the right kind.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

LONGEST = 200  # characters of a value that an error prints
MATRIX = 9  # numbers that an error prints; a homography's


def _short(value) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def describe(value) -> str:
    """A short name of what came: a tensor by dtype and shape, anything else by type and value."""
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    return f"{type(value).__name__} {_short(value)}"


def name_first(fault: str, wrong: Tensor, values: Tensor) -> str:
    """How many of a batch are wrong, and the first of them; a batch of one is that one alone.

    fault: what is wrong with them. wrong: (B, ...) or (), true where something is.
    values: (B, ...) or (), of which the first wrong one is printed; of more than MATRIX numbers the
    first wrong one, and where it stands.
    """
    values, wrong = torch.atleast_1d(values), torch.atleast_1d(wrong)
    indices = wrong.reshape(len(values), -1).any(dim=1).nonzero().flatten().tolist()
    value = values[indices[0]]
    first = f"{value.tolist()}"
    if value.numel() > MATRIX and wrong.shape == values.shape:
        at = tuple(wrong[indices[0]].nonzero()[0].tolist())
        first = f"{value[at].item()} at {at}"
    if len(values) == 1:
        return first
    return f"{fault} in {len(indices)} of {len(values)}, the first at index {indices[0]}: {first}"


def check_finite(name: str, tensor: Tensor) -> None:
    """No NaN and no infinity in a tensor (B, ...) or () (on a GPU this waits for its values)."""
    wrong = ~torch.isfinite(tensor)
    if wrong.any():
        found = name_first("NaN or infinity", wrong, tensor)
        raise ValueError(f"{name} must be finite; got {found}")


def check_floating(name: str, value, shape: str, dims: int) -> None:
    """`value` is a floating-point tensor with `dims` axes, described to the reader as `shape`."""
    expected = f"{name} must be a floating-point tensor of shape {shape}"
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(f"{expected}; got {describe(value)}")
    if value.dim() != dims:
        raise ValueError(f"{expected}; got {describe(value)}")
    if 0 in value.shape:
        raise ValueError(f"{expected} with no axis of size 0; got {describe(value)}")


def check_shape(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    """`value` has this very shape."""
    if value.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {describe(value)}")


def check_theta_shape(theta, rows: int = 2) -> None:
    """`theta` is (B, rows, 3), floating point, with at least one transformation."""
    shape = f"(B, {rows}, 3)"
    check_floating("theta", theta, shape, 3)
    if theta.shape[1:] != (rows, 3):
        raise ValueError(f"theta must have shape {shape}; got {describe(theta)}")


def check_theta(theta, rows: int = 2) -> None:
    """`theta` is (B, rows, 3), floating point and finite (on a GPU this waits for its values)."""
    check_theta_shape(theta, rows)
    check_finite("theta", theta)


def are_points(value: Tensor) -> bool:
    """Whether a tensor (B, K, L) has the shape of n² control points, n at least 2."""
    count, last = value.shape[1:]
    return last == 2 and count >= 4 and math.isqrt(count) ** 2 == count


def check_points(points) -> None:
    """`points` are n² control points (B, n², 2) with n at least 2, floating point and finite."""
    shape = "(B, n², 2), n at least 2"
    check_floating("points", points, shape, 3)
    if not are_points(points):
        raise ValueError(f"points must have shape {shape}; got {describe(points)}")
    check_finite("points", points)


def check_batched(theta) -> None:
    """`theta` is floating point, (B, …), of any family."""
    if not isinstance(theta, Tensor) or not theta.is_floating_point() or theta.dim() == 0:
        raise TypeError(f"theta must be a floating-point tensor (B, …); got {describe(theta)}")


def is_known_theta(theta: Tensor) -> bool:
    """Whether a tensor has the shape of one of the families that `grids.grid_of` knows."""
    return theta.dim() == 3 and (theta.shape[1:] in ((2, 3), (3, 3)) or are_points(theta))


def check_any_theta(theta) -> None:
    """`theta` is floating point, and of a family that `grids.grid_of` knows."""
    shape = "(B, 2, 3), (B, 3, 3) or (B, n², 2)"
    check_floating("theta", theta, shape, 3)
    if not is_known_theta(theta):
        raise ValueError(f"theta must have shape {shape}; got {describe(theta)}")


def check_corners(corners, count: int) -> None:
    """`corners` is (B, count, 2), floating point and finite."""
    shape = f"(B, {count}, 2)"
    check_floating("corners", corners, shape, 3)
    if corners.shape[1:] != (count, 2):
        raise ValueError(f"corners must have shape {shape}; got {describe(corners)}")
    check_finite("corners", corners)


def check_grid_shape(grid) -> None:
    """`grid` is (B, H, W, 2), floating point."""
    check_floating("grid", grid, "(B, H, W, 2)", 4)
    if grid.shape[-1] != 2:
        raise ValueError(f"grid must have shape (B, H, W, 2), last axis x, y; got {describe(grid)}")


def check_grid(grid) -> None:
    """`grid` is (B, H, W, 2), floating point and finite (on a GPU this waits for its values)."""
    check_grid_shape(grid)
    check_finite("grid", grid)


def check_flow(flow) -> None:
    """`flow` is (B, H, W, 2), floating point and finite."""
    check_floating("flow", flow, "(B, H, W, 2)", 4)
    if flow.shape[-1] != 2:
        raise ValueError(f"flow must have shape (B, H, W, 2), last axis x, y; got {describe(flow)}")
    check_finite("flow", flow)


def check_images(input, name: str = "input") -> None:
    """`input` is (B, C, H, W), floating point, nothing empty."""
    if isinstance(input, Tensor) and not input.is_floating_point():
        raise TypeError(
            f"{name} must be a floating-point tensor of shape (B, C, H, W); got {describe(input)}. "
            "Convert it first, for example with .float() / 255"
        )
    check_floating(name, input, "(B, C, H, W)", 4)


def check_whole_numbers(name: str, value, axes: str) -> None:
    """`value` is a tuple or list of positive whole numbers, as many as `axes` names: "(H, W)"."""
    count = axes.count(",") + 1
    words = {2: "two", 4: "four"}[count]
    expected = f"{name} must be {words} positive whole numbers {axes}"
    if not isinstance(value, tuple | list):
        raise TypeError(f"{expected}; got {describe(value)}")
    if any(isinstance(n, bool) or not isinstance(n, int) for n in value):
        raise TypeError(f"{expected}; got {_short(tuple(value))}")
    if len(value) != count or min(value) < 1:
        raise ValueError(f"{expected}; got {_short(tuple(value))}")


def check_size(size) -> None:
    """`size` is (B, C, H, W), four positive whole numbers."""
    check_whole_numbers("size", size, "(B, C, H, W)")


def check_output_size(output_size) -> None:
    """`output_size` is (H', W'), two positive whole numbers, or None for the input's."""
    if output_size is not None:
        check_whole_numbers("output_size", output_size, "(H', W')")


def check_same(what: str, **tensors: Tensor) -> None:
    """All tensors agree in `what`: "dtype" or "device"."""
    found = {name: getattr(tensor, what) for name, tensor in tensors.items()}
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} has {value}" for name, value in found.items())
        raise TypeError(f"{' and '.join(found)} must have the same {what}; {listed}")


def check_antialias(antialias: bool, align_corners: bool, theta: Tensor) -> None:
    """A pyramid's levels differ in where their corner pixels lie; theta says which are read."""
    if antialias and align_corners:
        raise ValueError("antialias=True needs align_corners=False; got align_corners=True")
    if antialias and theta.shape[1:] != (2, 3):
        expected = "antialias=True needs an affine theta, (B, 2, 3)"
        raise ValueError(f"{expected}; got {describe(theta)}")


def check_head(head, outputs: int = 6) -> None:
    """`head` is a Linear layer with a bias and so many outputs, and has its weights already."""
    expected = f"the head must be a Linear layer with a bias and {outputs} outputs"
    if not isinstance(head, nn.Linear) or head.out_features != outputs or head.bias is None:
        raise ValueError(f"{expected}; got {_short(head)}")
    if is_lazy(head.weight):
        raise ValueError(f"{expected}; {head} has no weights yet: call localization on an input")
    if not {"weight", "bias"} <= dict(head.named_parameters(recurse=False)).keys():
        raise ValueError(f"{expected} of its own; {type(head).__name__} computes them from others")


def check_choice(name: str, value, choices) -> None:
    """`value` is one of `choices`."""
    if value not in tuple(choices):
        expected = f"{name} must be one of {', '.join(map(repr, choices))}"
        raise ValueError(f"{expected}; got {_short(value)}")


def check_positive(name: str, value, kind: type = int) -> None:
    """`value` is a number above zero, whole if `kind` is int."""
    kinds = int if kind is int else (int, float)
    wanted = "whole number" if kind is int else "number"
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"{name} must be a positive {wanted}; got {describe(value)}")
    if not value > 0:
        raise ValueError(f"{name} must be a positive {wanted}; got {value!r}")


def check_not_negative(name: str, value) -> None:
    """`value` is a finite number, 0 or above."""
    wanted = f"{name} must be a finite number from 0"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{wanted}; got {describe(value)}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{wanted}; got {value!r}")


def check_numbers(name: str, value) -> None:
    """`value` is a tuple or list of numbers, one at least."""
    numbers = value if isinstance(value, tuple | list) and value else [None]
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        raise TypeError(f"{name} must be a tuple of numbers; got {describe(value)}")


def check_scales(name: str, value) -> None:
    """`value` is a tuple or list of two finite numbers above 0, the smaller first."""
    wanted = f"{name} must be two finite numbers above 0, the smaller first"
    numbers = value if isinstance(value, tuple | list) else [None]
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        raise TypeError(f"{wanted}; got {describe(value)}")
    if len(value) != 2 or not 0 < value[0] <= value[1] < math.inf:
        raise ValueError(f"{wanted}; got {_short(value)}")


def check_lattice_side(name: str, value) -> None:
    """`value` is a whole number, 2 or above: points along one axis of a lattice."""
    check_positive(name, value)
    if value < 2:
        raise ValueError(
            f"{name} must be at least 2, for a lattice with both its ends; got {value}"
        )


def check_batch(name: str, value: Tensor, size) -> None:
    """`size` is (B, C, H, W), and `value` has the same B."""
    check_size(size)
    if len(value) != size[0]:
        raise ValueError(f"{name} has a batch of {len(value)}, size {tuple(size)} of {size[0]}")


def check_affine_grid(theta, size) -> None:
    """The arguments of `grids.affine_grid`."""
    check_theta(theta)
    check_batch("theta", theta, size)


def check_projective_grid(theta, size) -> None:
    """The arguments of `grids.projective_grid`."""
    check_theta(theta, rows=3)
    check_batch("theta", theta, size)


def check_spline_grid(points, size) -> None:
    """The arguments of `grids.thin_plate_spline_grid`."""
    check_points(points)
    check_batch("points", points, size)


def check_log_polar_grid(size, smallest) -> None:
    """`size` is (B, C, H, W), and `smallest` a radius between the middle, 0, and the rim, 1."""
    check_size(size)
    check_positive("smallest", smallest, kind=float)
    if smallest >= 1:
        raise ValueError(f"smallest must be less than 1, the rim; got {smallest!r}")


def check_grid_sample(input, grid, mode, padding_mode, modes, padding_modes) -> None:
    """The arguments of `samplers.grid_sample`."""
    check_images(input)
    check_grid_shape(grid)
    if grid.shape[0] != input.shape[0]:
        raise ValueError(f"input has a batch of {input.shape[0]}, grid of {grid.shape[0]}")
    check_same("dtype", input=input, grid=grid)
    check_same("device", input=input, grid=grid)
    check_grid(grid)
    check_choice("mode", mode, modes)
    check_choice("padding_mode", padding_mode, padding_modes)


def check_warp(input, theta, mode, padding_mode, modes, padding_modes) -> None:
    """The arguments of `samplers.warp`; the values of theta are not looked at, for speed.

    Where one has float64, so must the other; lower precisions are all computed in float32.
    """
    check_images(input)
    check_batched(theta)
    if (input.dtype == torch.float64) != (theta.dtype == torch.float64):
        check_same("dtype", input=input, theta=theta)
    check_same("device", input=input, theta=theta)
    check_choice("mode", mode, modes)
    check_choice("padding_mode", padding_mode, padding_modes)


def check_batches(lengths: list[int]) -> None:
    """All batches are of one length, but for those of 1, which serve for each."""
    if len(set(lengths) - {1}) > 1:
        found = ", ".join(map(str, lengths))
        raise ValueError(f"batches must be of one length, or of 1; got {found}")


def check_same_batch(theta: Tensor, input: Tensor) -> None:
    """There is a theta for each input, or one for all of them."""
    if len(theta) not in (1, len(input)):
        expected = f"theta must have a batch of 1 or of the input's {len(input)}"
        raise ValueError(f"{expected}; got {len(theta)}")
