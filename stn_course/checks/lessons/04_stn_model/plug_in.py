"""A transformer before a CNN of your own."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import models
from stn_course.checks.engine.networks import ask_for_gradients, flag, learns, seeded
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def plug_in(cnn: nn.Module) -> nn.Module:
    """A network for (B, 1, 28, 28): a transformer, then `cnn`, which takes (B, 1, 20, 20)."""
    localization = models.localization_cnn(in_channels=1)
    return nn.Sequential(models.SpatialTransformer(localization, output_size=(20, 20)), cnn)


def run_plugged(attempt, look: str):
    """Give the attempt a CNN for 20×20; look at its output, or at which part can learn."""
    cnn = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(400, 10)))
    images = seeded(lambda: torch.rand(2, 1, 28, 28))
    net = attempt(cnn)
    if not isinstance(net, nn.Module):
        return net
    output = net(images)
    if look == "output":
        return output
    ask_for_gradients(output)
    own = {id(parameter) for parameter in cnn.parameters()}
    added = [parameter for parameter in net.parameters() if id(parameter) not in own]
    return flag(any(map(learns, added)), all(map(learns, cnn.parameters())))


def read_at_20(look: str) -> Tensor:
    """The CNN's answer to the images as the identity reads them at 20×20; or: both learn."""
    if look != "output":
        return flag(1, 1)
    cnn = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(400, 10)))
    images = seeded(lambda: torch.rand(2, 1, 28, 28))
    grid = F.affine_grid(torch.eye(2, 3).repeat(2, 1, 1), (2, 1, 20, 20), align_corners=False)
    return cnn(F.grid_sample(images, grid, align_corners=False)).detach()


class Cropped(nn.Module):
    """The middle 20×20 pixels."""

    def forward(self, input: Tensor) -> Tensor:
        return input[..., 4:24, 4:24]


def _plugged(change, cnn):
    """The right network with a change, a function of (transformer, cnn)."""
    net = plug_in(cnn)
    change(net[0], cnn)
    return net


EXERCISE = FunctionExercise(
    attempt="my_network",
    solution=plug_in,
    run=run_plugged,
    returns="an nn.Module, as nn.Sequential(…) is",
    oracle=read_at_20,
    against="the CNN's answer to the picture read at 20×20 by the identity, and both parts learn",
    cases=lambda: [
        Case(("output",), "two pictures of 28×28, before any training"),
        Case(("learns",), "does a gradient reach the transformer, and the CNN? (1 is yes)"),
    ],
    hints=(
        "Three parts, in this order: a localization network, a SpatialTransformer around it, the "
        "CNN. nn.Sequential joins them.",
        "models.localization_cnn(in_channels=1) answers with six numbers for each picture. "
        "SpatialTransformer(…) sets them to the identity at the start.",
        "The CNN wants 20×20 pixels: SpatialTransformer(localization, output_size=(20, 20)).",
    ),
    misconceptions=(
        Misconception(
            "28 pixels",
            "the CNN got 28×28 pixels, 784 numbers, and wants 20×20, 400. The transformer comes "
            "before the CNN, and its output_size is (20, 20).",
            lambda cnn: cnn,
            typed="return nn.Sequential(nn.Identity(), cnn)",
        ),
        Misconception(
            "pooled",
            "the picture is only made smaller, by averaging: nothing in it chooses where to look.",
            lambda cnn: nn.Sequential(nn.AdaptiveAvgPool2d(20), cnn),
            typed="return nn.Sequential(nn.AdaptiveAvgPool2d((20, 20)), cnn)",
        ),
        Misconception(
            "cropped",
            "the picture is only cut to its middle: nothing in it chooses where to look, and the "
            "edges are lost.",
            lambda cnn: nn.Sequential(Cropped(), cnn),
            typed="""
                class Crop(nn.Module):
                    def forward(self, x):
                        return x[:, :, 4:-4, 4:-4]
                return nn.Sequential(Crop(), cnn)
            """,
        ),
        Misconception(
            "no learning",
            "the output is right, but no gradient reaches the transformer: is it frozen, or "
            "bypassed?",
            partial(_plugged, lambda transformer, cnn: transformer.requires_grad_(False)),
            typed="""
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(20, 20))
                for parameter in transformer.parameters():
                    parameter.requires_grad = False
                return nn.Sequential(transformer, cnn)
            """,
        ),
        Misconception(
            "frozen CNN",
            "the output is right, but no gradient reaches the CNN: it is frozen.",
            partial(_plugged, lambda transformer, cnn: cnn.requires_grad_(False)),
            typed="""
                for parameter in cnn.parameters():
                    parameter.requires_grad = False
                localization = models.localization_cnn(in_channels=1)
                return nn.Sequential(
                    models.SpatialTransformer(localization, output_size=(20, 20)), cnn
                )
            """,
        ),
        Misconception(
            "random start",
            "before any training the answer is not the CNN's to the picture as the identity reads "
            "it at 20×20. Does it start at the identity, with align_corners=False, and with "
            "nothing else in between? And is it the given cnn that answers?",
            partial(
                _plugged,
                lambda transformer, cnn: nn.init.normal_(transformer.localization[-1].bias),
            ),
            sign=lambda expected, received: expected.shape == received.shape == (2, 10),
            typed="""
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(20, 20))
                localization[-1].reset_parameters()
                return nn.Sequential(transformer, cnn)
            """,
        ),
    ),
)
