"""FindLab: look for the digit with a box of your own, and then see the network's box."""

from torch import Tensor, nn

from stn_course.widgets.pilot_lab import PilotLab
from stn_course.widgets.scene import Box, Handle, Mark
from stn_course.widgets.steering import KEY_STEP
from stn_course.widgets.theta_scene import outline, window_handles
from stn_course.widgets.theta_sliders import WindowSliders


class FindLab(PilotLab):
    """Drag a box to the digit in each cluttered picture, and read it; then compare.

    images: pictures (N, 1, H, W) from 0 to 1, see `random_clutter`. classifier: takes what is read
    through the box, normalised (B, 1, *output_size). padding_mode: what lies outside the picture;
    "zeros" is black. All else is as in `PilotLab`.

    Theta is attention, [[s, 0, x], [0, s, y]] (paper, eq. 2): the box is s times as wide and high
    as the picture, around (x, y). Its centre moves it, its corner resizes it, and so do the sliders
    and the arrow keys.
    """

    kind_of_sliders = WindowSliders
    dots = False  # in a small box they would hide the digit
    picture_side = 240  # canvas pixels: 4 for each of 60
    invitation = "drag the box"
    show_words, hide_words = "Show the network's boxes", "Hide the network's boxes"

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        classifier: nn.Module,
        network: nn.Module,
        padding_mode: str = "zeros",
        device: str | None = None,
        output_size: tuple[int, int] = (28, 28),
        antialias: bool = True,
    ):
        reading = {"padding_mode": padding_mode, "output_size": output_size, "antialias": antialias}
        super().__init__(images, labels, classifier, network, device=device, **reading)

    def handles(self, panel: Box) -> list[Handle]:
        """The box's centre and its lower right corner."""
        return window_handles(self.sliders.theta, self._view(0), panel, KEY_STEP)

    def frame(self, theta: Tensor, colour: str, arrows: str | None = None) -> list[Mark]:
        """The box of a theta (1, 2, 3); it is never turned, so it needs no arrows."""
        return [outline(theta, self._view(0), colour)]

    def theta_in_words(self) -> str:
        """The box on the picture shown, as a sentence."""
        scale, x, y = (round(v.item(), 2) + 0.0 for v in self.sliders.to_parts(self.sliders.theta))
        return f"The box is {scale:g} times as wide as the picture, around x {x:g} and y {y:g}."

    def __repr__(self) -> str:
        return f"FindLab, {len(self.labels)} pictures: run this cell to look for the digits"
