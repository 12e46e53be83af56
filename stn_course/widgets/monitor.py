"""Monitor: watch a training run while it goes on; pause it, resume it, stop it."""

import time

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stn_course.plotting import COLOURS, Curve, recorded_step
from stn_course.samplers import warp
from stn_course.training import Recorder, Stop
from stn_course.transforms import nearest_affine, to_pose
from stn_course.validation import check_output_size, is_known_theta
from stn_course.widgets.browser_lab import BrowserLab, error_in_words
from stn_course.widgets.training_film import chart, film, windows_in_words

EVERY = 1.0  # seconds between two pictures, at least
SHARE = 0.03  # of the time, at most, goes into pictures
POINTS = 300  # of the loss curve that are sent to the page
NAP = 0.05  # seconds between two looks at the buttons while paused


class Monitor(BrowserLab):
    """The live picture of a run: `fit(..., watch=monitor)`.

    padding_mode, output_size, antialias: as the network reads with; the size is by default the
    pictures'. Above the probe digits with the frame of their theta, under them what they became
    (for a network with a transformer), below the training loss and the test accuracy. Pause holds
    the run up, Resume lets it go on, Stop ends it; model and history can then be used. The buttons
    are heard while the cell runs where the page sends widgets' messages through a subshell of the
    kernel, as JupyterLab does from 4.4 on; elsewhere use the kernel's stop button. One monitor can
    watch one run after the other.
    """

    module = "monitor.js"

    def __init__(
        self,
        padding_mode: str = "border",
        output_size: tuple[int, int] | None = None,
        antialias: bool = False,
    ):
        check_output_size(output_size)
        self.padding_mode, self.output_size = padding_mode, output_size
        self.antialias = antialias
        self.recorder: Recorder | None = None
        self.losses: list[float] = []
        self.drawn = 0  # how many pictures of the present run
        self.next = 0.0
        self.pause = ipywidgets.Button(description="Pause", disabled=True)
        self.stop = ipywidgets.Button(description="Stop", disabled=True)
        self.paused = self.stopped = False
        self.pause.on_click(self._pause_or_resume)
        self.stop.on_click(self._stop)
        controls = {"pause": self.pause, "stop": self.stop}
        super().__init__(self._state(), self._data(), controls, [controls.values()])

    def __call__(self, recorder: Recorder) -> float:
        """Called by `fit` after each step: for how many seconds the run was held up.

        Raises Stop after a click on the button.
        """
        if recorder is not self.recorder:
            self._begin(recorder)
        start = time.perf_counter()
        between_epochs = not recorder.losses
        ended = between_epochs and (recorder.step == recorder.steps or recorder.history.stopped)
        if start >= self.next or ended:
            self._draw(recorder)
            took = time.perf_counter() - start
            self.next = start + max(EVERY, took / SHARE)
        for button in (self.pause, self.stop):
            hear_while_busy(button)
        held_up = self._hold_up()
        if ended or self.stopped:
            self._enable(False)
        if self.stopped:
            self.paint()
            raise Stop
        return held_up

    def _begin(self, recorder: Recorder) -> None:
        self.recorder, self.drawn, self.next = recorder, 0, 0.0
        self.paused = self.stopped = False
        self.pause.description = "Pause"
        self._enable(True)

    def _enable(self, going_on: bool) -> None:
        self.pause.disabled = self.stop.disabled = not going_on

    def _draw(self, recorder: Recorder) -> None:
        recorder.flush()
        now = [] if not recorder.losses else torch.stack(recorder.losses).tolist()
        self.losses = recorder.history.losses + now
        if self.drawn == 0:
            self.canvas.data = self._data()
        self.drawn += 1
        self.paint()

    def _hold_up(self) -> float:
        """Wait while paused; how long it took, in seconds."""
        start = time.perf_counter()
        if not self.paused:
            return 0.0
        self.paint()
        while self.paused and not self.stopped:
            time.sleep(NAP)
        self.paint()
        return time.perf_counter() - start

    def _pause_or_resume(self, _) -> None:
        self.paused = not self.paused
        self.pause.description = "Resume" if self.paused else "Pause"

    def _stop(self, _) -> None:
        self.stopped = True

    def paint(self) -> None:
        """Show the run as it stands; an error stands in the lab, the run goes on."""
        try:
            self.change(**self._state())
        except Exception as error:
            self.change(alert=error_in_words(error))

    def _images(self) -> Tensor:
        return torch.zeros(12, 1, 28, 28) if self.recorder is None else self._history.probe_images

    def _data(self) -> dict:
        """The digits of the run, and how they are read."""
        images = self._images()
        size = self.output_size or images.shape[-2:]
        read = self.recorder is not None and self._history.theta_input == tuple(images.shape[1:])
        titles = ("input and frame", "output") if read else ("test digits", "")
        return {"film": film(images, size, self.padding_mode, self.antialias, titles)}

    def _state(self) -> dict:
        """The thetas, the curves and the words as the run stands."""
        theta = self._theta()
        return {
            "thetas": None if theta is None else theta.flatten(1).tolist(),
            "charts": self._charts(),
            "caption": self._in_words(),
            "notes": [{"title": "warning", "text": words} for words in self._findings()],
            "text": self.text,
            "running": self.recorder is not None and "left" in self._whether_it_goes_on(),
            "alert": "",
        }

    @property
    def text(self) -> str:
        """What the lab shows, in words."""
        return " ".join([self._in_words(), *self._findings()])

    def figure(self) -> Figure:
        """The present state as a static figure."""
        theta, images, outputs = self._theta(), self._images(), None
        if theta is not None:
            options = {"padding_mode": self.padding_mode, "antialias": self.antialias}
            outputs = warp(images, theta.to(images.dtype), self.output_size, **options)
        ends, accuracies = self._accuracies()
        curves = [
            Curve("step", "training loss", range(len(self.losses)), self.losses),
            Curve("epoch", "test accuracy, %", ends, [100 * a for a in accuracies]),
        ]
        return recorded_step(images, theta, outputs, curves, self._in_words())

    @property
    def _history(self):
        return self.recorder.history

    def _findings(self) -> list[str]:
        """The signs of a collapse, in words."""
        return [] if self.recorder is None else list(self._history.findings.values())

    def _theta(self) -> Tensor | None:
        """The probe digits' theta as recorded last.

        None without a run, or without a transformer that reads the digits themselves, with a theta
        of a family that `grids.grid_of` knows.
        """
        if self.recorder is None or not self._history.reads_pictures:
            return None
        recorded = self._history.probe_thetas
        if not recorded or not is_known_theta(recorded[-1]):
            return None
        return recorded[-1] if recorded[-1].isfinite().all() else None

    def _accuracies(self) -> tuple[list[float], list[float]]:
        """After how many epochs the model was tested, and its accuracy; a stop is within one."""
        if self.recorder is None:
            return [], []
        accuracies, epochs = self._history.accuracies, self._history.recipe.epochs
        ends = [min(i + 1, epochs) for i in range(len(accuracies))]
        if self._history.stopped and ends:
            ends[-1] = epochs * len(self._history.losses) / self.recorder.steps
        return ends, accuracies

    def _charts(self) -> list[dict]:
        """The loss of each step, and the accuracy whenever the model was tested."""
        run = self.recorder
        steps, epochs = (run.steps, self._history.recipe.epochs) if run is not None else (1, 1)
        most = max(self.losses, default=1.0)
        every = max(1, len(self.losses) // POINTS)
        losses = [(i / steps, self.losses[i] / most) for i in range(0, len(self.losses), every)]
        ends, accuracies = self._accuracies()
        low = min([0.9, *accuracies])
        shares = [
            (end / epochs, (a - low) / (1 - low)) for end, a in zip(ends, accuracies, strict=True)
        ]
        words = ("step 0", f"step {steps}", "0", f"{most:.1f}")
        percent = ("epoch 0", f"epoch {epochs:g}", f"{100 * low:.0f} %", "100 %")
        return [
            chart("training loss", losses, words),
            chart("test accuracy", shares, percent, COLOURS["output"]),
        ]

    def _in_words(self) -> str:
        run = self.recorder
        if run is None:
            return "No run yet: give this monitor to fit, as watch."
        parts = [f"Step {run.step} of {run.steps}"]
        if self.losses:
            parts.append(f"loss {self.losses[-1]:.3f}")
        if self._history.accuracies:
            parts.append(f"test accuracy {100 * self._history.accuracies[-1]:.2f} %")
        if (theta := self._theta()) is not None:
            turns = to_pose(nearest_affine(theta)).rotation
            turned = (
                f"turned by {round(turns.min().item())}° to {round(turns.max().item())}°, "
                f"spread {turns.std().item():.1f}°"
            )
            thetas = torch.stack(self._history.probe_thetas)
            parts.append(f"grids {windows_in_words(thetas) or turned}")
        parts.append(self._whether_it_goes_on())
        return "; ".join(parts) + "."

    def _whether_it_goes_on(self) -> str:
        run = self.recorder
        if run.step == run.steps:
            return "done"
        if self.stopped or self._history.stopped:
            return "stopped"
        return "paused" if self.paused else f"about {run.seconds_left:.0f} seconds left"

    def __repr__(self) -> str:
        return "Monitor: run this cell, then give it to fit, as watch"


def hear_while_busy(widget: ipywidgets.Widget) -> None:
    """Let the page's messages to a widget reach the kernel while a cell runs.

    ipykernel 7.4 hands them to the shell that spoke to the widget last, the busy one; without its
    note of that they go to the subshell that the page has addressed. Others keep no such note, and
    a widget that was freed has no comm.
    """
    if widget.comm is not None:
        vars(widget.comm).pop("_reply_subshell_id", None)
