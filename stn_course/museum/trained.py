"""The runs that fail, and their mended twins."""

import contextlib
import copy
import io
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from stn_course.clutter import random_clutter, scattered_pairs
from stn_course.models import AdditionNet, AttentionNet, TutorialNet
from stn_course.museum.exhibit import Seen
from stn_course.museum.runs import MEASURES, QUICK, Trial, filmed, in_border, train_on
from stn_course.samplers import warp
from stn_course.training import RECIPES, Recorder, Stop, signs

FULL_RATE = replace(QUICK, name="full rate", localization_factor=1.0)
GENTLE = replace(QUICK, name="gentle", localization_factor=0.03)
HASTY = replace(FULL_RATE, name="hasty", learning_rate=0.5)
LONG = replace(QUICK, name="long", batch_size=32, epochs=2)
# A quarter of the recipe's batch, and so a quarter of its rate.
CLUTTER = replace(RECIPES["clutter"], batch_size=32, learning_rate=0.0015, epochs=1)
SHORT = replace(QUICK, name="short", epochs=1)
IN_SIGHT = 0.1  # the share of the grid outside up to which a model is worth keeping
ERROR, OUTSIDE = "test digits misread, %", "grid outside at the end, %"


def at_random() -> TutorialNet:
    """Its head has normally distributed weights, and no identity."""
    model = in_border()
    for parameter in model.fc_loc[-1].parameters():
        nn.init.normal_(parameter)
    return model


class Squeezed(TutorialNet):
    """The tutorial's network with tanh on theta."""

    def stn(self, x: Tensor) -> Tensor:
        """The transformed digits."""
        theta = self.fc_loc(self.localization(x).flatten(1)).tanh().view(-1, 2, 3)
        self.theta = theta.detach()
        return warp(x, theta, padding_mode=self.padding_mode)


class Unread(TutorialNet):
    """The tutorial's network, which computes the transformed digits and reads the others."""

    def forward(self, x: Tensor) -> Tensor:
        """The log-probabilities (B, 10)."""
        self.stn(x)
        return self.classify(x)


def far_outside(padding_mode: str = "zeros") -> TutorialNet:
    """It starts beside the picture."""
    model = TutorialNet(padding_mode=padding_mode)
    with torch.no_grad():
        model.fc_loc[-1].bias[2] = 2.5
    return model


class Snapshot:
    """A watcher of `fit`: keeps the model while its grid is in sight, and stops when it is lost.

    Attributes:
        state: a copy of the model's state_dict, at the last look that found the grid in sight.
    """

    def __init__(self):
        self.state = {}

    def __call__(self, recorder: Recorder) -> None:
        """After each step."""
        history = recorder.history
        if history.findings:
            raise Stop
        fresh = not self.state or history.probe_steps[-1] == recorder.step
        if fresh and signs(history.probe_thetas[-1]).outside < IN_SIGHT:
            self.state = copy.deepcopy(recorder.run.model.state_dict())


def brought_back(seed: int = 0) -> Seen:
    """The hasty run, stopped when it is lost, then from the last snapshot at a slower rate."""
    snapshot, model = Snapshot(), _seeded(seed)
    with contextlib.redirect_stdout(io.StringIO()):  # it says where it was stopped
        lost = train_on(model, replace(THROWN_OUT, seed=seed), snapshot)
    model.load_state_dict(snapshot.state)
    again = train_on(model, Trial(recipe=GENTLE, seed=seed))
    numbers = {name: MEASURES[name](THROWN_OUT, model, again) for name in THROWN_OUT.measures}
    offset = lost.probe_steps[-1]
    joined = replace(
        again,
        losses=lost.losses + again.losses,
        probe_steps=lost.probe_steps + [offset + step for step in again.probe_steps],
        probe_thetas=lost.probe_thetas + again.probe_thetas,
        findings=again.findings,
    )
    return Seen(numbers, filmed(joined, model), joined, model)


def _seeded(seed: int) -> TutorialNet:
    torch.manual_seed(seed)
    return in_border()


def _on_clutter(padding_mode: str, factor: float, recording: str) -> Trial:
    recipe = replace(RECIPES["clutter"], epochs=1, localization_factor=factor)
    make = partial(AttentionNet, start=(1.0, 0.0, 0.0), padding_mode=padding_mode)
    measures = (ERROR, OUTSIDE, "area read at the end")
    return Trial(make, recipe, random_clutter(), 6000, measures=measures, recording=recording)


def _adding(*make) -> Trial:
    measures = "the two windows differ by", "loss after three epochs (recorded)"
    recipe, make = replace(CLUTTER, epochs=0.3), partial(AdditionNet, *make)
    return Trial(make, recipe, PAIRS, paired=True, measures=measures)


PAIRS = scattered_pairs()
GREY_FRAME = _on_clutter("zeros", 5.0, "frame_zeros"), _on_clutter("border", 0.4, "frame_mended")
TWINS = _adding(2 * ((0.5, 0.0, 0.0),)), _adding()
THROWN_OUT = Trial(recipe=HASTY, measures=(ERROR, OUTSIDE, "area read at the end"))
