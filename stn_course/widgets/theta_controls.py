"""The sliders of a theta: of its pose and of its six numbers; the browser keeps them in step."""

import ipywidgets
import torch
from torch import Tensor

from stn_course.validation import check_theta, describe

# What a slider is called, and from where to where it goes at first: it widens when theta does.
POSE = {
    "rotation": ("rotation, °", -180, 180, 1),
    "scale_x": ("scale x", 0.1, 2.5, 0.01),
    "scale_y": ("scale y", 0.1, 2.5, 0.01),
    "shear": ("shear", -1, 1, 0.01),
    "x": ("translation x", -2, 2, 0.01),
    "y": ("translation y", -2, 2, 0.01),
}
NUMBERS = {
    f"theta{row}{column}": (f"theta[{row}, {column}]", -4, 4, 0.01)
    for row in range(2)
    for column in range(3)
}
STYLE, WIDTH = {"description_width": "7em"}, {"width": "28em", "max_width": "100%"}


def lab_slider(label: str, low: float, high: float, step: float) -> ipywidgets.FloatSlider:
    """A slider of a lab, at 0 where its range holds 0, else at 1."""
    return ipywidgets.FloatSlider(
        0 if low <= 0 else 1,
        min=low,
        max=high,
        step=step,
        description=label,
        style=STYLE,
        readout_format=".0f" if step == 1 else ".2f",
        layout=WIDTH,
    )


def lab_sliders(table: dict[str, tuple]) -> dict[str, ipywidgets.FloatSlider]:
    """A slider for each entry of a table such as POSE, by its name."""
    return {name: lab_slider(*rest) for name, rest in table.items()}


def one_theta(theta: Tensor) -> Tensor:
    """What a learner sets as a lab's theta, (2, 3) or (1, 2, 3), as (1, 2, 3) in float64."""
    theta = torch.as_tensor(theta, dtype=torch.float64).detach().cpu()
    theta = theta[None] if theta.dim() == 2 else theta
    check_theta(theta)
    if len(theta) != 1:
        raise ValueError(f"theta must be one transformation (1, 2, 3); got {describe(theta)}")
    return theta
