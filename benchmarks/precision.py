"""What a step costs in bfloat16 and in float32: python benchmarks/precision.py (or make
bench-precision).

Networks of the paper's table, batches of 256, one thread, the two precisions in turns: a step of
one, a step of the other. Medians of 15 steps each, and their ratio.
"""

import itertools
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from stn_course.device import describe_device, seed_everything
from stn_course.experiments import SETS
from stn_course.experiments.networks import build
from stn_course.training.recipes import PRECISIONS, InPrecision

READERS = (("cnn", "none"), ("st-cnn", "affine"))
BATCH, WARMING_UP, STEPS = 256, 3, 15


def make_step(digits: str, network: str, family: str, precision: str) -> Callable[[], None]:
    """A function that takes one step of a fresh network on one batch of noise."""
    seed_everything(0)
    model = build(digits, network, family).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    chosen, reader = SETS[digits], InPrecision(model, precision)
    pictures = torch.randn(BATCH, chosen.channels, chosen.size, chosen.size)
    labels = torch.randint(chosen.classes, (BATCH,))
    return lambda: step(reader, optimizer, pictures, labels)


def step(reader: nn.Module, optimizer, pictures, labels) -> None:
    """Forward, backward, and on."""
    loss = F.nll_loss(reader(pictures), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def main() -> None:
    torch.set_num_threads(1)
    print(describe_device("cpu"))
    for digits, reader in itertools.product(("R", "RTS", "TC"), READERS):
        steps = {name: make_step(digits, *reader, name) for name in PRECISIONS}
        times = {name: [] for name in steps}
        for _ in range(WARMING_UP + STEPS):
            for name, take in steps.items():
                start = time.perf_counter()
                take()
                times[name].append(1000 * (time.perf_counter() - start))
        medians = {name: statistics.median(ms[WARMING_UP:]) for name, ms in times.items()}
        said = ", ".join(f"{name} {ms:.0f} ms" for name, ms in medians.items())
        ratio = medians["float32"] / medians["bfloat16"]
        print(f"{digits:4}{reader[0]:7}{said}, ratio {ratio:.1f}", flush=True)


if __name__ == "__main__":
    main()
