"""How long the digits take to load: python benchmarks/data.py (or make bench-data).

Side by side in one run: all 70,000 images by `load_mnist`, by torchvision's class from the unpacked
cache, and the tutorial's way of going through the training set, image by image, extrapolated from
one image in twenty; and cluttered pictures, made in batches of 128. Medians of five runs.
"""

import statistics
import time
from collections.abc import Callable

import torch

from stn_course import clutter, data, device

# torchvision comes after stn_course, which mends its import.
from torchvision import transforms  # isort: skip
from torchvision.datasets import MNIST  # isort: skip


def seconds(action: Callable[[], object], runs: int = 5) -> float:
    """The median time of an action."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def make_clutter(images: torch.Tensor) -> None:
    """One cluttered picture of each image."""
    distort, generator = clutter.random_clutter(), torch.Generator()
    for some in images.split(128):
        distort(some, generator)


def main() -> None:
    root = data.mnist_root()
    normalise = transforms.Normalize((data.MEAN,), (data.STD,))
    one_by_one = MNIST(root, transform=transforms.Compose([transforms.ToTensor(), normalise]))
    ours = seconds(lambda: [data.load_mnist(split) for split in ("train", "test")])
    theirs = seconds(lambda: [MNIST(root, train=train) for train in (True, False)])
    in_memory = seconds(lambda: data.normalise(data.load_digits("train")[0]))
    each = 20 * seconds(lambda: [one_by_one[i] for i in range(0, 60000, 20)])
    print(device.describe_device("cpu"))
    print(f"load_mnist, 70,000 images from the package: {ours:.2f} s")
    print(f"torchvision's MNIST, from the unpacked cache: {theirs:.2f} s")
    print(f"60,000 normalised tensors, in memory: {in_memory:.2f} s")
    print(f"60,000 normalised tensors, one by one (extrapolated): {each:.2f} s")
    print(f"ratio, one by one to in memory: {each / in_memory:.0f}")
    images, _ = data.load_digits("test")
    clutter_seconds = seconds(lambda: make_clutter(images))
    print(f"cluttered pictures, 60×60, a second: {len(images) / clutter_seconds:,.0f}")


if __name__ == "__main__":
    main()
