"""Checkpoints: all that a killed run needs to go on as if it had never been stopped."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from stn_course.training import storage
from stn_course.training.history import History

FORMAT = "stn_course checkpoint 1"


@dataclass
class Run:
    """What a training run consists of; `save` and `load` keep it in one file.

    generator: shuffles and distorts, on the CPU. steps: how many each epoch has; the learning
    rate's schedule depends on them.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler | None
    generator: torch.Generator
    history: History
    steps: list[int]

    def save(self, path: str | Path) -> None:
        """Write all of it, or, where that fails, leave the file as it was."""
        content = {
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
        run with another recipe, seed, number of epochs or model.
        """
        content = storage.load(path, FORMAT)
        history = History.from_content(content["history"])
        self._check_same(path, history)
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

    def _check_same(self, path: str | Path, history: History) -> None:
        """The file's run was begun as this one is."""
        saved = asdict(history.recipe) | {"seed": history.seed}
        ours = asdict(self.history.recipe) | {"seed": self.history.seed}
        different = [
            f"{name} {saved[name]!r}, not {ours[name]!r}"
            for name in ours
            if saved[name] != ours[name]
        ]
        if different:
            raise ValueError(f"{path} is of a run with {'; '.join(different)}: choose another file")
