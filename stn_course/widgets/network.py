"""A small CNN taken apart into layers that `network.js` computes in the browser."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from stn_course.models import DigitReader, PlainNet

Layer = dict[str, str | int | bytes]


def layers_of(module: nn.Module) -> list[Layer]:
    """What `network.js` needs in order to answer as a network does in eval mode.

    Convolutions without padding, pooling, ReLU, batch normalisation, dropout (which does nothing in
    eval mode), linear layers, flattening and log-softmax, in a Sequential or as in `PlainNet` and
    `DigitReader`.

    Args:
        module: such a network. What it holds is copied.

    Returns:
        Its layers in order; each has a `kind`, and `weight` and `bias` as bytes of float32 numbers.

    Raises:
        ValueError: a layer, or one of its options, that `network.js` does not know.

    Example:
        >>> [layer["kind"] for layer in layers_of(nn.Sequential(nn.Flatten(), nn.Linear(9, 2)))]
        ['flatten', 'linear']
    """
    # By its very class: a class derived from one of these may compute something else.
    if type(module) not in TAKEN_APART:
        raise ValueError(f"the browser cannot compute a layer of kind {type(module).__name__}")
    return TAKEN_APART[type(module)](module)


def scaling(weight: Tensor, bias: Tensor) -> Layer:
    """A layer that multiplies each channel by a number, and adds one: weight and bias (C,)."""
    return {"kind": "scaling", "weight": float32_bytes(weight), "bias": float32_bytes(bias)}


def float32_bytes(numbers: Tensor) -> bytes:
    """As float32 numbers in order, whatever they were and wherever they lay."""
    return numbers.detach().to("cpu", torch.float32).contiguous().numpy().tobytes()


def _plain_net(net: PlainNet) -> list[Layer]:
    pooled = [net.conv1, net.pool, nn.ReLU(), net.conv2, net.pool, nn.ReLU()]
    head = [nn.Flatten(), net.fc1, nn.ReLU(), net.fc2, nn.LogSoftmax(dim=1)]
    return layers_of(nn.Sequential(*pooled, *head))


def _digit_reader(net: DigitReader) -> list[Layer]:
    return layers_of(nn.Sequential(net.features, net.answers, nn.LogSoftmax(dim=1)))


def _convolution(layer: nn.Conv2d) -> list[Layer]:
    side = layer.kernel_size[0]
    plain = nn.Conv2d(layer.in_channels, layer.out_channels, side)
    _check_options(layer, plain, "kernel_size", "stride", "padding", "dilation", "groups")
    return [{"kind": "convolution", "side": side} | _weights(layer)]


def _linear(layer: nn.Linear) -> list[Layer]:
    return [{"kind": "linear"} | _weights(layer)]


def _weights(layer: nn.Conv2d | nn.Linear) -> Layer:
    bias = layer.weight.new_zeros(len(layer.weight)) if layer.bias is None else layer.bias
    return {"weight": float32_bytes(layer.weight), "bias": float32_bytes(bias)}


def _batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d) -> list[Layer]:
    _check_options(layer, type(layer)(layer.num_features), "affine", "track_running_stats")
    factor = layer.weight / (layer.running_var + layer.eps).sqrt()
    return [scaling(factor, layer.bias - layer.running_mean * factor)]


def _max_pooling(layer: nn.MaxPool2d) -> list[Layer]:
    return _pooling("maxPooling", layer, "dilation")


def _average_pooling(layer: nn.AvgPool2d) -> list[Layer]:
    return _pooling("averagePooling", layer, "divisor_override")


def _pooling(kind: str, layer: nn.MaxPool2d | nn.AvgPool2d, *options: str) -> list[Layer]:
    side = layer.kernel_size
    _check_options(layer, type(layer)(side), "stride", "padding", "ceil_mode", *options)
    return [{"kind": kind, "side": side}]


def _check_options(layer: nn.Module, known: nn.Module, *names: str) -> None:
    for name in names:
        if getattr(layer, name) != getattr(known, name):
            raise ValueError(
                f"the browser computes {type(layer).__name__} with {name} "
                f"{getattr(known, name)!r} alone; got {getattr(layer, name)!r}"
            )


TAKEN_APART: dict[type[nn.Module], Callable[[nn.Module], list[Layer]]] = {
    PlainNet: _plain_net,
    DigitReader: _digit_reader,
    nn.Sequential: lambda layers: [part for layer in layers for part in layers_of(layer)],
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.MaxPool2d: _max_pooling,
    nn.AvgPool2d: _average_pooling,
    nn.ReLU: lambda _: [{"kind": "relu"}],
    nn.Flatten: lambda _: [{"kind": "flatten"}],
    nn.LogSoftmax: lambda _: [{"kind": "logSoftmax"}],
    nn.Dropout: lambda _: [],
    nn.Dropout2d: lambda _: [],
}
