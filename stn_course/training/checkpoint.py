"""Checkpoints: all that a killed run needs to go on as if it had never been stopped."""

import inspect
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from stn_course.training import storage
from stn_course.training.history import History
from stn_course.training.loop import Digits, Distortion

FORMAT = "stn_course checkpoint 2"  # 1 did not say on which data, and is not gone on from


@dataclass
class Run:
    """What a training run consists of; `save` and `load` keep it in one file.

    generator: shuffles and distorts, on the CPU. steps: how many each epoch has; the learning
    rate's schedule depends on them. data: which it learns from and is tested on, see
    `describe_data`.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler | None
    generator: torch.Generator
    history: History
    steps: list[int]
    data: dict[str, str]

    def save(self, path: str | Path) -> None:
        """Write all of it, or, where that fails, leave the file as it was."""
        content = {
            "data": self.data,
            "history": self.history.to_content(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler and self.scheduler.state_dict(),
            "generator": self.generator.get_state(),
            "random": torch.get_rng_state(),  # dropout draws from it
            "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        storage.save(path, FORMAT, content)

    def load(self, path: str | Path) -> None:
        """Go back to what the file holds.

        Raises ValueError, and leaves the file as it is, if it is damaged, of another kind, or of a
        run with another recipe, seed, number of epochs, model or data.
        """
        content = storage.load(path, FORMAT)
        history = History.from_content(content["history"])
        self._check_same(path, history, content["data"])
        try:
            self.model.load_state_dict(content["model"])
        except RuntimeError as error:
            raise ValueError(f"{path} is a checkpoint of another model: {error}") from error
        self.optimizer.load_state_dict(content["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(content["scheduler"])
        self.generator.set_state(content["generator"])
        torch.set_rng_state(content["random"])
        if torch.cuda.is_available() and content["cuda_random"]:
            torch.cuda.set_rng_state_all(content["cuda_random"])
        self.history = history

    def _check_same(self, path: str | Path, history: History, data: dict[str, str]) -> None:
        """The file's run was begun as this one is."""
        saved = asdict(history.recipe) | {"seed": history.seed} | data
        ours = asdict(self.history.recipe) | {"seed": self.history.seed} | self.data
        different = [
            f"{name} {saved[name]!r}, not {ours[name]!r}"
            for name in ours
            if saved[name] != ours[name]
        ]
        if different:
            raise ValueError(f"{path} is of a run with {'; '.join(different)}: choose another file")


def check_place(path: str | Path) -> None:
    """A file can be written there; FileNotFoundError or IsADirectoryError if not."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"checkpoint must name a file; {path} is a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"checkpoint {path}: make its folder {path.parent} first")


def describe_data(train: Digits, test: Digits, distort: Distortion | None) -> dict[str, str]:
    """Of each tensor the shape and a checksum, of the distortion what can be told, by name."""
    (images, labels), (test_images, test_labels) = train, test
    return {
        "train images": fingerprint(images),
        "train labels": fingerprint(labels),
        "test images": fingerprint(test_images),
        "test labels": fingerprint(test_labels),
        "distort": describe_distortion(distort),
    }


def fingerprint(values: Tensor) -> str:
    """Shape and checksum; images are rounded, for no two devices divide by 255 alike."""
    if values.is_floating_point():
        values = (values.float() * 4095).round().short()
    content = values.contiguous().cpu().numpy().tobytes()
    return f"{tuple(values.shape)} with checksum {zlib.crc32(content):08x}"


def describe_distortion(distort: Distortion | None) -> str:
    """Its name, and the numbers and words that it was made with: random_rotation's limit, say."""
    if distort is None:
        return "none"
    made_with = inspect.getclosurevars(distort).nonlocals if inspect.isfunction(distort) else {}
    numbers = [f"{k}={v:g}" for k, v in made_with.items() if isinstance(v, int | float)]
    words = [f"{k}={v!r}" for k, v in made_with.items() if isinstance(v, str)]
    name = getattr(distort, "__qualname__", type(distort).__qualname__)
    return " ".join([name, *numbers, *words])
