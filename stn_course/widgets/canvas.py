"""The canvas that all labs draw on: an anywidget whose JavaScript paints what Python computed."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

from stn_course.widgets.esm import joined
from stn_course.widgets.scene import Scene, plain_data

HERE = Path(__file__).parent


def sent(value, _):
    """What goes to the browser."""
    return plain_data(value)


class Canvas(anywidget.AnyWidget):
    """Shows a scene (see `scene.py`) and says how far a hand has moved its handles.

    scene: what to paint, all of it in one message. images: the Pixels that scenes refer to by
    name, so that a large one is sent once. alert: words to show when something went wrong.
    hand: for each handle how far it was moved since the beginning, [dx, dy] in canvas pixels.
    releases: how often a hand has let go.
    """

    _esm = joined("python_scene.js")
    _css = HERE / "canvas.css"
    scene = traitlets.Instance(Scene, (0, 0)).tag(sync=True, to_json=sent)
    images = traitlets.Dict().tag(sync=True, to_json=sent)
    alert = traitlets.Unicode().tag(sync=True)
    hand = traitlets.Dict().tag(sync=True, echo_update=False)
    releases = traitlets.Int().tag(sync=True, echo_update=False)

    def __init__(self, **options):
        self._on_move: list[Callable[[str, float, float], None]] = []
        self._on_release: list[Callable[[], None]] = []
        self._seen: dict[str, list[float]] = {}
        self.held = False  # a hand has moved a handle and has not let go of it yet
        super().__init__(**options)
        # One listener for both: a release that comes with the last movement comes after it.
        self.observe(self._hear, ["hand", "releases"])

    def on_move(self, callback: Callable[[str, float, float], None]) -> None:
        """Call back with a handle's name and how far it moved, right and down, canvas pixels."""
        self._on_move.append(callback)

    def on_release(self, callback: Callable[[], None]) -> None:
        """Call back when a hand has let go of a handle."""
        self._on_release.append(callback)

    def _hear(self, change) -> None:
        for name, (x, y) in self.hand.items():
            before = self._seen.get(name, [0, 0])
            self._seen[name] = [x, y]
            if [x, y] != before:
                self.held = True
                for callback in self._on_move:
                    callback(name, x - before[0], y - before[1])
        if change["name"] == "releases":
            self.held = False
            for callback in self._on_release:
                callback()
