"""The canvas, its scenes: what goes to the browser, and what comes back."""

import numpy
import pytest
import torch

from stn_course import transforms
from stn_course.widgets import canvas, images, theta_scene


def test_movements_are_told_by_handle_since_the_last():
    heard = []
    made = canvas.Canvas()
    made.on_move(lambda *movement: heard.append(movement))
    made.set_state({"hand": {"x": [3, 0]}})
    made.set_state({"hand": {"x": [5, -1]}})
    made.set_state({"hand": {"x": [5, -1], "y": [2, 2]}})
    assert heard == [("x", 3, 0), ("x", 2, -1), ("y", 2, 2)]
    made.on_release(lambda: heard.append("released"))
    made.set_state({"releases": 1, "hand": {"x": [6, -1], "y": [2, 2]}})
    assert heard[3:] == [("x", 1, 0), "released"]
    made.close()


@pytest.mark.parametrize("align_corners", [False, True])
def test_a_view_puts_normalised_coordinates_where_pixels_are(align_corners):
    """-1 and 1 lie on the image's edges, or on the centres of its border pixels."""
    view = theta_scene.view_of((20, 40), (100, 60), 80, align_corners)
    box = theta_scene.image_box((20, 40), view, align_corners)
    assert (box.x, box.y) == pytest.approx((60, 40))
    assert (box.width, box.height) == pytest.approx((80, 40))  # two canvas pixels each
    (first,) = view.places(torch.tensor([-1.0, -1.0]))
    assert first == pytest.approx([61, 41] if align_corners else [60, 40])


def test_pixels_are_bytes_row_by_row():
    image = torch.tensor([[[0.0, 1.0]], [[0.5, 1.5]], [[0.25, -1.0]]])
    sent = images.to_rgba(image)
    assert (sent.rows, sent.columns) == (1, 2)
    assert list(sent.pixels) == [0, 128, 64, 255, 255, 255, 0, 255]


def test_every_output_pixel_has_its_dot_and_large_ones_every_nth():
    view = theta_scene.view_of((28, 28), (0, 0), 100, False)
    for size, expected in (((28, 28), 784), ((5, 9), 45), ((224, 224), 32 * 32)):
        mark = theta_scene.sampling_dots(transforms.identity(), size, False, view)
        places = numpy.frombuffer(mark.places, dtype=numpy.float32).reshape(-1, 2)
        assert len(places) == expected
        first = -50 + 50 / size[1], -50 + 50 / size[0]  # the centre of the first pixel
        assert places[0] == pytest.approx(first, abs=1e-4)
