"""What every test may use, and what no test may do: touch a network."""

import os
import socket
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from stn_course import data
from stn_course.device import available_devices

# No deadline, for slow machines. In CI the same examples each time, so that red means broken.
settings.register_profile("course", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("course")

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Connecting to anything but this machine fails; Jupyter's kernels are on this machine."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise OSError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def digits():
    """The test digits (10000, 1, 28, 28) from 0 to 1, and their labels."""
    return data.load_digits("test")


@pytest.fixture(params=available_devices())
def device(request) -> torch.device:
    """Each device of this machine in turn."""
    return torch.device(request.param)
