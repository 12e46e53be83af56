"""Recipes by name: optimizer, learning rates, schedule, memory layout."""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from stn_course.validation import check_choice

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
DROPOUTS = {nn.Dropout2d: "feature_dropout", nn.Dropout: "dropout"}  # layer, field of a recipe


@dataclass(frozen=True)
class Recipe:
    """How to train; the values of the tutorial's page are the defaults.

    Attributes:
        name: what it is called.
        epochs: may have a fraction; the last epoch is then cut short: 0.5 shows half of the images.
        batch_size: how many images a step is taken for.
        optimizer: "sgd" or "adamw".
        betas: of AdamW; None leaves them to PyTorch, whose one-cycle schedule then moves the first
            from 0.95 to 0.85 and back.
        learning_rate: its highest value, with one_cycle.
        localization_factor: the localization network's learning rate is this times `learning_rate`.
        feature_dropout: the share of whole maps that the model's Dropout2d layers leave out.
        dropout: the share of single values that its Dropout layers leave out.
        label_smoothing: from 0 to 1: the share of the aim that goes to all classes alike, so that
            the network is never asked to be certain.
        one_cycle: raise the rate and lower it to 0 once over the run.
        channels_last: the memory layout of the weights; only speed depends on it.
        precision: "float32", or "bfloat16": while it trains, the layers compute in that under
            autocast; weights, theta, grids and tests stay in float32. About twice as fast on
            processors that multiply such numbers.

    Example:
        >>> from dataclasses import replace
        >>> mine = replace(RECIPES["course"], name="mine", learning_rate=0.01)
        >>> mine.optimizer
        'adamw'
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
    label_smoothing: float = 0.0
    one_cycle: bool = False
    channels_last: bool = False
    precision: str = "float32"


COURSE = Recipe(  # the page's accuracy in an epoch
    "course",
    epochs=2,
    batch_size=256,
    optimizer="adamw",
    betas=(0.7, 0.9),  # short memories, for few steps
    learning_rate=0.02,
    localization_factor=0.1,
    feature_dropout=0.0,
    dropout=0.0,  # too few epochs to overfit in
    one_cycle=True,
    channels_last=True,
)
RECIPES = {
    "tutorial": Recipe("tutorial"),  # 8 minutes on the page, and dips of several points
    "course": COURSE,
    # The page's accuracy in less than a hundredth of its 20 epochs' time: make bench-training.
    # All was chosen on the last 10,000 training digits, held out: there 160 steps with smoothed
    # labels read more digits correctly than 225 without.
    "sprint": replace(
        COURSE,
        name="sprint",
        epochs=0.4,
        batch_size=128,
        learning_rate=0.015,
        localization_factor=0.2,
        label_smoothing=0.1,
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
    # Chosen on the last 10,000 training digits, held out.
    "clutter": replace(
        COURSE,
        name="clutter",
        epochs=10,
        batch_size=128,
        betas=None,
        learning_rate=0.006,
        localization_factor=0.4,
    ),
    # For digits seen from the side, or bent. Chosen on the last 10,000 training digits, held out.
    "bent": replace(
        COURSE,
        name="bent",
        epochs=3,
        batch_size=128,
        betas=None,
        learning_rate=0.01,
        localization_factor=0.4,
    ),
    # Goes on from a transformer that turns digits upright already, all parts at once.
    "together": replace(
        COURSE, name="together", epochs=6, batch_size=128, betas=None, learning_rate=0.005
    ),
}


def steps_by_epoch(recipe: Recipe, images: int) -> list[int]:
    """How many steps each epoch over so many images has; the last may be cut short, not to none."""
    whole = math.ceil(images / recipe.batch_size)
    total = max(1, round(recipe.epochs * whole))
    return [min(whole, total - done) for done in range(0, total, whole)]


def find_recipe(recipe: str | Recipe) -> Recipe:
    """The recipe of that name, or the recipe itself.

    Args:
        recipe: a name in RECIPES, or a Recipe.

    Returns:
        The recipe.

    Raises:
        ValueError: an unknown name; the message lists those there are.

    Example:
        >>> find_recipe("tutorial").learning_rate
        0.01
    """
    if isinstance(recipe, Recipe):
        return recipe
    check_choice("recipe", recipe, RECIPES)
    return RECIPES[recipe]


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict]:
    """The model's parameters in two groups: localization, at its own learning rate, and the rest.

    A parameter belongs to the localization network if a part of its name is `localization` or
    `fc_loc`, the tutorial's names.

    Args:
        model: any module.
        recipe: tells the two rates.

    Returns:
        The groups that are not empty, as an optimizer takes them; localization first.

    Example:
        >>> parts = {"localization": nn.Linear(4, 6), "classifier": nn.Linear(4, 2)}
        >>> net = nn.ModuleDict(parts)
        >>> [group["lr"] for group in parameter_groups(net, RECIPES["course"])]
        [0.002, 0.02]
    """
    groups = {True: [], False: []}
    for name, parameter in model.named_parameters():
        groups[bool({"localization", "fc_loc"} & set(name.split(".")))].append(parameter)
    rates = {True: recipe.learning_rate * recipe.localization_factor, False: recipe.learning_rate}
    return [{"params": ps, "lr": rates[which]} for which, ps in groups.items() if ps]


def make_optimizer(
    model: nn.Module, recipe: Recipe, steps: int
) -> tuple[torch.optim.Optimizer, LRScheduler | None]:
    """The recipe's optimizer, and its schedule.

    Args:
        model: any module.
        recipe: how to train.
        steps: how many the whole run has.

    Returns:
        The optimizer, and a one-cycle schedule, or None where the recipe has none.

    Raises:
        ValueError: the recipe names an optimizer other than "sgd" or "adamw".

    Example:
        >>> net, recipe = nn.Linear(4, 2), RECIPES["course"]
        >>> optimizer, scheduler = make_optimizer(net, recipe, steps=100)
        >>> type(optimizer).__name__, type(scheduler).__name__
        ('AdamW', 'OneCycleLR')
    """
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


def make_criterion(recipe: Recipe) -> Callable[[Tensor, Tensor], Tensor]:
    """The recipe's loss.

    Args:
        recipe: how to train.

    Returns:
        A function of log-probabilities (B, classes) and labels (B,).

    Raises:
        ValueError: label_smoothing is not from 0 to 1.

    Example:
        >>> certain, one = torch.tensor([[-20.0, 0.0]]), torch.tensor([1])
        >>> for smoothing in (0.0, 0.1):
        ...     recipe = Recipe("mine", label_smoothing=smoothing)
        ...     print(f"{make_criterion(recipe)(certain, one):.2f}")
        0.00
        1.00
    """
    if not 0 <= recipe.label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be from 0 to 1; got {recipe.label_smoothing}")
    if not recipe.label_smoothing:
        return F.nll_loss
    # cross_entropy normalises first, which leaves log-probabilities as they are.
    return partial(F.cross_entropy, label_smoothing=recipe.label_smoothing)


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
    """Move the model to the device and give it the recipe's memory layout and dropouts.

    Args:
        model: any module, changed in place.
        recipe: how to train.
        device: where to.

    Returns:
        The same model.

    Example:
        >>> prepare_model(nn.Dropout(0.9), RECIPES["tutorial"], torch.device("cpu"))
        Dropout(p=0.5, inplace=False)
    """
    for module in model.modules():
        if type(module) in DROPOUTS:
            module.p = getattr(recipe, DROPOUTS[type(module)])
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    return model.to(device, memory_format=layout)


class InPrecision(nn.Module):
    """A model whose layers compute in another precision, under autocast.

    The loss and the steps stay outside, in the precision of the weights.

    Args:
        model: any module.
        precision: a name in PRECISIONS; "float32" changes nothing.

    Raises:
        ValueError: an unknown precision.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> InPrecision(layer, "bfloat16")(torch.zeros(1, 1)).dtype, layer.weight.dtype
        (torch.bfloat16, torch.float32)
    """

    def __init__(self, model: nn.Module, precision: str):
        super().__init__()
        check_choice("precision", precision, PRECISIONS)
        self.model, self.dtype = model, PRECISIONS[precision]

    def forward(self, x: Tensor) -> Tensor:
        """What the model answers."""
        with torch.autocast(x.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.model(x)
