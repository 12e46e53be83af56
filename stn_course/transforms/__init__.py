"""Build, compose, invert and read back theta; homographies; other libraries' matrices; folds.

Convention: theta is (B, 2, 3) and maps normalised output coordinates to normalised input
coordinates, (x, y) order, x to the right, y down. So a theta says where the output *reads*; the
picture moves the other way. Rotation is positive from the x axis towards the y axis: the sampling
grid turns clockwise on the screen and the picture anticlockwise. A homography's theta is (B, 3, 3)
and maps the same way, with a division by its third coordinate.

Builders take numbers, NumPy's too, or tensors of shape () or (B,), which broadcast against each
other; dtype and device are those of the tensors given, else torch's default dtype on the CPU. On an
image that is not square, normalised x and y have different units, and a rotation built here shears
the picture: build it in pixels and convert with `from_pixel_matrix`.
"""

from stn_course.transforms.folding import folded, jacobian_determinant
from stn_course.transforms.homographies import (
    from_corners,
    from_three_corners,
    is_convex,
    through_corners,
    to_corners,
)
from stn_course.transforms.pixels import from_pixel_matrix, normalised_to_pixels, to_pixel_matrix
from stn_course.transforms.theta import (
    Pose,
    attention,
    compose,
    from_matrix,
    from_pose,
    identity,
    inverse,
    nearest_affine,
    rotation,
    scale,
    shear,
    similarity,
    to_matrix,
    to_pose,
    translation,
)

__all__ = [
    "Pose",
    "attention",
    "compose",
    "folded",
    "from_corners",
    "from_matrix",
    "from_pixel_matrix",
    "from_pose",
    "from_three_corners",
    "identity",
    "inverse",
    "is_convex",
    "jacobian_determinant",
    "nearest_affine",
    "normalised_to_pixels",
    "rotation",
    "scale",
    "shear",
    "similarity",
    "through_corners",
    "to_corners",
    "to_matrix",
    "to_pixel_matrix",
    "to_pose",
    "translation",
]
