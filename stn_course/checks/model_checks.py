"""The exercises of notebook 04: the identity start, plugging in, the head's parameters."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import models
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception, PredictionExercise

NOTEBOOK = "04_stn_model"


def seeded(make, seed: int = 5):
    """What `make()` makes from random numbers that are always the same, leaving all others be."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def flag(*truths) -> Tensor:
    """Truths as numbers: 1.0 for yes, 0.0 for no."""
    return torch.tensor([float(bool(truth)) for truth in truths])


def learns(parameter: Tensor) -> bool:
    """Whether a gradient arrived that is not 0 everywhere."""
    return parameter.grad is not None and bool((parameter.grad != 0).any())


def run_start(attempt, look: str):
    """Give the attempt a head of 3 features; look at its theta, or what learns, or which it is."""
    given = seeded(lambda: nn.Linear(3, 6))
    answer = attempt(given)
    head = answer if isinstance(answer, nn.Module) else given
    if look == "same":
        return flag(head is given)
    thetas = head(torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]]))
    if look == "theta":
        return thetas
    if thetas.requires_grad:
        thetas.square().sum().backward()
    return flag(*map(learns, head.parameters()))


def _start(weight, bias, head):
    """A start from a change of the weights and six numbers for the bias."""
    with torch.no_grad():
        head.weight.copy_(weight(head.weight))
        head.bias.copy_(torch.tensor(bias))
    return head


def _weight_frozen(head):
    head.weight.requires_grad_(False).zero_()
    head.bias.data = torch.tensor(IDENTITY)
    return head


def _bias_as_theta(head):
    head.bias = nn.Parameter(torch.eye(2, 3))
    return head


IDENTITY = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]

START_AT_IDENTITY = FunctionExercise(
    name="start_at_identity",
    notebook=NOTEBOOK,
    title="The identity start",
    attempt="my_start",
    solution=models.start_at_identity,
    run=run_start,
    oracle=lambda look: {
        "theta": torch.tensor([IDENTITY, IDENTITY]),
        "learns": flag(1, 1),
        "same": flag(1),
    }[look],
    against="the identity theta, whatever comes in, and all of the head can learn",
    cases=lambda: [
        Case(("theta",), "head = nn.Linear(3, 6): its answer to two different features"),
        Case(("learns",), "does a gradient reach the head's weight and its bias? (1 is yes)"),
        Case(("same",), "is it the given head that now starts at the identity? (1 is yes)"),
    ],
    hints=(
        "A Linear layer answers weight · features + bias. When does it answer the same, whatever "
        "the features?",
        "Zero weights. Then the bias alone is the answer, and it must be the identity theta, row "
        "by row.",
        "with torch.no_grad(): head.weight.zero_() and head.bias.copy_(torch.tensor([1.0, 0, 0, "
        "0, 1, 0])).",
    ),
    misconceptions=(
        Misconception(
            "weights left",
            "the bias is right, but the weights are not zero: the features still move theta.",
            partial(_start, torch.clone, IDENTITY),
        ),
        Misconception(
            "bias zero",
            "the bias is zero, too: every output pixel would read the same place, the centre.",
            partial(_start, torch.zeros_like, [0.0] * 6),
        ),
        Misconception(
            "wrong order",
            "the bias is (1, 0, 0, 1, 0, 0), the identity of a 2×2 matrix. Theta is 2×3: (1, 0, "
            "0) and then (0, 1, 0).",
            partial(_start, torch.zeros_like, [1.0, 0, 0, 1, 0, 0]),
        ),
        Misconception(
            "ones",
            "the bias is all ones. The identity has a 1 twice only: x from x, y from y.",
            partial(_start, torch.zeros_like, [1.0] * 6),
        ),
        Misconception(
            "frozen",
            "the start is right, but the head cannot learn any more: requires_grad is off.",
            lambda head: _start(torch.zeros_like, IDENTITY, head).requires_grad_(False),
        ),
        Misconception(
            "weight frozen",
            "the start is right, but the weight cannot learn any more: its requires_grad is off. "
            "Zero is a start, not the end.",
            _weight_frozen,
        ),
        Misconception(
            "unchanged",
            "the head answers as it came: neither its weight nor its bias has changed. Change "
            "them in place, under torch.no_grad(), with zero_() and copy_(…).",
            lambda head: head,
        ),
        Misconception(
            "another layer",
            "another layer is returned in place of the given head. Change head's own weight and "
            "bias, with zero_() and copy_(…).",
            lambda head: _start(torch.zeros_like, IDENTITY, nn.Linear(3, 6)),
        ),
        Misconception(
            "bias as a theta",
            "the bias is 2×3 now. A Linear layer wants six numbers in a row: (1, 0, 0, 0, 1, 0).",
            _bias_as_theta,
        ),
    ),
)


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
    if output.requires_grad:
        output.square().sum().backward()
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
    net = solutions.plug_in(cnn)
    change(net[0], cnn)
    return net


PLUG_IN = FunctionExercise(
    name="plug_in",
    notebook=NOTEBOOK,
    title="A transformer before a CNN of your own",
    attempt="my_network",
    solution=solutions.plug_in,
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
        ),
        Misconception(
            "pooled",
            "the picture is only made smaller, by averaging: nothing in it chooses where to look.",
            lambda cnn: nn.Sequential(nn.AdaptiveAvgPool2d(20), cnn),
        ),
        Misconception(
            "cropped",
            "the picture is only cut to its middle: nothing in it chooses where to look, and the "
            "edges are lost.",
            lambda cnn: nn.Sequential(Cropped(), cnn),
        ),
        Misconception(
            "no learning",
            "the output is right, but no gradient reaches the transformer: is it frozen, or "
            "bypassed?",
            partial(_plugged, lambda transformer, cnn: transformer.requires_grad_(False)),
        ),
        Misconception(
            "frozen CNN",
            "the output is right, but no gradient reaches the CNN: it is frozen.",
            partial(_plugged, lambda transformer, cnn: cnn.requires_grad_(False)),
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
        ),
    ),
)


HEAD_PARAMETERS = PredictionExercise(
    name="head_parameters",
    notebook=NOTEBOOK,
    title="Predict: how many parameters has the head?",
    attempt="guess",
    answer=306.0,
    tolerance=0.0,
    reason="50 · 6 weights and 6 biases.",
    wrong=(
        (300.0, "each of the six outputs has a bias, too."),
        (350.0, "a bias belongs to an output, not to a feature: there are 6."),
        (6.0, "those are the biases alone."),
        (56.0, "a weight stands between every feature and every output: multiply, do not add."),
        (301.0, "every output has a bias of its own, not one for all."),
    ),
    hints=(
        "A Linear layer has a weight for every pair of an input and an output.",
        "And a bias for each output.",
        "50 · 6 + 6.",
    ),
)

MODEL_EXERCISES = (START_AT_IDENTITY, PLUG_IN, HEAD_PARAMETERS)
