"""A learner's image, whatever it came as: `as_image`."""

import numpy
import pytest
import torch

from stn_course.widgets.images import as_image


def test_a_colour_image_keeps_its_channels():
    red = numpy.zeros((4, 5, 3), dtype=numpy.uint8)
    red[..., 0] = 255
    assert as_image(red).mean(dim=(1, 2)).tolist() == [1, 0, 0]


def test_where_both_fit_the_channels_come_first():
    image = torch.rand(3, 5, 3)
    assert torch.equal(as_image(image), image)


def test_whole_numbers_are_grey_levels():
    levels = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    assert as_image(levels).tolist() == [[[0.0, pytest.approx(0.2), 1.0]]]


def test_the_learners_array_is_left_alone():
    image = torch.rand(4, 5)
    made = as_image(image.clone().requires_grad_())
    assert torch.equal(made[0], image)
    assert not made.requires_grad
