"""The monitor: what it shows of a run, its buttons, how often it paints."""

import threading
import time
from dataclasses import replace

import pytest
import small_run
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import models, samplers, training, transforms
from stn_course.widgets import Monitor, monitor
from stn_course.widgets.images import to_rgba
from stn_course.widgets.scene import Path


def fitted(small, watch, make=models.TutorialNet, **options):
    return small_run.fitted(small, make, watch=watch, **options)


@pytest.fixture
def at_every_step(monkeypatch):
    monkeypatch.setattr(monitor, "EVERY", 0.0)
    monkeypatch.setattr(monitor, "SHARE", 1e9)


def test_watching_changes_nothing(small, at_every_step):
    watched, _ = fitted(small, Monitor())
    alone, _ = fitted(small, None)
    pairs = zip(watched.parameters(), alone.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


def test_it_shows_the_run_as_it_ended(small):
    watcher = Monitor()
    _, history = fitted(small, watcher)
    assert watcher.losses == history.losses
    for words in ("Step 10 of 10", "done", f"test accuracy {100 * history.accuracy:.2f} %"):
        assert words in watcher.text
    assert f"loss {history.losses[-1]:.3f}" in watcher.text
    panels = watcher.canvas.scene.panels
    assert len(panels) == 1 + 2 * training.PROBE
    assert watcher.canvas.alert == ""


def test_the_curves_are_the_historys(small):
    watcher = Monitor()
    _, history = fitted(small, watcher)
    paths = [m for m in watcher.canvas.scene.panels[0].marks if isinstance(m, Path)]
    loss, accuracy = (path.places for path in paths if len(path.places) in (10, 2))
    lowest = max(range(10), key=lambda i: loss[i][1])  # y points down
    assert history.losses[lowest] == min(history.losses)
    assert accuracy[0][1] != accuracy[1][1]


def test_seconds_left_are_shown_while_it_runs(small, at_every_step):
    watcher, texts = Monitor(), []

    def watch(recorder):
        watcher(recorder)
        texts.append(watcher.text)

    fitted(small, watch)
    assert all("seconds left" in text for text in texts[:9])
    assert "done" in texts[-1]
    assert texts[0].startswith("Step 1 of 10;")


def test_a_plain_network_has_digits_and_no_output(small):
    watcher = Monitor()
    fitted(small, watcher, models.PlainNet)
    assert len(watcher.canvas.scene.panels) == 1 + training.PROBE
    assert "turned" not in watcher.text


def test_pictures_larger_than_their_outputs_are_shown_as_they_are_read(small):
    """Reading a fixed window: its scale and place are what there is to say."""
    large = {name: (F.pad(x, (16, 16, 16, 16)), y) for name, (x, y) in small.items()}

    def make():
        localization = models.localization_cnn(in_channels=1)
        transformer = models.SpatialTransformer(localization, output_size=(28, 28))
        return nn.Sequential(transformer.requires_grad_(False), models.PlainNet())

    watcher = Monitor(output_size=(28, 28), antialias=True)
    _, history = fitted(large, watcher, make)
    assert watcher.canvas.alert == ""
    pictures = [panel.marks[0].picture for panel in watcher.canvas.scene.panels[1:]]
    images, whole = history.probe_images, transforms.identity()
    outputs = samplers.warp(images, whole, (28, 28), antialias=True)
    assert pictures[::2] == [to_rgba(image) for image in images]
    assert pictures[1::2] == [to_rgba(output) for output in outputs]
    assert "grids 1.00 to 1.00 times as wide as the picture, 0.00 to 0.00 from its" in watcher.text


def test_stop_leaves_a_model_and_a_history(small):
    watcher = Monitor()

    def watch(recorder):
        if recorder.step == 3:
            watcher.stop.click()
        return watcher(recorder)

    _, history = fitted(small, watch)
    assert history.stopped
    assert len(history.losses) == len(watcher.losses) == 3
    assert watcher.stop.disabled and watcher.pause.disabled


def test_pause_holds_the_run_until_resume(small):
    """The other hand is a thread, as a subshell of the kernel is."""
    watcher, steps = Monitor(), []

    def watch(recorder):
        if recorder.step == 3 and not steps:
            watcher.pause.click()
            assert watcher.pause.description == "Resume"
            threading.Timer(0.5, watcher.pause.click).start()
            start = time.perf_counter()
            held = watcher(recorder)
            assert 0.4 < held <= time.perf_counter() - start
            steps.append(recorder.step)
            return held
        return watcher(recorder)

    _, history = fitted(small, watch)
    assert steps == [3]
    assert not history.stopped
    assert len(history.losses) == 10
    assert watcher.pause.description == "Pause"


def test_stop_is_heard_while_paused(small):
    watcher = Monitor()

    def watch(recorder):
        if recorder.step == 3:
            watcher.pause.click()
            threading.Timer(0.2, watcher.stop.click).start()
        return watcher(recorder)

    _, history = fitted(small, watch)
    assert history.stopped


def test_one_monitor_watches_one_run_after_the_other(small):
    watcher = Monitor()

    def stop_at_once(recorder):
        watcher.stop.click()
        return watcher(recorder)

    fitted(small, stop_at_once)
    assert watcher.stop.disabled
    _, history = fitted(small, watcher)
    assert not history.stopped
    assert watcher.losses == history.losses


def test_it_paints_no_more_often_than_its_share_allows(small, monkeypatch):
    """A picture that took long is followed by a long time without one."""
    watcher, now, began = Monitor(), [0.0], []
    monkeypatch.setattr(monitor.time, "perf_counter", lambda: now[0])

    def slow_picture(recorder):
        began.append(now[0])
        now[0] += 0.5

    monkeypatch.setattr(watcher, "_draw", slow_picture)

    class FakeRecorder:
        step, steps, losses, history = 1, 1000, [1], None

    recorder = FakeRecorder()
    for _ in range(10_000):
        watcher(recorder)
        now[0] += 0.01
    painting = 0.5 * len(began)
    assert len(began) > 1
    assert painting / now[0] < 0.05


def test_a_picture_is_one_small_message(small, monkeypatch):
    """So that a page far away, and nbval, keep up: time brings a new one, not each step."""
    monkeypatch.setattr(monitor.time, "perf_counter", lambda: 1.0)  # on a slow machine, too
    watcher = Monitor()
    fitted(small, watcher)
    assert watcher.drawn <= 3
    watcher.losses = [1.0] * 100_000
    watcher.paint()
    sizes = [len(str(mark)) for mark in watcher.canvas.scene.panels[0].marks]
    assert sum(sizes) < 30_000


def test_a_collapse_is_shown(small, at_every_step):
    hasty = replace(training.RECIPES["rotated"], learning_rate=1.0, localization_factor=1.0)
    watcher = Monitor()
    with pytest.warns(training.CollapseWarning):
        fitted(small, watcher, recipe=hasty)
    assert "learning rate" in watcher.text
    assert any("learning rate" in note.text for note in watcher.canvas.scene.notes)


def test_before_a_run_it_says_what_to_do():
    watcher = Monitor()
    assert "give this monitor to fit" in watcher.text
    assert watcher.canvas.alert == ""
    assert watcher.stop.disabled


def test_its_still_shows_the_same(small):
    watcher = Monitor()
    fitted(small, watcher)
    figure = watcher.figure()
    assert len(figure.axes) >= 1
