"""The monitor: what it shows of a run, its buttons, how often it paints."""

import json
import threading
import time
from dataclasses import replace

import pytest
import small_run
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn

from stn_course import grids, models, training, transforms
from stn_course.widgets import Monitor, monitor


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
    assert watcher.canvas.state["alert"] == ""
    assert watcher.canvas.state["text"] == watcher.text
    thetas = torch.tensor(watcher.canvas.state["thetas"]).reshape(-1, 2, 3)
    assert torch.allclose(thetas, history.probe_thetas[-1])
    sent = watcher.canvas.data["film"]["images"]
    assert [image["values"] for image in sent] == [
        image.numpy().tobytes() for image in history.probe_images
    ]


def test_the_curves_are_the_historys(small):
    watcher = Monitor()
    _, history = fitted(small, watcher)
    loss, accuracy = (chart["points"] for chart in watcher.canvas.state["charts"])
    most, low = max(history.losses), min([0.9, *history.accuracies])
    assert [x for x, _ in loss] == pytest.approx([i / 10 for i in range(10)])
    assert [y for _, y in loss] == pytest.approx([x / most for x in history.losses], abs=1e-4)
    assert [x for x, _ in accuracy] == [0.5, 1]
    shares = [(a - low) / (1 - low) for a in history.accuracies]
    assert [y for _, y in accuracy] == pytest.approx(shares, abs=1e-4)


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
    assert watcher.canvas.state["thetas"] is None
    assert watcher.canvas.data["film"]["titles"] == ("test digits", "")
    assert "turned" not in watcher.text


def test_pictures_larger_than_their_outputs_are_shown_as_they_are_read(small):
    """Reading a fixed window: its scale and place are what there is to say."""
    large = {name: (F.pad(x, (16, 16, 16, 16)), y) for name, (x, y) in small.items()}

    def make():
        localization = models.localization_cnn(in_channels=1)
        transformer = models.SpatialTransformer(localization, output_size=(28, 28))
        return nn.Sequential(transformer.requires_grad_(False), models.PlainNet())

    watcher = Monitor(output_size=(28, 28), antialias=True)
    fitted(large, watcher, make)
    film = watcher.canvas.data["film"]
    assert (film["size"], film["antialias"]) == ([28, 28], True)
    assert film["titles"] == ("input and frame", "output")
    assert {(image["rows"], image["columns"]) for image in film["images"]} == {(60, 60)}
    whole = transforms.identity().flatten().tolist()
    assert watcher.canvas.state["thetas"] == training.PROBE * [whole]
    assert "grids 1.00 to 1.00 times as wide as the picture, 0.00 to 0.00 from its" in watcher.text


class Lens(models.Transformation):
    """One number, and a grid of its own."""

    identity = (0.0,)

    def to_theta(self, answer):
        return answer

    def grid(self, theta, size, align_corners):
        places = grids.base_grid(*size[2:], align_corners, dtype=theta.dtype)[..., :2]
        return places * (1 + theta[:, None, None])


@pytest.mark.parametrize("family", ["projective", "tps", Lens()], ids=["8", "32", "own"])
def test_other_families_are_watched(small, family):
    """One whose theta tells no grid by its shape has curves alone."""
    options = {"transformation": family}

    def make():
        localization = models.localization_cnn(in_channels=1, **options)
        return nn.Sequential(models.SpatialTransformer(localization, **options), models.PlainNet())

    watcher = Monitor()
    _, history = fitted(small, watcher, make)
    assert watcher.canvas.state["alert"] == ""
    theta = watcher.canvas.state["thetas"]
    if isinstance(family, Lens):
        assert theta is None
    else:
        assert torch.allclose(torch.tensor(theta), history.probe_thetas[-1].flatten(1))
        assert "grids turned by" in watcher.text
    assert isinstance(watcher.figure(), Figure)


def test_stop_leaves_a_model_and_a_history(small):
    watcher = Monitor()

    def watch(recorder):
        if recorder.step == 3:
            watcher.stop.click()
        return watcher(recorder)

    _, history = fitted(small, watch)
    assert history.stopped
    assert len(history.losses) == len(watcher.losses) == 3
    assert watcher.text.endswith("stopped.")
    _, accuracy = watcher.canvas.state["charts"]
    assert [x for x, _ in accuracy["points"]] == [0.3]  # where it stopped, not at an epoch's end
    assert watcher.stop.disabled and watcher.pause.disabled


def test_pause_holds_the_run_until_resume(small):
    """The other hand is a thread, as a subshell of the kernel is."""
    watcher, steps, texts = Monitor(), [], []

    def watch(recorder):
        if recorder.step == 3 and not steps:
            watcher.pause.click()
            assert watcher.pause.description == "Resume"
            threading.Timer(0.3, lambda: texts.append(watcher.text)).start()
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
    assert texts[0].endswith("paused.")
    assert watcher.text.endswith("done.")


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
    assert len(json.dumps(watcher.canvas.state)) < 30_000


def test_a_collapse_is_shown(small, at_every_step):
    hasty = replace(training.RECIPES["rotated"], learning_rate=1.0, localization_factor=1.0)
    watcher = Monitor()
    with pytest.warns(training.CollapseWarning):
        fitted(small, watcher, recipe=hasty)
    assert "learning rate" in watcher.text
    assert any("learning rate" in note["text"] for note in watcher.canvas.state["notes"])


def test_an_error_of_the_picture_stands_in_the_lab_and_the_run_goes_on(
    small, monkeypatch, at_every_step
):
    watcher = Monitor()
    monkeypatch.setattr(watcher, "_findings", lambda: 1 / 0)
    _, history = fitted(small, watcher)
    assert len(history.losses) == 10
    assert watcher.canvas.state["alert"].startswith("ZeroDivisionError: division by zero (in ")


def test_before_a_run_it_says_what_to_do():
    watcher = Monitor()
    assert "give this monitor to fit" in watcher.text
    assert watcher.stop.disabled


def test_its_still_shows_the_same(small):
    watcher = Monitor()
    _, history = fitted(small, watcher)
    figure = watcher.figure()
    assert figure.get_suptitle().startswith("Step 10 of 10;")
    _, accuracies = (axes.lines[0].get_ydata() for axes in figure.axes[-2:])
    assert list(accuracies) == pytest.approx([100 * a for a in history.accuracies])
