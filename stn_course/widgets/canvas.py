"""The canvas that all labs draw on: an anywidget whose JavaScript paints what Python computed."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Canvas(anywidget.AnyWidget):
    """Shows a scene (see `scene.py`) and says how far a hand has moved its handles.

    scene: what to paint, all of it in one message. images: pictures that scenes refer to by name,
    so that a large one is sent once. alert: words to show when something went wrong.
    hand: for each handle how far it was moved since the beginning, [dx, dy] in canvas pixels.
    """

    _esm = HERE / "canvas.js"
    _css = HERE / "canvas.css"
    scene = traitlets.Dict().tag(sync=True)
    images = traitlets.Dict().tag(sync=True)
    alert = traitlets.Unicode().tag(sync=True)
    hand = traitlets.Dict().tag(sync=True, echo_update=False)

    def on_move(self, callback: Callable[[str, float, float], None]) -> None:
        """Call back with a handle's name and how far it moved, right and down, canvas pixels."""

        def moved(change) -> None:
            for name, (x, y) in change["new"].items():
                before = change["old"].get(name, (0, 0))
                if (x, y) != tuple(before):
                    callback(name, x - before[0], y - before[1])

        self.observe(moved, "hand")
