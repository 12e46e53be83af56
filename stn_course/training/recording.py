"""Records a run while it trains: its history, the progress bar, whoever watches, and alarms."""

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from stn_course.training import processes
from stn_course.training.checkpoint import Run
from stn_course.training.collapse import CollapseDetector, CollapseWarning
from stn_course.training.loop import Digits, probe
from stn_course.training.transformers import answers_to, grid_function, idle, input_size

LOOKS = 10  # at the probe digits in each epoch
ANSWERS = 1000  # how many test digits are asked whether all get one answer


def _learns(parameters: Iterable[nn.Parameter]) -> bool:
    return any(parameter.requires_grad for parameter in parameters)


class Diverged(RuntimeError):
    """The loss is NaN or infinite: training on would teach nothing."""


class Stop(Exception):
    """Raised by a watcher: the run ends here, and keeps what it has learned.

    Example:
        >>> from stn_course import models, training
        >>> def watch(recorder):
        ...     if recorder.step == 3:
        ...         raise Stop
        >>> digits = torch.zeros(8, 1, 28, 28), torch.arange(8)
        >>> options = {"train": digits, "test": digits, "progress": False}
        >>> training.fit(models.PlainNet(), epochs=100, watch=watch, **options).stopped
        stopped after step 3: the model is as trained so far
        True
    """


class Recorder:
    """Writes a run into its History, moves the progress bar, and stops a run that diverges.

    `fit` makes one, and gives it to `watch` after each step and each epoch.

    Args:
        run: what is recorded.
        digits: the test digits, normalised, and their labels.
        probes: how many of them are the probe, looked at before the first step, ten times an epoch,
            and after each epoch.
        images: how many there are in an epoch.
        bar: shows how far the run is.
        checkpoint: its name, for messages.
        watch: called with the recorder after each step and each epoch; it may hold the run up and
            then returns for how many seconds, and may raise Stop.

    Raises:
        Diverged: the loss is NaN or infinite.

    Example:
        >>> from stn_course import models, training
        >>> def watch(recorder):
        ...     print("after step", recorder.step, "of", recorder.steps)
        >>> digits = torch.zeros(8, 1, 28, 28), torch.arange(8)
        >>> options = {"train": digits, "test": digits, "progress": False}
        >>> _ = training.fit(models.PlainNet(), epochs=1, watch=watch, **options)
        after step 1 of 1
        after step 1 of 1
    """

    def __init__(
        self,
        run: Run,
        digits: Digits,
        probes: int,
        images: int,
        bar: tqdm,
        checkpoint: str,
        watch: Callable[["Recorder"], float | None] | None = None,
    ):
        self.run, self.digits, self.bar, self.checkpoint = run, digits, bar, checkpoint
        self.probed = digits[0][:probes], digits[1][:probes]
        self.images, self.watch = images, watch
        self.losses: list[Tensor] = []  # of the present epoch
        self.pending: list[tuple] = []  # looks at the probe that are not in the history yet
        self.shown: dict[str, str] = {}  # beside the bar
        self.on_cpu = digits[0].device.type == "cpu"
        self.first = self.step
        self.before = (self.history.seconds or [0.0])[-1]  # what a checkpoint brought back
        self.start = time.perf_counter() - self.before
        self._meet_transformers()
        self.record_probe()

    def _meet_transformers(self) -> None:
        """Note what the first transformer reads, and tell of those that are not called."""
        model, images = self.run.model, self.probed[0]
        _, called = answers_to(model, images)
        self.called = called
        first = called[0] if called else None
        localization = self.run.optimizer.param_groups[0]  # the first group, where there are two
        rate = localization.get("max_lr", localization["lr"])
        if not (first and _learns(localization["params"]) and _learns(first.parameters())):
            rate = 0.0  # frozen
        padding_mode, grid = getattr(first, "padding_mode", None), grid_function(first)
        self.detector = CollapseDetector(self.history, padding_mode, rate, grid)
        self.history.theta_input = input_size(model, first, images) if called else None
        self._warn(self.detector.look_at_idle(idle(model, called)))

    @property
    def history(self):
        """The run's History; the losses of the present epoch are still in `losses`."""
        return self.run.history

    @property
    def step(self) -> int:
        """How many steps have been taken."""
        return len(self.history.losses) + len(self.losses)

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return sum(self.run.steps)

    @property
    def seconds_left(self) -> float:
        """What the rest will take, at the pace so far; infinite before the first step."""
        done = self.step - self.first
        if not done:
            return math.inf
        taken = time.perf_counter() - self.start - self.before
        return taken / done * (self.steps - self.step)

    def record_probe(self) -> None:
        """Look at the probe digits, unless that was done at this step already."""
        seen = [step for step, *_ in self.pending[-1:]] or self.history.probe_steps[-1:]
        if seen == [self.step]:
            return
        self.pending.append((self.step, *probe(self.run.model, *self.probed)))
        if self.on_cpu:
            self.flush()

    def flush(self) -> None:
        """Bring what was recorded into the history; on a GPU this waits for the values.

        So it happens once an epoch there, or when somebody watches.
        """
        self.check_finite()
        for step, loss, right, theta in self.pending:
            self.history.probe_steps.append(step)
            self.history.probe_losses.append(loss.item())
            self.history.probe_right.append(right.cpu())
            if theta is not None:
                self.history.probe_thetas.append(theta.cpu())
                if theta.isfinite().all():  # else the loss tells
                    self._warn(self.detector.look_at_theta(step, theta.cpu()))
        self.pending.clear()
        if self.losses:
            self._show(loss=f"{self.losses[-1].item():.3f}")

    def _warn(self, findings: dict[str, str]) -> None:
        for words in findings.values():
            warnings.warn(words, CollapseWarning, stacklevel=2)

    def after_step(self, loss: Tensor) -> None:
        """One step was taken, with this loss."""
        self.losses.append(processes.mean(loss))
        rest = self.images - (len(self.losses) - 1) * self.history.recipe.batch_size
        self.bar.update(min(rest, self.history.recipe.batch_size))
        if self.on_cpu:
            self.check_finite()
        if self.step % max(1, self.run.steps[0] // LOOKS) == 0:
            self.record_probe()
        self._watched()

    def _watched(self) -> None:
        if self.watch is not None:
            self.start += self.watch(self) or 0.0

    def _show(self, **values: str) -> None:
        """Put values beside the bar; those shown before stay."""
        self.shown |= values
        self.bar.set_postfix(self.shown, refresh=False)

    def check_finite(self) -> None:
        """Raise Diverged if a loss since the last look is NaN or infinite."""
        if not self.losses or math.isfinite(self.losses[-1].item()):  # what is lost stays lost
            return
        losses = torch.stack(self.losses)
        first = int((~losses.isfinite()).nonzero()[0])
        rate = max(group["lr"] for group in self.run.optimizer.param_groups)
        raise Diverged(
            f"the loss is {losses[first].item()} at step {self.step - len(losses) + first + 1}, "
            f"with a learning rate of {rate:.3g}; a smaller one is the usual remedy. "
            f"Last good checkpoint: {self.checkpoint}"
        )

    def after_epoch(self, accuracy: float) -> None:
        """An epoch was done, or ended early, and the model tested."""
        self.record_probe()  # so that the last of all is the trained model's
        self.flush()
        if self.losses:
            self.history.losses.extend(torch.stack(self.losses).tolist())  # one wait an epoch
            self.losses.clear()
        self.history.accuracies.append(accuracy)
        self.history.seconds.append(time.perf_counter() - self.start)
        self._show(accuracy=f"{100 * accuracy:.2f} %")
        self._check_answers()
        self._warn(self.detector.look_at_twins(self.step, [x.theta for x in self.called]))
        loss = torch.tensor(self.history.losses[-LOOKS:]).mean().item()
        self._warn(self.detector.look_at_gap(self.step, loss, 1 - accuracy))
        self.tell()

    @property
    def unmeasured(self) -> bool:
        """Whether steps were taken since the model was last tested, or it never was."""
        accuracies = self.history.accuracies
        return not accuracies or self.step > sum(self.run.steps[: len(accuracies)])

    def tell(self) -> None:
        """Call the watcher between two epochs, or at the end."""
        with contextlib.suppress(Stop):  # the next step hears it, where there is one
            self._watched()

    @torch.no_grad()
    def _check_answers(self) -> None:
        """Does the network answer the same to everything?"""
        model, (images, labels) = self.run.model.eval(), self.digits
        answers = model(images[:ANSWERS]).argmax(dim=1)
        self._warn(self.detector.look_at_answers(self.step, answers, labels[:ANSWERS]))
