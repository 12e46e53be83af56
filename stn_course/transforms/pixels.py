"""Theta as a matrix in pixels, as OpenCV takes it, and back."""

import torch
from torch import Tensor

from stn_course.transforms.theta import from_matrix, inverse, to_matrix
from stn_course.validation import check_choice, check_theta


def normalised_to_pixels(size: tuple[int, int], align_corners: bool = False, **options) -> Tensor:
    """The 3×3 matrix from normalised to pixel coordinates of an image.

    Args:
        size: (H, W) of the image.
        align_corners: what -1 and 1 are.
        **options: dtype, device.

    Returns:
        (3, 3), on (x, y, 1); pixel (0, 0) is the centre of the top-left pixel.

    Raises:
        ValueError: `align_corners=True` and a single pixel along an axis.

    Example:
        >>> normalised_to_pixels((2, 4))  # x = -1 becomes 1.5 - 2, an edge
        tensor([[2.0000, 0.0000, 1.5000],
                [0.0000, 1.0000, 0.5000],
                [0.0000, 0.0000, 1.0000]])
    """
    height, width = size
    matrix = torch.eye(3, **options)
    for axis, n in enumerate((width, height)):
        if align_corners and n < 2:
            raise ValueError(f"align_corners=True needs 2 pixels or more on each axis; got {size}")
        half = (n - 1) / 2 if align_corners else n / 2
        matrix[axis, axis], matrix[axis, 2] = half, (n - 1) / 2
    return matrix


def to_pixel_matrix(
    theta: Tensor,
    input_size: tuple[int, int],
    output_size: tuple[int, int] | None = None,
    align_corners: bool = False,
    direction: str = "input_to_output",
) -> Tensor:
    """Theta as OpenCV's `warpAffine` takes it: a matrix in pixels, x before y.

    Args:
        theta: (B, 2, 3).
        input_size: (H, W).
        output_size: (H, W), by default the input's.
        align_corners: what -1 and 1 are to theta.
        direction: "input_to_output", OpenCV's own; or "output_to_input", for its WARP_INVERSE_MAP.

    Returns:
        (B, 2, 3), on pixels (x, y, 1).

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity, an unknown direction, or no inverse.

    Example:
        >>> half_to_the_right = torch.tensor([[[1.0, 0, 1], [0, 1, 0]]])
        >>> to_pixel_matrix(half_to_the_right, (28, 28))  # 14 to the left
        tensor([[[  1.,   0., -14.],
                 [  0.,   1.,   0.]]])
    """
    check_choice("direction", direction, ("input_to_output", "output_to_input"))
    options = {"dtype": theta.dtype, "device": theta.device}
    source = normalised_to_pixels(input_size, align_corners, **options)
    target = normalised_to_pixels(output_size or input_size, align_corners, **options)
    matrix = from_matrix(source @ to_matrix(theta) @ _affine_inverse(target))
    return matrix if direction == "output_to_input" else inverse(matrix)


def from_pixel_matrix(
    matrix: Tensor,
    input_size: tuple[int, int],
    output_size: tuple[int, int] | None = None,
    align_corners: bool = False,
    direction: str = "input_to_output",
) -> Tensor:
    """Theta from a matrix in pixels, the way back from `to_pixel_matrix`.

    Args:
        matrix: (B, 2, 3), on pixels (x, y, 1).
        input_size: (H, W).
        output_size: (H, W), by default the input's.
        align_corners: what -1 and 1 are to theta.
        direction: of the matrix, "input_to_output" or "output_to_input".

    Returns:
        (B, 2, 3), output -> input, normalised.

    Raises:
        TypeError: matrix is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity, an unknown direction, or no inverse.

    Example:
        >>> fourteen_to_the_left = torch.tensor([[[1.0, 0, -14], [0, 1, 0]]])
        >>> from_pixel_matrix(fourteen_to_the_left, (28, 28))
        tensor([[[1., 0., 1.],
                 [0., 1., 0.]]])
    """
    check_choice("direction", direction, ("input_to_output", "output_to_input"))
    check_theta(matrix)
    options = {"dtype": matrix.dtype, "device": matrix.device}
    source = normalised_to_pixels(input_size, align_corners, **options)
    target = normalised_to_pixels(output_size or input_size, align_corners, **options)
    pixels = matrix if direction == "output_to_input" else inverse(matrix)
    return from_matrix(_affine_inverse(source) @ to_matrix(pixels) @ target)


def _affine_inverse(matrix: Tensor) -> Tensor:
    """The inverse of one affine 3×3 matrix, as affine exactly."""
    return to_matrix(inverse(matrix[None, :2]))[0]
