"""A network that reads on rays around the middle of the picture, where a turn is a shift."""

import torch
import torch.nn.functional as F
from torch import nn

from stn_course.grids import log_polar_grid
from stn_course.models.tutorial import check_digits

CIRCLES, RAYS = 20, 36  # rows and columns of the log-polar picture; a column is 10 degrees


class PolarNet(nn.Module):
    """Reads a log-polar picture with a CNN that does not mind where along the columns it starts.

    (B, 1, 28, 28), normalised -> (B, 10) log-probabilities. Columns are directions, so the
    convolutions run around in a circle, and of each map the largest value over all directions
    counts. A digit turned by 10 degrees is the same to it, but for what is read between pixels. It
    knows no upright: where a 9 is a 6 turned round, it can't tell them apart.

    Args:
        channels: of the second convolution; the first has half of them.

    Raises:
        TypeError: channels is not a whole number; when called, an input that is not floating point.
        ValueError: channels is 0 or less; when called, an input of a wrong shape.

    Example:
        >>> PolarNet()(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """

    def __init__(self, channels: int = 32):
        super().__init__()
        self.register_buffer("grid", log_polar_grid((1, 1, CIRCLES, RAYS)), persistent=False)
        self.features = nn.Sequential(
            *around(nn.Conv2d(1, channels // 2, kernel_size=5)),  # (B, C / 2, 16, 36)
            nn.MaxPool2d((2, 1)),  # columns are kept: a turn stays a shift
            *around(nn.Conv2d(channels // 2, channels, kernel_size=5)),  # (B, C, 4, 36)
        )
        self.answers = nn.Sequential(nn.Linear(4 * channels, 50), nn.ReLU(), nn.Linear(50, 10))

    def unroll(self, x: torch.Tensor) -> torch.Tensor:
        """Digits (B, 1, 28, 28) as log-polar pictures (B, 1, 20, 36)."""
        grid = self.grid.to(x).expand(len(x), -1, -1, -1)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28)."""
        check_digits(x)
        anywhere = self.features(self.unroll(x)).amax(dim=3)  # (B, C, 4)
        return F.log_softmax(self.answers(anywhere.flatten(1)), dim=1)


def around(convolution: nn.Conv2d) -> list[nn.Module]:
    """A convolution and ReLU over columns that go on at the other side, as directions do.

    Args:
        convolution: without padding of its own.

    Returns:
        The three layers; they keep the number of columns.

    Example:
        >>> layers = nn.Sequential(*around(nn.Conv2d(1, 8, 5)))
        >>> layers(torch.zeros(5, 1, 20, 36)).shape
        torch.Size([5, 8, 16, 36])
    """
    side = convolution.kernel_size[1] // 2
    return [nn.CircularPad2d((side, side, 0, 0)), convolution, nn.ReLU()]
