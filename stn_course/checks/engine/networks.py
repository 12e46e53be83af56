"""What an attempt's network gives and learns, as numbers that a case can compare."""

import torch
from torch import Tensor, nn

IDENTITY = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def seeded(make, seed: int = 5):
    """What `make()` makes from random numbers that are always the same, leaving all others be."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make()


def shaken(net: nn.Module, by: float) -> nn.Module:
    """The network with each parameter moved at random, as training would move it."""

    def shake():
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += by * torch.randn_like(parameter)

    seeded(shake)
    return net


def flag(*truths) -> Tensor:
    """Truths as numbers: 1.0 for yes, 0.0 for no."""
    return torch.tensor([float(bool(truth)) for truth in truths])


def ask_for_gradients(output: Tensor) -> None:
    """Ask for the gradients of everything that the output rests on and that can learn."""
    if output.requires_grad:
        output.square().sum().backward()


def learns(parameter: Tensor) -> bool:
    """Whether a gradient arrived that is not 0 everywhere."""
    return parameter.grad is not None and bool((parameter.grad != 0).any())


def shares(values):
    """Numbers or tensors of one element as a tensor (N,), float32 as means are; else as it is."""
    try:
        return torch.tensor([float(value) for value in values])
    except (TypeError, ValueError, RuntimeError):
        return values
