"""`fit`: train by a recipe, record what happens, go on where a killed run ended."""

import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from stn_course.data import load_digits, normalise
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.training.checkpoint import Run
from stn_course.training.history import History, versions
from stn_course.training.loop import (
    Digits,
    Distortion,
    evaluate,
    prepared,
    probe,
    train_epoch,
)
from stn_course.training.recipes import Recipe, find_recipe, make_optimizer, prepare_model
from stn_course.validation import check_images, check_positive

# A notebook's bar sends messages, and their queue is bounded. A client that reads them only after
# the cell, as nbval does, can lose the last of too many: the news that the cell has ended.
BAR_SECONDS = 1.0
PROBE = 12  # how many test digits are watched


class Diverged(RuntimeError):
    """The loss is NaN or infinite: training on would teach nothing."""


class Recorder:
    """Writes a run into its History, moves the progress bar, and stops a run that diverges.

    The probe is recorded before the first step, ten times an epoch, and after each epoch.
    """

    def __init__(self, run: Run, digits: Digits, steps: int, bar: tqdm, checkpoint: str):
        self.run, self.digits, self.bar, self.checkpoint = run, digits, bar, checkpoint
        self.every = max(1, steps // 10)
        self.losses: list[Tensor] = []  # of the present epoch
        before = run.history.seconds[-1] if run.history.seconds else 0.0
        self.start = time.perf_counter() - before
        self.record_probe()

    @property
    def step(self) -> int:
        """How many steps have been taken."""
        return len(self.run.history.losses) + len(self.losses)

    def record_probe(self) -> None:
        """Look at the probe digits, unless that was done at this step already."""
        history = self.run.history
        if history.probe_steps and history.probe_steps[-1] == self.step:
            return
        loss, theta = probe(self.run.model, *self.digits)
        history.probe_steps.append(self.step)
        history.probe_losses.append(loss)
        if theta is not None:
            history.probe_thetas.append(theta)

    def after_step(self, loss: Tensor) -> None:
        self.losses.append(loss)
        self.bar.update()
        now = self.step % self.every == 0
        if now or loss.device.type == "cpu":  # a GPU would have to be waited for
            self.check_finite()
        if now:
            self.record_probe()
            self.bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

    def check_finite(self) -> None:
        """Raise Diverged if a loss since the last look is NaN or infinite."""
        if math.isfinite(self.losses[-1].item()):  # a loss that is lost does not come back
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
        self.record_probe()  # so that the last of all is the trained model's
        history = self.run.history
        if self.losses:
            self.check_finite()
            history.losses.extend(torch.stack(self.losses).tolist())  # one wait an epoch
            self.losses.clear()
        history.accuracies.append(accuracy)
        history.seconds.append(time.perf_counter() - self.start)


def fit(
    model: nn.Module,
    recipe: str | Recipe = "course",
    *,
    train: Digits | None = None,
    test: Digits | None = None,
    distort: Distortion | None = None,
    epochs: int | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> History:
    """Train the model in place and say what happened.

    recipe: a name in RECIPES, or a Recipe. train, test: images (N, 1, H, W) from 0 to 1, not
    normalised, and labels (N,); by default all of MNIST. distort: applied anew to every training
    batch before normalising, for example `data.random_rotation(90)`. epochs: instead of the
    recipe's. device: "cpu" or "cuda", by default the fastest. progress: show a bar.
    checkpoint: a file that is written after each epoch; where it exists already, the run goes on
    from there, to the same weights as one that was never stopped. A distortion must draw from the
    generator that it is given.
    The same seed on the same CPU gives the same weights. The initial weights are the model's own:
    seed before you make it.

    Ctrl-C or the kernel's stop button ends the run early: the model is as trained so far, the
    history says `stopped`. Raises Diverged where the loss is NaN or infinite; ValueError for a
    checkpoint that is damaged or of another run, which is left as it is.
    """
    recipe = find_recipe(recipe)
    epochs = recipe.epochs if epochs is None else epochs
    check_positive("epochs", epochs)
    device = choose_device(device)
    train = _on_device("train", train, device)
    images, labels = _on_device("test", test, device)
    run = _new_run(model, recipe, epochs, seed, device, len(train[0]), images[:PROBE])
    if checkpoint is not None and Path(checkpoint).exists():
        run.load(checkpoint)
    steps = math.ceil(len(train[0]) / recipe.batch_size)
    images = normalise(images)
    options = {"unit": "batch", "disable": not progress, "mininterval": BAR_SECONDS}
    done = len(run.history.accuracies)
    with tqdm(total=steps * epochs, initial=steps * done, **options) as bar:
        words = "none, for no file was given" if checkpoint is None else str(checkpoint)
        recorder = Recorder(run, (images[:PROBE], labels[:PROBE]), steps, bar, words)
        _train(run, recorder, train, (images, labels), distort, checkpoint)
    return run.history


def _new_run(model, recipe, epochs, seed, device, images: int, watched: Tensor) -> Run:
    """A run before its first step; images: how many there are to learn from."""
    history = History(recipe, seed, probe_images=watched.cpu().clone())
    history.versions, history.hardware = versions(), describe_device(device)
    generator = seed_everything(seed)
    prepare_model(model, recipe, device)
    steps = math.ceil(images / recipe.batch_size)
    optimizer, scheduler = make_optimizer(model, recipe, steps * epochs)
    return Run(model, optimizer, scheduler, generator, history, epochs)


def _train(
    run: Run,
    recorder: Recorder,
    train: Digits,
    test: Digits,
    distort: Distortion | None,
    checkpoint: str | Path | None,
) -> None:
    """The epochs that are left; an interrupt ends them, and leaves a model and history to use."""
    batch_size = run.history.recipe.batch_size
    try:
        for _ in range(len(run.history.accuracies), run.epochs):
            digits = prepared(*train, batch_size, distort, run.generator)
            train_epoch(run.model, digits, run.optimizer, run.scheduler, recorder.after_step)
            recorder.after_epoch(evaluate(run.model, *test))
            if checkpoint is not None:
                run.save(checkpoint)
    except KeyboardInterrupt:
        run.history.stopped = True
        recorder.after_epoch(evaluate(run.model, *test))
        recorder.bar.write(f"stopped after step {recorder.step}: the model is as trained so far")


def _on_device(split: str, digits: Digits | None, device: torch.device) -> Digits:
    """The digits given, or all of that split of MNIST, checked, on the device."""
    images, labels = load_digits(split, device) if digits is None else digits
    check_images(images, f"{split} images")
    return images.to(device), labels.to(device)
