"""Watching a run: who watches may hold it up or stop it, and memory that is too small."""

import math
import time
from dataclasses import replace

import pytest
import torch
from small_run import fitted

from stn_course import data, models, training


def test_a_watcher_sees_every_step_and_changes_nothing(small):
    seen = []

    def watch(recorder):
        seen.append((recorder.step, recorder.steps, len(recorder.losses), recorder.seconds_left))

    model, watched = fitted(small, watch=watch)
    assert [step for step, *_ in seen] == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10]
    assert {steps for _, steps, *_ in seen} == {10}
    assert [count for *_, count, _ in seen] == [1, 2, 3, 4, 5, 0] * 2
    assert all(0 <= left < math.inf for *_, left in seen)
    assert seen[-1][-1] == 0
    alone, history = fitted(small)
    assert history.losses == watched.losses
    pairs = zip(model.parameters(), alone.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


@pytest.mark.parametrize("step", [1, 5, 7])
def test_a_watcher_can_stop_the_run(small, step):
    def watch(recorder):
        if recorder.step == step:
            raise training.Stop

    model, history = fitted(small, watch=watch)
    assert history.stopped
    assert len(history.losses) == step
    images, labels = small["test"]
    assert history.accuracy == training.evaluate(model, data.normalise(images), labels)


def test_what_a_watcher_holds_up_is_not_counted(small):
    def watch(recorder):
        if recorder.losses:
            time.sleep(0.2)
            return 0.2

    start = time.perf_counter()
    _, history = fitted(small, watch=watch)
    assert time.perf_counter() - start > 2.0
    assert history.seconds[-1] < time.perf_counter() - start - 1.9


def test_seconds_left_fall_to_none_after_a_checkpoint_too(small, tmp_path):
    path, left = tmp_path / "run.ckpt", []

    def stop(recorder):
        if recorder.step == 6:
            raise RuntimeError("the power went off")

    with pytest.raises(RuntimeError):
        fitted(small, checkpoint=path, watch=stop)
    fitted(small, checkpoint=path, watch=lambda recorder: left.append(recorder.seconds_left))
    assert len(left) == 6  # five steps, and the epoch's end
    assert left[-1] == 0
    assert all(0 <= seconds < math.inf for seconds in left)


class Cramped(models.TutorialNet):
    """A model on a device with room for so many images at once, while it learns."""

    def __init__(self, room: int):
        super().__init__()
        self.room, self.sizes = room, []

    def forward(self, x):
        if self.training:
            self.sizes.append(len(x))
            if len(x) > self.room:
                raise torch.OutOfMemoryError("no room")
        return super().forward(x)


def test_a_batch_that_does_not_fit_is_halved_and_said_so(small, capsys):
    model, history = fitted(small, lambda: Cramped(32))
    said = capsys.readouterr().out
    assert "a batch of 128 does not fit into memory: beginning anew with 64" in said
    assert "beginning anew with 32" in said
    assert model.sizes == [128, 64] + [32] * 40
    assert history.recipe.batch_size == 32
    small_recipe = replace(training.RECIPES["rotated"], batch_size=32)
    _, expected = fitted(small, lambda: Cramped(32), recipe=small_recipe)
    assert history.losses == expected.losses  # the steps before it have left nothing behind


def test_no_memory_at_all_says_what_to_do(small):
    with pytest.raises(torch.OutOfMemoryError, match="Close what else uses the GPU"):
        fitted(small, lambda: Cramped(0))


def test_memory_that_runs_out_later_says_what_to_do(small):
    model = Cramped(128)

    def another_program_needs_memory(recorder):
        if recorder.step == 7:
            model.room = 1

    with pytest.raises(torch.OutOfMemoryError, match=r"batch of 128.*smaller batch_size"):
        fitted(small, lambda: model, watch=another_program_needs_memory)


def test_the_bar_tells_loss_accuracy_and_images_a_second(small, capsys):
    fitted(small, progress=True)
    last = capsys.readouterr().err.split("\r")[-1]
    for words in ("images/s", "loss=", "accuracy="):
        assert words in last
