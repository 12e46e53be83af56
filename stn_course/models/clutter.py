"""Networks that read a digit among clutter: from the whole picture, or from where it lies.

All have the same small CNN, two convolutions with pooling, as in the paper's experiments
(Jaderberg et al. 2015, appendix A.4), with smaller filters and batch normalisation.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.models.transformer import SpatialTransformer
from stn_course.validation import check_images, check_positive, describe

PICTURE, WINDOW = 60, 28  # height and width in pixels: of a picture, of what is read from it
Start = tuple[float, float, float]  # scale, x and y of a window before training
MIDDLE = (0.5, 0.0, 0.0)


class DigitReader(nn.Module):
    """Two 5×5 convolutions with pooling, then two layers, batch-normalised.

    (B, C, size, size), normalised -> (B, 10) log-probabilities.

    Args:
        size: height and width of its pictures, in pixels.
        in_channels: C of its pictures.

    Raises:
        TypeError: size is not a whole number; when called, an input that is not floating point.
        ValueError: size is 0 or less; when called, an input of a wrong shape.

    Example:
        >>> DigitReader(size=30)(torch.zeros(5, 1, 30, 30)).shape
        torch.Size([5, 10])
    """

    def __init__(self, size: int, in_channels: int = 1):
        check_positive("size", size)
        super().__init__()
        self.shape = (in_channels, size, size)
        side = ((size - 4) // 2 - 4) // 2  # of the maps after both convolutions and poolings
        self.features = nn.Sequential(
            *pooled_convolution(in_channels, 24),
            *pooled_convolution(24, 48),
            nn.Flatten(),
            nn.Linear(48 * side * side, 96),
            nn.BatchNorm1d(96),
            nn.ReLU(),
        )
        self.answers = nn.Linear(96, 10)

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 10) of pictures (B, C, size, size)."""
        check_images(x)
        if x.shape[1:] != self.shape:
            expected = f"(B, {', '.join(map(str, self.shape))})"
            raise ValueError(f"input must have shape {expected}; got {describe(x)}")
        return F.log_softmax(self.answers(self.features(x)), dim=1)


def pooled_convolution(in_channels: int, channels: int) -> list[nn.Module]:
    """A 5×5 convolution, pooling by two, batch normalisation and ReLU.

    Args:
        in_channels: of the maps it reads.
        channels: of the maps it makes.

    Returns:
        The four layers, in that order.

    Example:
        >>> nn.Sequential(*pooled_convolution(1, 8))(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 8, 12, 12])
    """
    convolution = nn.Conv2d(in_channels, channels, kernel_size=5)
    return [convolution, nn.MaxPool2d(2), nn.BatchNorm2d(channels), nn.ReLU()]


def pooled_localization(in_channels: int = 1) -> nn.Sequential:
    """Looks at a picture of 60×60 pixels at half its resolution, and says where to read.

    Args:
        in_channels: C of its pictures.

    Returns:
        The network, (B, C, 60, 60) -> (B, 3), which are scale, x and y of a window (paper, eq. 2).

    Example:
        >>> pooled_localization()(torch.zeros(5, 1, 60, 60)).shape
        torch.Size([5, 3])
    """
    return nn.Sequential(
        nn.AvgPool2d(2),
        *pooled_convolution(in_channels, 16),
        nn.Conv2d(16, 16, kernel_size=5),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),  # not pooled again: what matters is the place
        nn.Linear(16 * 9 * 9, 32),
        nn.ReLU(),
        nn.Linear(32, 3),
    )


def attention_window(
    in_channels: int = 1,
    start: Start = MIDDLE,
    padding_mode: str = "border",
    antialias: bool = True,
) -> SpatialTransformer:
    """A transformer of attention that looks at half the resolution, and reads 28×28 pixels.

    Args:
        in_channels: C of its pictures.
        start: scale, x and y of the window before training.
        padding_mode: as in `grid_sample`.
        antialias: as in `samplers.warp`.

    Returns:
        The transformer, (B, C, 60, 60) -> (B, C, 28, 28).

    Raises:
        ValueError: an unknown name.

    Example:
        >>> window = attention_window(start=(0.25, -0.5, 0.0))
        >>> _ = window(torch.zeros(1, 1, 60, 60))
        >>> window.theta
        tensor([[[ 0.2500,  0.0000, -0.5000],
                 [ 0.0000,  0.2500,  0.0000]]])
    """
    options = {"transformation": "attention", "antialias": antialias}
    localization = pooled_localization(in_channels)
    window = SpatialTransformer(localization, (WINDOW, WINDOW), padding_mode, **options)
    localization[-1].bias.data = torch.tensor(start)
    return window


class AttentionNet(nn.Module):
    """Find the digit, then read it: a transformer of attention, then a `DigitReader`.

    (B, 1, 60, 60), normalised -> (B, 10) log-probabilities. The transformer looks at the picture at
    half its resolution, and reads 28×28 pixels from the full one, antialiased.

    Args:
        start: scale, x and y of the window before training. Half the picture's size, in the middle,
            shows digits nearly at full resolution.
        padding_mode: as in `grid_sample`.
        antialias: as in `samplers.warp`.

    Raises:
        ValueError: an unknown name; when called, an input of a wrong shape.

    Example:
        >>> net = AttentionNet()
        >>> net(torch.zeros(5, 1, 60, 60)).shape, net.transformer.theta.shape
        (torch.Size([5, 10]), torch.Size([5, 2, 3]))
    """

    def __init__(self, start: Start = MIDDLE, padding_mode: str = "border", antialias: bool = True):
        super().__init__()
        self.transformer = attention_window(1, start, padding_mode, antialias)
        self.reader = DigitReader(WINDOW)

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 10) of pictures (B, 1, 60, 60)."""
        return self.reader(self.transformer(x))


class AdditionNet(nn.Module):
    """Two transformers of attention in parallel, one reader for both windows: what is the sum?

    (B, C, 60, 60), normalised -> (B, 19) log-probabilities, of the sums 0 to 18. The reader gives
    each window's ten probabilities; those of the sum follow from them. Both transformers begin with
    the same weights, so that their starts alone tell them apart.

    Args:
        starts: scale, x and y of each window before training.
        in_channels: C of its pictures.

    Raises:
        ValueError: when called, an input of a wrong shape.

    Example:
        >>> net = AdditionNet()
        >>> net(torch.zeros(5, 1, 60, 60)).shape, net.windows[1].theta.shape
        (torch.Size([5, 19]), torch.Size([5, 2, 3]))
    """

    def __init__(
        self,
        starts: tuple[Start, Start] = ((0.5, -0.4, 0.0), (0.5, 0.4, 0.0)),
        in_channels: int = 1,
    ):
        super().__init__()
        first = attention_window(in_channels)
        self.windows = nn.ModuleList([first, copy.deepcopy(first)])
        for window, start in zip(self.windows, starts, strict=True):
            (head,) = window.head
            head.bias.data = torch.tensor(start)
        self.reader = DigitReader(WINDOW, in_channels)

    def read(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 2, 10) of the digit in each window."""
        return torch.stack([self.reader(window(x)) for window in self.windows], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 19) of the sum, from pictures (B, C, 60, 60)."""
        first, second = self.read(x).unbind(1)
        pairs = (first[:, :, None] + second[:, None, :]).flatten(1)  # (B, 100)
        sums = torch.arange(10)[:, None] + torch.arange(10)
        members = F.one_hot(sums.flatten()).to(pairs)  # (100, 19): which pairs have which sum
        return (pairs[:, :, None] + members.log()).logsumexp(dim=1)


def pooled_reader() -> nn.Sequential:
    """The same CNN, on the whole picture at half its resolution.

    Returns:
        The network, (B, 1, 60, 60), normalised -> (B, 10) log-probabilities.

    Example:
        >>> pooled_reader()(torch.zeros(5, 1, 60, 60)).shape
        torch.Size([5, 10])
    """
    return nn.Sequential(nn.AvgPool2d(2), DigitReader(PICTURE // 2))


CLUTTER_NETWORKS = {  # who reads clutter: the whole picture, at half its resolution, a part of it
    "plain": lambda: DigitReader(PICTURE),
    "pooled": pooled_reader,
    "transformer": AttentionNet,
}
