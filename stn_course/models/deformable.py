"""A network whose second convolution reads where a third one sends its taps."""

import torch
import torch.nn.functional as F
from torch import nn

from stn_course.descendants import deformable_conv2d
from stn_course.models.tutorial import PlainNet

TAPS = 3  # rows and columns of them


class DeformableNet(PlainNet):
    """`PlainNet` with a second convolution of nine taps, which offsets send to where they read.

    (B, 1, 28, 28), normalised -> (B, 10) log-probabilities. A convolution makes the offsets, zero
    at the start: its localization network, and by its name a recipe knows it as such.

    Args:
        deformable: False for the same network with an ordinary convolution in that place.

    Attributes:
        offset: the (B, 18, 12, 12) of the last call, without gradient, as `deformable_conv2d` takes
            them, in pixels of the 12×12 map; None before, and without offsets.

    Raises:
        TypeError: when called, an input that is not floating point.
        ValueError: when called, an input of a wrong shape.

    Example:
        >>> net = DeformableNet()
        >>> net(torch.zeros(5, 1, 28, 28)).shape, net.offset.shape
        (torch.Size([5, 10]), torch.Size([5, 18, 12, 12]))
    """

    def __init__(self, deformable: bool = True):
        super().__init__()
        self.conv2 = nn.Conv2d(10, 20, TAPS, padding=TAPS // 2, bias=False)
        self.wide_pool = nn.MaxPool2d(3)
        self.offset = self.localization = None
        if deformable:
            self.localization = nn.Conv2d(10, 2 * TAPS**2, kernel_size=5, padding=2)
            for parameter in self.localization.parameters():
                nn.init.zeros_(parameter)

    def second(self, x: torch.Tensor) -> torch.Tensor:
        """The second convolution: (B, 10, 12, 12) -> (B, 20, 12, 12)."""
        if self.localization is None:
            return self.conv2(x)
        offset = self.localization(x)
        self.offset = offset.detach()
        return deformable_conv2d(x, offset, self.conv2.weight)

    def classify(self, x: torch.Tensor) -> torch.Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28), read as they are."""
        x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
        x = F.relu(self.wide_pool(self.conv2_drop(self.second(x))))  # (B, 20, 4, 4)
        x = self.fc1_drop(F.relu(self.fc1(x.flatten(1))))  # (B, hidden)
        return F.log_softmax(self.fc2(x), dim=1)  # (B, 10)
