"""One experiment, run: from its description to an error, what it cost, and on what machine."""

import functools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from stn_course.clutter import pair_up
from stn_course.comparison import multiply_adds
from stn_course.data import load_digits, normalise
from stn_course.device import choose_device, seed_everything
from stn_course.experiments.networks import PaperNet, build
from stn_course.experiments.paper import DIGITS, SETS, DigitSet, Experiment
from stn_course.models import count_parameters
from stn_course.training import Recipe, Recorder, fit
from stn_course.training.loop import Digits

HELD_OUT = 10_000  # of the training digits, the last
TESTED = 1  # the seed of how test digits are paired and distorted, the same in every run
SOME = 1000  # pictures that are looked at in one go


@dataclass
class Finding:
    """What came of an experiment.

    error: on the test digits, in percent. seconds: of training, by the clock, all goes together
    where a run was interrupted. cpu_seconds: of all threads; None for a run that was interrupted.
    parameters: of the network. multiply_adds: of one picture. alignment: what the set's measure
    found, by name. findings: signs of a collapse, by kind. versions, hardware: of this run.
    """

    experiment: Experiment
    error: float
    seconds: float
    cpu_seconds: float | None
    parameters: int
    multiply_adds: int
    alignment: dict[str, float]
    findings: dict[str, str]
    versions: dict[str, str]
    hardware: str

    def to_content(self) -> dict:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict) -> "Finding":
        """The way back from `to_content`, also from JSON, which knows lists alone."""
        recipe = dict(content["experiment"]["recipe"])
        recipe["betas"] = recipe["betas"] and tuple(recipe["betas"])
        experiment = Experiment(**{**content["experiment"], "recipe": Recipe(**recipe)})
        return cls(**{**content, "experiment": experiment})


def run(
    experiment: Experiment,
    device: str | None = None,
    checkpoint: Path | None = None,
    tell: Callable[[float, float], None] = lambda share, seconds_left: None,
) -> Finding:
    """Train the network and test it.

    device: "cpu" or "cuda", by default the fastest. checkpoint: a file that is written after each
    epoch; the run goes on from it where it is there. tell: called after each step with the share
    that is done and how many seconds are left. KeyboardInterrupt if the run was stopped: what it
    has learned so far is no result.
    """
    chosen, device = SETS[experiment.set], choose_device(device)
    train, test = paired(chosen, *split(experiment, device), experiment.seed)
    pictures, told = distorted(chosen, test[0])
    seed_everything(experiment.seed)
    model = build(*experiment.cell)
    numbers = count_parameters(model), multiply_adds(model, pictures[:1].cpu())
    resumed, start = checkpoint is not None and checkpoint.exists(), time.process_time()

    def watch(recorder: Recorder) -> None:
        tell(recorder.step / recorder.steps, recorder.seconds_left)

    options = {"train": train, "distort": chosen.distort, "seed": experiment.seed}
    options |= {"device": device, "checkpoint": checkpoint, "watch": watch, "progress": False}
    history = fit(model, experiment.recipe, test=(pictures, test[1]), **options)
    if history.stopped:
        raise KeyboardInterrupt
    return Finding(
        experiment,
        100 * (1 - history.accuracy),
        history.seconds[-1],
        None if resumed else time.process_time() - start,
        *numbers,
        aligned(chosen, model, pictures, told),
        history.findings,
        history.versions,
        history.hardware,
    )


def split(experiment: Experiment, device: torch.device) -> tuple[Digits, Digits]:
    """What is learned from, and what is tested on: upright digits and labels."""
    few, (images, labels) = experiment.few, load_once("train", device)
    if experiment.held_out:
        train = images[:-HELD_OUT], labels[:-HELD_OUT]
        test = images[-HELD_OUT:], labels[-HELD_OUT:]
    else:
        train, test = (images, labels), load_once("test", device)
    return (train[0][:few], train[1][:few]), (test[0][:few], test[1][:few])


@functools.cache
def load_once(split: str, device: torch.device) -> Digits:
    """Digits that a process shows to one network after the other."""
    return load_digits(split, device)


def paired(chosen: DigitSet, train: Digits, test: Digits, seed: int) -> tuple[Digits, Digits]:
    """The digits as the set takes them: two by two, where it adds them."""
    if chosen.classes == DIGITS:
        return train, test
    first, second = (torch.Generator().manual_seed(s) for s in (seed, TESTED))
    return pair_up(*train, first), pair_up(*test, second)


def distorted(chosen: DigitSet, images: Tensor) -> tuple[Tensor, Tensor]:
    """The test pictures, the same in every run, and what was done to each."""
    return chosen.distort(images, torch.Generator().manual_seed(TESTED))


@torch.no_grad()
def aligned(chosen: DigitSet, model: PaperNet, pictures: Tensor, told: Tensor) -> dict[str, float]:
    """What the set measures of the first transformer; nothing without one."""
    if not model.transformers:
        return {}
    thetas = []
    for some in pictures.split(SOME):
        model.look(normalise(some))
        thetas.append(model.transformers[0].theta)
    return chosen.measure(torch.cat(thetas), told, chosen.size)
