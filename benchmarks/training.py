"""The tutorial's training loop beside `fit`, and rotated digits in batches beside one by one.

python benchmarks/training.py [--quick] [--device cuda]

The tutorial's loop as its page has it: a DataLoader with a transform for each image, batches of 64,
SGD with 0.01, 20 epochs, a test after each. --quick does one of its epochs and multiplies.
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

PAGE = 0.9867  # the accuracy that the tutorial's page prints
SEEDS = (0, 1, 2)
EPOCHS = 20


def page_loaders() -> tuple[DataLoader, DataLoader]:
    """Training and test digits, transformed one by one by four workers."""
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
            num_workers=4,
        )
        for train in (True, False)
    )


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


def tutorial_loop(epochs: int, device) -> tuple[list[float], list[float]]:
    """Seconds since the start, and the test accuracy, after each epoch."""
    seed_everything(0)
    model = models.TutorialNet().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train, test = page_loaders()
    seconds, accuracies, start = [], [], time.perf_counter()
    for _ in tqdm(range(epochs), desc="the page's loop", unit="epoch"):
        page_epoch(model, optimizer, train, device)
        accuracies.append(page_accuracy(model, test, device))
        seconds.append(time.perf_counter() - start)
    return seconds, accuracies


def course_run(epochs: int, seed: int, device) -> tuple[float, float]:
    """Seconds and accuracy of `fit`, loading the digits included."""
    seed_everything(seed)
    model = models.TutorialNet(padding_mode="border")
    start = time.perf_counter()
    history = training.fit(model, "course", epochs=epochs, seed=seed, device=device)
    return time.perf_counter() - start, history.accuracy


def rotations(device) -> tuple[float, float]:
    """Rotated digits a second: torchvision's, image by image, and ours, in batches."""
    images, _ = data.load_digits("test")
    rotate = torchvision.transforms.RandomRotation(
        90, interpolation=torchvision.transforms.InterpolationMode.BILINEAR
    )
    start = time.perf_counter()
    for image in images[:2000]:
        rotate(image)
    one_by_one = 2000 / (time.perf_counter() - start)
    distort, generator = data.random_rotation(90), torch.Generator().manual_seed(0)
    images = images.to(device)
    rates = []
    for _ in range(5):
        start = time.perf_counter()
        turned = [distort(some, generator)[0] for some in images.split(128)]
        turned[-1].sum().item()  # waits for the device
        rates.append(len(images) / (time.perf_counter() - start))
    return one_by_one, statistics.median(rates)


def report_training(quick: bool, device) -> None:
    epochs = 1 if quick else EPOCHS
    seconds, accuracies = tutorial_loop(epochs, device)
    one_epoch, whole = seconds[0], seconds[-1] * EPOCHS / epochs
    how = f", extrapolated from {epochs}" if quick else ""
    print(f"the page's loop: {whole:.0f} s for {EPOCHS} epochs{how}")
    print(f"its accuracy after {epochs}: {100 * accuracies[-1]:.2f} %")
    reached = [s for s, a in zip(seconds, accuracies, strict=True) if a >= PAGE]
    if reached:
        print(f"it first reaches {100 * PAGE:.2f} % after {reached[0]:.0f} s")
    for n in (1, 2, 3):
        runs = [course_run(n, seed, device) for seed in SEEDS]
        took, accuracy = (statistics.median(values) for values in zip(*runs, strict=True))
        lowest = min(accuracy for _, accuracy in runs)
        print(
            f"fit, {n} epochs: {took:.1f} s, accuracy {100 * accuracy:.2f} % (lowest "
            f"{100 * lowest:.2f} %), medians of {len(SEEDS)} seeds; "
            f"ratio of the page's {EPOCHS} epochs {whole / took:.0f}, of its first "
            f"{one_epoch / took:.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one epoch of the page's loop")
    parser.add_argument("--device", help="cpu or cuda, by default the fastest")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    print(
        f"{describe_device(device)}, torch {torch.__version__}, stn_course {stn_course.__version__}"
    )
    report_training(arguments.quick, device)
    slow, fast = rotations(device)
    print(f"rotated digits a second: one by one {slow:.0f}, in batches {fast:.0f}, ", end="")
    print(f"ratio {fast / slow:.0f}")


if __name__ == "__main__":
    main()
