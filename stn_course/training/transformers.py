"""Which transformers a network calls, and what they read.

A transformer is a module that keeps the `theta` of its last call, as `SpatialTransformer` does.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from stn_course.grids import grid_of

Grid = Callable[[Tensor, tuple[int, ...], bool], Tensor]  # of a theta, as `grids.grid_of`


@torch.no_grad()
def answers_to(model: nn.Module, images: Tensor) -> tuple[Tensor, list[nn.Module]]:
    """The answers to images, in eval mode, and the transformers that were called for them."""
    before = {module: getattr(module, "theta", None) for module in model.modules()}
    was_training = model.training
    model.eval()
    answers = model(images)
    model.train(was_training)
    return answers, [m for m, theta in before.items() if getattr(m, "theta", None) is not theta]


def idle(model: nn.Module, called: list[nn.Module]) -> list[str]:
    """The names of the transformers that are not among those called."""
    return [
        name or type(module).__name__
        for name, module in model.named_modules()
        if chooses_theta(module) and module not in called
    ]


def chooses_theta(module: nn.Module) -> bool:
    """Whether a module keeps a theta that is neither learned nor set for all inputs."""
    kept = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    theta = getattr(module, "theta", 0.0)
    return (theta is None or isinstance(theta, Tensor)) and "theta" not in dict(kept)


def input_size(
    model: nn.Module, transformer: nn.Module, images: Tensor
) -> tuple[int, int, int] | None:
    """What the transformer reads while the model answers images: (C, H, W), None if not known."""
    sizes = []
    hook = transformer.register_forward_pre_hook(lambda _, args: sizes.append(args[0].shape[1:]))
    try:
        answers_to(model, images)
    finally:
        hook.remove()
    return tuple(sizes[0]) if sizes else None


def grid_function(transformer: nn.Module | None) -> Grid:
    """How the transformer makes a grid of its theta: by its family, or as theta's shape tells."""
    return getattr(getattr(transformer, "transformation", None), "grid", grid_of)
