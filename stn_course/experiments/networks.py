"""The paper's small networks: a classifier, alone or behind transformers (appendix A.4)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.experiments.paper import DIGITS, NETWORKS, SETS
from stn_course.models import SpatialTransformer, count_parameters, find_transformation
from stn_course.models.clutter import pooled_convolution

PARAMETERS, UNITS = 400_000, (128, 256)  # about so many in all; so few and so many units a layer


class PaperNet(nn.Module):
    """Transformers side by side, pooling if asked, and a reader of what they give.

    (B, C, H, W), normalised -> (B, classes) log-probabilities. transformers: each reads the whole
    picture; the reader gets the channels of all. pooled: average what they give over 2×2 pixels.
    """

    def __init__(self, transformers: list[SpatialTransformer], pooled: bool, reader: nn.Module):
        super().__init__()
        self.transformers = nn.ModuleList(transformers)
        self.pool = nn.AvgPool2d(2) if pooled else nn.Identity()
        self.reader = reader

    def look(self, x: Tensor) -> Tensor:
        """What the reader is given: (B, C', H', W')."""
        if not self.transformers:
            return x
        return self.pool(torch.cat([transform(x) for transform in self.transformers], dim=1))

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, classes) of pictures (B, C, H, W)."""
        answers = self.reader(self.look(x))
        return F.log_softmax(answers.float(), dim=1)  # bfloat16 would round them


def build(digits: str, network: str, transformation: str) -> PaperNet:
    """The network of a cell of the table, with fresh weights.

    digits: in SETS. network: in NETWORKS. transformation: of its transformers, "none" without.
    """
    kind, chosen = NETWORKS[network], SETS[digits]
    localize = {"fcn": connected_localization, "cnn": convolved_localization}[kind.reader]
    transformers = [
        SpatialTransformer(
            localize(
                chosen.channels, chosen.size, len(find_transformation(transformation).identity)
            ),
            transformation=transformation,
            padding_mode="border",
        )
        for _ in range(kind.transformers)
    ]
    pooled = chosen.pooled and bool(transformers)
    size = chosen.size // 2 if pooled else chosen.size
    channels = chosen.channels * max(1, kind.transformers)
    if kind.reader == "cnn":
        return PaperNet(transformers, pooled, convolved_reader(channels, size, chosen.classes))
    left = PARAMETERS - sum(map(count_parameters, transformers))
    return PaperNet(transformers, pooled, connected_reader(channels, size, chosen.classes, left))


def connected_reader(in_channels: int, size: int, classes: int, parameters: int) -> nn.Sequential:
    """The FCN: two hidden layers of as many units as the parameters allow, then the answers."""
    inputs = in_channels * size**2
    # u units a layer have about inputs · u + u² weights.
    fitting = int(math.sqrt((inputs / 2) ** 2 + parameters) - inputs / 2)
    units = min(max(fitting, UNITS[0]), UNITS[1])
    hidden = [*connected(inputs, units), nn.Dropout(), *connected(units, units), nn.Dropout()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(units, classes))


def convolved_reader(in_channels: int, size: int, classes: int) -> nn.Sequential:
    """The CNN: two convolutions with pooling, then the answers.

    For sums a hidden layer comes before them, of as many units as the parameters allow: what maps
    say of one digit must meet what they say of the other.
    """
    side = ((size - 4) // 2 - 4) // 2  # of the maps after both convolutions and poolings
    inputs = 64 * side**2
    maps = [*pooled_convolution(in_channels, 32), *pooled_convolution(32, 64), nn.Flatten()]
    if classes == DIGITS:
        return nn.Sequential(*maps, nn.Dropout(), nn.Linear(inputs, classes))
    units = PARAMETERS // inputs
    hidden = connected(inputs, units)
    return nn.Sequential(*maps, *hidden, nn.Dropout(), nn.Linear(units, classes))


def connected_localization(in_channels: int, size: int, numbers: int) -> nn.Sequential:
    """The FCN's: three hidden layers of 32 units, then theta's numbers."""
    hidden = [*connected(in_channels * size**2, 32), *connected(32, 32), *connected(32, 32)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(32, numbers))


def convolved_localization(in_channels: int, size: int, numbers: int) -> nn.Sequential:
    """The CNN's: at half the resolution two convolutions, one pooling, 20 units, the numbers."""
    side = (size // 2 - 4) // 2 - 4
    return nn.Sequential(
        nn.AvgPool2d(2),
        *pooled_convolution(in_channels, 20),
        nn.Conv2d(20, 20, kernel_size=5),
        nn.BatchNorm2d(20),
        nn.ReLU(),
        nn.Flatten(),
        *connected(20 * side**2, 20),
        nn.Linear(20, numbers),
    )


def connected(inputs: int, outputs: int) -> list[nn.Module]:
    """A layer, batch normalisation and ReLU."""
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
