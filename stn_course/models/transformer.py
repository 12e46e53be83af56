"""Heads, localization networks, and the spatial transformer, for a network of your own."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.models.transformations import (
    Transformation,
    check_reading,
    find_transformation,
)
from stn_course.samplers import warp, without_autocast
from stn_course.validation import check_head, describe, name_first


def start_at_identity(
    head: nn.Linear, transformation: str | Transformation = "affine"
) -> nn.Linear:
    """Make a layer answer the identity, whatever comes in.

    Zero weights and the identity as bias, as the paper's experiments begin.

    Args:
        head: the layer, changed in place.
        transformation: what its outputs are: a name in TRANSFORMATIONS, such as "affine", the 6
            numbers of theta, or a family of your own, see `Transformation`.

    Returns:
        The same layer.

    Raises:
        ValueError: not a Linear layer with a bias and as many outputs, a lazy one that has not run,
            or one whose weights are computed from others; an unknown transformation.

    Example:
        >>> head = start_at_identity(nn.Linear(in_features=32, out_features=6))
        >>> head(torch.rand(1, 32)).tolist()
        [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]
    """
    identity = find_transformation(transformation).identity
    check_head(head, outputs=len(identity))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(head.bias.new_tensor(identity))
    return head


def find_head(
    localization: nn.Module,
    head: nn.Linear | None = None,
    transformation: str | Transformation = "affine",
) -> nn.Linear:
    """The layer whose answer is theta, which from now on answers in float32 at least.

    Args:
        localization: a localization network.
        head: that layer; by default the one that ends a Sequential, or else the last Linear
            registered that has as many outputs as the transformation takes.
        transformation: which takes so many outputs, as in `start_at_identity`.

    Returns:
        The layer, with `in_float32` as a forward hook.

    Raises:
        ValueError: head is none of localization's layers, or cannot be a head; an unknown
            transformation.

    Example:
        >>> find_head(localization_cnn(in_channels=1))
        Linear(in_features=32, out_features=6, bias=True)
    """
    layers = list(localization.modules())
    outputs = len(find_transformation(transformation).identity)
    *_, last = localization, *localization.children()
    if head is None and isinstance(localization, nn.Sequential) and isinstance(last, nn.Linear):
        head = last
    if head is None:
        fit = [x for x in layers if isinstance(x, nn.Linear) and x.out_features == outputs]
        head = (fit or layers)[-1]
    check_head(head, outputs)
    if not any(layer is head for layer in layers):
        raise ValueError(f"head must be one of localization's own layers; got another, {head}")
    identity = find_transformation(transformation).identity
    head.register_forward_hook(functools.partial(in_float32, identity))
    return head


def in_float32(
    identity: tuple[float, ...], head: nn.Linear, inputs: tuple[Tensor, ...], answer: Tensor
) -> Tensor | None:
    """A forward hook: what is answered in bfloat16 or half, under autocast, is computed in float32.

    The next bfloat16 after 1 is 1.0078: at 224 pixels the border would move by a pixel or not.

    Args:
        identity: the answer at the start. What a bias in bfloat16 cannot hold of it is added.
        head: the layer that answered.
        inputs: what it was given.
        answer: what it said.

    Returns:
        The answer in float32; None, which leaves the answer as it is, if it is precise enough.

    Example:
        >>> head = nn.Linear(32, 6, dtype=torch.bfloat16)
        >>> features = torch.ones(1, 32, dtype=torch.bfloat16)
        >>> in_float32((1, 0, 0, 0, 1, 0), head, (features,), head(features)).dtype
        torch.float32
    """
    if torch.finfo(answer.dtype).bits >= 32:
        return None
    exact = torch.tensor(identity, device=answer.device)
    lost = exact - exact.to(head.bias.dtype)
    with without_autocast(answer.device):
        return F.linear(inputs[0].float(), head.weight.float(), head.bias.float()) + lost


def to_theta(answer: Tensor, batch: int, transformation: str | Transformation = "affine") -> Tensor:
    """What a localization network answers, as theta.

    Args:
        answer: (B, P), the P numbers of the transformation: theta row by row, for "affine".
        batch: B, the number of inputs it was given.
        transformation: as in `start_at_identity`.

    Returns:
        (B, 2, 3), or another family's theta, in float32 at least.

    Raises:
        ValueError: not a tensor of the shape that the transformation takes.

    Example:
        >>> to_theta(torch.arange(6.0)[None], batch=1)
        tensor([[[0., 1., 2.],
                 [3., 4., 5.]]])
        >>> to_theta(torch.tensor([[0.5, 0.1, -0.2]]), 1, "attention")
        tensor([[[ 0.5000,  0.0000,  0.1000],
                 [ 0.0000,  0.5000, -0.2000]]])
    """
    family = find_transformation(transformation)
    outputs = len(family.identity)
    if not isinstance(answer, Tensor) or answer.shape != (batch, outputs):
        expected = f"localization must answer (B, {outputs}), here ({batch}, {outputs})"
        raise ValueError(f"{expected}; got {describe(answer)}")
    with without_autocast(answer.device):
        return family.to_theta(answer.to(torch.promote_types(answer.dtype, torch.float32)))


def check_start(transformer: "SpatialTransformer", theta: Tensor) -> None:
    """At its first call, a transformer whose head answers the identity has it as theta.

    A head that was trained, loaded or set by hand is never complained of, nor NaN, which comes from
    the input. No value is looked at while PyTorch traces the program (compile, export).

    Args:
        transformer: before its first call ends.
        theta: (B, 2, 3), or another family's, chosen in that call.

    Raises:
        ValueError: another layer gives theta.

    Example:
        >>> transformer = SpatialTransformer(localization_cnn(in_channels=1))
        >>> check_start(transformer, torch.eye(2, 3)[None])  # as it should be
    """
    (head,) = transformer.head
    if transformer.theta is not None or torch.compiler.is_compiling():
        return
    family = find_transformation(getattr(transformer, "transformation", "affine"))
    identity = theta.new_tensor(family.identity)
    if head.weight.any() or not torch.equal(head.bias, identity.to(head.bias)):
        return
    wrong = (theta - to_theta(identity[None], 1, family)).abs() > 0
    if wrong.any():
        raise ValueError(
            f"theta must be the identity at the start; got {name_first('another', wrong, theta)}. "
            f"{head} was taken for the head and set to the identity, but theta is not its answer: "
            "name the layer that gives theta, head="
        )


def localization_cnn(
    in_channels: int, hidden: int = 32, transformation: str | Transformation = "affine"
) -> nn.Sequential:
    """A small localization network for inputs of any size.

    Two convolutions, the maps brought to 8×8 and 4×4 so that place is kept, then two layers.

    Args:
        in_channels: C of its inputs (B, C, H, W).
        hidden: the width of the layer before the last.
        transformation: whose numbers it answers, as in `start_at_identity`.

    Returns:
        The network, (B, C, H, W) -> (B, P), P = 6 for "affine".

    Raises:
        TypeError: a transformation that lacks a part of a family.
        ValueError: an unknown name.

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
        nn.Linear(hidden, len(find_transformation(transformation).identity)),
    )


class SpatialTransformer(nn.Module):
    """Choose a theta for each input and read the input through it; goes before any layer.

    (B, C, H, W) -> (B, C, H', W') in the input's dtype. Theta and the grid are computed in float32
    at least, under autocast and in models of a lower precision too. The first call checks that
    nothing is changed at the start.

    Args:
        localization: a module (B, C, H, W) -> (B, P), the P numbers of the transformation. The
            layer whose answer that is, its head, is set to the identity, so that the transformer
            changes nothing at the start.
        output_size: (H', W') of the output, by default the input's.
        padding_mode: as in `grid_sample`.
        align_corners: as in `grid_sample`.
        head: the layer that gives theta, a Linear with a bias; by default the last Linear
            registered that has as many outputs.
        transformation: what may be done to the input: "affine", six numbers; "attention", scale, x
            and y (the paper's eq. 2); "projective", eight; "tps", 4×4 control points, so 32; or a
            family of your own, see `Transformation`.
        antialias: as in `warp`.

    Attributes:
        theta: the (B, 2, 3) of the last call, or another family's theta, without gradient; None
            before.

    Raises:
        TypeError: output_size is not a tuple of whole numbers, or a transformation lacks a part.
        ValueError: no head, an unknown name, an identity that moves pixels, or antialias with
            align_corners or for a theta that is not affine; when called, an answer of another
            shape, or a start other than the identity.

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
        transformation: str | Transformation = "affine",
        antialias: bool = False,
    ):
        super().__init__()
        self.transformation = find_transformation(transformation)
        check_reading(self.transformation, output_size, padding_mode, align_corners, antialias)
        self.localization, self.output_size = localization, output_size
        head = find_head(localization, head, transformation)
        self.head = (start_at_identity(head, transformation),)  # in a tuple: listed once
        self.padding_mode, self.align_corners = padding_mode, align_corners
        self.antialias, self.theta = antialias, None

    def forward(self, input: Tensor) -> Tensor:
        """Read the input (B, C, H, W) through the theta chosen for it: (B, C, H', W')."""
        theta = to_theta(self.localization(input), len(input), self.transformation)
        check_start(self, theta)
        self.theta = theta.detach()
        return warp(
            input,
            theta,
            self.output_size,
            padding_mode=self.padding_mode,
            align_corners=self.align_corners,
            antialias=self.antialias,
            grid=self.transformation.grid,
        )


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
