"""Several processes train one model, each on its share of every batch (DistributedDataParallel).

Alone, without `started`, each function here changes nothing.
"""

import contextlib
import os
from collections.abc import Iterator

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@contextlib.contextmanager
def started(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that torchrun has begun; the device for this one, a GPU of its own.

    Without torchrun, or with one process, nothing is joined and the device is the one given.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def world_size() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0; the first one writes files and shows the bar."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def together(model: nn.Module) -> nn.Module:
    """The model with the first process' weights, its gradients the mean over all processes."""
    if world_size() == 1:
        return model
    return DistributedDataParallel(model)


def share(batch: Tensor) -> Tensor:
    """This process' part of a batch, equal for all, so that a mean of means is the mean.

    What can't be shared out evenly, fewer than `world_size()` images, is left out.
    """
    equal = len(batch) - len(batch) % world_size()
    return batch[rank() : equal : world_size()]


def mean(loss: Tensor) -> Tensor:
    """The mean over the processes, the same in each."""
    if world_size() == 1:
        return loss
    loss = loss.clone()
    distributed.all_reduce(loss)
    return loss / world_size()
