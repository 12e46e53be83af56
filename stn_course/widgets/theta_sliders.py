"""Twelve sliders for one theta: six of its pose, six numbers; both kinds always agree."""

import asyncio
import contextlib
import math
from collections.abc import Callable

import torch
from torch import Tensor

from stn_course.transforms import Pose, attention, from_pose, identity, inverse, to_pose
from stn_course.validation import check_theta, describe
from stn_course.widgets.exact_slider import ExactSlider

# What a slider is called, and from where to where it goes at first: it widens when theta does.
POSE = {
    "rotation": ("rotation, °", -180, 180, 1),
    "scale_x": ("scale x", 0.1, 2.5, 0.01),
    "scale_y": ("scale y", 0.1, 2.5, 0.01),
    "shear": ("shear", -1, 1, 0.01),
    "x": ("translation x", -2, 2, 0.01),
    "y": ("translation y", -2, 2, 0.01),
}
SMALLEST = 0.1  # the scale of a window that sliders and handles may reach
WINDOW = {
    "scale": ("scale", SMALLEST, 1.5, 0.01),
    "x": ("translation x", -1, 1, 0.01),
    "y": ("translation y", -1, 1, 0.01),
}
PAINTING_SECONDS = 0.03  # how long sliders wait for the browser to paint the picture first
STYLE, WIDTH = {"description_width": "7em"}, {"width": "28em"}
COLUMNS = {"x": 0, "y": 1, "centre": 2}  # of theta: what each handle of the frame moves


def slider(label: str, low: float, high: float, step: float) -> ExactSlider:
    """A slider of a lab, at 0 where its range holds 0, else at 1."""
    return ExactSlider(
        0 if low <= 0 else 1,
        min=low,
        max=high,
        step=step,
        description=label,
        style=STYLE,
        readout_format=".0f" if step == 1 else ".2f",
        layout=WIDTH,
    )


class ThetaSliders:
    """The sliders and the theta that they show, kept in double precision, (1, 2, 3).

    parts: what the sliders of the pose are called, and their ranges, as `slider` takes them.
    paint: called when a hand has moved a slider, with `theta` already the new one; it is expected
    to end in `settle`, which brings the other sliders after.
    """

    parts = POSE

    def __init__(self, paint: Callable[[], None]):
        self.pose = {name: slider(*rest) for name, rest in self.parts.items()}
        self.numbers = [
            slider(f"theta[{row}, {column}]", -4, 4, 0.01)
            for row in range(2)
            for column in range(3)
        ]
        self.theta = identity(dtype=torch.float64)
        self._pulled: Tensor | None = None  # the frame as a hand has it, without an inverse, too
        self.paint = paint
        self._busy = False
        self._waiting = contextlib.ExitStack()
        self._wait = False
        self.settle()
        for control in self.all:
            control.observe(self._follow_hand, "value")

    @property
    def all(self) -> list[ExactSlider]:
        """The sliders of both kinds."""
        return [*self.pose.values(), *self.numbers]

    def set(self, theta: Tensor) -> None:
        """Take over one transformation, (2, 3) or (1, 2, 3); `settle` then shows it."""
        theta = torch.as_tensor(theta, dtype=torch.float64).detach().cpu()
        theta = theta[None] if theta.dim() == 2 else theta
        self.check(theta)
        self.theta = theta.clone()
        self.let_go()

    def check(self, theta: Tensor) -> None:
        """Theta is one transformation that these sliders can show."""
        check_theta(theta)
        if len(theta) != 1:
            raise ValueError(f"theta must be one transformation (1, 2, 3); got {describe(theta)}")

    def pull(self, handle: str, vector: Tensor, of_inverse: bool = False) -> None:
        """Move a handle of the frame by a normalised (x, y): add it to that column of theta.

        of_inverse: the handle is one of the moved picture's, so the column is the inverse's.
        """
        frame = self._pulled
        if frame is None:
            frame = undone(self.theta) if of_inverse else self.theta.clone()
        if frame is None:
            return  # the picture has no frame to take hold of
        frame[0, :, COLUMNS[handle]] += vector
        theta = undone(frame) if of_inverse else frame
        if theta is not None:  # a picture squeezed into a line: the hand goes on, theta waits
            self.set(theta)
        self._pulled = frame

    def let_go(self) -> None:
        """The hand has let go of the handle: the next pull begins at theta."""
        self._pulled = None

    def _follow_hand(self, change) -> None:
        """The sliders of one kind say what theta is."""
        if self._busy:  # moved by `settle`, not by a hand
            return
        if change["owner"] in self.numbers:
            numbers = [s.value for s in self.numbers]
            self.set(torch.tensor(numbers, dtype=torch.float64).reshape(1, 2, 3))
        else:
            self.set(self._theta_of_pose())
        self.paint()

    def from_parts(self, **values) -> Tensor:
        """Theta of what the pose's sliders say."""
        return from_pose(**values)

    def to_parts(self, theta: Tensor) -> tuple:
        """The way back: a value for each slider of the pose, in their order."""
        return read_pose(theta)

    def _theta_of_pose(self) -> Tensor:
        """Theta as the pose's sliders say it."""
        values = {n: torch.tensor(s.value, dtype=torch.float64) for n, s in self.pose.items()}
        return self.from_parts(**values)

    def settle(self) -> None:
        """Bring all sliders into agreement with theta; without a pose, the pose's sliders rest.

        Where they say this theta already, they stay: 180 and -180 degrees are the same turn.
        """
        self._send_after_the_picture()
        known = undone(self.theta) is not None
        said = torch.allclose(self._theta_of_pose(), self.theta, rtol=0, atol=1e-9)
        with self._quiet():
            for control, number in zip(self.numbers, self.theta.flatten(), strict=True):
                control.show(number.item())
            for control, part in zip(self.pose.values(), self.to_parts(self.theta), strict=True):
                control.disabled, control.readout = not known, known
                if known and not said:
                    control.show(part.item())

    def _send_after_the_picture(self) -> None:
        """Hold what the sliders send for a moment, and send it together.

        Their dozen messages would keep the browser from painting. Without an event loop, outside
        of a kernel, nothing waits.
        """
        if self._wait:
            return
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().call_later(PAINTING_SECONDS, self._send)
            self._wait = True
            for control in self.all:
                self._waiting.enter_context(control.hold_sync())

    def _send(self) -> None:
        self._wait = False
        self._waiting.close()

    def restore_ranges(self) -> None:
        """The first ranges again, as far as the present theta allows."""
        with self._quiet():
            for control in self.all:
                control.restore_range()

    @contextlib.contextmanager
    def _quiet(self):
        self._busy = True
        try:
            yield
        finally:
            self._busy = False


class WindowSliders(ThetaSliders):
    """Sliders for attention, a window that is never turned: its scale and its centre."""

    parts = WINDOW

    def check(self, theta: Tensor) -> None:
        """Theta is one window, as `transforms.attention` makes it."""
        super().check(theta)
        scale = theta[0, 0, 0].item()
        if not torch.allclose(theta[0, :, :2], scale * torch.eye(2).to(theta)) or scale < SMALLEST:
            raise ValueError(
                f"theta must be [[s, 0, x], [0, s, y]] with s at least {SMALLEST}; "
                f"got {theta[0].tolist()}"
            )

    def from_parts(self, **values) -> Tensor:
        """Theta of scale, x and y."""
        return attention(**values)

    def to_parts(self, theta: Tensor) -> tuple:
        """Scale, x and y of theta."""
        return theta[0, 0, 0], theta[0, 0, 2], theta[0, 1, 2]

    def pull(self, handle: str, vector: Tensor, of_inverse: bool = False) -> None:
        """Move the window's centre by a normalised (x, y), or its corner, and so its sides.

        The window stays square: the corner goes along its diagonal, as near to the hand as it can.
        """
        frame = self.theta.clone() if self._pulled is None else self._pulled
        if handle == "corner":
            frame[0, :, :2] += torch.diag(vector)
        else:
            frame[0, :, 2] += vector
        scale = frame[0, :, :2].diagonal().mean().clamp(min=SMALLEST)
        self.set(attention(scale, *frame[0, :, 2]))
        self._pulled = frame  # a hand that comes back from too small a window has lost nothing


def undone(theta: Tensor) -> Tensor | None:
    """The inverse of (1, 2, 3), or None where theta squeezes the plane into a line, or almost.

    Almost: the columns' parallelogram has less than a millionth of the area of their rectangle.
    """
    x, y = theta[0, :, 0], theta[0, :, 1]
    area = (x[0] * y[1] - x[1] * y[0]).abs()
    if min(x.norm(), y.norm()) < 1e-6 or area < 1e-6 * x.norm() * y.norm():
        return None
    return inverse(theta)


def read_pose(theta: Tensor) -> Pose:
    """Theta (1, 2, 3) read back into a pose that turns a mirror image by 90 degrees at most.

    A mirrored theta has two poses: half a turn more, and both scales negated, is the same.
    """
    pose = to_pose(theta)
    turn = pose.rotation.item()
    if pose.scale_y.item() > 0 or not abs(turn) > 90:
        return pose
    scales = {"scale_x": -pose.scale_x, "scale_y": -pose.scale_y}
    return pose._replace(rotation=pose.rotation - math.copysign(180, turn), **scales)
