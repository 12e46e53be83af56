"""The architecture of a network with a transformer, drawn from the tensors that flow through it."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from stn_course.plotting.drawing import COLOURS, draw_image, draw_sampling_grid
from stn_course.validation import check_images


def trace_layers(model: nn.Module, input: Tensor) -> list[tuple[str, str, tuple[int, ...]]]:
    """What really flows through a model: (name, kind of layer, shape of its output), in order."""
    seen, handles = [], []
    for name, module in model.named_modules():
        if next(module.children(), None) is None:

            def note(module, _, output, name=name):
                seen.append((name, type(module).__name__, tuple(output.shape)))

            handles.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            model(input)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def architecture(model: nn.Module, input: Tensor, title: str = "") -> Figure:
    """A model with a transformer, drawn from the tensors that flow through it for this input.

    model: with `stn(x)` and `theta`, as `TutorialNet`. input: (B, C, H, W); the first is shown.
    Above: the localization network, then theta. Below: input, grid, output, classifier.
    """
    check_images(input)
    layers = trace_layers(model, input)
    with torch.no_grad():
        output = model.stn(input)
    theta = model.theta.cpu()
    choosing = [x for x in layers if {"localization", "fc_loc"} & set(x[0].split("."))]
    deciding = [x for x in layers if x not in choosing]
    limits = (input.min().item(), input.max().item())
    figure = Figure(figsize=(11, 6.4), layout="constrained", facecolor="white")
    upper, middle, lower = figure.subfigures(3, 1, height_ratios=(1, 1.7, 1))
    _draw_chain(upper.subplots(), choosing, COLOURS["input"], "localization network: which theta?")
    pictures = middle.subplots(1, 4)
    draw_image(pictures[0], input[0], limits)
    pictures[0].set_title(f"input {tuple(input.shape)}", fontsize=9)
    _draw_theta(pictures[1], theta)
    span = (input[0].cpu() - limits[0]) / max(limits[1] - limits[0], 1e-12)
    size = output.shape[-2:]
    draw_sampling_grid(pictures[2], span, theta[:1].to(span), size, model.align_corners, dot=1)
    shape = (*input.shape[:1], *output.shape[-2:], 2)
    pictures[2].set_title(f"grid generator {shape}", fontsize=9)
    draw_image(pictures[3], output[0], limits)
    pictures[3].set_title(f"sampler {tuple(output.shape)}", fontsize=9)
    _draw_chain(lower.subplots(), deciding, COLOURS["output"], "classifier: which digit?")
    figure.suptitle(title, fontsize=12)
    return figure


def _draw_theta(axes: Axes, theta: Tensor) -> None:
    axes.axis("off")
    axes.set_title(f"theta {tuple(theta.shape)}", fontsize=9)
    rows = "\n".join("  ".join(f"{v:+.2f}" for v in row) for row in theta[0].tolist())
    axes.text(0.5, 0.5, rows, ha="center", va="center", family="monospace", fontsize=12)


def _draw_chain(axes: Axes, layers: list, colour: str, title: str) -> None:
    """Layers as boxes from left to right, below each the shape it passes on, without the batch."""
    axes.axis("off")
    axes.set_title(title, fontsize=10, loc="left", color=COLOURS["text"])
    axes.set(xlim=(-0.5, max(len(layers), 6) - 0.5), ylim=(-1, 1))
    for i, (name, kind, shape) in enumerate(layers):
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": colour, "linewidth": 2}
        axes.text(i, 0.3, f"{kind}\n{name}", ha="center", va="center", fontsize=8, bbox=box)
        axes.text(i, -0.75, "×".join(map(str, shape[1:])), ha="center", va="center", fontsize=8)
        if i + 1 < len(layers):
            axes.text(i + 0.5, -0.75, "→", ha="center", va="center", fontsize=10)
