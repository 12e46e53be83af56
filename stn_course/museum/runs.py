"""Exhibits that are trained: small runs of seconds, each the same for the same seed."""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.clutter import pair_up
from stn_course.data import denormalise, load_digits, normalise, random_rotation
from stn_course.data.distortions import Distortion
from stn_course.models import TutorialNet
from stn_course.museum.exhibit import Seen
from stn_course.samplers import warp
from stn_course.training import (
    RECIPES,
    CollapseWarning,
    History,
    Recipe,
    evaluate,
    fit,
    load_recording,
    signs,
)

SHOWN, TESTED, FRAMES = 2000, 500, 8  # digits of an epoch, test digits, pictures of a strip
TURNED = random_rotation(90)
QUICK = replace(
    RECIPES["rotated"], name="quick", batch_size=64, learning_rate=0.02, epochs=3, dropout=0.0
)


@functools.cache  # all of MNIST takes a second to read
def first_digits(split: str, count: int) -> tuple[Tensor, Tensor]:
    """The first digits of a split, and their labels."""
    images, labels = load_digits(split)
    return images[:count].clone(), labels[:count].clone()


def in_border() -> TutorialNet:
    """The tutorial's network as it should be: padded with border, from the identity."""
    return TutorialNet(padding_mode="border")


@dataclass(frozen=True)
class Trial:
    """A small run, made anew from its seed; called, it says what one sees of it.

    Attributes:
        make: the network, after seeding.
        recipe: how it is trained.
        distort: each batch anew, and the test digits once.
        digits: how many different ones it learns from; few are repeated to SHOWN an epoch.
        once: distort the training digits once, as the test digits, in place of anew.
        paired: each digit with another one, and their sum as the label.
        measures: what is measured after it, names in MEASURES.
        recording: the name of the same run's recording, which is taken unless `live`.
        live: train it although there is a recording.
        seed: of weights, order and distortions.
    """

    make: Callable[[], nn.Module] = in_border
    recipe: Recipe = QUICK
    distort: Distortion = TURNED
    digits: int = SHOWN
    once: bool = False
    paired: bool = False
    measures: tuple[str, ...] = ()
    recording: str | None = None
    live: bool = False
    seed: int = 0

    def pictures(self, split: str) -> tuple[Tensor, Tensor]:
        """Digits and labels as `fit` takes them: to learn from, or to be tested on."""
        count = self.digits if split == "train" else TESTED
        images, labels = first_digits(split, count)
        generator = torch.Generator().manual_seed(1)
        if self.paired:
            images, labels = pair_up(images, labels, generator)
        if self.once or split == "test":
            images, _ = self.distort(images, generator)
        often = max(1, SHOWN // count) if split == "train" else 1
        return images.repeat(often, 1, 1, 1), labels.repeat(often)

    def __call__(self) -> Seen:
        """What one sees: numbers, and the first probe digit as the classifier reads it."""
        model, history = train(replace(self, measures=()))
        numbers = {name: MEASURES[name](self, model, history) for name in self.measures}
        return Seen(numbers, filmed(history, self.make()), history, model)


@functools.cache  # several exhibits have the same mended twin
def train(trial: Trial) -> tuple[nn.Module | None, History]:
    """The network and its history; of a recording, the history alone."""
    if trial.recording and not trial.live:
        return None, load_recording(trial.recording)
    torch.manual_seed(trial.seed)
    model = trial.make()
    return model, train_on(model, trial)


def train_on(model: nn.Module, trial: Trial, watch: Callable | None = None) -> History:
    """Train a network in place; what the detector found is in `findings`, and not warned of."""
    options = {"train": trial.pictures("train"), "test": trial.pictures("test"), "watch": watch}
    distort = None if trial.once else trial.distort
    run = {"distort": distort, "seed": trial.seed, "device": "cpu", "progress": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        return fit(model, trial.recipe, **options, **run)


def moments(history: History) -> list[int]:
    """Which of the recorded steps a strip shows, from the first to the last."""
    return torch.linspace(0, len(history.probe_steps) - 1, FRAMES).round().int().tolist()


def filmed(history: History, model: nn.Module) -> Tensor | None:
    """The first probe digit through theta at FRAMES moments, read as the model reads it."""
    if not history.probe_thetas:
        return None
    first = next(part for part in model.modules() if hasattr(part, "padding_mode"))
    theta = torch.stack([history.probe_thetas[i][0] for i in moments(history)])
    image = normalise(history.probe_images[:1]).expand(FRAMES, -1, -1, -1)
    options = {"padding_mode": first.padding_mode, "antialias": getattr(first, "antialias", False)}
    return denormalise(warp(image, theta, (28, 28), **options)).clamp(0, 1)


# What is measured after a run: by its name in the table, a function of trial, model and history.
def _misread(trial, model, history) -> float:
    return 100 * (1 - history.accuracy)


def _misread_in_training(trial, model, history) -> float:
    images, labels = trial.pictures("train")
    if not trial.once:
        images, _ = trial.distort(images, torch.Generator().manual_seed(2))
    return 100 * (1 - evaluate(model, normalise(images), labels))


def _moved(trial, model, history) -> float:
    return (history.probe_thetas[-1] - history.probe_thetas[0]).abs().max().item()


def _largest(trial, model, history) -> float:
    return torch.stack(history.probe_thetas).max().item()


def _gradient(trial, model, history) -> float:
    """Of the loss of 64 test digits, for the head's bias before the first step."""
    torch.manual_seed(trial.seed)
    images, labels = (part[:64] for part in trial.pictures("test"))
    fresh = trial.make()
    F.nll_loss(fresh(normalise(images)), labels).backward()
    return fresh.fc_loc[-1].bias.grad.norm().item()


def _windows_apart(trial, model, history) -> float:
    first, second = (window.theta for window in model.windows)
    return (first - second).abs().max().item()


def _long_run(trial, model, history) -> float:
    """The loss at the end of the same network's recorded run of three epochs."""
    (one,) = {tuple(w.head[0].bias.tolist()) for w in trial.make().windows[:1]}
    name = "addition_twins" if one[1] == 0 else "addition_apart"
    return torch.tensor(load_recording(name).losses[-100:]).mean().item()


def _of_theta(sign: str, step: int, scale: float = 1) -> Callable:
    """One of the signs of theta at a recorded step."""
    return lambda trial, model, history: (
        scale * getattr(signs(history.probe_thetas[step], (28, 28)), sign)
    )


MEASURES = {
    "test digits misread, %": _misread,
    "training digits misread, %": _misread_in_training,
    "grid outside at the start, %": _of_theta("outside", 0, 100),
    "grid outside at the end, %": _of_theta("outside", -1, 100),
    "area read at the start": _of_theta("determinant", 0),
    "area read at the end": _of_theta("determinant", -1),
    "spread of theta at the end": _of_theta("spread", -1),
    "theta moved by": _moved,
    "largest number in theta": _largest,
    "gradient for theta at the start": _gradient,
    "the two windows differ by": _windows_apart,
    "loss after three epochs (recorded)": _long_run,
}
