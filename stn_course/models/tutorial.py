"""The tutorial's network, and its classifier alone."""

import torch
import torch.nn.functional as F
from torch import nn

from stn_course.models.transformations import Transformation
from stn_course.models.transformer import (
    SpatialTransformer,
    find_head,
    localization_cnn,
    start_at_identity,
    to_theta,
)
from stn_course.samplers import PADDING_MODES, warp
from stn_course.validation import check_choice, check_images, check_positive, describe


class PlainNet(nn.Module):
    """The tutorial's classifier without a transformer, 21,840 parameters.

    (B, 1, 28, 28), normalised -> (B, 10) log-probabilities.

    Args:
        hidden: the width of the layer before the last, 50 on the page; with 67 it has 27,467
            parameters, the next above `TutorialNet`'s.

    Raises:
        TypeError: hidden is not a whole number; when called, an input that is not floating point.
        ValueError: hidden is 0 or less; when called, an input of a wrong shape.

    Example:
        >>> PlainNet()(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """

    def __init__(self, hidden: int = 50):
        check_positive("hidden", hidden)
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.conv2_drop = nn.Dropout2d()  # a recipe may set the shares of both dropouts
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(320, hidden)
        self.fc1_drop = nn.Dropout()
        self.fc2 = nn.Linear(hidden, 10)

    def classify(self, x: torch.Tensor) -> torch.Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28), read as they are."""
        x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
        x = F.relu(self.pool(self.conv2_drop(self.conv2(x))))  # (B, 20, 4, 4)
        x = self.fc1_drop(F.relu(self.fc1(x.flatten(1))))  # (B, hidden)
        return F.log_softmax(self.fc2(x), dim=1)  # (B, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28)."""
        check_digits(x)
        return self.classify(x)


class TutorialNet(PlainNet):
    """The tutorial's network: a transformer, then `PlainNet`; 27,360 = 21,840 + 5,520 parameters.

    (B, 1, 28, 28), normalised -> (B, 10) log-probabilities. Its `state_dict` has the tutorial's
    keys, so weights saved there load strictly, and with the defaults it computes the same.

    Args:
        padding_mode: as in `grid_sample`.
        align_corners: as in `grid_sample`.

    Attributes:
        theta: the (B, 2, 3) of the last call, without gradient, float32 at least; None before.

    Raises:
        TypeError: when called, an input that is not floating point.
        ValueError: an unknown name; when called, an input of a wrong shape.

    Example:
        >>> net, digits = TutorialNet(), torch.rand(5, 1, 28, 28)
        >>> torch.allclose(net.stn(digits), digits, atol=1e-4)  # identity
        True
    """

    def __init__(self, padding_mode: str = "zeros", align_corners: bool = False):
        super().__init__()
        check_choice("padding_mode", padding_mode, PADDING_MODES)
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=7),
            nn.MaxPool2d(2, stride=2),
            nn.ReLU(),
            nn.Conv2d(8, 10, kernel_size=5),
            nn.MaxPool2d(2, stride=2),
            nn.ReLU(),
        )
        self.fc_loc = nn.Sequential(nn.Linear(10 * 3 * 3, 32), nn.ReLU(), nn.Linear(32, 6))
        start_at_identity(find_head(self.fc_loc))
        self.padding_mode = padding_mode
        self.align_corners = align_corners
        self.theta = None

    def stn(self, x: torch.Tensor) -> torch.Tensor:
        """The transformed digits: (B, 1, 28, 28) -> (B, 1, 28, 28)."""
        theta = to_theta(self.fc_loc(self.localization(x).flatten(1)), len(x))
        self.theta = theta.detach()
        return warp(x, theta, padding_mode=self.padding_mode, align_corners=self.align_corners)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28), read through the transformer."""
        check_digits(x)
        return self.classify(self.stn(x))


def straighten_first(transformation: str | Transformation) -> nn.Sequential:
    """`PlainNet` behind a transformer of any family.

    Args:
        transformation: as in `SpatialTransformer`.

    Returns:
        The network, (B, 1, 28, 28), normalised -> (B, 10) log-probabilities; its first part is the
        transformer, the second the classifier. Its padding is "border".

    Raises:
        TypeError: a transformation that lacks a part of a family.
        ValueError: an unknown name.

    Example:
        >>> net, digits = straighten_first("projective"), torch.zeros(5, 1, 28, 28)
        >>> net(digits).shape, net[0].theta.shape
        (torch.Size([5, 10]), torch.Size([5, 3, 3]))
    """
    options = {"transformation": transformation}
    localization = localization_cnn(in_channels=1, **options)
    return nn.Sequential(
        SpatialTransformer(localization, padding_mode="border", **options), PlainNet()
    )


def check_digits(x: torch.Tensor) -> None:
    """The input of the tutorial's networks is floating point, (B, 1, 28, 28).

    Args:
        x: the input.

    Raises:
        TypeError: x is not a floating-point tensor.
        ValueError: a wrong shape.

    Example:
        >>> check_digits(torch.zeros(5, 1, 32, 32))
        Traceback (most recent call last):
        ValueError: input must have shape (B, 1, 28, 28); got ...
    """
    check_images(x)
    if x.shape[1:] != (1, 28, 28):
        raise ValueError(f"input must have shape (B, 1, 28, 28); got {describe(x)}")
