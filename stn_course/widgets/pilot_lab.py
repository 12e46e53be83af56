"""PilotLab: be the localization network, digit by digit, and then see the network's own theta."""

import copy

import ipywidgets
import torch
from torch import Tensor, nn

from stn_course.data import normalise
from stn_course.device import available_devices, choose_device
from stn_course.plotting.drawing import COLOURS
from stn_course.samplers import warp
from stn_course.training.transformers import answers_to
from stn_course.transforms import identity
from stn_course.validation import check_images, check_output_size
from stn_course.widgets.images import to_rgba
from stn_course.widgets.lab import choice
from stn_course.widgets.scene import Box, Handle, Image, Label, Mark, Note, Panel, Scene, rectangle
from stn_course.widgets.steering import KEY_STEP, REACH, SteeringLab, in_words
from stn_course.widgets.theta_scene import (
    View,
    frame,
    frame_handles,
    image_box,
    matrix_text,
    sampling_dots,
    view_of,
)

SIDE, GAP, TOP = 252, 16, 26  # canvas pixels: 9 for each of a digit's 28; between; for titles
BARS = 240  # how wide the panel of the classifier's shares is
THUMB = 56  # of each digit in the row of scores


class PilotLab(SteeringLab):
    """Steer theta until a classifier is certain, one digit after the other; then compare.

    images: distorted digits (N, 1, H, W) from 0 to 1. labels: what they are, (N,).
    classifier: takes normalised images (B, 1, H', W'), gives log-probabilities (B, 10).
    network: a spatial transformer for normalised images, or a network with one in it; that keeps
    the theta it has chosen in its attribute `theta`, as `SpatialTransformer` and `TutorialNet` do.
    padding_mode: as in `grid_sample`. device: as in `choose_device`. output_size: (H', W') of what
    the classifier is given, by default the images'. antialias: as in `warp`. Both networks are
    copied, so training them on changes nothing here.

    The score is the probability that the classifier gives to the right digit, summed over all
    digits. `theta` (1, 2, 3), of the digit shown, can be read and set; `thetas` (N, 2, 3) are all.
    """

    invitation = "steer the frame"
    show_words, hide_words = "Show the network's theta", "Hide the network's theta"
    dots = True  # where the outputs' pixels read
    picture_side = SIDE / REACH * 1.2  # canvas pixels; around it there is room for the frame

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        classifier: nn.Module,
        network: nn.Module,
        padding_mode: str = "border",
        device: str | None = None,
        output_size: tuple[int, int] | None = None,
        antialias: bool = False,
    ):
        check_images(images, "images")
        check_output_size(output_size)
        if len(labels) != len(images):
            raise ValueError(f"images and labels must pair; got {len(images)} and {len(labels)}")
        self.images, self.labels, self.antialias = images.cpu(), labels.cpu(), antialias
        self.output_size = tuple(output_size or images.shape[-2:])
        self.padding_mode = padding_mode
        self._networks = [copy.deepcopy(model).eval() for model in (classifier, network)]
        self.thetas = identity(len(images), dtype=torch.float64)
        self.device = choice("device", available_devices(), choose_device(device).type)
        names = [(f"{i + 1} of {len(images)}", i) for i in range(len(images))]
        self.digit = choice("digit", names, 0)
        self.next = ipywidgets.Button(description="Next digit")
        self.reset = ipywidgets.Button(description="Reset this digit")
        self.compare = ipywidgets.ToggleButton(description=self.show_words)
        self.compare.layout.width = "auto"
        super().__init__()
        self.hidden = self.sliders.numbers
        self._take_networks()
        self._connect()

    def _connect(self) -> None:
        self.next.on_click(self._next)
        self.reset.on_click(self._reset)
        self.digit.observe(self._new_digit, "value")
        self.compare.observe(self._compared, "value")
        self.device.observe(self._new_device, "value")
        self._new_digit()
        sliders = list(self.sliders.pose.values())
        columns = [ipywidgets.VBox(sliders[i : i + 3]) for i in range(0, len(sliders), 3)]
        buttons = [self.digit, self.next, self.reset, self.compare, self.device]
        self.arrange(buttons, columns)

    def paint(self, _=None) -> None:
        """The digit shown keeps its theta."""
        self.thetas[self.digit.value] = self.sliders.theta[0]
        super().paint()

    def grip(self) -> tuple[View, bool]:
        """The handles lie on theta's frame over the input."""
        return self._view(0), False

    def _next(self, _) -> None:
        self.digit.value = (self.digit.value + 1) % len(self.images)

    def _reset(self, _) -> None:
        self.theta = identity()
        self.sliders.restore_ranges()

    def _new_digit(self, _=None) -> None:
        self.canvas.images = {"input": to_rgba(self.images[self.digit.value])}
        self.theta = self.thetas[self.digit.value]

    def _compared(self, _) -> None:
        self.compare.description = self.hide_words if self.compare.value else self.show_words
        self.paint()

    def _new_device(self, _) -> None:
        with self.errors_shown():
            self._take_networks()
        self.paint()

    @torch.no_grad()
    def _take_networks(self) -> None:
        """Move the networks to the device chosen, and ask for the network's thetas."""
        self.classifier, network = (model.to(self.device.value) for model in self._networks)
        _, called = answers_to(network, normalise(self.images.to(self.device.value)))
        if not called:
            raise ValueError("network must be or hold a spatial transformer; no theta was chosen")
        self.network_thetas = called[0].theta.double().cpu()

    @torch.no_grad()
    def judge(self, thetas: Tensor) -> tuple[Tensor, Tensor]:
        """Through thetas (N, 2, 3): the outputs (N, 1, H', W'), the probabilities (N, 10)."""
        device = self.device.value
        images, thetas = self.images.to(device), thetas.to(device, self.images.dtype)
        options = {"padding_mode": self.padding_mode, "antialias": self.antialias}
        outputs = warp(images, thetas, self.output_size, **options)
        return outputs.cpu(), self.classifier(normalise(outputs)).exp().cpu()

    def score(self, thetas: Tensor) -> float:
        """The probability of the right digit, summed over the digits: 0 to N."""
        return self._of_the_right(self.judge(thetas)[1]).sum().item()

    def _of_the_right(self, shares: Tensor) -> Tensor:
        return shares[torch.arange(len(self.labels)), self.labels]

    def _box(self, panel: int) -> Box:
        return Box(panel * (SIDE + GAP), TOP, SIDE, SIDE)

    def _view(self, panel: int) -> View:
        centre = panel * (SIDE + GAP) + SIDE / 2, TOP + SIDE / 2
        if panel == 0:
            return view_of(self.images.shape[-2:], centre, self.picture_side, False)
        return view_of(self.output_size, centre, SIDE, False)

    def scene(self) -> Scene:
        """The digit with the grid, what the classifier sees, what it says; below, the scores."""
        outputs, shares = self.judge(self.thetas)
        shown = self.digit.value
        first, second = self._box(0), self._box(1)
        rows = 2 if self.compare.value else 1
        width, height = 2 * (SIDE + GAP) + BARS, TOP + SIDE + GAP + rows * (THUMB + 24)
        right = self.labels[shown].item()
        marks = [*self.titles(right), *bars(shares[shown], right)]
        marks += self._thumbnails(outputs, shares)
        box = image_box(self.output_size, self._view(1), False)
        panels = [
            Panel(Box(0, 0, width, height), marks, "white"),
            Panel(first, self._input_marks()),
            Panel(second, [Image(box, to_rgba(outputs[shown]))]),
        ]
        notes, words = self._notes(shares), self._in_words(shares)
        return Scene(width, height, panels, self.handles(first), notes, words)

    def titles(self, right: int) -> list[Label]:
        """What stands above the three panels; right: the digit that is shown."""
        words = f"{self.invitation}: this is {a_digit(right)}"
        return [
            Label(words, SIDE / 2, TOP / 2),
            Label("what the classifier sees", SIDE + GAP + SIDE / 2, TOP / 2),
            Label("its certainty (right digit framed)", 2 * (SIDE + GAP) + BARS / 2, TOP / 2),
        ]

    def handles(self, panel: Box) -> list[Handle]:
        """What a hand can take of theta's frame, kept inside the panel."""
        return frame_handles(self.sliders.theta, self._view(0), panel, KEY_STEP, "output's frame")

    def frame(self, theta: Tensor, colour: str, arrows: str | None = None) -> list[Mark]:
        """A theta (1, 2, 3) over the input; arrows: one colour for both, else each its own."""
        return frame(theta, self._view(0), colour, arrows)

    def _input_marks(self) -> list[Mark]:
        view, theta = self._view(0), self.sliders.theta
        box = image_box(self.images.shape[-2:], view, False)
        marks = [Image(box, "input"), rectangle(box, COLOURS["input"])]
        if self.dots:
            marks.append(sampling_dots(theta, self.output_size, False, view))
        if self.compare.value:
            theirs = self.network_thetas[[self.digit.value]]
            marks += self.frame(theirs, COLOURS["other"], COLOURS["other"])
            (corner,) = view.places(theirs[0, :, 2] - theirs[0, :, 0] - theirs[0, :, 1])
            inside = self._box(0).keep_inside(corner, 30)
            marks.append(Label("network", *inside, size=12))
        return marks + self.frame(theta, COLOURS["output"])

    def _thumbnails(self, outputs: Tensor, shares: Tensor) -> list[Mark]:
        """A row of the outputs with their probabilities, and one of the network's if asked for."""
        marks = self._row(outputs, self._of_the_right(shares), 0)
        if self.compare.value:
            theirs, their_shares = self.judge(self.network_thetas)
            marks += self._row(theirs, self._of_the_right(their_shares), 1)
        return marks

    def _row(self, outputs: Tensor, right: Tensor, row: int) -> list[Mark]:
        top = TOP + SIDE + GAP + row * (THUMB + 24)
        marks: list[Mark] = [Label(("yours", "network")[row], 4, top + THUMB / 2, align="left")]
        step = (2 * (SIDE + GAP) + BARS - 70) / len(outputs)
        for i, (output, share) in enumerate(zip(outputs, right.tolist(), strict=True)):
            box = Box(70 + i * step, top, THUMB, THUMB)
            shown = i == self.digit.value
            marks.append(Image(box, to_rgba(output)))
            marks.append(rectangle(box, COLOURS["grid"] if shown else "#777777", 3))
            marks.append(Label(f"{100 * share:.0f} %", 70 + i * step + THUMB / 2, top + 66))
        return marks

    def _notes(self, shares: Tensor) -> list[Note]:
        yours = self._of_the_right(shares).sum().item()
        lines = [f"yours   {yours:5.2f} of {len(self.labels)}"]
        if self.compare.value:
            lines.append(f"network {self.score(self.network_thetas):5.2f} of {len(self.labels)}")
        notes = [
            Note("score: certainty of the right digit, summed", "\n".join(lines)),
            Note("your theta", matrix_text(self.sliders.theta)),
        ]
        if self.compare.value:
            theirs = matrix_text(self.network_thetas[[self.digit.value]])
            notes.append(Note("the network's theta", theirs))
        return notes

    def _in_words(self, shares: Tensor) -> str:
        best = shares[self.digit.value].max(dim=0)
        yours = self._of_the_right(shares).sum().item()
        return (
            f"Digit {self.digit.value + 1} of {len(self.labels)}, "
            f"{a_digit(self.labels[self.digit.value].item())}. "
            f"{self.theta_in_words()} The classifier says "
            f"{best.indices.item()} with {100 * best.values.item():.0f} percent certainty. "
            f"Your score is {yours:.2f} of {len(self.labels)}."
        )

    def theta_in_words(self) -> str:
        """The theta of the digit shown, as a sentence."""
        return in_words("The grid", self.sliders.theta)

    def __repr__(self) -> str:
        return f"PilotLab, {len(self.labels)} digits: run this cell to steer"


def a_digit(label: int) -> str:
    """A digit with its article."""
    return f"{'an' if label == 8 else 'a'} {label}"


def bars(shares: Tensor, right: int) -> list[Mark]:
    """A bar for each of ten probabilities; the right one framed, the largest in numbers."""
    left, step = 2 * (SIDE + GAP) + 20, SIDE / len(shares)
    full, best = BARS - 75, shares.argmax().item()
    marks = []
    for digit, share in enumerate(shares.tolist()):
        y = TOP + digit * step
        box = Box(left, y + 3, full, step - 6)
        frame = (COLOURS["text"], 3) if digit == right else ("#BBBBBB", 1)
        marks.append(rectangle(box, *frame))
        colour = COLOURS["grid"] if digit == best else COLOURS["other"]
        marks.append(rectangle(box._replace(width=full * share), colour, 0, fill=colour))
        marks.append(Label(str(digit), left - 10, y + step / 2))
        if digit == best:
            words = f"{100 * share:.0f} %"
            marks.append(Label(words, left + full + 8, y + step / 2, align="left"))
    return marks
