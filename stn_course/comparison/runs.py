"""One run of a comparison: a network, its digits, a recipe and a seed; what came, at what cost."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from stn_course import training
from stn_course.comparison.conditions import CONDITIONS, Condition
from stn_course.data import load_digits, normalise
from stn_course.device import seed_everything
from stn_course.models import count_parameters
from stn_course.training.loop import Digits

WARM, TIMED = 3, 20  # steps before the clock, steps on the clock


@dataclass
class Row:
    """What one network reached on one kind of digits, one value a seed.

    Attributes:
        digits: a name in CONDITIONS.
        network: a name among its networks.
        recipe: a name in RECIPES.
        epochs: how many; may have a fraction.
        parameters: of the network.
        multiply_adds: of one picture.
        seeds: those that have been run.
        errors: on the test digits, in percent.
        seconds: of training, by the clock.
        cpu_seconds: of training, of all threads together.
        measured: what the condition measures beside them, by name.
    """

    digits: str
    network: str
    recipe: str
    epochs: float
    parameters: int
    multiply_adds: int
    seeds: list[int] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    measured: dict[str, list[float]] = field(default_factory=dict)


def new_row(digits: str, network: str, epochs: float) -> Row:
    """A row before its first run."""
    condition = CONDITIONS[digits]
    model = condition.networks[network]()
    picture, _ = pictures(condition, load_digits("test")[0][:2])
    numbers = count_parameters(model), multiply_adds(model, picture[:1])
    return Row(digits, network, condition.recipe, epochs, *numbers)


def multiply_adds(model: nn.Module, picture: Tensor) -> int:
    """Of one picture (1, C, H, W), as PyTorch counts those of convolutions and matrix products."""
    with torch.no_grad():
        model.eval()(normalise(picture))  # makes what a model keeps between calls
        with FlopCounterMode(display=False) as counter:
            model(normalise(picture))
    return counter.get_total_flops() // 2


def pictures(condition: Condition, images: Tensor) -> tuple[Tensor, Tensor]:
    """The test pictures, the same in every run, and what was done to each."""
    if condition.distort is None:
        return images, torch.zeros(len(images))
    return condition.distort(images, torch.Generator().manual_seed(1))


def add_run(
    row: Row,
    seed: int,
    device: torch.device,
    train: Digits | None = None,
    test: Digits | None = None,
) -> None:
    """Train the row's network with one seed, and write down what came of it.

    train, test: upright images (N, 1, 28, 28) from 0 to 1 and labels, all of MNIST by default.
    """
    condition = CONDITIONS[row.digits]
    train = condition.learned_from(train or load_digits("train", device))
    images, labels = test or load_digits("test", device)
    shown, told = pictures(condition, images)
    seed_everything(seed)
    model, start = condition.networks[row.network](), time.process_time()
    options = {"train": train, "distort": condition.distort, "epochs": row.epochs, "seed": seed}
    history = training.fit(
        model, row.recipe, test=(shown, labels), device=device, progress=False, **options
    )
    row.seeds.append(seed)
    row.errors.append(100 * (1 - history.accuracy))
    row.seconds.append(history.seconds[-1])
    row.cpu_seconds.append(time.process_time() - start)
    for name, value in condition.measure(model, shown, told).items():
        row.measured.setdefault(name, []).append(value)


def seconds_an_epoch(
    digits: str, networks: Sequence[str], device: torch.device, train: Digits | None = None
) -> list[float]:
    """How long an epoch takes by the recipe: of each network, measured side by side.

    The medians of single steps that take turns, so that what slows the machine slows all alike.
    """
    condition = CONDITIONS[digits]
    recipe, data = training.RECIPES[condition.recipe], train or load_digits("train", device)
    steppers = [_stepper(condition, name, recipe, data, device) for name in networks]
    times = torch.tensor([[_timed(step, device) for step in steppers] for _ in range(WARM + TIMED)])
    steps = len(data[0]) / recipe.batch_size
    return (times[WARM:].median(dim=0).values * steps).tolist()


def _stepper(condition: Condition, network: str, recipe, train: Digits, device: torch.device):
    """A function that takes one training step, as `fit` would."""
    model = training.prepare_model(condition.networks[network](), recipe, device)
    optimizer, _ = training.make_optimizer(model, recipe, WARM + TIMED)
    generator = torch.Generator().manual_seed(0)
    images, labels = (part[: recipe.batch_size] for part in train)

    def step() -> None:
        batch = training.prepared(images, labels, recipe.batch_size, condition.distort, generator)
        training.train_epoch(model, batch, optimizer)

    return step


def _timed(step, device: torch.device) -> float:
    """The seconds of one step; on a CPU its own time, whatever else the machine does meanwhile."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    start = clock()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start
