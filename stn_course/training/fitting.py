"""`fit`: train by a recipe, record what happens, go on where a killed run ended."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from stn_course.data import load_digits, normalise
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.training import processes
from stn_course.training.checkpoint import Run, check_place, describe_data
from stn_course.training.history import History, versions
from stn_course.training.inputs import check_answers, check_labels, check_split
from stn_course.training.loop import Digits, Distortion, evaluate, prepared, train_epoch
from stn_course.training.recipes import (
    InPrecision,
    Recipe,
    find_recipe,
    make_criterion,
    make_optimizer,
    own_dropouts,
    prepare_model,
    steps_by_epoch,
)
from stn_course.training.recording import Recorder, Stop
from stn_course.validation import check_positive

# A notebook's bar sends messages, and their queue is bounded. A client that reads them only after
# the cell, as nbval does, can lose the last of too many: the news that the cell has ended.
BAR_SECONDS = 1.0
PROBE = 12  # how many test digits are watched


def fit(
    model: nn.Module,
    recipe: str | Recipe = "course",
    *,
    train: Digits | None = None,
    test: Digits | None = None,
    distort: Distortion | None = None,
    epochs: float | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    watch: Callable[[Recorder], float | None] | None = None,
) -> History:
    """Train the model in place and say what happened.

    The same seed on the same CPU gives the same weights. The initial weights are the model's own:
    seed before you make it. The recipe's dropouts hold while it trains, then the model's own again.
    The model is left in eval mode, ready to answer, on the device, in the recipe's memory layout.

    Ctrl-C, the kernel's stop button or a watcher's Stop end the run early: the model is as trained
    so far, the history says `stopped`. Where a GPU's memory does not hold the first epoch's batch,
    the run begins anew with half the batch, and says so.

    Args:
        model: answers images with log-probabilities (B, classes).
        recipe: a name in RECIPES, or a Recipe.
        train: images (N, C, H, W) from 0 to 1, not normalised, and labels (N,), classes counted
            from 0; by default all of MNIST's.
        test: the same, to be tested on after each epoch.
        distort: applied anew to every training batch before normalising, for example
            `data.random_rotation(90)`; it must draw from the generator that it is given.
        epochs: instead of the recipe's; may have a fraction.
        seed: of the order of the batches, distortions and dropouts.
        device: "cpu" or "cuda", by default the fastest.
        progress: show a bar.
        checkpoint: a file that is written after each epoch; where it exists already, the run goes
            on from there, to the same weights as one that was never stopped.
        watch: called after each step and epoch, see `Recorder`; for example a `widgets.Monitor`.

    Returns:
        What happened, as losses, accuracies and the probe digits' theta.

    Raises:
        TypeError: digits, labels or settings of a wrong kind; like all but `Diverged`, before the
            first step.
        ValueError: values, shapes or answers that do not fit; or a checkpoint that is damaged or of
            another run (recipe, seed, model, data or, as far as its name tells, distortion), which
            is left as it is.
        FileNotFoundError: the checkpoint's folder is not there.
        IsADirectoryError: the checkpoint is a folder.
        Diverged: the loss is NaN or infinite.

    Warns:
        CollapseWarning: the run has collapsed, or the model holds a transformer that it does not
            call.

    Example:
        >>> labels = torch.arange(200) % 2  # 0 is a black picture, 1 a white one
        >>> pictures = labels.float().view(200, 1, 1, 1).expand(200, 1, 8, 8), labels
        >>> options = {"train": pictures, "test": pictures, "progress": False}
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2), nn.LogSoftmax(dim=1))
        >>> fit(net, "sprint", epochs=5, **options).accuracy
        1.0
    """
    recipe = find_recipe(recipe)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    check_positive("epochs", recipe.epochs, float)
    device = choose_device(device)
    train, test = _on_device("train", train, device), _on_device("test", test, device)
    data: dict[str, str] = {}
    if checkpoint is not None:
        check_place(checkpoint)
        data = describe_data(train, test, distort)
    watched, test = test[0][:PROBE], (normalise(test[0]), test[1])
    classes = check_answers(model.to(device), test[0][:PROBE])
    check_labels("train", train[1], classes)
    check_labels("test", test[1], classes)
    first = {name: value.clone() for name, value in model.state_dict().items()}
    with own_dropouts(model):
        while True:
            run = _new_run(model, recipe, seed, device, len(train[0]), watched, data)
            try:
                return _run(run, train, test, distort, checkpoint, watch, progress)
            except torch.OutOfMemoryError as error:
                recipe = _halved(run, error)
            model.load_state_dict(first)
            torch.cuda.empty_cache()


def _new_run(model, recipe, seed, device, images: int, watched: Tensor, data: dict) -> Run:
    """A run before its first step; images: how many there are to learn from."""
    history = History(recipe, seed, probe_images=watched.cpu().clone())
    history.versions, history.hardware = versions(), describe_device(device)
    generator = seed_everything(seed)
    torch.manual_seed(seed + processes.rank())  # dropout leaves out other values in each process
    prepare_model(model, recipe, device)
    steps = steps_by_epoch(recipe, images)
    optimizer, scheduler = make_optimizer(model, recipe, sum(steps))
    return Run(model, optimizer, scheduler, generator, history, steps, data)


def _run(
    run: Run,
    train: Digits,
    test: Digits,
    distort: Distortion | None,
    checkpoint: str | Path | None,
    watch: Callable[[Recorder], float | None] | None,
    progress: bool,
) -> History:
    """Go on from the checkpoint, if there is one, to the end, with a bar."""
    if checkpoint is not None and Path(checkpoint).exists():
        run.load(checkpoint)
    shown = progress and processes.rank() == 0
    bar = {"unit": " images", "unit_scale": True, "disable": not shown, "mininterval": BAR_SECONDS}
    images, done = len(train[0]), len(run.history.accuracies)
    shown = [min(images, steps * run.history.recipe.batch_size) for steps in run.steps]
    with tqdm(total=sum(shown), initial=sum(shown[:done]), **bar) as bar:
        words = "none, for no file was given" if checkpoint is None else str(checkpoint)
        recorder = Recorder(run, test, PROBE, images, bar, words, watch)
        _train(run, recorder, train, test, distort, checkpoint)
    run.model.eval()
    return run.history


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
    model = InPrecision(processes.together(run.model), run.history.recipe.precision)
    criterion = make_criterion(run.history.recipe)
    try:
        for steps in run.steps[len(run.history.accuracies) :]:
            digits = islice(prepared(*train, batch_size, distort, run.generator), steps)
            train_epoch(model, digits, run.optimizer, run.scheduler, recorder.after_step, criterion)
            recorder.after_epoch(evaluate(run.model, *test))
            if checkpoint is not None and processes.rank() == 0:
                run.save(checkpoint)
    except (KeyboardInterrupt, Stop):
        run.history.stopped = True
        if recorder.unmeasured:
            recorder.after_epoch(evaluate(run.model, *test))
        else:  # it was while an epoch's end was recorded or saved
            recorder.tell()
        recorder.bar.write(f"stopped after step {recorder.step}: the model is as trained so far")


def _halved(run: Run, error: torch.OutOfMemoryError) -> Recipe:
    """The recipe with half the batch, for a run whose first epoch did not fit into memory."""
    recipe, half = run.history.recipe, run.history.recipe.batch_size // 2
    if run.history.accuracies or half < 1 or processes.world_size() > 1:
        raise torch.OutOfMemoryError(
            f"no memory is left for a batch of {recipe.batch_size}. Close what else uses the GPU, "
            f"restart other kernels, or give a recipe with a smaller batch_size: {error}"
        ) from error
    tqdm.write(
        f"a batch of {recipe.batch_size} does not fit into memory: beginning anew with {half}. To "
        f"go on from a checkpoint of this run later, give dataclasses.replace(recipe, "
        f"batch_size={half})."
    )
    return replace(recipe, batch_size=half)


def _on_device(split: str, digits: Digits | None, device: torch.device) -> Digits:
    """The digits given, or all of that split of MNIST, checked, on the device."""
    images, labels = load_digits(split, device) if digits is None else digits
    check_split(split, images, labels)
    return images.to(device), labels.to(device)
