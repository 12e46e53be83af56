"""What `training_scene.js` shows of a training run, as the browser is sent it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stn_course.plotting import COLOURS
from stn_course.transforms import to_pose
from stn_course.widgets.browser_lab import to_browser


def film(
    images: Tensor,
    size: Sequence[int] | None,
    padding_mode: str,
    antialias: bool,
    titles: tuple[str, str],
) -> dict:
    """What stays the same: the probe digits (N, 1, H, W), and how they are read.

    size: (H', W') of the outputs; None where the transformer reads a feature map. titles: what
    stands above the digits and above what they became.
    """
    return {
        "images": [to_browser(image) for image in images],
        "size": None if size is None else list(size),
        "paddingMode": padding_mode,
        "antialias": antialias,
        "titles": titles,
    }


def chart(
    title: str,
    points: Sequence[tuple[float, float]],
    ends: tuple[str, str, str, str],
    colour: str = COLOURS["input"],
) -> dict:
    """A curve; points from 0 to 1, y up; ends: words at x first, x last, y low, y high."""
    rounded = [[round(x, 4), round(y, 4)] for x, y in points]  # finer than any screen
    return {"title": title, "points": rounded, "ends": ends, "colour": colour}


def windows_in_words(thetas: Tensor, index: int = -1) -> str | None:
    """How large the windows of a recorded step are and where; None where any ever turned or bent.

    thetas: of all steps, (steps, N, 2, 3), or of another family.
    """
    if thetas.shape[2:] != (2, 3) or thetas[..., 0, 1].any() or thetas[..., 1, 0].any():
        return None
    pose = to_pose(thetas[index])
    parts = [pose.scale_x, torch.hypot(pose.x, pose.y)]
    (small, large), (near, far) = ([f"{v.item():.2f}" for v in part.aminmax()] for part in parts)
    return f"{small} to {large} times as wide as the picture, {near} to {far} from its centre"
