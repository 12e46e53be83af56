"""The architecture of a network with a transformer, drawn from the tensors that flow through it."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor, nn

from stn_course.plotting.drawing import COLOURS, draw_image, draw_sampling_grid
from stn_course.validation import check_images

SIZE = 11  # points of all text; in the notebook, at 80 pixels an inch, it looks like 9


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
    Above: the localization network. In the middle: input, theta, grid, output. Below: the
    classifier. A layer is a module: functions such as `F.relu` are not seen, and not drawn.
    """
    check_images(input)
    layers = trace_layers(model, input)
    choosing = [x for x in layers if {"localization", "fc_loc"} & set(x[0].split("."))]
    deciding = [x for x in layers if x not in choosing]
    figure = Figure(figsize=(11, 6.6), layout="constrained", facecolor="white")
    upper, middle, lower = figure.subfigures(3, 1, height_ratios=(1, 2.4, 1))
    _draw_chain(upper.subplots(), choosing, COLOURS["input"], "localization network: input → theta")
    _draw_transformer(middle, model, input)
    _draw_chain(lower.subplots(), deciding, COLOURS["output"], "classifier: output → scores")
    figure.suptitle(title, fontsize=13)
    return figure


def _draw_transformer(figure: SubFigure, model: nn.Module, input: Tensor) -> None:
    """Four panels: the input, its theta, the grid over the input, the output."""
    with torch.no_grad():
        output = model.stn(input)
    theta = model.theta.cpu()
    limits = (input.min().item(), input.max().item())
    first, numbers, grid, last = figure.subplots(1, 4)
    draw_image(first, input[0], limits)
    first.set_title(f"input\n{tuple(input.shape)}", fontsize=SIZE)
    _draw_theta(numbers, theta)
    span = (input[0].cpu() - limits[0]) / max(limits[1] - limits[0], 1e-12)
    size = output.shape[-2:]
    draw_sampling_grid(grid, span, theta[:1].to(span), size, model.align_corners, dot=1)
    grid.set_title(f"grid generator\n{(len(input), *size, 2)}", fontsize=SIZE)
    draw_image(last, output[0], limits)
    last.set_title(f"sampler: output\n{tuple(output.shape)}", fontsize=SIZE)


def _draw_theta(axes: Axes, theta: Tensor) -> None:
    axes.axis("off")
    axes.set_title(f"theta\n{tuple(theta.shape)}", fontsize=SIZE)
    rows = "\n".join("  ".join(f"{v:+.2f}" for v in row) for row in theta[0].tolist())
    axes.text(0.5, 0.5, rows, ha="center", va="center", family="monospace", fontsize=SIZE)
    for start, end in ((0.02, 0.14), (0.84, 0.96)):  # from the input, and on to the grid
        _draw_arrow(axes, (start, 0.5), (end, 0.5))


def _draw_chain(axes: Axes, layers: list, colour: str, title: str) -> None:
    """Layers as boxes from left to right: kind, and the shape passed on, without the batch."""
    axes.axis("off")
    axes.set_title(title, fontsize=SIZE, loc="left", color=COLOURS["text"])
    axes.set(xlim=(-0.5, max(len(layers), 6) - 0.5), ylim=(-1, 1))
    for i, (_, kind, shape) in enumerate(layers):
        words = f"{kind}\n{'×'.join(map(str, shape[1:]))}"
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": colour, "linewidth": 2}
        axes.text(i, 0, words, ha="center", va="center", fontsize=SIZE, bbox=box)
        if i + 1 < len(layers):
            _draw_arrow(axes, (i + 0.4, 0), (i + 0.62, 0))


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "->", "color": COLOURS["text"], "linewidth": 1.5}
    axes.annotate("", end, start, arrowprops=style, annotation_clip=False)
