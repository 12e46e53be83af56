"""Train the networks that the notebooks show without training: python tools/pretrain.py [NAME ...]

straightener        A classifier of upright digits, frozen. The transformer in front of it can only
                    please it by straightening digits turned by up to 90 degrees.
together            The straightener as stored, then unfrozen: all parts learn on together.
turned_plain        The same turned digits without a transformer, by the recipe `rotated`,
turned_transformer  with one,
turned_hasty        with one whose localization network learns at the full rate,
turned_deformable   with a deformable convolution, by the recipe `course`.
unprojected         The same classifier, frozen, behind a projective transformer, on digits seen
                    from the side,
unbent              and behind a thin plate spline, on digits bent twice as much as the paper's.
patient             A run with a fault, for the exercise `diagnosis`: its history only.
clutter_transformer Finds digits in clutter, and reads them.
frame_zeros         The same for a tenth of an epoch, with a localization network that learns five
                    times as fast as the reader, padded with zeros: its history only,
frame_border        padded with border,
frame_mended        and padded with border, at a slower rate.
addition_apart      Finds two digits in one picture, and says their sum: two transformers that
                    start apart,
addition_twins      and two that start alike: its history only.
addition_channels   The same with a channel of its own for each digit: its history only.

Stores weights and histories in stn_course/weights. By default it makes all of them, some ten
minutes on 2 cores. A run that was interrupted goes on after its last whole epoch.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from stn_course.clutter import pair_up, random_clutter, scattered_pairs
from stn_course.data import load_digits, random_elastic, random_projection, random_rotation
from stn_course.device import seed_everything
from stn_course.models import (
    TRAINED,
    WEIGHTS,
    AdditionNet,
    AttentionNet,
    PlainNet,
    TutorialNet,
    load_straightener,
    straighten_first,
)
from stn_course.samplers import warp
from stn_course.training import RECIPES, History, Recipe, fit
from stn_course.training.loop import Digits, Distortion

BUILD = Path(__file__).resolve().parent.parent / "build" / "pretrain"  # of unfinished runs
ROTATED, TURNED = RECIPES["rotated"], random_rotation(90)


@dataclass
class Run:
    """What is trained, and on what: digits turned by up to 90 degrees if nothing else is said."""

    make: Callable[[], nn.Module]
    recipe: Recipe
    distort: Distortion = TURNED
    paired: bool = False  # each digit with another one, and their sum as the label


def frame(padding_mode: str, localization_factor: float) -> Run:
    """The first tenth of an epoch on clutter, from a window as large as the picture."""
    recipe = replace(RECIPES["clutter"], epochs=0.1, localization_factor=localization_factor)
    make = partial(AttentionNet, start=(1.0, 0.0, 0.0), padding_mode=padding_mode)
    return Run(make, recipe, random_clutter())


def addition(channels: int = 1, **options) -> Run:
    """Two digits and their sum, for three epochs."""
    recipe = replace(RECIPES["clutter"], epochs=3)
    make = partial(AdditionNet, in_channels=channels, **options)
    return Run(make, recipe, scattered_pairs(channels=channels), paired=True)


class Patient(TutorialNet):
    """The tutorial's network with a fault: tanh on theta, with a start that makes up for it."""

    def __init__(self):
        super().__init__()
        with torch.no_grad():
            self.fc_loc[-1].bias.mul_(1.5)

    def stn(self, x: Tensor) -> Tensor:
        theta = self.fc_loc(self.localization(x).flatten(1)).tanh().view(-1, 2, 3)
        self.theta = theta.detach()
        return warp(x, theta, padding_mode="border")


def straightener() -> TutorialNet:
    """A transformer that is to learn before a frozen classifier of upright digits."""
    plain = PlainNet()
    print(f"upright classifier: {fit(plain, 'rotated', epochs=2, device='cpu').accuracy:.4f}")
    model = TutorialNet(padding_mode="border")
    model.load_state_dict(plain.state_dict(), strict=False)
    for name, _ in plain.named_parameters():
        model.get_parameter(name).requires_grad_(False)
    return model


def before_frozen(transformation: str) -> nn.Sequential:
    """A transformer of any family before the straightener's classifier, frozen."""
    model, classifier = straighten_first(transformation), PlainNet().state_dict()
    known = load_straightener().state_dict()
    model[1].load_state_dict({name: known[name] for name in classifier})
    model[1].requires_grad_(False)
    return model


FULL_RATE = replace(ROTATED, localization_factor=1.0)
FROZEN = replace(FULL_RATE, learning_rate=0.003, dropout=0.0, epochs=5)
RUNS = {
    "straightener": Run(straightener, replace(FULL_RATE, learning_rate=0.003, epochs=20)),
    "unprojected": Run(partial(before_frozen, "projective"), FROZEN, random_projection()),
    "unbent": Run(partial(before_frozen, "tps"), FROZEN, random_elastic(sigma=3.0)),
    "together": Run(load_straightener, RECIPES["together"]),
    "turned_plain": Run(TRAINED["turned_plain"], ROTATED),
    "turned_transformer": Run(TRAINED["turned_transformer"], ROTATED),
    "turned_hasty": Run(TRAINED["turned_hasty"], FULL_RATE),
    "turned_deformable": Run(TRAINED["turned_deformable"], replace(RECIPES["course"], epochs=2)),
    "patient": Run(Patient, replace(ROTATED, epochs=1)),
    "clutter_transformer": Run(AttentionNet, RECIPES["clutter"], random_clutter()),
    "frame_zeros": frame("zeros", 5.0),
    "frame_border": frame("border", 5.0),
    "frame_mended": frame("border", 0.4),
    "addition_apart": addition(),
    "addition_twins": addition(starts=2 * ((0.5, 0.0, 0.0),)),
    "addition_channels": addition(channels=2),
}


def digits_of(run: Run, split: str, generator: torch.Generator) -> Digits:
    """The digits of one split as the run takes them, undistorted."""
    images, labels = load_digits(split)
    return pair_up(images, labels, generator) if run.paired else (images, labels)


def pictures_to_test(run: Run) -> Digits:
    """The test digits distorted, the same in every run."""
    generator = torch.Generator().manual_seed(1)
    images, labels = digits_of(run, "test", generator)
    return run.distort(images, generator)[0], labels


def train(name: str) -> tuple[nn.Module, History]:
    """Train one of them, or go on where it was interrupted."""
    seed_everything(0)
    run = RUNS[name]
    model = run.make()
    digits = digits_of(run, "train", torch.Generator().manual_seed(2))
    checkpoint = BUILD / f"{name}.ckpt"
    BUILD.mkdir(parents=True, exist_ok=True)
    options = {"distort": run.distort, "checkpoint": checkpoint, "device": "cpu"}
    history = fit(model, run.recipe, train=digits, test=pictures_to_test(run), **options)
    if not history.stopped:
        checkpoint.unlink()
    return model, history


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RUNS))
    names = parser.parse_args(arguments).names or list(RUNS)
    if unknown := [name for name in names if name not in RUNS]:
        parser.error(f"there is no {', '.join(unknown)}; choose from {', '.join(RUNS)}")
    for name in names:
        model, history = train(name)
        if history.stopped:
            return
        print(f"{name}: accuracy {history.accuracy:.4f}")
        if name in TRAINED:
            weights = {key: value.contiguous() for key, value in model.state_dict().items()}
            torch.save(weights, WEIGHTS / f"{name}.pt")
        history.save(WEIGHTS / f"{name}.history.pt")


if __name__ == "__main__":
    main()
