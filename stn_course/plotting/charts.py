"""What was measured, as charts: values over values, over steps, over a plane."""

from collections.abc import Mapping, Sequence

import numpy
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.plotting.drawing import (
    COLOURS,
    DASHES,
    SERIES,
    new_figure,
)
from stn_course.training import History
from stn_course.transforms import nearest_affine, to_pose


def curves(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    markers: bool = True,
) -> Figure:
    """One line for each name, told apart by colour and by dashes."""
    figure, axes = new_figure(size=(7.5, 3.8))
    styles = zip(SERIES, DASHES, strict=True)
    for (name, y), (colour, dash) in zip(series.items(), styles, strict=False):
        marker = "o" if markers else ""
        x, y = torch.as_tensor(x).numpy(), torch.as_tensor(y).numpy()
        axes.plot(x, y, color=colour, linestyle=dash, marker=marker, markersize=4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    if len(series) > 1:
        axes.legend()
    axes.set_title(title, fontsize=11)
    return figure


def scatter(
    panels: Mapping[str, Sequence[float]],
    ys: Sequence[float],
    names: Sequence[str],
    kinds: Sequence[str],
    ylabel: str,
    title: str = "",
) -> Figure:
    """The same values over several costs, a panel each, on a logarithmic scale.

    panels: what stands below each panel, with its unit, and x of each point. ys: their heights,
    above 0. names: stand beside the points. kinds: of the points, a mark and a colour each.
    """
    figure, grid = new_figure(1, len(panels), size=(4.3 * len(panels), 3.8))
    looks = dict(zip(dict.fromkeys(kinds), zip("osD^v", SERIES, strict=False), strict=False))
    for axes, (xlabel, xs) in zip(numpy.atleast_1d(grid), panels.items(), strict=True):
        for kind, (mark, colour) in looks.items():
            of_kind = [i for i, own in enumerate(kinds) if own == kind]
            places = [xs[i] for i in of_kind], [ys[i] for i in of_kind]
            axes.plot(*places, mark, color=colour, label=kind)
        for place in zip(names, xs, ys, strict=True):
            axes.annotate(place[0], place[1:], (4, 3), textcoords="offset points", fontsize=9)
        axes.set(xlabel=xlabel, yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=9)
    figure.supylabel(ylabel, fontsize=10)
    figure.suptitle(title, fontsize=12)
    return figure


def history(runs: Mapping[str, History], title: str = "") -> Figure:
    """Left the loss of every step, smoothed over 50; right the accuracy after each epoch."""
    figure, (left, right) = new_figure(1, 2, (9, 3.6))
    styles = zip(SERIES, DASHES, strict=True)
    for (name, run), (colour, dash) in zip(runs.items(), styles, strict=False):
        losses = torch.tensor(run.losses)
        width = min(50, len(losses))
        smooth = losses.unfold(0, width, 1).mean(dim=1)
        left.plot(
            range(width, len(losses) + 1), smooth.numpy(), color=colour, linestyle=dash, label=name
        )
        percent = [100 * accuracy for accuracy in run.accuracies]
        epochs = range(1, len(percent) + 1)
        right.plot(epochs, percent, color=colour, linestyle=dash, marker="o", label=name)
    left.set(xlabel="step", ylabel="training loss (mean of 50 steps)", yscale="log")
    right.set(xlabel="epoch", ylabel="test accuracy, %")
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.suptitle(title, fontsize=11)
    return figure


def _over_steps(run: History, values: Mapping[str, Tensor], ylabel: str, title: str) -> Figure:
    """For each name (steps, N): the median over N as a line, the middle half as a band."""
    figure, axes = new_figure(size=(7.5, 3.8))
    styles = zip(SERIES, DASHES, strict=True)
    for (name, value), (colour, dash) in zip(values.items(), styles, strict=False):
        low, middle, high = value.nanquantile(
            torch.tensor([0.25, 0.5, 0.75]).to(value), dim=1
        ).numpy()
        axes.plot(run.probe_steps, middle, color=colour, linestyle=dash, label=name)
        axes.fill_between(run.probe_steps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="step", ylabel=ylabel)
    axes.grid(alpha=0.3)
    digits = len(next(iter(values.values()))[0])
    axes.legend(
        ncols=2, fontsize=9, title=f"median of {digits} digits; band: middle half", title_fontsize=9
    )
    axes.set_title(title, fontsize=11)
    return figure


def _probes(run: History) -> Tensor:
    """The affine thetas nearest to those recorded, (steps, N, 2, 3)."""
    if not run.probe_thetas:
        raise ValueError("this history holds no theta: the model has no spatial transformer")
    thetas = torch.stack(run.probe_thetas)  # (steps, N, …)
    return nearest_affine(thetas.flatten(0, 1)).unflatten(0, thetas.shape[:2])


def theta_history(run: History, title: str = "") -> Figure:
    """The six numbers of theta during training: median and middle half of the probe digits.

    Of a homography or of control points they are those of the nearest affine one.
    """
    thetas = _probes(run)
    names = {f"theta[{i}, {j}]": thetas[:, :, i, j] for i in range(2) for j in range(3)}
    return _over_steps(run, names, "value of theta", title)


def pose_history(run: History, title: str = "") -> Figure:
    """The rotation that theta reads as during training: median and middle half of the probe."""
    thetas = _probes(run)
    angles = to_pose(thetas.flatten(0, 1)).rotation.reshape(thetas.shape[:2])
    return _over_steps(run, {"rotation of the sampling grid": angles}, "degrees", title)


def angle_scatter(angles_in: Tensor, angles_out: Tensor, title: str = "") -> Figure:
    """How the digits were turned (B,) against how the sampling grid turns (B,), both in degrees."""
    figure, axes = new_figure(size=(5, 4.4))
    x, y = angles_in.cpu().numpy(), angles_out.cpu().numpy()
    axes.plot(x, y, ".", color=COLOURS["input"], markersize=3, alpha=0.5, label="one test digit")
    limit = abs(x).max()
    axes.plot([-limit, limit], [limit, -limit], "--", color=COLOURS["x"], label="undoes it fully")
    axes.set(
        xlabel="digit turned by, degrees (anticlockwise)",
        ylabel="grid turned by, degrees (clockwise)",
    )
    axes.grid(alpha=0.3)
    axes.legend()
    axes.set_title(title, fontsize=11)
    return figure


def surfaces(
    shifts: Tensor, losses: Mapping[str, Tensor], paths: Mapping[str, Tensor], title: str = ""
) -> Figure:
    """The loss over a shift in x and y, one panel a name, with the way that descent takes.

    shifts: (S,), the values tried on each axis. losses: (S, S), rows are y.
    paths: (steps, 2), last axis (x, y).
    """
    figure, panels = new_figure(1, len(losses), (4.4 * len(losses), 4))
    panels = [panels] if len(losses) == 1 else panels
    for axes, (name, loss) in zip(panels, losses.items(), strict=True):
        filled = axes.contourf(
            shifts.numpy(), shifts.numpy(), loss.numpy(), levels=15, cmap="cividis"
        )
        figure.colorbar(filled, ax=axes, label="mean squared error")
        path, edge = paths[name].numpy(), {"markeredgecolor": "black", "linestyle": "none"}
        axes.plot(*path.T, "-", color="white", linewidth=3)
        axes.plot(*path.T, ".-", color=COLOURS["x"], markersize=4, label="descent")
        axes.plot(*path[0], "o", color="white", label="start", **edge)
        axes.plot(*path[-1], "s", color=COLOURS["grid"], label="end", **edge)
        axes.plot(0, 0, "*", color="white", markersize=14, label="truth", **edge)
        axes.set(xlabel="shift in x, pixels", ylabel="shift in y, pixels")
        axes.set(title=name, aspect="equal")
        axes.invert_yaxis()
    axes.legend(fontsize=7, loc="upper left")
    figure.suptitle(title, fontsize=11)
    return figure
