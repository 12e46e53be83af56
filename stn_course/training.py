"""Fit and evaluate; recipes by name; what happened, as a History."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from tqdm.auto import tqdm

from stn_course.data import batches, load_digits, normalise
from stn_course.device import choose_device, seed_everything
from stn_course.validation import check_choice, check_images, check_positive

# A notebook's bar sends messages, and their queue is bounded. A client that reads them only after
# the cell, as nbval does, can lose the last of too many: the news that the cell has ended.
BAR_SECONDS = 1.0

Digits = tuple[Tensor, Tensor]
Distortion = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Recipe:
    """How to train; the values of the tutorial's page are the defaults.

    optimizer: "sgd" or "adamw". localization_factor: the localization network's learning rate is
    this times `learning_rate`. one_cycle: raise the rate and lower it to 0 once over the run.
    feature_dropout: the share of maps that the model's Dropout2d layers leave out.
    channels_last: the memory layout of the weights; only speed depends on it.
    """

    name: str
    epochs: int = 20
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    localization_factor: float = 1.0
    feature_dropout: float = 0.5
    one_cycle: bool = False
    channels_last: bool = False


RECIPES = {
    "tutorial": Recipe("tutorial"),  # 8 minutes on the page, and dips of several points
    "course": Recipe(  # the page's accuracy in an epoch or two
        "course",
        epochs=2,
        batch_size=128,
        optimizer="adamw",
        localization_factor=0.1,
        feature_dropout=0.0,
        one_cycle=True,
        channels_last=True,
    ),
}


@dataclass
class History:
    """What happened in a training run; `plotting.history` and `plotting.theta_history` draw it.

    losses: one a step. accuracies: on the test digits, from 0 to 1, one an epoch; seconds: the time
    since the start at the end of each epoch. probe_thetas: theta (N, 2, 3) of the first N test
    digits at the steps in probe_steps, for a model that has a theta.
    """

    recipe: Recipe
    seed: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    probe_steps: list[int] = field(default_factory=list)
    probe_thetas: list[Tensor] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """On the test digits after the last epoch, from 0 to 1."""
        return self.accuracies[-1]


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict]:
    """The model's parameters in two groups: localization, at its own learning rate, and the rest.

    A parameter belongs to the localization network if a part of its name is `localization` or
    `fc_loc`, the tutorial's names.
    """
    groups = {True: [], False: []}
    for name, parameter in model.named_parameters():
        groups[bool({"localization", "fc_loc"} & set(name.split(".")))].append(parameter)
    rates = {True: recipe.learning_rate * recipe.localization_factor, False: recipe.learning_rate}
    return [{"params": ps, "lr": rates[which]} for which, ps in groups.items() if ps]


def make_optimizer(
    model: nn.Module, recipe: Recipe, steps: int
) -> tuple[torch.optim.Optimizer, LRScheduler | None]:
    """The recipe's optimizer, and its one-cycle schedule over `steps` steps, or None."""
    check_choice("optimizer", recipe.optimizer, ("sgd", "adamw"))
    groups = parameter_groups(model, recipe)
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups)
    else:
        optimizer = torch.optim.AdamW(groups, fused=True)
    if not recipe.one_cycle:
        return optimizer, None
    return optimizer, OneCycleLR(optimizer, [group["lr"] for group in groups], total_steps=steps)


def train_epoch(
    model: nn.Module,
    digits: Iterable[Digits],
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
    after_step: Callable[[Tensor], None] | None = None,
) -> None:
    """Show every batch of (images, labels) to the model once and take a step after each.

    after_step: called with the loss, a tensor without gradient, after each step.
    """
    model.train()
    for images, labels in digits:
        loss = F.nll_loss(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if after_step is not None:
            after_step(loss.detach())


@torch.no_grad()
def evaluate(model: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 1000) -> float:
    """The share of images (N, 1, 28, 28), normalised, that the model names rightly: 0 to 1."""
    check_images(images, "images")
    was_training = model.training
    model.eval()
    right = 0
    for some, truth in batches(images, labels, batch_size):
        right += (model(some).argmax(dim=1) == truth).sum()
    model.train(was_training)
    return int(right) / len(labels)


def prepare_model(model: nn.Module, recipe: Recipe, device: torch.device) -> nn.Module:
    """Move the model to the device and give it the recipe's memory layout and feature dropout."""
    for module in model.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = recipe.feature_dropout
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    return model.to(device, memory_format=layout)


@torch.no_grad()
def probe_theta(model: nn.Module, images: Tensor) -> Tensor | None:
    """The theta (N, 2, 3) that the model chooses for images, on the CPU; None if it has none."""
    transformers = [m for m in model.modules() if hasattr(m, "theta")]
    if not transformers:
        return None
    was_training = model.training
    model.eval()
    model(images)
    model.train(was_training)
    return transformers[0].theta.cpu()


class Recorder:
    """Writes a run into its History, and moves the progress bar.

    The probe's theta is recorded before the first step and ten times an epoch.
    """

    def __init__(self, history: History, model: nn.Module, probe: Tensor, steps: int, bar: tqdm):
        self.history, self.model, self.probe, self.bar = history, model, probe, bar
        self.every = max(1, steps // 10)
        self.losses: list[Tensor] = []
        self.start = time.perf_counter()
        self.record_theta()

    def record_theta(self) -> None:
        theta = probe_theta(self.model, self.probe)
        if theta is not None:
            self.history.probe_steps.append(len(self.losses))
            self.history.probe_thetas.append(theta)

    def after_step(self, loss: Tensor) -> None:
        self.losses.append(loss)
        self.bar.update()
        if len(self.losses) % self.every == 0:
            self.record_theta()
            self.bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

    def after_epoch(self, accuracy: float) -> None:
        new = self.losses[len(self.history.losses) :]
        self.history.losses.extend(torch.stack(new).tolist())  # one wait for the device an epoch
        self.history.accuracies.append(accuracy)
        self.history.seconds.append(time.perf_counter() - self.start)


def fit(
    model: nn.Module,
    recipe: str | Recipe = "course",
    *,
    train: Digits | None = None,
    test: Digits | None = None,
    distort: Distortion | None = None,
    epochs: int | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> History:
    """Train the model in place and say what happened.

    recipe: a name in RECIPES, or a Recipe. train, test: images (N, 1, H, W) from 0 to 1, not
    normalised, and labels (N,); by default all of MNIST. distort: applied anew to every training
    batch before normalising, for example `data.random_rotation(90)`. epochs: instead of the
    recipe's. device: "cpu" or "cuda", by default the fastest. progress: show a bar.
    The same seed on the same CPU gives the same weights. The initial weights are the model's own:
    seed before you make it.
    """
    recipe = find_recipe(recipe)
    epochs = recipe.epochs if epochs is None else epochs
    check_positive("epochs", epochs)
    device = choose_device(device)
    images, labels = _on_device("train", train, device)
    test_images, test_labels = _on_device("test", test, device)
    test_images = normalise(test_images)
    generator = seed_everything(seed)
    prepare_model(model, recipe, device)
    steps = math.ceil(len(images) / recipe.batch_size)
    optimizer, scheduler = make_optimizer(model, recipe, steps * epochs)
    bar_options = {"unit": "batch", "disable": not progress, "mininterval": BAR_SECONDS}
    with tqdm(total=steps * epochs, **bar_options) as bar:
        recorder = Recorder(History(recipe, seed), model, test_images[:16], steps, bar)
        for _ in range(epochs):
            digits = prepared(images, labels, recipe.batch_size, distort, generator)
            train_epoch(model, digits, optimizer, scheduler, recorder.after_step)
            recorder.after_epoch(evaluate(model, test_images, test_labels))
    return recorder.history


def find_recipe(recipe: str | Recipe) -> Recipe:
    """The recipe of that name, or the recipe itself; ValueError naming those there are."""
    if isinstance(recipe, Recipe):
        return recipe
    check_choice("recipe", recipe, RECIPES)
    return RECIPES[recipe]


def _on_device(split: str, digits: Digits | None, device: torch.device) -> Digits:
    """The digits given, or all of that split of MNIST, checked, on the device."""
    images, labels = load_digits(split, device) if digits is None else digits
    check_images(images, f"{split} images")
    return images.to(device), labels.to(device)


def prepared(
    images: Tensor,
    labels: Tensor,
    batch_size: int,
    distort: Distortion | None,
    generator: torch.Generator,
) -> Iterable[Digits]:
    """Shuffled batches, distorted where asked, then normalised: what the network is shown."""
    for some, truth in batches(images, labels, batch_size, generator):
        if distort is not None:
            some, _ = distort(some, generator)
        yield normalise(some), truth
