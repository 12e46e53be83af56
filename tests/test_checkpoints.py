"""Runs that are killed, stopped or diverge: nothing is lost, and what is left can be used."""

import math
import os
import shutil
import signal
import time
from dataclasses import replace
from functools import partial

import pytest
import small_run
import torch
import warm_python

from stn_course import data, models, training
from stn_course.training import Recorder, checkpoint

# A run over six epochs, told where its checkpoint lies; the same in every process.
PROGRAM = """
import sys, torch
from stn_course import data, models, training
torch.manual_seed(0)
model = models.TutorialNet()
images, labels = data.load_digits("test")
some = images[:640], labels[:640]
training.fit(model, "rotated", train=some, test=some, distort=data.random_rotation(30),
             epochs=6, seed=3, device="cpu", progress=False, checkpoint=sys.argv[1])
torch.save(model.state_dict(), sys.argv[2])
"""


fitted = partial(small_run.fitted, epochs=3)


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """A run of three epochs and one of one: the model, its history, and its checkpoint."""
    runs, folder = {}, tmp_path_factory.mktemp("whole")
    for epochs in (1, 3):
        path = folder / f"{epochs}.ckpt"
        runs[epochs] = (*fitted(small, epochs=epochs, checkpoint=path), path)
    return runs


@pytest.fixture
def finished(whole, tmp_path):
    """A function: a checkpoint that a run of so many epochs has left, as a file to spoil."""
    return lambda epochs: shutil.copy(whole[epochs][2], tmp_path / "run.ckpt")


def wait_for(file: str, process) -> None:
    """Until the file is there, or the process has ended, at most 30 s."""
    for _ in range(600):
        if os.path.exists(file) or not process.is_alive():
            break
        time.sleep(0.05)


def same_weights(one, two) -> bool:
    return all(torch.equal(value, two[name]) for name, value in one.items())


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path):
    """Killed by SIGKILL, which no program can catch; then begun again by the same command."""
    whole = [str(tmp_path / "whole.ckpt"), str(tmp_path / "whole.pt")]
    assert warm_python.run(PROGRAM, *whole).returncode == 0
    killed = [str(tmp_path / "killed.ckpt"), str(tmp_path / "killed.pt")]
    process = warm_python.start(PROGRAM, *killed, folder=tmp_path)
    wait_for(killed[0], process)
    process.kill()
    process.join()
    assert not (tmp_path / "killed.pt").exists(), "it had ended before it was killed"
    assert warm_python.run(PROGRAM, *killed).returncode == 0
    ends = [torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in ("whole", "killed")]
    assert same_weights(*ends)


@pytest.mark.parametrize("recipe", ["tutorial", "course"])
def test_a_run_goes_on_as_if_never_stopped(small, tmp_path, monkeypatch, recipe):
    model, whole = fitted(small, recipe=recipe)
    path, saved = tmp_path / "run.ckpt", []
    save = checkpoint.Run.save

    def save_and_fail_at_the_second(self, where):
        save(self, where)
        saved.append(where)
        if len(saved) == 2:
            raise RuntimeError("the power went off")

    monkeypatch.setattr(checkpoint.Run, "save", save_and_fail_at_the_second)
    with pytest.raises(RuntimeError, match="the power went off"):
        fitted(small, recipe=recipe, checkpoint=path)
    resumed, history = fitted(small, recipe=recipe, checkpoint=path)
    assert len(saved) == 3  # one epoch was left
    assert same_weights(model.state_dict(), resumed.state_dict())
    assert history.losses == whole.losses
    assert history.accuracies == whole.accuracies
    assert history.probe_steps == whole.probe_steps
    assert history.seconds == sorted(history.seconds)
    assert [p.name for p in tmp_path.iterdir()] == ["run.ckpt"]


def test_a_run_whose_last_epoch_is_cut_short_goes_on_too(small, tmp_path):
    """Five steps are an epoch, this run takes 12; the power goes off at the last."""
    path = tmp_path / "run.ckpt"

    def power_off(recorder):
        if recorder.step == 12:
            raise RuntimeError("the power went off")

    with pytest.raises(RuntimeError):
        fitted(small, epochs=2.4, checkpoint=path, watch=power_off)
    resumed, history = fitted(small, epochs=2.4, checkpoint=path)
    model, whole = fitted(small, epochs=2.4)
    assert same_weights(model.state_dict(), resumed.state_dict())
    assert history.losses == whole.losses
    assert len(history.losses) == 12
    left = []
    _, again = fitted(small, epochs=2.4, checkpoint=path, watch=left.append)
    assert again.losses == whole.losses
    assert left == []  # nothing was left to do


def test_a_finished_run_is_read_and_not_trained_on(small, whole):
    model, history, path = whole[3]
    before = path.read_bytes()
    again, same = fitted(small, checkpoint=path)
    assert same_weights(model.state_dict(), again.state_dict())
    assert same.losses == history.losses
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"epochs": 4}, "epochs 3, not 4"),
        ({"epochs": 2.5}, "epochs 3, not 2.5"),
        ({"recipe": "tutorial"}, "name 'rotated', not 'tutorial'"),
        ({"make": models.PlainNet}, "another model"),
        ({"distort": data.random_rotation(30)}, "distort 'none', not .random_rotation.*limit=30"),
    ],
)
def test_a_checkpoint_of_another_run_is_named_and_left_alone(small, finished, options, words):
    path = finished(3)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=words):
        fitted(small, checkpoint=path, **options)
    assert path.read_bytes() == before


@pytest.mark.parametrize("what", ["train images", "train labels", "test images", "test labels"])
@pytest.mark.parametrize("how", ["others", "fewer"])
def test_a_checkpoint_of_other_data_is_named_and_left_alone(small, finished, what, how):
    path = finished(1)
    before = path.read_bytes()
    split, kind = what.split()
    images, labels = small[split]
    if how == "fewer":
        images, labels = images[:-9], labels[:-9]
    elif kind == "images":
        images = data.rotate(images, 1)
    else:
        labels = labels.roll(1)
    with pytest.raises(
        ValueError, match=rf"run\.ckpt is of a run with .*{what} '\([0-9, ]+\) with"
    ):
        fitted({**small, split: (images, labels)}, epochs=1, checkpoint=path)
    assert path.read_bytes() == before


def test_another_angle_is_another_distortion(small, tmp_path):
    path = tmp_path / "run.ckpt"
    fitted(small, epochs=1, checkpoint=path, distort=data.random_rotation(30))
    fitted(small, epochs=1, checkpoint=path, distort=data.random_rotation(30.0))
    with pytest.raises(ValueError, match=r"limit=30 .* not .*limit=45"):
        fitted(small, epochs=1, checkpoint=path, distort=data.random_rotation(45))


def test_a_checkpoint_knows_its_data_whatever_their_memory_layout_and_rounding(small):
    images, labels = small["test"]
    other = images.to(memory_format=torch.channels_last) * (1 + 2**-23)
    note = checkpoint.describe_data((images, labels), (images, labels), None)
    assert note == checkpoint.describe_data((other, labels), (other, labels), None)


def test_a_checkpoint_of_an_earlier_version_is_named_and_left_alone(small, tmp_path):
    path = tmp_path / "run.ckpt"
    torch.save({"format": "stn_course checkpoint 1", "epochs": 3}, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="but a 'stn_course checkpoint 1'"):
        fitted(small, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "error", "words"),
    [
        ("missing/run.ckpt", FileNotFoundError, r"run\.ckpt: make its folder .*missing first"),
        (".", IsADirectoryError, "must name a file"),
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_noticed_first(small, tmp_path, place, error, words):
    def watch(recorder):
        pytest.fail("a step was taken")

    with pytest.raises(error, match=words):
        fitted(small, checkpoint=tmp_path / place, watch=watch)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_named_and_left_alone(small, finished, content):
    path = finished(1)
    if content is None:
        content = path.read_bytes()[:-5000]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.ckpt is damaged"):
        fitted(small, checkpoint=path)
    assert path.read_bytes() == content


def test_a_flipped_bit_is_noticed(small, finished):
    path = finished(1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        fitted(small, epochs=1, checkpoint=path)


def test_a_history_is_no_checkpoint(small, whole, tmp_path):
    whole[1][1].save(tmp_path / "run.pt")
    with pytest.raises(
        ValueError, match="is not a 'stn_course checkpoint 2' but a 'stn_course hist"
    ):
        fitted(small, epochs=1, checkpoint=tmp_path / "run.pt")


@pytest.fixture
def ctrl_c_is_heard():
    """Also where the tests run in the background, with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_at(step: int):
    """A distortion during which somebody presses Ctrl-C at a step, counted from 1."""
    calls = []

    def distort(images, generator):
        calls.append(len(images))
        if len(calls) == step:
            signal.raise_signal(signal.SIGINT)
        return images, None

    return distort


@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_ctrl_c_leaves_a_model_and_a_history_to_use(small, step, ctrl_c_is_heard):
    """Five steps are an epoch."""
    model, history = fitted(small, distort=interrupted_at(step))
    assert history.stopped
    assert len(history.losses) == step - 1
    images, labels = small["test"]
    accuracy = training.evaluate(model, data.normalise(images), labels)
    assert history.accuracy == accuracy
    assert history.probe_steps[-1] == step - 1
    assert len(history.accuracies) == len(history.seconds) == max(1, math.ceil((step - 1) / 5))


@pytest.mark.parametrize("place", [(checkpoint.Run, "save"), (Recorder, "_check_answers")])
@pytest.mark.parametrize("end", [1, 3])
def test_ctrl_c_at_an_epochs_end_leaves_one_accuracy_for_it(
    small, whole, tmp_path, monkeypatch, ctrl_c_is_heard, place, end
):
    """While the checkpoint is saved, or the epoch's end recorded; of the first, or the last."""
    calls, told, path = [], [], tmp_path / "run.ckpt"
    original = getattr(*place)

    def interrupted(self, *rest):
        calls.append(None)
        if len(calls) == end:
            signal.raise_signal(signal.SIGINT)
        return original(self, *rest)

    monkeypatch.setattr(*place, interrupted)
    model, history = fitted(small, checkpoint=path, watch=lambda r: told.append(r.history.stopped))
    assert history.stopped
    assert told[-1]  # so that a monitor's buttons go grey
    assert len(history.accuracies) == len(history.seconds) == end
    assert len(history.losses) == 5 * end
    images, labels = small["test"]
    assert history.accuracy == training.evaluate(model, data.normalise(images), labels)
    monkeypatch.undo()
    _, resumed = fitted(small, checkpoint=path)
    assert resumed.losses == whole[3][1].losses


def test_a_run_to_its_end_is_not_called_stopped(whole):
    assert not whole[1][1].stopped


def test_the_kernels_stop_button_is_a_ctrl_c(small, tmp_path):
    """An interrupt from outside, as Jupyter sends it; the program goes on after it."""
    program = PROGRAM.replace("epochs=6", "epochs=1000").replace(
        "training.fit(", "h = training.fit("
    )
    program += "\nprint('stopped', h.stopped, len(h.losses) > 0)"
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    paths = [str(tmp_path / "run.ckpt"), str(tmp_path / "model.pt")]
    process = warm_python.start(heard + program, *paths, folder=tmp_path)
    wait_for(paths[0], process)
    os.kill(process.pid, signal.SIGINT)
    process.join(120)
    process.kill()  # does nothing where it has ended, as it should have
    assert "stopped True True" in (tmp_path / "stdout").read_text(encoding="utf-8")
    assert os.path.exists(paths[1])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_lost_loss_stops_the_run_and_says_where(small, tmp_path, bad):
    """From the eighth step on the pictures hold something that is no number."""
    calls = []

    def distort(images, generator):
        calls.append(None)
        return (images * bad if len(calls) >= 8 else images), None

    path = tmp_path / "run.ckpt"
    with pytest.raises(training.Diverged) as error:
        fitted(small, distort=distort, checkpoint=path)
    words = str(error.value)
    assert "at step 8" in words
    assert "learning rate of 0.00" in words
    assert f"Last good checkpoint: {path}" in words
    model = models.TutorialNet()
    run = torch.load(path, weights_only=True)
    assert len(run["history"]["losses"]) == 5  # the first epoch, which was good
    model.load_state_dict(run["model"])


def test_too_high_a_rate_is_noticed_without_a_checkpoint_too(small):
    recipe = replace(training.RECIPES["tutorial"], learning_rate=1e30)
    with (
        pytest.warns(training.CollapseWarning, match="At step 1 100 %"),
        pytest.raises(training.Diverged, match="none, for no file was given"),
    ):
        fitted(small, recipe=recipe)
