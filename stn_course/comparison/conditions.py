"""What is compared: which digits, which networks, and what is measured beside the error."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from stn_course.alignment import centre_distance, pose_spread, share_inside, undoing
from stn_course.clutter import random_clutter
from stn_course.data import (
    denormalise,
    normalise,
    random_elastic,
    random_projection,
    random_rotation,
)
from stn_course.models import (
    CLUTTER_NETWORKS,
    TRANSFORMATIONS,
    AttentionNet,
    DeformableNet,
    FourTurns,
    PlainNet,
    PolarNet,
    TutorialNet,
    straighten_first,
)
from stn_course.training.loop import Digits, Distortion
from stn_course.transforms import to_pose

Networks = dict[str, Callable[[], nn.Module]]
Measure = Callable[[nn.Module, Tensor, Tensor], dict[str, float]]
SOME = 1000  # pictures a measure looks at in one go


@dataclass(frozen=True)
class Condition:
    """One kind of digits, and who reads them.

    distort: makes the pictures from upright digits and tells what it did to each; None for none.
    networks: by name, each made with fresh weights. measure: of a trained network, the pictures,
    and what distort told of them. recipe: a name in RECIPES. labelled: how many of the training
    digits they learn from; None for all.
    """

    distort: Distortion | None
    networks: Networks
    measure: Measure
    recipe: str
    labelled: int | None = None

    def learned_from(self, train: Digits) -> Digits:
        """As many pictures as there are: few are repeated, so that an epoch stays as long."""
        images, labels = train
        if self.labelled is None:
            return train
        chosen = torch.arange(len(images)) % self.labelled
        return images[chosen], labels[chosen]


def measure_nothing(model: nn.Module, images: Tensor, told: Tensor) -> dict[str, float]:
    """The error alone is of interest."""
    return {}


@torch.no_grad()
def measure_alignment(model: nn.Module, images: Tensor, degrees: Tensor) -> dict[str, float]:
    """How alike the digits lie that the classifier sees, and what the grid does to their turn."""
    if not isinstance(model, TutorialNet):
        return {"spread of the axes": pose_spread(images).angle}
    seen = denormalise(model.stn(normalise(images))).clamp(0, 1)
    found = {"spread of the axes": pose_spread(seen).angle}
    if degrees.any():
        turn = to_pose(model.theta).rotation
        found["correlation, turn and grid"] = undoing(degrees, turn).correlation
    return found


@torch.no_grad()
def measure_attention(model: nn.Module, pictures: Tensor, boxes: Tensor) -> dict[str, float]:
    """How well the window finds the digit: what the network was never told."""
    if not isinstance(model, AttentionNet):
        return {}
    thetas = []
    for some in pictures.split(SOME):
        model.transformer(normalise(some))
        thetas.append(model.transformer.theta)
    return measure_window(torch.cat(thetas), boxes, tuple(pictures.shape[2:]))


def measure_window(theta: Tensor, boxes: Tensor, size: tuple[int, int]) -> dict[str, float]:
    """How well grids find what lies in the boxes (B, 4), in pixels of pictures of that size."""
    return {
        "pixels between the centres": centre_distance(theta, boxes, size).mean().item(),
        "share of the digit inside": share_inside(theta, boxes, size).mean().item(),
    }


UPRIGHT_NETWORKS: Networks = {
    "plain": PlainNet,
    "larger": lambda: PlainNet(hidden=67),  # as many parameters as the one with a transformer
    "transformer": lambda: TutorialNet(padding_mode="border"),
}
FAMILIES: Networks = {  # the same classifier, behind a transformer of each family
    "plain": PlainNet,
    **{name: partial(straighten_first, name) for name in TRANSFORMATIONS},
}
ON_TURNED: Networks = {
    **UPRIGHT_NETWORKS,
    "polar": PolarNet,
    "four-turns": FourTurns,
    "deformable": DeformableNet,
    "ordinary": partial(DeformableNet, deformable=False),
}
_condition = partial(Condition, networks=UPRIGHT_NETWORKS, measure=measure_alignment)
_few = partial(_condition, recipe="course", networks=ON_TURNED, labelled=300)
_bent = partial(Condition, networks=FAMILIES, measure=measure_nothing, recipe="bent")
CONDITIONS = {
    "upright": _condition(None, recipe="course"),
    "turned30": _condition(random_rotation(30), recipe="course"),
    "turned90": _condition(random_rotation(90), recipe="course", networks=ON_TURNED),
    "turned90-few": _few(random_rotation(90)),
    "turned180-few": _few(random_rotation(180)),
    "clutter": Condition(random_clutter(), CLUTTER_NETWORKS, measure_attention, "clutter"),
    "projected": _bent(random_projection()),
    "elastic": _bent(random_elastic()),
}
