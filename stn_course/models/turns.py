"""A network that reads in four directions at once, so that a quarter turn is no matter to it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.models.tutorial import PlainNet, check_digits


class FourTurns(PlainNet):
    """`PlainNet` over the four quarter turns of a digit: of each feature the largest counts.

    (B, 1, 28, 28), normalised -> (B, 10) log-probabilities, the same for each quarter turn of the
    digits, trained or not: TI-pooling (Laptev et al. 2016) over the smallest group of turns. It has
    the parameters of `PlainNet`, and takes about four times as long.

    Args:
        hidden: the width of the layer before the last, as in `PlainNet`.

    Raises:
        TypeError: hidden is not a whole number; when called, an input that is not floating point.
        ValueError: hidden is 0 or less; when called, an input of a wrong shape.

    Example:
        >>> net, digits = FourTurns().eval(), torch.rand(5, 1, 28, 28)
        >>> torch.allclose(net(digits), net(digits.rot90(1, (2, 3))), atol=1e-5)
        True
    """

    def features(self, x: Tensor) -> Tensor:
        """What the layers before the last make of digits as they are: (B, hidden)."""
        x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
        x = F.relu(self.pool(self.conv2_drop(self.conv2(x))))  # (B, 20, 4, 4)
        return F.relu(self.fc1(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28), whichever side is up."""
        check_digits(x)
        turned = torch.stack([self.features(x.rot90(n, (2, 3))) for n in range(4)])
        return F.log_softmax(self.fc2(self.fc1_drop(turned.amax(dim=0))), dim=1)
