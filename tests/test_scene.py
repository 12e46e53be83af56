"""The marks of a scene: one definition, to which both painters are held; the static figure."""

import re
from dataclasses import asdict, fields
from pathlib import Path as FilePath

import numpy
import painted_marks
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from painted_marks import BOX, CHANGED, FIELDS, FOR_THE_HAND, KINDS, NAMED, NAMES, scene_of

from stn_course.widgets import canvas
from stn_course.widgets.scene import Box, Handle, Mark, Note, Panel, Path, Scene, plain_data
from stn_course.widgets.static_figure import static_figure


def drawn(scene) -> numpy.ndarray:
    """The static figure's pixels, (height, width, 3)."""
    agg = FigureCanvasAgg(static_figure(scene, NAMED))
    agg.draw()
    return numpy.asarray(agg.buffer_rgba())[..., :3]


def test_every_field_of_every_part_has_an_example():
    assert set(KINDS) == set(Mark.__subclasses__())
    assert {type(part) for part in FIELDS} == {*KINDS, Panel, Handle, Note}
    for part, others in FIELDS.items():
        assert set(others) == {field.name for field in fields(part)}


def test_canvas_js_has_a_painter_for_each_kind_of_mark_that_takes_all_its_fields():
    source = FilePath(canvas.__file__).with_name("canvas.js").read_text(encoding="utf-8")
    painters = source.split("const painters = {")[1].split("\n};")[0]
    found = re.findall(r"^  (\w+)\(context, \{ ([\w, ]+) \}", painters, flags=re.MULTILINE)
    taken = {kind: names.split(", ") for kind, names in found}
    assert {kind: sorted(names) for kind, names in taken.items()} == {
        kind.kind: sorted(field.name for field in fields(kind)) for kind in Mark.__subclasses__()
    }


@pytest.mark.parametrize(("part", "other"), CHANGED, ids=NAMES)
def test_the_static_figure_shows_every_field_but_the_hands(part, other):
    (field,) = [f.name for f in fields(part) if getattr(part, f.name) != getattr(other, f.name)]
    differs = (drawn(scene_of(part)) != drawn(scene_of(other))).any()
    assert differs == (field not in FOR_THE_HAND)


def test_a_mark_without_a_painter_is_refused_by_the_static_figure():
    with pytest.raises(NotImplementedError, match="no painter for Mark"):
        static_figure(scene_of(Mark()), {})


def test_the_static_figure_draws_every_kind_of_mark_where_it_is():
    handle = Handle("x", 90, 10, "a handle", "#0000FF", 1)
    scene = Scene(240, 80, scene_of(*KINDS.values()).panels, [handle])
    pixels = drawn(scene)
    assert pixels.shape[:2] == (80, 240)
    assert pixels[40, 68].tolist() == [255, 255, 255]  # the image's white half
    assert pixels[40, 20].tolist() == [0, 0, 0]
    assert pixels[25, 15].tolist() == [255, 0, 0]
    assert pixels[30, 30].tolist() == [0, 255, 0]
    assert pixels[10, 90].tolist() == [0, 0, 255]
    assert (pixels[32:48, 100:140] != 0x88).any()
    assert pixels[75, 5].tolist() == [0x88] * 3


def test_the_static_figure_cuts_off_at_the_panels_edge():
    line = Path([[0, 10], [60, 10]], "#00FF00", 4)
    pixels = drawn(Scene(60, 20, [Panel(Box(0, 0, 20, 20), [line])]))
    assert pixels[10, 10].tolist() == [0, 255, 0]
    assert pixels[10, 40].tolist() == [255, 255, 255]


def test_notes_stand_under_the_static_figure():
    scene = scene_of()
    assert len(drawn(Scene(240, 80, scene.panels, notes=[Note("title", "two\nlines")]))) > 80


def test_to_the_browser_goes_plain_data():
    """What JSON and bytes can hold, under the names of the fields; a mark says its kind."""
    (mark,) = plain_data(scene_of(next(iter(KINDS.values()))))["panels"][0]["marks"]
    pixels = asdict(painted_marks.BLACK_AND_WHITE)
    assert mark == {
        "kind": "image",
        "box": list(BOX),
        "picture": pixels,
    }
    made = canvas.Canvas(scene=scene_of(*KINDS.values()), images=NAMED)
    state = made.get_state()
    assert state["scene"] == plain_data(made.scene)
    assert state["images"]["grey"] == asdict(NAMED["grey"])
    assert_plain(state["scene"])
    made.close()


def assert_plain(value) -> None:
    if isinstance(value, dict):
        for name, part in value.items():
            assert isinstance(name, str)
            assert_plain(part)
    elif isinstance(value, list):
        for part in value:
            assert_plain(part)
    else:
        assert isinstance(value, str | bytes | int | float | bool | None)


def test_a_canvas_takes_a_scene_and_nothing_else():
    made = canvas.Canvas()
    with pytest.raises(Exception, match="Scene"):
        made.scene = {"panels": []}
    made.close()
