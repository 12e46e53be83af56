"""A slider that other code moves, too, without the browser's rounding coming back as a movement."""

import time
from collections import deque

import ipywidgets
import traitlets

ECHO_SECONDS = 1.0  # how long after a value was sent the browser may still repeat it


class ExactSlider(ipywidgets.FloatSlider):
    """A FloatSlider whose `value` stays exact when `show` sets it.

    The browser rounds every value it is sent to the slider's step, and reports the rounded one as
    if a hand had moved the slider. Two sliders that follow each other would then drift. So a
    report of the present value is dropped, and one that repeats a value sent within the last
    second, unless the slider is `in_hand`: what it reported last was a movement.
    """

    value = traitlets.CFloat(0.0).tag(sync=True, echo_update=False)

    def __init__(self, *args, **kwargs):
        self.in_hand = False
        self._sent: deque[tuple[float, float]] = deque(maxlen=200)
        super().__init__(*args, **kwargs)
        self._range = self.min, self.max

    def show(self, value: float) -> None:
        """Move the slider to a value; widen it first where the value lies outside."""
        if abs(value - self.value) < 1e-9:
            return  # a rounding error is no reason to send anything
        self.min, self.max = min(self.min, value), max(self.max, value)
        self.in_hand = False
        self._sent.append((time.monotonic(), value))
        self.value = value

    def restore_range(self) -> None:
        """Back to the first range, as far as the present value allows."""
        low, high = self._range
        self.min, self.max = min(low, self.value), max(high, self.value)

    def get_state(self, key=None, drop_defaults=False) -> dict:
        """What is sent to the browser, the range before the value.

        It takes them one after the other, and would cut a value off at the old range.
        """
        state = super().get_state(key, drop_defaults)
        if "value" in state:
            state["value"] = state.pop("value")
        return state

    def set_state(self, sync_data: dict) -> None:
        """What the browser reports, ipywidgets' own entrance; repeats are left out."""
        if "value" in sync_data and self._repeats(sync_data["value"]):
            sync_data = {name: value for name, value in sync_data.items() if name != "value"}
        if "value" in sync_data:
            self.in_hand = True
        if sync_data:
            super().set_state(sync_data)

    def _repeats(self, value: float) -> bool:
        if abs(value - self.value) <= 0.501 * self.step:
            return True  # the present value, rounded; after a reload it comes as late as that
        oldest = time.monotonic() - ECHO_SECONDS
        recent = [sent for when, sent in self._sent if when > oldest]
        if self.in_hand:
            recent = recent[-1:]
        return any(abs(value - sent) <= 0.501 * self.step for sent in recent)
