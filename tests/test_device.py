"""The device is the fastest there is, or the one asked for; a seed seeds everything."""

import random

import numpy
import pytest
import torch

from stn_course import device


def test_a_gpu_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.available_devices() == ("cuda", "cpu")
    assert device.choose_device().type == "cuda"
    assert device.choose_device("cpu").type == "cpu"
    assert device.choose_device(torch.device("cpu")).type == "cpu"


def test_without_a_gpu_the_cpu_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose_device().type == "cpu"
    with pytest.raises(ValueError, match=r"one of 'cpu'; got 'cuda'"):
        device.choose_device("cuda")


def test_the_description_names_the_cpu_and_its_threads():
    assert str(torch.get_num_threads()) in device.describe_device("cpu")
    assert device.describe_device("cpu").startswith("CPU")


@pytest.mark.parametrize(("threads", "words"), [(1, ", 1 thread"), (2, ", 2 threads")])
def test_one_thread_is_no_threads(threads, words, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert device.describe_device("cpu").endswith(words)


def test_one_seed_for_everything():
    def draws():
        generator = device.seed_everything(7)
        numbers = random.random(), numpy.random.rand(), torch.rand(1).item()
        return *numbers, torch.rand(1, generator=generator).item()

    assert draws() == draws()
