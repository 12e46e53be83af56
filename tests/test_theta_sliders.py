"""ThetaSliders: twelve sliders that follow each other, a hand, and what the browser reports."""

import itertools

import pytest
import torch

from stn_course import transforms
from stn_course.widgets import ThetaLab, exact_slider


@pytest.fixture
def lab():
    lab = ThetaLab(torch.zeros(8, 8))
    yield lab
    lab.close()


def test_a_slider_widens_for_a_theta_beyond_it(lab):
    lab.theta = transforms.scale(7.0)
    assert lab.sliders.numbers[0].value == 7
    assert lab.sliders.pose["scale_x"].value == 7
    assert lab.sliders.pose["scale_x"].max == 7


def test_a_mirrored_theta_is_shown_as_a_negative_scale(lab):
    lab.theta = transforms.from_pose(scale_y=-1.5)
    assert lab.sliders.pose["scale_y"].value == pytest.approx(-1.5)


def pose(lab) -> dict[str, float]:
    return {name: round(control.value, 6) + 0.0 for name, control in lab.sliders.pose.items()}


def test_the_mirror_is_shown_as_a_mirror_and_not_as_half_a_turn(lab):
    """A mirrored theta has two poses; people expect the one that turns less."""
    lab.theta = transforms.rotation(degrees=170)
    lab.buttons["Mirror"].click()
    expected = {"rotation": 0, "scale_x": -1, "scale_y": 1, "shear": 0, "x": 0, "y": 0}
    assert pose(lab) == expected
    assert "rotated 0 degrees, scaled by -1 in x and 1 in y, sheared by 0" in lab.text


def test_a_hand_turns_a_mirrored_theta_all_the_way_round(lab):
    """No other slider jumps under it, though the other pose would turn less."""
    lab.theta = transforms.from_pose(scale_x=-1.0, shear=0.2)
    for degrees in (60, 120, 180, -120):
        lab.sliders.pose["rotation"].value = degrees
        lab.paint()
        assert pose(lab)["rotation"] == degrees
        assert (pose(lab)["scale_x"], pose(lab)["scale_y"]) == (-1, 1)
        expected = transforms.from_pose(rotation=degrees, scale_x=-1.0, shear=0.2)
        assert torch.allclose(lab.theta, expected, atol=1e-6)


def test_a_theta_without_a_pose_shows_no_numbers_of_one(lab):
    lab.theta = torch.zeros(2, 3)
    assert not any(control.readout for control in lab.sliders.pose.values())
    assert all(control.readout for control in lab.sliders.numbers)
    lab.theta = transforms.identity()
    assert all(control.readout for control in lab.sliders.all)


def test_half_a_turn_stays_at_the_end_where_the_hand_put_it(lab):
    lab.sliders.pose["rotation"].value = 180
    assert lab.sliders.pose["rotation"].value == 180
    lab.sliders.pose["rotation"].value = -180
    assert lab.sliders.pose["rotation"].value == -180


def from_browser(slider, value):
    """What happens when the browser reports a slider's value."""
    slider.set_state({"value": value})


def test_a_rounded_repeat_from_the_browser_moves_nothing(lab):
    """The browser rounds each value that it is sent, and reports the rounded one."""
    from_browser(lab.sliders.pose["rotation"], 10.0)
    expected = transforms.rotation(degrees=10)
    for control in lab.sliders.all:
        from_browser(control, round(control.value / control.step) * control.step)
    assert torch.allclose(lab.theta, expected, atol=1e-6)


def test_late_repeats_of_earlier_values_move_nothing(lab):
    late = []
    for degrees in range(1, 30):
        from_browser(lab.sliders.pose["rotation"], float(degrees))
        late += [(c, round(c.value / c.step) * c.step) for c in lab.sliders.numbers]
    for control, value in late:
        from_browser(control, value)
    assert torch.allclose(lab.theta, transforms.rotation(degrees=29), atol=1e-6)


def test_a_hand_on_a_slider_is_heard_even_at_a_value_it_had_before(lab):
    rotation = lab.sliders.pose["rotation"]
    for degrees in (5.0, 6.0, 5.0, 4.0, 5.0):
        from_browser(rotation, degrees)
        assert torch.allclose(lab.theta, transforms.rotation(degrees=degrees), atol=1e-6)
    from_browser(lab.sliders.numbers[2], 0.5)
    from_browser(rotation, 8.0)
    assert torch.allclose(lab.theta, transforms.similarity(degrees=8, x=0.5), atol=1e-6)


def test_after_a_second_a_repeat_is_a_movement(lab, monkeypatch):
    lab.theta = transforms.translation(x=0.301)
    lab.theta = transforms.translation(x=0.401)
    from_browser(lab.sliders.numbers[2], 0.30)
    assert lab.theta[0, 0, 2] == pytest.approx(0.401)
    now = exact_slider.time.monotonic()
    monkeypatch.setattr(exact_slider.time, "monotonic", lambda: now + 2)
    from_browser(lab.sliders.numbers[2], 0.30)
    assert lab.theta[0, 0, 2] == pytest.approx(0.30)


def test_the_present_value_rounded_is_never_a_movement(lab, monkeypatch):
    """A page that is loaded again reports it, however late that is."""
    lab.theta = transforms.translation(x=0.301)
    now = exact_slider.time.monotonic()
    monkeypatch.setattr(exact_slider.time, "monotonic", lambda: now + 3600)
    from_browser(lab.sliders.numbers[2], 0.30)
    assert lab.theta[0, 0, 2] == pytest.approx(0.301)


def test_a_slider_sends_its_range_before_its_value(lab):
    """In whichever order its parts were changed; the browser would cut the value off."""
    for names in itertools.permutations(["value", "min", "max"]):
        assert list(lab.sliders.numbers[0].get_state(names))[-1] == "value"
    assert "value" in lab.sliders.numbers[0].get_state()
    assert list(lab.sliders.numbers[0].get_state(["min"])) == ["min"]
