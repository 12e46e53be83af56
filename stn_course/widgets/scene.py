"""What a canvas shows: the one definition of its marks, for all who make them or paint them.

Three things know these classes. A lab makes a Scene of them. `canvas.js` paints it in the browser,
`static_figure.py` with matplotlib; tests hold both to every field here, and both refuse a kind of
mark that they have no painter for. To the browser goes `plain_data(scene)`: numbers, texts, lists
and bytes under the fields' names, which a module in the browser could make as well. Places are in
canvas pixels, x to the right, y down; one of `places` is [x, y]. A mark's class variable `kind`
names its painter in `canvas.js`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar, NamedTuple

from stn_course.plotting.drawing import COLOURS

GROUND = "#8A8A8A"  # outside the image: neither black nor white, so that both are seen


class Box(NamedTuple):
    """A rectangle; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def keep_inside(self, place: Sequence[float], margin: float = 8) -> list[float]:
        """The place, or the nearest one in the box, so that a handle can always be reached."""
        x = min(max(place[0], self.x + margin), self.x + self.width - margin)
        y = min(max(place[1], self.y + margin), self.y + self.height - margin)
        return [x, y]


@dataclass(frozen=True)
class Pixels:
    """A picture: RGBA bytes, row by row from the upper left, opaque."""

    rows: int
    columns: int
    pixels: bytes


@dataclass(frozen=True)
class Mark:
    """Something painted in a panel."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Image(Mark):
    """A picture stretched over a box, each pixel a rectangle.

    picture: its pixels, or the name of a picture that the canvas already has.
    """

    kind = "image"
    box: Box
    picture: Pixels | str


@dataclass(frozen=True)
class Dots(Mark):
    """Squares of half side `radius`; places: x, y, x, y …, float32, little-endian."""

    kind = "dots"
    places: bytes
    radius: float
    colour: str


@dataclass(frozen=True)
class Path(Mark):
    """A line through places, in `dash` pixels of line and gap; or a surface with a `fill` colour.

    A closed one ends where it began. A `width` of 0 draws no line.
    """

    kind = "path"
    places: Sequence[Sequence[float]]
    colour: str
    width: float = 3
    closed: bool = False
    fill: str | None = None
    dash: Sequence[float] = ()


@dataclass(frozen=True)
class Label(Mark):
    """One line of text; `align`: what of it lies at (x, y): left, center or right."""

    kind = "label"
    text: str
    x: float
    y: float
    colour: str = COLOURS["text"]
    size: int = 13
    align: str = "center"


@dataclass(frozen=True)
class Panel:
    """A part of the canvas; its marks are painted in order and cut off at its edge."""

    box: Box
    marks: Sequence[Mark]
    ground: str = GROUND


@dataclass(frozen=True)
class Handle:
    """What a hand can take; step: canvas pixels for one press of an arrow key."""

    name: str
    x: float
    y: float
    label: str
    colour: str
    step: float


@dataclass(frozen=True)
class Note:
    """A text beside the picture, with a button that copies it if `copy`."""

    title: str
    text: str
    copy: bool = False


@dataclass(frozen=True)
class Scene:
    """All that a canvas shows; text: the same in words."""

    width: float
    height: float
    panels: Sequence[Panel] = ()
    handles: Sequence[Handle] = ()
    notes: Sequence[Note] = ()
    text: str = ""


def plain_data(part):
    """A part of a scene as the browser is sent it: a dict by the fields' names, a box a list."""
    if is_dataclass(part):
        values = {field.name: plain_data(getattr(part, field.name)) for field in fields(part)}
        return {"kind": part.kind} | values if isinstance(part, Mark) else values
    if isinstance(part, dict):
        return {name: plain_data(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [plain_data(value) for value in part]
    return part


def rectangle(box: Box, colour: str, width: float = 2, fill: str | None = None) -> Path:
    """The outline of a box, or the box filled."""
    x, y, right, low = box.x, box.y, box.x + box.width, box.y + box.height
    return Path([[x, y], [right, y], [right, low], [x, low]], colour, width, True, fill)
