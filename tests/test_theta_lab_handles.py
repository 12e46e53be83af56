"""ThetaLab's handles, and all its controls together: they agree after any walk."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_scene import DIGIT, handles, note, numbers_in, pull, pytorchs_output, shown_output

from stn_course import samplers, transforms
from stn_course.widgets import ThetaLab, theta_lab
from stn_course.widgets.scene import Label


@pytest.fixture
def lab():
    lab = ThetaLab(DIGIT)
    yield lab
    lab.close()


numbers = st.floats(-3, 3)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("rotation"), st.floats(-180, 180)),
        st.tuples(st.sampled_from(["scale_x", "scale_y"]), st.floats(0.1, 2.5)),
        st.tuples(st.sampled_from(["shear", "x", "y"]), st.floats(-1, 1)),
        st.tuples(st.integers(0, 5), st.floats(-4, 4)),
        st.tuples(st.sampled_from(["handle x", "handle y", "handle centre"]), numbers, numbers),
        st.tuples(st.just("view"), st.sampled_from([theta_lab.READS, theta_lab.MOVES])),
        st.tuples(st.just("press"), st.sampled_from([*theta_lab.PRESETS, "Reset"])),
        st.tuples(st.sampled_from(["padding_mode"]), st.sampled_from(samplers.PADDING_MODES)),
        st.tuples(st.just("align_corners"), st.booleans()),
    ),
    min_size=1,
    max_size=12,
)


def make(lab, move) -> None:
    name, *values = move
    if isinstance(name, int):
        lab.sliders.numbers[name].value = values[0]
    elif name in lab.sliders.pose:
        lab.sliders.pose[name].value = values[0]
    elif name.startswith("handle"):
        pull(lab, name.split()[1], *values)
    elif name == "view":
        lab.view.value = values[0]
    elif name == "press":
        lab.buttons[values[0]].click()
    else:
        lab.choices[name].value = values[0]


@settings(max_examples=60)
@given(moves=moves)
def test_everything_agrees_after_any_walk(moves):
    lab = ThetaLab(DIGIT)
    for move in moves:
        make(lab, move)
    theta = lab.sliders.theta
    values = [control.value for control in lab.sliders.numbers]
    shown = torch.tensor(values, dtype=torch.float64)
    assert torch.allclose(shown.reshape(1, 2, 3), theta, atol=1e-6, rtol=0)
    assert torch.allclose(numbers_in(note(lab, "theta:")).double(), theta, atol=6e-4)
    options = {name: lab.choices[name].value for name in ("padding_mode", "align_corners")}
    assert (shown_output(lab) - pytorchs_output(lab, **options)).abs().max() <= 1
    assert_handles_lie_on_the_frame(lab)
    (a, b, _), (c, d, _) = theta[0].tolist()
    if min(math.hypot(a, c), math.hypot(b, d)) > 1e-3 and abs(a * d - b * c) > 1e-3:
        pose = {n: torch.tensor(s.value, dtype=torch.float64) for n, s in lab.sliders.pose.items()}
        assert torch.allclose(transforms.from_pose(**pose), theta, atol=1e-6, rtol=1e-6)
        undone = numbers_in(note(lab, "inverse")).double()
        assert torch.allclose(undone, transforms.inverse(theta), atol=6e-4, rtol=1e-6)
    lab.close()


def assert_handles_lie_on_the_frame(lab) -> None:
    """Where theta is shown: at its three columns, or at the panel's edge on the way there."""
    matrix, view = lab._shown_frame(), lab._left()
    if lab.view.value == theta_lab.MOVES:
        view = lab._right()
    if matrix is None:
        assert handles(lab) == {}
        return
    centre = matrix[0, :, 2]
    panel = lab.canvas.scene.panels[1 if lab.view.value == theta_lab.READS else 2]
    for name, column in (("centre", None), ("x", 0), ("y", 1)):
        point = centre if column is None else centre + matrix[0, :, column]
        for axis, size in (("x", "width"), ("y", "height")):
            index = "xy".index(axis)
            place = view.centre[index] + view.unit[index] * point[index].item()
            low = getattr(panel.box, axis) + 8
            high = low + getattr(panel.box, size) - 16
            expected = min(max(place, low), high)
            assert getattr(handles(lab)[name], axis) == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize("handle", ["centre", "x", "y"])
def test_a_handle_moves_its_column_of_theta_and_no_other(lab, handle):
    lab.theta = start = transforms.similarity(degrees=30, scale=0.7, x=0.2)
    pull(lab, handle, 0.25, -0.5)
    column = {"x": 0, "y": 1, "centre": 2}[handle]
    expected = start.clone()
    expected[0, :, column] += torch.tensor([0.25, -0.5])
    assert torch.allclose(lab.theta, expected, atol=1e-6)
    assert_handles_lie_on_the_frame(lab)


@pytest.mark.parametrize("handle", ["centre", "x", "y"])
def test_in_the_other_view_a_handle_moves_the_picture(lab, handle):
    lab.theta = transforms.similarity(degrees=30, scale=0.7, x=0.2)
    lab.view.value = theta_lab.MOVES
    expected = transforms.inverse(lab.theta)
    pull(lab, handle, 0.1, 0.2)
    expected[0, :, {"x": 0, "y": 1, "centre": 2}[handle]] += torch.tensor([0.1, 0.2])
    assert torch.allclose(transforms.inverse(lab.theta), expected, atol=1e-5)
    assert_handles_lie_on_the_frame(lab)


@pytest.mark.parametrize("steps", [1, 20])
def test_a_picture_dragged_through_a_line_and_back_loses_no_movement(lab, steps):
    """There theta waits, the picture has no inverse; the hand goes on."""
    lab.view.value = theta_lab.MOVES
    unit = lab._right().unit[0]
    there = [-2 * unit * step / steps for step in range(1, steps + 1)]
    for x in [*there, *reversed(there), 0]:
        lab.canvas.set_state({"hand": {"x": [x, 0]}})
        assert lab.canvas.alert == ""
    assert torch.allclose(lab.theta, transforms.identity(), atol=1e-6)
    for x in (-unit, -1.5 * unit):
        lab.canvas.set_state({"hand": {"x": [x, 0]}})
    lab.canvas.set_state({"releases": 1})
    mirrored = torch.tensor([[[-0.5, 0, 0], [0, 1, 0]]])
    assert torch.allclose(transforms.inverse(lab.theta), mirrored, atol=1e-5)


def test_movements_that_the_browser_left_out_are_not_lost(lab):
    """It adds displacements up, so the last message alone says it all."""
    unit = lab._left().unit[0]
    lab.canvas.set_state({"hand": {"centre": [0.1 * unit, 0], "x": [0, 0.3 * unit]}})
    lab.canvas.set_state({"hand": {"centre": [0.4 * unit, 0], "x": [0, 0.3 * unit]}})
    expected = torch.tensor([[[1, 0, 0.4], [0.3, 1, 0]]])
    assert torch.allclose(lab.theta, expected, atol=1e-6)


def test_a_handle_pulled_onto_the_centre_leaves_no_inverse_but_a_lab_that_works(lab):
    pull(lab, "x", -1, 0)
    assert "no pose and no inverse" in lab.text
    assert "none" in note(lab, "inverse")
    lab.view.value = theta_lab.MOVES
    assert handles(lab) == {}
    lab.view.value = theta_lab.READS
    pull(lab, "x", 0.5, 0)
    assert torch.allclose(lab.theta, torch.tensor([[[0.5, 0, 0], [0, 1, 0]]]), atol=1e-6)


def test_where_the_picture_has_no_handles_its_panel_says_why(lab):
    def words():
        marks = lab.canvas.scene.panels[2].marks
        return [mark.text for mark in marks if isinstance(mark, Label)]

    lab.view.value = theta_lab.MOVES
    assert theta_lab.NO_FRAME not in words()
    lab.theta = torch.zeros(2, 3)
    assert handles(lab) == {}
    assert theta_lab.NO_FRAME in words()


def test_an_arrow_key_moves_a_handle_as_far_on_the_canvas_however_far_the_panel_reaches(lab):
    before = handles(lab)["x"].step
    lab.theta = transforms.translation(x=12.0)
    assert handles(lab)["x"].step == pytest.approx(before)


def test_a_handle_outside_of_the_panel_can_still_be_reached(lab):
    lab.theta = transforms.translation(x=40.0)
    left = lab.canvas.scene.panels[1]
    for handle in handles(lab).values():
        assert left.box.x <= handle.x <= left.box.x + left.box.width
        assert left.box.y <= handle.y <= left.box.y + left.box.height


def test_the_panel_reaches_as_far_as_the_frame_but_not_while_it_is_dragged(lab):
    before = lab._left().unit
    lab.canvas.set_state({"hand": {"centre": [2.5 * before[0], 0]}})
    assert lab._left().unit == before
    lab.canvas.set_state({"releases": 1})
    assert lab._left().unit[0] == pytest.approx(before[0] / 2)


def test_every_handle_has_a_label_with_its_place(lab):
    lab.theta = transforms.translation(x=0.25)
    assert "centre of the output's frame, x 0.25, y 0;" in handles(lab)["centre"].label
    assert "tip of the y arrow of the output's frame, x 0.25, y 1;" in handles(lab)["y"].label
