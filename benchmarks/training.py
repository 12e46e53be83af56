"""The tutorial's loop beside `fit`, `fit` with a monitor beside without, rotations beside batches.

python benchmarks/training.py [--quick] [--device cuda]

The tutorial's loop as its page has it: a DataLoader with a transform for each image, batches of 64,
SGD with 0.01, 20 epochs, a test after each. The page has four loader workers; where an epoch is
faster without any, it goes without. `fit` by `sprint`, test included, runs between its epochs, one
of 10 seeds after every other, so that what slows the machine slows both; `course` runs after them.
--quick does two of the page's epochs and multiplies. The digits lie in memory or on disk before the
clock starts, for both. On CUDA also: the tutorial's 20 epochs by `fit`.
"""

import argparse
import statistics
import time

import stn_course  # isort: skip  # before torchvision, whose operators it declares
import torch
import torch.nn.functional as F
import torchvision
from torch.utils.data import DataLoader
from tqdm import tqdm

from stn_course import data, models, training
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.widgets import Monitor

PAGE = 0.9867  # the accuracy that the tutorial's page prints
SEEDS = 10
EPOCHS = 20
WORKERS = (4, 0)  # of the page's loaders: its own number, and none


def page_loaders(workers: int) -> tuple[DataLoader, DataLoader]:
    """Training and test digits, transformed one by one by so many workers."""
    transform = torchvision.transforms.Compose(
        [
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize((data.MEAN,), (data.STD,)),
        ]
    )
    root = data.mnist_root()
    return tuple(
        DataLoader(
            torchvision.datasets.MNIST(root, train=train, transform=transform),
            batch_size=64,
            shuffle=True,
            num_workers=workers,
        )
        for train in (True, False)
    )


class PageNet(models.TutorialNet):
    """The tutorial's network, with the page's own calls in the transformer instead of `warp`."""

    def stn(self, x: torch.Tensor) -> torch.Tensor:
        theta = self.fc_loc(self.localization(x).flatten(1)).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)


def page_epoch(model, optimizer, loader, device) -> None:
    model.train()
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def page_accuracy(model, loader, device) -> float:
    model.eval()
    right = 0
    for images, labels in loader:
        answers = model(images.to(device)).argmax(dim=1)
        right += (answers == labels.to(device)).sum().item()
    return right / len(loader.dataset)


def tutorial_loop(
    epochs: int, workers: int, device, between=lambda epoch: None
) -> tuple[list[float], list[float]]:
    """The seconds of each epoch, and the test accuracy after it; `between` is off the clock."""
    seed_everything(0)
    model = PageNet().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train, test = page_loaders(workers)
    seconds, accuracies = [], []
    for epoch in tqdm(range(epochs), desc="the page's loop", unit="epoch"):
        start = time.perf_counter()
        page_epoch(model, optimizer, train, device)
        accuracies.append(page_accuracy(model, test, device))
        seconds.append(time.perf_counter() - start)
        between(epoch)
    return seconds, accuracies


def faster_workers(device) -> int:
    """The number of loader workers with which an epoch of the page's loop takes less time."""
    seconds = {workers: tutorial_loop(1, workers, device)[0][0] for workers in WORKERS}
    for workers, took in seconds.items():
        print(
            f"an epoch of the page's loop with {workers} loader workers: {took:.1f} s", flush=True
        )
    return min(seconds, key=seconds.get)


def course_run(epochs: float | None, seed: int, digits: dict, recipe="course", watch=None):
    """Seconds and accuracy of `fit`, on digits that lie on the device; the trained model."""
    seed_everything(seed)
    model = models.TutorialNet(padding_mode="border")
    device = digits["train"][0].device
    options = {"epochs": epochs, "seed": seed, "device": device, "progress": False, "watch": watch}
    start = time.perf_counter()
    history = training.fit(model, recipe, **digits, **options)
    return time.perf_counter() - start, history.accuracy, model


@torch.no_grad()
def theta_deviation(model: models.TutorialNet, images: torch.Tensor) -> float:
    """How far theta lies from its mean over the images, not normalised: mean absolute deviation.

    0 if every image gets the same theta.
    """
    model.eval().stn(data.normalise(images))
    return (model.theta - model.theta.mean(dim=0)).abs().mean().item()


def digits_on(device) -> dict:
    """All of MNIST on the device, as `fit` takes it."""
    return {split: data.load_digits(split, device) for split in ("train", "test")}


def images_a_second(work, count: int, rounds: int = 5) -> float:
    """The median over rounds of something that turns `count` images."""
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


def rotations(device, mode: str) -> dict[str, float]:
    """Rotated digits a second: torchvision's, image by image, and ours, in batches.

    mode: "nearest", which is RandomRotation's default, or "bilinear", for both.
    """
    interpolation = torchvision.transforms.InterpolationMode(mode)
    rotate = torchvision.transforms.RandomRotation(90, interpolation=interpolation)
    images, _ = data.load_digits("test")
    pictures = [torchvision.transforms.functional.to_pil_image(image) for image in images[:2000]]
    to_tensor = torchvision.transforms.ToTensor()
    distort, generator = data.random_rotation(90, mode), torch.Generator().manual_seed(0)
    batches = images.to(device).split(256)  # as the recipe has them

    def in_batches():
        turned = [distort(some, generator)[0] for some in batches]
        turned[-1].sum().item()  # waits for the device

    in_batches()
    return {
        "tensors": images_a_second(lambda: [rotate(image) for image in images[:2000]], 2000),
        "pictures": images_a_second(lambda: [to_tensor(rotate(p)) for p in pictures], 2000),
        "batches": images_a_second(in_batches, len(images)),
    }


def report_monitor(digits: dict) -> None:
    """What a live monitor costs: the same epoch with and without, in turns."""
    seconds = {"with": [], "without": []}
    for _ in range(5):
        for name, watch in {"with": Monitor(), "without": None}.items():
            seconds[name].append(course_run(1, 0, digits, watch=watch)[0])
    pairs = zip(seconds["with"], seconds["without"], strict=True)
    cost = statistics.median(one / two for one, two in pairs) - 1
    print(f"a monitor costs {100 * cost:.1f} % of an epoch, median of 5 pairs; ", end="")
    print(f"with {seconds['with']}, without {seconds['without']}")


def report_tutorial_recipe(digits: dict) -> None:
    """On CUDA: the tutorial's 20 epochs of its own recipe by `fit`, after one to warm up."""
    course_run(1, 0, digits, "tutorial")
    took, accuracy, _ = course_run(EPOCHS, 0, digits, "tutorial")
    print(f"fit, the tutorial's recipe, {EPOCHS} epochs: {took:.1f} s, {100 * accuracy:.2f} %")


def one_run(recipe: str, epochs: float, seed: int, digits: dict) -> tuple[float, float, float]:
    """Seconds, accuracy, and theta's deviation of one run, which is printed."""
    took, accuracy, model = course_run(epochs, seed, digits, recipe)
    deviation = theta_deviation(model, digits["test"][0])
    words = f"  {recipe}, {epochs} epochs, seed {seed}: {took:.2f} s, {100 * accuracy:.2f} %"
    print(f"{words}, theta's deviation {deviation:.3f}", flush=True)
    return took, accuracy, deviation


def report_page(quick: bool, digits: dict, device) -> float:
    """The page's loop and `sprint` in turns; the seconds of the page's 20 epochs."""
    epochs, sprint, runs = 2 if quick else EPOCHS, training.RECIPES["sprint"].epochs, []

    def between(epoch: int) -> None:
        if epoch % 2:
            with torch.random.fork_rng():  # the page's loop goes on as if alone
                runs.append(one_run("sprint", sprint, epoch // 2, digits))

    seconds, accuracies = tutorial_loop(epochs, faster_workers(device), device, between)
    whole = statistics.mean(seconds) * EPOCHS
    how = f", extrapolated from {epochs}" if quick else ""
    print(f"the page's loop: {whole:.0f} s for {EPOCHS} epochs{how}; each {rounded(seconds)}")
    print(f"its accuracy after {epochs}: {100 * accuracies[-1]:.2f} %")
    reached = [epoch for epoch, accuracy in enumerate(accuracies) if accuracy >= PAGE]
    if reached:
        print(f"it first reaches {100 * PAGE:.2f} % in epoch {reached[0] + 1}")
    report_runs("sprint", sprint, runs, whole)
    pairs = [EPOCHS * second / run[0] for second, run in zip(seconds[1::2], runs, strict=True)]
    print(f"ratio to the epoch before, times {EPOCHS}: median {statistics.median(pairs):.0f}")
    return whole


def rounded(seconds: list[float]) -> str:
    return " ".join(f"{second:.1f}" for second in seconds)


def report_runs(recipe: str, epochs: float, runs: list, whole: float) -> None:
    """What the runs of a recipe come to, beside the page's `whole`."""
    seconds, accuracies, deviations = zip(*runs, strict=True)
    took, lowest = statistics.mean(seconds), min(accuracies)
    print(
        f"fit, recipe {recipe}, {epochs} epochs, {len(runs)} seeds: {took:.2f} s on the mean "
        f"(longest {max(seconds):.2f} s), accuracy {100 * statistics.mean(accuracies):.2f} % on "
        f"the mean (lowest {100 * lowest:.2f} %); the page's {EPOCHS} epochs take "
        f"{whole / took:.0f} times as long; theta's deviation {min(deviations):.3f} at least",
        flush=True,
    )


def report_training(quick: bool, device) -> None:
    digits = digits_on(device)
    course_run(1, 0, digits)  # to warm up
    whole = report_page(quick, digits, device)
    for epochs in (1, 2):
        runs = [one_run("course", epochs, seed, digits) for seed in range(SEEDS)]
        report_runs("course", epochs, runs, whole)
    report_monitor(digits)
    if torch.device(device).type == "cuda":
        report_tutorial_recipe(digits)


def report_rotations(device) -> None:
    for mode in ("nearest", "bilinear"):
        rate = rotations(device, mode)
        print(
            f"rotated digits a second, {mode}: torchvision on tensors {rate['tensors']:.0f}, on "
            f"PIL pictures with ToTensor {rate['pictures']:.0f}; in batches {rate['batches']:.0f}, "
            f"ratios {rate['batches'] / rate['tensors']:.0f} and "
            f"{rate['batches'] / rate['pictures']:.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two epochs of the page's loop")
    parser.add_argument("--device", help="cpu or cuda, by default the fastest")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    print(
        f"{describe_device(device)}, torch {torch.__version__}, stn_course {stn_course.__version__}"
    )
    report_training(arguments.quick, device)
    report_rotations(device)


if __name__ == "__main__":
    main()
