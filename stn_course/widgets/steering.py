"""What the labs share in which a hand steers a theta: sliders, handles, the state in words."""

import torch
from torch import Tensor

from stn_course.widgets.lab import Lab
from stn_course.widgets.theta_scene import View
from stn_course.widgets.theta_sliders import ThetaSliders, read_pose, undone

REACH = 2.0  # a frame lies in a panel of this many times the image's size, or more
KEY_STEP = 0.02  # normalised: how far an arrow key moves a handle


class SteeringLab(Lab):
    """A lab with one theta, which sliders and the handles of a frame move.

    kind_of_sliders: which thetas they can make.
    """

    kind_of_sliders = ThetaSliders

    def __init__(self):
        super().__init__()
        self.sliders = self.kind_of_sliders(self.paint)
        self.canvas.on_move(self._drag)
        self.canvas.on_release(self.sliders.let_go)

    @property
    def theta(self) -> Tensor:
        """The transformation shown, (1, 2, 3), output -> input; a copy."""
        return self.sliders.theta.float()

    @theta.setter
    def theta(self, theta: Tensor) -> None:
        self.sliders.set(theta)
        self.paint()

    def grip(self) -> tuple[View, bool]:
        """The view that the handles lie in, and whether their frame is theta's inverse."""
        raise NotImplementedError

    def paint(self, _=None) -> None:
        """The picture first, for the eye waits for it; then the sliders."""
        super().paint()
        self.sliders.settle()

    def _drag(self, handle: str, dx: float, dy: float) -> None:
        with self.errors_shown():
            view, of_inverse = self.grip()
            vector = torch.tensor([dx / view.unit[0], dy / view.unit[1]], dtype=torch.float64)
            self.sliders.pull(handle, vector, of_inverse)
            self.paint()


def in_words(what: str, matrix: Tensor) -> str:
    """The state of a frame (1, 2, 3) as a sentence, for the text alternative."""
    if undone(matrix) is None:
        return f"{what} is squeezed into a line: this theta has no pose and no inverse."
    r, sx, sy, shear, x, y = (round(part.item(), 2) + 0.0 for part in read_pose(matrix))
    return (
        f"{what} is rotated {r:g} degrees, scaled by {sx:g} in x and {sy:g} in y, sheared by "
        f"{shear:g}, and moved by {x:g} in x and {y:g} in y."
    )
