"""PilotLab: be the localization network, digit by digit, and then see the network's own theta."""

import copy
import time
from typing import ClassVar

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from stn_course.data import MEAN, STD, normalise
from stn_course.plotting import Reading, steering
from stn_course.samplers import warp
from stn_course.training.transformers import answers_to
from stn_course.transforms import identity
from stn_course.validation import check_images, check_output_size, check_theta, describe
from stn_course.widgets.browser_lab import BrowserLab, to_browser
from stn_course.widgets.choices import choice, device_choice
from stn_course.widgets.network import Layer, float32_bytes, layers_of, scaling
from stn_course.widgets.theta_controls import POSE, lab_sliders, one_theta

PICTURE = 252 / 2 * 1.2  # canvas pixels of a picture; around it there is room for the frame


class PilotLab(BrowserLab):
    """Steer theta until a classifier is certain, one digit after the other; then compare.

    images: distorted digits (N, 1, H, W) from 0 to 1. labels: what they are, (N,).
    classifier: takes normalised images (B, 1, H', W'), gives log-probabilities (B, 10). One with
    layers that the browser cannot compute is asked in the kernel when the hand rests.
    network: a spatial transformer for normalised images, or a network with one in it; that keeps
    the theta it has chosen in its attribute `theta`, as `SpatialTransformer` and `TutorialNet` do.
    padding_mode: as in `grid_sample`. device: as in `choose_device`. output_size: (H', W') of what
    the classifier is given, by default the images'. antialias: as in `warp`. Both networks are
    copied, so training them on changes nothing here.

    The score is the probability that the classifier gives to the right digit, summed over all
    digits. `theta` (1, 2, 3), of the digit shown, can be read and set; `thetas` (N, 2, 3) are all,
    and `compared` says whether the network's are shown.
    """

    module = "pilot_lab.js"
    sliders: ClassVar[dict[str, tuple]] = POSE  # of the parts of a theta
    invitation = "steer the frame"
    buttons = "Show the network's theta", "Hide the network's theta"
    picture_side = PICTURE
    arrows = True  # of the frame in the figure

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
        self.device = device_choice(device)
        self.network_thetas = self._ask_the_network()
        names = [(f"{i + 1} of {len(images)}", i) for i in range(len(images))]
        self.digit = choice("digit", names, 0)
        self._open()

    def _open(self) -> None:
        sliders = lab_sliders(self.sliders)
        controls = {"digit": self.digit, "device": self.device, **sliders}
        parts = list(sliders.values())
        columns = [ipywidgets.VBox(parts[i : i + 3]) for i in range(0, len(parts), 3)]
        thetas = identity(len(self.images)).flatten(1).tolist()
        state = {"thetas": thetas, "parts": None, "compared": False}
        rows = [[self.digit, self.device], columns]
        super().__init__(state, self._data(), controls, rows)

    def _data(self) -> dict:
        """What the browser is given once; `layers`: None where it cannot compute the classifier."""
        return {
            "images": [to_browser(image) for image in self.images],
            "labels": self.labels.tolist(),
            "size": self.output_size,
            "paddingMode": self.padding_mode,
            "antialias": self.antialias,
            "network": self.network_thetas.flatten(1).tolist(),
            "layers": self._layers(),
            "pictureSide": self.picture_side,
            "invitation": self.invitation,
            "buttons": self.buttons,
        }

    def _layers(self) -> list[Layer] | None:
        normalised = scaling(torch.tensor([1 / STD]), torch.tensor([-MEAN / STD]))
        try:
            return [normalised, *layers_of(self._networks[0])]
        except ValueError:
            return None

    @torch.no_grad()
    def _ask_the_network(self) -> Tensor:
        """The thetas (N, 2, 3) that the network chooses."""
        device = self.device.value
        network = self._networks[1].to(device)
        _, called = answers_to(network, normalise(self.images.to(device)))
        if not called:
            raise ValueError("network must be or hold a spatial transformer; no theta was chosen")
        return called[0].theta.double().cpu()

    @property
    def thetas(self) -> Tensor:
        """The transformation of each digit, (N, 2, 3), output -> input; a copy."""
        return torch.tensor(self.state["thetas"], dtype=torch.float64).reshape(-1, 2, 3)

    @thetas.setter
    def thetas(self, thetas: Tensor) -> None:
        thetas = torch.as_tensor(thetas, dtype=torch.float64).detach().cpu()
        self.check(thetas)
        if len(thetas) != len(self.images):
            expected = f"({len(self.images)}, 2, 3)"
            raise ValueError(f"thetas must have shape {expected}; got {describe(thetas)}")
        self.change(thetas=thetas.flatten(1).tolist(), parts=None)

    @property
    def theta(self) -> Tensor:
        """The transformation of the digit shown, (1, 2, 3), output -> input; a copy."""
        return self.thetas[[self.digit.value]].float()

    @theta.setter
    def theta(self, theta: Tensor) -> None:
        thetas = self.thetas
        thetas[self.digit.value] = one_theta(theta)[0]
        self.thetas = thetas

    def check(self, thetas: Tensor) -> None:
        """Thetas (N, 2, 3) are such as this lab can show."""
        check_theta(thetas)

    @property
    def compared(self) -> bool:
        """Whether the network's thetas are shown."""
        return self.state["compared"]

    @compared.setter
    def compared(self, shown: bool) -> None:
        self.change(compared=bool(shown))

    def judge(self, thetas: Tensor) -> tuple[Tensor, Tensor]:
        """Through thetas (N, 2, 3): the outputs (N, 1, H', W'), the probabilities (N, 10)."""
        return self._judge(thetas, self.device.value)

    @torch.no_grad()
    def _judge(self, thetas: Tensor, device: str) -> tuple[Tensor, Tensor]:
        images, thetas = self.images.to(device), thetas.to(device, self.images.dtype)
        options = {"padding_mode": self.padding_mode, "antialias": self.antialias}
        outputs = warp(images, thetas, self.output_size, **options)
        classifier = self._networks[0].to(device)
        return outputs.cpu(), classifier(normalise(outputs)).exp().cpu()

    def score(self, thetas: Tensor) -> float:
        """The probability of the right digit, summed over the digits: 0 to N."""
        _, shares = self.judge(thetas)
        return shares[torch.arange(len(self.labels)), self.labels].sum().item()

    def answer(self, question: dict) -> dict:
        """The outputs and probabilities by the device chosen, for your thetas and the network's."""
        device, thetas = question["device"], torch.tensor(question["thetas"]).reshape(-1, 2, 3)
        start = time.perf_counter()
        outputs, shares = self._judge(thetas, device)
        answer = {"device": device, "milliseconds": 1000 * (time.perf_counter() - start)}
        _, theirs = self._judge(self.network_thetas, device)
        said = {"shares": shares.tolist(), "network_shares": theirs.tolist()}
        return answer | said | {"outputs": float32_bytes(outputs)}

    def figure(self) -> Figure:
        """The present state as a static figure."""
        players = {"yours": self.thetas}
        if self.compared:
            players["network"] = self.network_thetas
        readings = {name: Reading(thetas, *self.judge(thetas)) for name, thetas in players.items()}
        options = {"index": self.digit.value, "arrows": self.arrows}
        title = f"score: {self.score(self.thetas):.2f} of {len(self.labels)}"
        return steering(self.images, self.labels, readings, title=title, **options)

    def __repr__(self) -> str:
        return f"PilotLab, {len(self.labels)} digits: run this cell to steer"
