"""What is known of a transformer beside the error: does it undo a turn, does it find a digit?"""

from collections.abc import Callable

from torch import Tensor

from stn_course.alignment import undoing
from stn_course.comparison.conditions import measure_window
from stn_course.transforms import nearest_affine, to_pose

Measure = Callable[[Tensor, Tensor, int], dict[str, float]]


def nothing(theta: Tensor, told: Tensor, size: int) -> dict[str, float]:
    """The error alone is of interest."""
    return {}


def undone_turn(theta: Tensor, told: Tensor, size: int) -> dict[str, float]:
    """How well grids of any family undo a turn, told in degrees (B,), or first in a pose (B, 4)."""
    turn = to_pose(nearest_affine(theta)).rotation
    correlation, slope, left_over = undoing(told.view(len(told), -1)[:, 0], turn)
    return {"correlation": correlation, "slope": slope, "degrees left over": left_over}


def found_window(theta: Tensor, told: Tensor, size: int) -> dict[str, float]:
    """How well grids find digits, whose boxes (B, 4) are told in pixels."""
    return measure_window(theta, told, (size, size))
