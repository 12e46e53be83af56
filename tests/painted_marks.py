"""An example of each part of a scene, and for each of its fields another value: both painters
must show it."""

from dataclasses import replace

import torch

from stn_course.widgets.scene import (
    Box,
    Dots,
    Handle,
    Image,
    Label,
    Mark,
    Note,
    Panel,
    Path,
    Pixels,
    Scene,
)

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
    Panel(BOX, (), "#FFFFFF"): {
        "box": BOX._replace(height=20),
        "marks": (Label("words", 40, 40),),
        "ground": "#000000",
    },
    Handle("x", 90, 10, "a handle", "#0000FF", 1): {
        "name": "y",
        "x": 190,
        "y": 50,
        "label": "another handle",
        "colour": "#FF0000",
        "step": 2,
    },
    Note("title", "text"): {"title": "other", "text": "other", "copy": True},
}
FOR_THE_HAND = {"name", "label", "step", "copy"}  # of no use in a figure
KINDS = {type(part): part for part in FIELDS if isinstance(part, Mark)}
CHANGED = [
    (part, replace(part, **{field: value}))
    for part, others in FIELDS.items()
    for field, value in others.items()
]
NAMES = [f"{type(part).__name__}-{field}" for part, others in FIELDS.items() for field in others]


def scene_of(*parts: Mark | Panel | Handle | Note) -> Scene:
    """The parts on a grey ground."""
    marks, panels, handles, notes = (
        [part for part in parts if isinstance(part, kind)] for kind in (Mark, Panel, Handle, Note)
    )
    ground = Panel(Box(0, 0, WIDTH, HEIGHT), marks, "#888888")
    return Scene(WIDTH, HEIGHT, [ground, *panels], handles, notes)
