"""What happened in a training run, and its file."""

import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from stn_course.models import WEIGHTS
from stn_course.training import storage
from stn_course.training.recipes import Recipe
from stn_course.validation import check_choice

FORMAT = "stn_course history 1"  # what a file of `History.save` begins with
PROBED = "probe_right", "probe_thetas"  # a tensor for each look at the probe digits
RECORDED = ".history.pt"  # how the file of a recording ends, in models.WEIGHTS


@dataclass
class History:
    """What happened in a training run; `plotting.history` and `plotting.theta_history` draw it.

    Attributes:
        recipe: how it was trained.
        seed: of the order of the batches, distortions and dropouts.
        losses: one a step.
        accuracies: on the test digits, from 0 to 1, one an epoch.
        seconds: the time since the start at the end of each epoch.
        probe_steps: at which steps the probe digits were looked at.
        probe_losses: the mean loss on them, at each of these steps.
        probe_right: whether each of them is read correctly, (N,) bool, at each of these steps;
            empty in recordings that do not say.
        probe_thetas: their theta (N, 2, 3), or that of another family, at each of these steps, of
            the first transformer that the model calls; empty for a model that has none.
        probe_images: the probe digits, the first of the test's, (N, 1, H, W) from 0 to 1.
        theta_input: what that transformer reads, (C, H, W): the pictures, or the maps before a
            deeper layer, see `reads_pictures`; None in recordings that do not say.
        versions: of Python and PyTorch.
        hardware: what the run was made on.
        stopped: whether it was interrupted; the last accuracy is then that of the moment.
        findings: the signs of a collapse, by kind, each a sentence; none in a healthy run.

    Example:
        >>> history = load_recording("straightener")
        >>> history.probe_thetas[-1].shape
        torch.Size([12, 2, 3])
    """

    recipe: Recipe
    seed: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    probe_steps: list[int] = field(default_factory=list)
    probe_losses: list[float] = field(default_factory=list)
    probe_right: list[Tensor] = field(default_factory=list)
    probe_thetas: list[Tensor] = field(default_factory=list)
    probe_images: Tensor | None = None
    theta_input: tuple[int, int, int] | None = None
    versions: dict[str, str] = field(default_factory=dict)
    hardware: str = ""
    stopped: bool = False
    findings: dict[str, str] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """On the test digits after the last epoch, from 0 to 1."""
        return self.accuracies[-1]

    @property
    def reads_pictures(self) -> bool:
        """Whether the recorded theta is for the pictures themselves, and may be shown on them.

        Taken for granted where the recording does not say.
        """
        return self.theta_input in (None, tuple(self.probe_images.shape[1:]))

    def save(self, path: str | Path) -> None:
        """Write all of it into one file, or, where that fails, nothing; `load` reads it.

        Args:
            path: the file.
        """
        storage.save(path, FORMAT, self.to_content())

    def to_content(self) -> dict:
        """All of it as tensors, numbers and text, as `from_content` takes it."""
        content = asdict(self)
        for name in PROBED:
            if content[name]:  # one tensor takes a tenth of the space of many
                content[name] = torch.stack(content[name])
        return content

    @classmethod
    def load(cls, path: str | Path) -> "History":
        """Read a file of `save`.

        Args:
            path: the file.

        Returns:
            The history.

        Raises:
            ValueError: the file is not one of `save`, or is damaged; it is left as it is.
        """
        return cls.from_content(storage.load(path, FORMAT))

    @classmethod
    def from_content(cls, content: dict) -> "History":
        """The way back from `to_content`.

        Args:
            content: what `to_content` gave.

        Returns:
            The history.
        """
        changed = {name: list(content[name]) for name in PROBED if name in content}
        return cls(**{**content, **changed, "recipe": Recipe(**content["recipe"])})


def load_recording(name: str = "straightener") -> History:
    """What happened in a run of `tools/pretrain.py`, to be replayed without training.

    They learned digits that were turned, seen from the side, bent or in clutter; most left a
    network, too, for `models.load_trained`.

    Args:
        name: of the run.

    Returns:
        Its history.

    Raises:
        ValueError: an unknown name; the message lists those there are.

    Example:
        >>> load_recording("straightener").findings  # a healthy run
        {}
    """
    names = sorted(path.name.removesuffix(RECORDED) for path in WEIGHTS.glob(f"*{RECORDED}"))
    check_choice("name", name, names)
    return History.load(WEIGHTS / f"{name}{RECORDED}")


def versions() -> dict[str, str]:
    """What a run depends on, by name."""
    return {"python": platform.python_version(), "torch": str(torch.__version__)}
