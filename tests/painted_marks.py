"""An example of each kind of mark, and for each of its fields another value that must be seen."""

from dataclasses import replace

import torch

from stn_course.widgets.scene import Box, Dots, Image, Label, Mark, Panel, Path, Pixels, Scene

WIDTH, HEIGHT = 240, 80
BOX = Box(10, 20, 60, 40)
BLACK_AND_WHITE = Pixels(1, 2, bytes([0, 0, 0, 255, 255, 255, 255, 255]))
NAMED = {"grey": Pixels(1, 1, bytes([128, 128, 128, 255]))}
FIELDS = {
    Image(BOX, BLACK_AND_WHITE): {"box": BOX._replace(x=20), "picture": "grey"},
    Dots(torch.tensor([15.0, 25.0]).numpy().tobytes(), 2, "#FF0000"): {
        "places": torch.tensor([15.0, 35.0]).numpy().tobytes(),
        "radius": 4,
        "colour": "#00FF00",
    },
    Path(((12, 30), (60, 30), (60, 70)), "#00FF00", 4): {
        "places": ((12, 50), (60, 30), (60, 70)),
        "colour": "#0000FF",
        "width": 8,
        "closed": True,
        "fill": "#FF0000",
        "dash": (4, 4),
    },
    Label("words", 120, 40): {
        "text": "other",
        "x": 150,
        "y": 20,
        "colour": "#FF0000",
        "size": 20,
        "align": "left",
    },
}
KINDS = {type(mark): mark for mark in FIELDS}
CHANGED = [
    (mark, replace(mark, **{field: value}))
    for mark, others in FIELDS.items()
    for field, value in others.items()
]
NAMES = [f"{mark.kind}-{field}" for mark, others in FIELDS.items() for field in others]


def scene_of(*marks: Mark) -> Scene:
    """The marks on a grey ground."""
    return Scene(WIDTH, HEIGHT, [Panel(Box(0, 0, WIDTH, HEIGHT), marks, "#888888")])
