"""ThetaLab: sliders for theta, the sampling grid over the input, and what the output reads."""

import contextlib
import html
from collections.abc import Callable
from typing import ClassVar

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.device import available_devices, choose_device
from stn_course.plotting import sampling_grid
from stn_course.samplers import MODES, PADDING_MODES, warp
from stn_course.transforms import Pose, from_pose, identity, to_pose
from stn_course.validation import check_images, check_theta, describe
from stn_course.widgets.drawing import picture
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
STYLE, WIDTH = {"description_width": "7em"}, {"width": "28em"}
CHOICE_STYLE, CHOICE_WIDTH = {"description_width": "initial"}, {"width": "auto"}


def slider(label: str, low: float, high: float, step: float) -> ExactSlider:
    """A slider of the lab, at 0 where its range holds 0, else at 1."""
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


class ThetaLab(ipywidgets.VBox):
    """Sliders for the pose and for the six numbers of theta; both kinds always agree.

    image: (H, W), (1, H, W) or (3, H, W), floating point from 0 to 1, or uint8.
    output_size: (H', W'), by default the input's. mode, padding_mode, align_corners: as in
    `grid_sample`, the first choice shown. device: as in `choose_device`.
    readout: a function that is given the output (1, C, H', W') and returns a line to show.

    `theta`, a (1, 2, 3) tensor on the CPU, can be read and set; `figure()` is the lab as a still.
    """

    _parts: ClassVar[list[ipywidgets.Widget]] = []  # none while the lab is not made

    def __init__(
        self,
        image: Tensor,
        output_size: tuple[int, int] | None = None,
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        align_corners: bool = False,
        device: str | None = None,
        readout: Callable[[Tensor], str] | None = None,
    ):
        self.image = as_image(image)
        self.output_size = output_size or tuple(self.image.shape[-2:])
        self.readout = readout
        self._theta = identity()
        self._busy = False
        self._make_controls(mode, padding_mode, align_corners, choose_device(device).type)
        super().__init__(self._arranged())
        self._parts = [*self.controls, self._reset, self._picture, self._words]
        for control in self.controls:
            control.observe(self._changed, "value")
        self._reset.on_click(self._start_again)
        self.refresh()

    def _make_controls(self, mode, padding_mode, align_corners, device) -> None:
        self.pose_sliders = {name: slider(*rest) for name, rest in POSE.items()}
        self.number_sliders = [
            slider(f"theta[{row}, {column}]", -4, 4, 0.01)
            for row in range(2)
            for column in range(3)
        ]
        choices = {
            "mode": (MODES, mode),
            "padding_mode": (PADDING_MODES, padding_mode),
            "align_corners": ((False, True), align_corners),
            "device": (available_devices(), device),
        }
        self._first_choices = {name: value for name, (_, value) in choices.items()}
        self.choices = {
            name: ipywidgets.Dropdown(
                options=options,
                value=value,
                description=name,
                style=CHOICE_STYLE,
                layout=CHOICE_WIDTH,
            )
            for name, (options, value) in choices.items()
        }
        self._reset = ipywidgets.Button(description="Reset", tooltip="all as it was at first")
        self._picture = ipywidgets.Image(format="png")
        self._words = ipywidgets.HTML(layout={"width": "15em"})

    @property
    def sliders(self) -> list[ExactSlider]:
        """The sliders of both kinds."""
        return [*self.pose_sliders.values(), *self.number_sliders]

    @property
    def controls(self) -> list[ipywidgets.Widget]:
        """Everything that has a value the learner can change."""
        return [*self.sliders, *self.choices.values()]

    def _arranged(self) -> list[ipywidgets.Widget]:
        wrap = {"flex_flow": "row wrap"}
        pose = ipywidgets.VBox(list(self.pose_sliders.values()))
        numbers = ipywidgets.VBox(self.number_sliders)
        return [
            ipywidgets.HBox([self._picture, self._words], layout=wrap),
            ipywidgets.HBox([pose, numbers], layout=wrap),
            ipywidgets.HBox([self._reset, *self.choices.values()], layout=wrap),
        ]

    @property
    def theta(self) -> Tensor:
        """The transformation shown, (1, 2, 3), output -> input; a copy."""
        return self._theta.clone()

    @theta.setter
    def theta(self, theta: Tensor) -> None:
        theta = torch.as_tensor(theta, dtype=torch.float32).detach().cpu()
        theta = theta[None] if theta.dim() == 2 else theta
        check_theta(theta)
        if len(theta) != 1:
            raise ValueError(f"theta must be one transformation (1, 2, 3); got {describe(theta)}")
        self._theta = theta.clone()
        self.refresh()

    def _changed(self, change) -> None:
        if self._busy:  # the lab itself moved this slider to keep both kinds in agreement
            return
        for control in self.sliders:
            control.in_hand = control is change["owner"]
        if change["owner"] in self.number_sliders:
            self._theta = torch.tensor([s.value for s in self.number_sliders]).reshape(1, 2, 3)
        elif change["owner"] in self.pose_sliders.values():
            self._theta = from_pose(**{name: s.value for name, s in self.pose_sliders.items()})
        self.refresh()

    def _start_again(self, _) -> None:
        with self._quiet():
            for name, value in self._first_choices.items():
                self.choices[name].value = value
        self.theta = identity()
        for control in self.sliders:
            control.restore_range()

    def refresh(self) -> None:
        """Bring sliders, picture and words into agreement with theta."""
        pose = to_pose(self._theta)
        with self._quiet():
            for control, number in zip(self.number_sliders, self._theta.flatten(), strict=True):
                control.show(number.item())
            self._show_pose(pose)
        try:
            output = self.output()
            self._picture.value = picture(
                self.image, self._theta, output[0], self.choices["align_corners"].value
            )
            self._words.value = self._described(pose, output)
        except Exception as error:  # shown in the lab: a callback's traceback would be lost
            self._words.value = f'<p role="alert">{html.escape(f"{error!r}")}</p>'

    def _show_pose(self, pose: Pose) -> None:
        """Move the pose sliders; where theta has no pose, they rest and cannot be moved."""
        known = all(torch.isfinite(part).all() for part in pose)
        for name, control in self.pose_sliders.items():
            control.disabled = not known
            if known:
                value = getattr(pose, name).item()
                control.show(nearest_turn(value, control) if name == "rotation" else value)

    @contextlib.contextmanager
    def _quiet(self):
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def output(self) -> Tensor:
        """What the grid reads at present, (1, C, H', W'), computed on the device chosen."""
        device = self.choices["device"].value
        options = {n: c.value for n, c in self.choices.items() if n != "device"}
        image, theta = self.image[None].to(device), self._theta.to(device)
        return warp(image, theta, self.output_size, **options).cpu()

    def _described(self, pose: Pose, output: Tensor) -> str:
        rows = "\n".join("  ".join(f"{v:+.2f}" for v in row) for row in self._theta[0].tolist())
        lines = [in_words(pose)]
        if self.readout is not None:
            lines.append(self.readout(output))
        texts = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        return f"<pre>theta =\n{rows}</pre>{texts}"

    def figure(self, title: str = "") -> Figure:
        """The lab as it stands, as a still figure for readers without a kernel."""
        options = {n: c.value for n, c in self.choices.items() if n != "device"}
        return sampling_grid(self.image, self._theta, self.output_size, title=title, **options)

    def close(self) -> None:
        """Free the observers and every widget of the lab."""
        for widget in self._parts:
            widget.unobserve_all()
            widget.close()
        self._parts = []
        super().close()

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        size = f"{height}×{width} → {self.output_size[0]}×{self.output_size[1]} pixels"
        return f"ThetaLab, {size}: run this cell to get its sliders"


def nearest_turn(degrees: float, control: ExactSlider) -> float:
    """The same angle plus whole turns, as near to where the slider stands as its range allows."""
    other = degrees + 360 * round((control.value - degrees) / 360)
    return other if control.min <= other <= control.max else degrees


def in_words(pose: Pose) -> str:
    """A pose as a sentence, for the text alternative."""
    if not all(torch.isfinite(part).all() for part in pose):
        return "This theta squeezes the grid into a line: it has no pose and no inverse."
    r, sx, sy, shear, x, y = (round(part.item(), 2) + 0.0 for part in pose)
    return (
        f"The grid is turned {r:g} degrees, scaled {sx:g} in x and {sy:g} in y, sheared {shear:g}, "
        f"moved {x:g} in x and {y:g} in y."
    )


def as_image(image: Tensor) -> Tensor:
    """A learner's image as (C, H, W), floating point from 0 to 1, C 1 or 3."""
    if not isinstance(image, Tensor):
        raise TypeError(f"image must be a tensor; got {describe(image)}")
    if image.dtype == torch.uint8:
        image = image.float() / 255
    image = image[None] if image.dim() == 2 else image
    if image.dim() != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"image must be (H, W), (1, H, W) or (3, H, W); got {describe(image)}")
    check_images(image[None], "image")
    return image.float()
