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
    """Make a layer with six outputs answer the identity theta, whatever comes in; returns it.

    Zero weights and the identity as bias, as the paper's experiments begin. Raises ValueError for
    anything but a Linear layer with a bias and 6 outputs, and for one that is lazy and not yet run.
    """
    check_head(head)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor(IDENTITY))
    return head


def find_head(localization: nn.Module, head: nn.Linear | None = None) -> nn.Linear:
    """The layer whose answer is theta, which from now on answers in float32 at least.

    head: that layer; by default the last Linear with 6 outputs that `localization` registered.
    Raises ValueError if it is none of localization's layers, or cannot be a head.
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
    """A hook: an answer in bfloat16 or half, as under autocast, is computed again in float32.

    The next bfloat16 after 1 is 1.0078: at 224 pixels the border would move by a pixel or not.
    """
    if torch.finfo(answer.dtype).bits >= 32:
        return None
    with without_autocast(answer.device):
        return F.linear(inputs[0].float(), head.weight.float(), head.bias.float())


def to_theta(answer: Tensor, batch: int) -> Tensor:
    """What a localization network answers, (B, 6), as theta (B, 2, 3) in float32 at least."""
    if not isinstance(answer, Tensor) or answer.shape != (batch, 6):
        expected = f"localization must answer (B, 6), here ({batch}, 6)"
        raise ValueError(f"{expected}; got {describe(answer)}")
    return answer.view(batch, 2, 3).to(torch.promote_types(answer.dtype, torch.float32))


def check_start(transformer: "SpatialTransformer", theta: Tensor) -> None:
    """At its first call, a transformer whose head answers the identity has it as theta.

    Raises ValueError if another layer gives theta. A head that was trained, loaded or set by hand
    is never complained of, nor NaN, which comes from the input. No value is looked at while PyTorch
    traces the program (compile, export).
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
    """A small localization network for inputs (B, in_channels, H, W) of any size: (B, 6).

    Two convolutions, the maps brought to 8×8 and 4×4 so that place is kept, then two layers.
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

    localization: a module (B, C, H, W) -> (B, 6). The layer whose answer that is, its head, is set
    to the identity, so that the transformer changes nothing at the start; the first call checks it.
    head: that layer, a Linear with a bias; by default the last Linear with 6 outputs registered.
    output_size: (H', W') of the output, by default the input's. padding_mode, align_corners: as in
    `grid_sample`. Output: (B, C, H', W') in the input's dtype. `theta`: the (B, 2, 3) of the last
    call, None before; it and the grid are computed in float32 at least, under autocast and in
    models of a lower precision too.
    Raises ValueError naming what came: no head, another shape than (B, 6), or another start.
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

    Input (B, 1, 28, 28), output (B, 10) log-probabilities. hidden: the width of the layer before
    the last, 50 on the page; with 67 it has 27,467 parameters, the next above `TutorialNet`'s.
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
        x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
        x = F.relu(self.pool(self.conv2_drop(self.conv2(x))))  # (B, 20, 4, 4)
        x = self.fc1_drop(F.relu(self.fc1(x.flatten(1))))  # (B, hidden)
        return F.log_softmax(self.fc2(x), dim=1)  # (B, 10)

    def forward(self, x: Tensor) -> Tensor:
        check_digits(x)
        return self.classify(x)


class TutorialNet(PlainNet):
    """The tutorial's network: a transformer, then `PlainNet`; 27,360 = 21,840 + 5,520 parameters.

    Its `state_dict` has the tutorial's keys, so weights saved there load strictly, and with the
    defaults it computes the same. padding_mode, align_corners: as in `grid_sample`.
    `theta`: the (B, 2, 3) of the last call, None before; float32 at least, as the grid.
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
        check_digits(x)
        return self.classify(self.stn(x))


def _with_border() -> TutorialNet:
    return TutorialNet(padding_mode="border")


# The networks that were trained beforehand, by name: tools/pretrain.py says how.
TRAINED: dict[str, Callable[[], PlainNet]] = {
    "straightener": _with_border,
    "turned_plain": PlainNet,
    "turned_transformer": _with_border,
    "turned_hasty": _with_border,
}


def load_trained(name: str) -> PlainNet:
    """A network trained beforehand on digits turned by up to 90 degrees, on the CPU, in eval mode.

    name: one of TRAINED; ValueError naming those if it is none. `training.load_recording` of the
    same name says how it was trained, and `tools/pretrain.py` trains it anew.
    """
    check_choice("name", name, TRAINED)
    model = TRAINED[name]()
    weights = torch.load(WEIGHTS / f"{name}.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(weights)
    return model.eval()


def load_straightener() -> TutorialNet:
    """A `TutorialNet` that straightens digits turned by up to 90 degrees, trained beforehand.

    Its classifier learned upright digits and was then frozen, so that the transformer had to do the
    work; padding is "border".
    """
    return load_trained("straightener")


def check_digits(x: Tensor) -> None:
    """The input of the tutorial's networks: floating point, (B, 1, 28, 28)."""
    check_images(x)
    if x.shape[1:] != (1, 28, 28):
        raise ValueError(f"input must have shape (B, 1, 28, 28); got {describe(x)}")


def count_parameters(module: nn.Module) -> int:
    """How many numbers training can change."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
