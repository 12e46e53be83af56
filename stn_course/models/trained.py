"""Networks that were trained beforehand."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from stn_course.models.clutter import AdditionNet, AttentionNet
from stn_course.models.deformable import DeformableNet
from stn_course.models.tutorial import PlainNet, TutorialNet, straighten_first
from stn_course.validation import check_choice

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"  # made by tools/pretrain.py


def _with_border() -> TutorialNet:
    return TutorialNet(padding_mode="border")


# The networks that were trained beforehand, by name: tools/pretrain.py says how.
TRAINED: dict[str, Callable[[], nn.Module]] = {
    "straightener": _with_border,
    "unprojected": partial(straighten_first, "projective"),
    "unbent": partial(straighten_first, "tps"),
    "together": _with_border,
    "turned_plain": PlainNet,
    "turned_transformer": _with_border,
    "turned_hasty": _with_border,
    "turned_deformable": DeformableNet,
    "clutter_transformer": AttentionNet,
    "addition_apart": AdditionNet,
}


def load_trained(name: str) -> nn.Module:
    """A network trained beforehand, on digits that were turned, bent, or lie in clutter.

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
    return model.eval().to(memory_format=torch.channels_last)  # reads several times as fast


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
