"""Localization networks, the spatial transformer, the tutorial's network and its baseline."""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.samplers import PADDING_MODES, warp, without_autocast
from stn_course.validation import (
    check_choice,
    check_head,
    check_images,
    check_output_size,
    check_positive,
    describe,
    name_first,
)

WEIGHTS = Path(__file__).parent / "weights"  # made by tools/pretrain.py
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # theta, row by row


def start_at_identity(head: nn.Linear) -> nn.Linear:
    """Make a layer with six outputs answer the identity theta, whatever comes in.

    Zero weights and the identity as bias, as the paper's experiments begin.

    Args:
        head: the layer, changed in place.

    Returns:
        The same layer.

    Raises:
        ValueError: not a Linear layer with a bias and 6 outputs, or a lazy one that has not run.

    Example:
        >>> head = start_at_identity(nn.Linear(in_features=32, out_features=6))
        >>> head(torch.rand(1, 32)).tolist()
        [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]
    """
    check_head(head)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor(IDENTITY))
    return head


def find_head(localization: nn.Module, head: nn.Linear | None = None) -> nn.Linear:
    """The layer whose answer is theta, which from now on answers in float32 at least.

    Args:
        localization: a localization network.
        head: that layer; by default the last Linear with 6 outputs registered.

    Returns:
        The layer, with `in_float32` as a forward hook.

    Raises:
        ValueError: head is none of localization's layers, or cannot be a head.

    Example:
        >>> find_head(localization_cnn(in_channels=1))
        Linear(in_features=32, out_features=6, bias=True)
    """
    layers = list(localization.modules())
    if head is None:
        fit = [x for x in layers if isinstance(x, nn.Linear) and x.out_features == 6]
        head = (fit or layers)[-1]
    check_head(head)
    if not any(layer is head for layer in layers):
        raise ValueError(f"head must be one of localization's own layers; got another, {head}")
    head.register_forward_hook(in_float32)
    return head


def in_float32(head: nn.Linear, inputs: tuple[Tensor, ...], answer: Tensor) -> Tensor | None:
    """A forward hook: what is answered in bfloat16 or half, under autocast, is computed in float32.

    The next bfloat16 after 1 is 1.0078: at 224 pixels the border would move by a pixel or not.

    Args:
        head: the layer that answered.
        inputs: what it was given.
        answer: what it said.

    Returns:
        The answer in float32; None, which leaves the answer as it is, if it is precise enough.

    Example:
        >>> head = nn.Linear(32, 6, dtype=torch.bfloat16)
        >>> features = torch.ones(1, 32, dtype=torch.bfloat16)
        >>> in_float32(head, (features,), head(features)).dtype
        torch.float32
    """
    if torch.finfo(answer.dtype).bits >= 32:
        return None
    with without_autocast(answer.device):
        return F.linear(inputs[0].float(), head.weight.float(), head.bias.float())


def to_theta(answer: Tensor, batch: int) -> Tensor:
    """What a localization network answers, as theta.

    Args:
        answer: (B, 6), row by row.
        batch: B, the number of inputs it was given.

    Returns:
        (B, 2, 3) in float32 at least.

    Raises:
        ValueError: not a tensor of shape (batch, 6).

    Example:
        >>> to_theta(torch.arange(6.0)[None], batch=1)
        tensor([[[0., 1., 2.],
                 [3., 4., 5.]]])
    """
    if not isinstance(answer, Tensor) or answer.shape != (batch, 6):
        expected = f"localization must answer (B, 6), here ({batch}, 6)"
        raise ValueError(f"{expected}; got {describe(answer)}")
    return answer.view(batch, 2, 3).to(torch.promote_types(answer.dtype, torch.float32))


def check_start(transformer: "SpatialTransformer", theta: Tensor) -> None:
    """At its first call, a transformer whose head answers the identity has it as theta.

    A head that was trained, loaded or set by hand is never complained of, nor NaN, which comes from
    the input. No value is looked at while PyTorch traces the program (compile, export).

    Args:
        transformer: before its first call ends.
        theta: (B, 2, 3), chosen in that call.

    Raises:
        ValueError: another layer gives theta.

    Example:
        >>> transformer = SpatialTransformer(localization_cnn(in_channels=1))
        >>> check_start(transformer, torch.eye(2, 3)[None])  # as it should be
    """
    (head,) = transformer.head
    if transformer.theta is not None or torch.compiler.is_compiling():
        return
    if head.weight.any() or head.bias.tolist() != list(IDENTITY):
        return
    wrong = (theta - theta.new_tensor(IDENTITY).view(2, 3)).abs() > 0
    if wrong.any():
        raise ValueError(
            f"theta must be the identity at the start; got {name_first('another', wrong, theta)}. "
            f"{head} was taken for the head and set to the identity, but theta is not its answer: "
            "name the layer that gives theta, head="
        )


def localization_cnn(in_channels: int, hidden: int = 32) -> nn.Sequential:
    """A small localization network for inputs of any size.

    Two convolutions, the maps brought to 8×8 and 4×4 so that place is kept, then two layers.

    Args:
        in_channels: C of its inputs (B, C, H, W).
        hidden: the width of the layer before the last.

    Returns:
        The network, (B, C, H, W) -> (B, 6).

    Example:
        >>> localization_cnn(in_channels=3)(torch.rand(5, 3, 40, 60)).shape
        torch.Size([5, 6])
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, 8, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(8),
        nn.Conv2d(8, 10, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(4),
        nn.Flatten(),
        nn.Linear(10 * 4 * 4, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 6),
    )


class SpatialTransformer(nn.Module):
    """Choose a theta for each input and read the input through it; goes before any layer.

    (B, C, H, W) -> (B, C, H', W') in the input's dtype. Theta and the grid are computed in float32
    at least, under autocast and in models of a lower precision too. The first call checks that
    nothing is changed at the start.

    Args:
        localization: a module (B, C, H, W) -> (B, 6). The layer whose answer that is, its head, is
            set to the identity, so that the transformer changes nothing at the start.
        output_size: (H', W') of the output, by default the input's.
        padding_mode: as in `grid_sample`.
        align_corners: as in `grid_sample`.
        head: the layer that gives theta, a Linear with a bias; by default the last Linear with 6
            outputs registered.

    Attributes:
        theta: the (B, 2, 3) of the last call, without gradient; None before.

    Raises:
        TypeError: output_size is not a tuple of whole numbers.
        ValueError: no head, or an unknown name; when called, an answer of a shape other than
            (B, 6), or a start other than the identity.

    Example:
        >>> images = torch.rand(5, 3, 40, 60)
        >>> localization = localization_cnn(in_channels=3)
        >>> transformer = SpatialTransformer(localization, output_size=(20, 30))
        >>> transformer(images).shape, transformer.theta.shape
        (torch.Size([5, 3, 20, 30]), torch.Size([5, 2, 3]))
    """

    def __init__(
        self,
        localization: nn.Module,
        output_size: tuple[int, int] | None = None,
        padding_mode: str = "zeros",
        align_corners: bool = False,
        head: nn.Linear | None = None,
    ):
        super().__init__()
        check_choice("padding_mode", padding_mode, PADDING_MODES)
        check_output_size(output_size)
        self.localization = localization
        self.head = (start_at_identity(find_head(localization, head)),)  # in a tuple: listed once
        self.output_size = output_size
        self.padding_mode, self.align_corners = padding_mode, align_corners
        self.theta = None

    def forward(self, input: Tensor) -> Tensor:
        """Read the input (B, C, H, W) through the theta chosen for it: (B, C, H', W')."""
        theta = to_theta(self.localization(input), len(input))
        check_start(self, theta)
        self.theta = theta.detach()
        return warp(
            input,
            theta,
            self.output_size,
            padding_mode=self.padding_mode,
            align_corners=self.align_corners,
        )


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

    def classify(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28), read as they are."""
        x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
        x = F.relu(self.pool(self.conv2_drop(self.conv2(x))))  # (B, 20, 4, 4)
        x = self.fc1_drop(F.relu(self.fc1(x.flatten(1))))  # (B, hidden)
        return F.log_softmax(self.fc2(x), dim=1)  # (B, 10)

    def forward(self, x: Tensor) -> Tensor:
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

    def stn(self, x: Tensor) -> Tensor:
        """The transformed digits: (B, 1, 28, 28) -> (B, 1, 28, 28)."""
        theta = to_theta(self.fc_loc(self.localization(x).flatten(1)), len(x))
        self.theta = theta.detach()
        return warp(x, theta, padding_mode=self.padding_mode, align_corners=self.align_corners)

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 10) of digits (B, 1, 28, 28), read through the transformer."""
        check_digits(x)
        return self.classify(self.stn(x))


def _with_border() -> TutorialNet:
    return TutorialNet(padding_mode="border")


# The networks that were trained beforehand, by name: tools/pretrain.py says how.
TRAINED: dict[str, Callable[[], PlainNet]] = {
    "straightener": _with_border,
    "together": _with_border,
    "turned_plain": PlainNet,
    "turned_transformer": _with_border,
    "turned_hasty": _with_border,
}


def load_trained(name: str) -> PlainNet:
    """A network trained beforehand on digits turned by up to 90 degrees.

    `training.load_recording` of the same name says how it was trained, and `tools/pretrain.py`
    trains it anew.

    Args:
        name: one of TRAINED.

    Returns:
        The network, on the CPU, in eval mode.

    Raises:
        ValueError: an unknown name; the message lists those there are.

    Example:
        >>> type(load_trained("turned_plain")).__name__
        'PlainNet'
    """
    check_choice("name", name, TRAINED)
    model = TRAINED[name]()
    weights = torch.load(WEIGHTS / f"{name}.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(weights)
    return model.eval()


def load_straightener() -> TutorialNet:
    """A network that straightens digits turned by up to 90 degrees, trained beforehand.

    Its classifier learned upright digits and was then frozen, so that the transformer had to do the
    work.

    Returns:
        The network, on the CPU, in eval mode; its padding is "border".

    Example:
        >>> load_straightener().padding_mode
        'border'
    """
    return load_trained("straightener")


def check_digits(x: Tensor) -> None:
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


def count_parameters(module: nn.Module) -> int:
    """How many numbers training can change.

    Args:
        module: any module.

    Returns:
        The number.

    Example:
        >>> count_parameters(nn.Linear(32, 6))  # 6 × 32 weights, 6 biases
        198
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
