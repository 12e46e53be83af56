"""Fit and evaluate; recipes by name; what happened, as a History."""

import io
import math
import platform
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from tqdm.auto import tqdm

from stn_course.data import batches, load_digits, normalise, write_atomically
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.validation import check_choice, check_images, check_positive

# A notebook's bar sends messages, and their queue is bounded. A client that reads them only after
# the cell, as nbval does, can lose the last of too many: the news that the cell has ended.
BAR_SECONDS = 1.0

RECORDING = Path(__file__).parent / "weights" / "straightening.pt"  # made by tools/pretrain.py

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


FORMAT = "stn_course history 1"  # what a file of `History.save` begins with
PROBE = 12  # how many test digits are watched


@dataclass
class History:
    """What happened in a training run; `plotting.history` and `plotting.theta_history` draw it.

    losses: one a step. accuracies: on the test digits, from 0 to 1, one an epoch; seconds: the time
    since the start at the end of each epoch. probe_images: the first test digits, (N, 1, H, W)
    from 0 to 1; at the steps in probe_steps, probe_losses: the mean loss on them; probe_thetas:
    their theta (N, 2, 3), for a model that has one. versions, hardware: what the run was made with.
    """

    recipe: Recipe
    seed: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    probe_steps: list[int] = field(default_factory=list)
    probe_losses: list[float] = field(default_factory=list)
    probe_thetas: list[Tensor] = field(default_factory=list)
    probe_images: Tensor | None = None
    versions: dict[str, str] = field(default_factory=dict)
    hardware: str = ""

    @property
    def accuracy(self) -> float:
        """On the test digits after the last epoch, from 0 to 1."""
        return self.accuracies[-1]

    def save(self, path: str | Path) -> None:
        """Write all of it into one file, or, where that fails, nothing; `load` reads it."""
        content = {"format": FORMAT, **asdict(self)}
        if self.probe_thetas:  # one tensor takes a tenth of the space of many
            content["probe_thetas"] = torch.stack(self.probe_thetas)
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_atomically(Path(path), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> "History":
        """Read a file of `save`; ValueError, and the file left as it is, if it is none."""
        file = io.BytesIO(Path(path).read_bytes())
        whole = zipfile.is_zipfile(file) and zipfile.ZipFile(file).testzip() is None
        if not whole:
            raise ValueError(f"{path} is damaged, or no history of stn_course")
        file.seek(0)
        content = torch.load(file, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError(f"{path} is not a history of stn_course, {FORMAT!r}")
        content["probe_thetas"] = list(content["probe_thetas"])
        return cls(Recipe(**content.pop("recipe")), **content)


def load_recording() -> History:
    """How the network of `models.load_straightener` was trained, to be replayed without training.

    Recorded by `tools/pretrain.py`: a frozen classifier of upright digits, and digits turned by up
    to 90 degrees.
    """
    return History.load(RECORDING)


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
def probe(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, Tensor | None]:
    """The mean loss on images, normalised, and the theta (N, 2, 3) that the model chose for them.

    theta is on the CPU, and None for a model without a transformer.
    """
    was_training = model.training
    model.eval()
    loss = F.nll_loss(model(images), labels).item()
    model.train(was_training)
    thetas = [module.theta for module in model.modules() if hasattr(module, "theta")]
    return loss, thetas[0].cpu() if thetas else None


class Recorder:
    """Writes a run into its History, and moves the progress bar.

    The probe is recorded before the first step, ten times an epoch, and after each epoch.
    """

    def __init__(self, history: History, model: nn.Module, digits: Digits, steps: int, bar: tqdm):
        self.history, self.model, self.digits, self.bar = history, model, digits, bar
        self.every = max(1, steps // 10)
        self.losses: list[Tensor] = []
        self.start = time.perf_counter()
        self.record_probe()

    def record_probe(self) -> None:
        loss, theta = probe(self.model, *self.digits)
        self.history.probe_steps.append(len(self.losses))
        self.history.probe_losses.append(loss)
        if theta is not None:
            self.history.probe_thetas.append(theta)

    def after_step(self, loss: Tensor) -> None:
        self.losses.append(loss)
        self.bar.update()
        if len(self.losses) % self.every == 0:
            self.record_probe()
            self.bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

    def after_epoch(self, accuracy: float) -> None:
        if self.history.probe_steps[-1] != len(self.losses):
            self.record_probe()  # so that the last of all is the trained model's
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
    history = History(recipe, seed, probe_images=test_images[:PROBE].cpu().clone())
    history.versions, history.hardware = versions(), describe_device(device)
    test_images = normalise(test_images)
    generator = seed_everything(seed)
    prepare_model(model, recipe, device)
    steps = math.ceil(len(images) / recipe.batch_size)
    optimizer, scheduler = make_optimizer(model, recipe, steps * epochs)
    bar_options = {"unit": "batch", "disable": not progress, "mininterval": BAR_SECONDS}
    with tqdm(total=steps * epochs, **bar_options) as bar:
        watched = test_images[:PROBE], test_labels[:PROBE]
        recorder = Recorder(history, model, watched, steps, bar)
        for _ in range(epochs):
            digits = prepared(images, labels, recipe.batch_size, distort, generator)
            train_epoch(model, digits, optimizer, scheduler, recorder.after_step)
            recorder.after_epoch(evaluate(model, test_images, test_labels))
    return history


def versions() -> dict[str, str]:
    """What a run depends on, by name."""
    return {"python": platform.python_version(), "torch": str(torch.__version__)}


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
