"""FindLab: look for the digit with a box of your own, and then see the network's box."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from stn_course.widgets.pilot_lab import PilotLab

SMALLEST = 0.1  # the scale of a box that sliders and handles may reach


class FindLab(PilotLab):
    """Drag a box to the digit in each cluttered picture, and read it; then compare.

    images: pictures (N, 1, H, W) from 0 to 1, see `random_clutter`. classifier: takes what is read
    through the box, normalised (B, 1, *output_size). padding_mode: what lies outside the picture;
    "zeros" is black. All else is as in `PilotLab`.

    Theta is attention, [[s, 0, x], [0, s, y]] (paper, eq. 2): the box is s times as wide and high
    as the picture, around (x, y). Its centre moves it, its corner resizes it, and so do the sliders
    and the arrow keys.
    """

    module = "find_lab.js"
    sliders: ClassVar[dict[str, tuple]] = {
        "scale": ("scale", SMALLEST, 1.5, 0.01),
        "x": ("translation x", -1, 1, 0.01),
        "y": ("translation y", -1, 1, 0.01),
    }
    invitation = "drag the box"
    buttons = "Show the network's boxes", "Hide the network's boxes"
    picture_side = 240  # canvas pixels: 4 for each of 60
    arrows = False

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

    def _data(self) -> dict:
        return super()._data() | {"smallest": SMALLEST}

    def check(self, thetas: Tensor) -> None:
        """Each theta is one window, as `transforms.attention` makes it."""
        super().check(thetas)
        scales = thetas[:, 0, 0]
        square = scales[:, None, None] * torch.eye(2, dtype=thetas.dtype)
        wrong = ((thetas[:, :, :2] - square).abs() > 1e-6).flatten(1).any(dim=1)
        wrong |= scales < SMALLEST - 1e-9
        if wrong.any():
            raise ValueError(
                f"theta must be [[s, 0, x], [0, s, y]] with s at least {SMALLEST}; "
                f"got {thetas[wrong][0].tolist()}"
            )

    def __repr__(self) -> str:
        return f"FindLab, {len(self.labels)} pictures: run this cell to look for the digits"
