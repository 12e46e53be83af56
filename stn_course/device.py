"""Which device computes, what it is called, and one seed for everything."""

import platform
import random

import numpy
import torch

from stn_course.validation import check_choice


def available_devices() -> tuple[str, ...]:
    """The devices of this machine that the course runs on: "cuda" where present, always "cpu".

    Apple's "mps" is left out: the course was never run there.
    """
    return ("cuda", "cpu") if torch.cuda.is_available() else ("cpu",)


def choose_device(name: str | torch.device | None = None) -> torch.device:
    """The fastest device present, or the one named; ValueError if that one is not present."""
    if name is None:
        return torch.device(available_devices()[0])
    check_choice("device", str(name), available_devices())
    return torch.device(name)


def describe_device(device: torch.device | str | None = None) -> str:
    """One line for people: the device's name, threads on a CPU, memory on a GPU."""
    device = torch.device(device) if device is not None else choose_device()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"GPU {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    threads = torch.get_num_threads()
    return f"CPU {platform.machine()}, {threads} thread{'' if threads == 1 else 's'}"


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python, NumPy and torch on every device; returns a CPU generator with the same seed.

    On one machine the CPU then repeats itself exactly. On CUDA the backward pass of `grid_sample`
    adds in no fixed order, so the last digits of a training run may differ.
    """
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
