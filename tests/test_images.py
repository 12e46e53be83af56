"""A learner's image, whatever it came as: `as_image`."""

import numpy
import pytest
import torch
from PIL import Image

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


def test_sixteen_bits_a_pixel_are_not_cut_off(tmp_path):
    """As a medical picture or a depth map comes; Pillow's own conversion makes white of most."""
    grey = numpy.array([[0, 256, 51000, 65535]], dtype=numpy.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert as_image(tmp_path / "grey.png")[0, 0].tolist() == pytest.approx(
        [0, 256 / 65535, 51000 / 65535, 1]
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_picture_and_its_file_are_the_same_image(mode, tmp_path):
    colours = numpy.zeros((4, 6, 3), dtype=numpy.uint8)
    colours[:, :3] = [255, 0, 0]
    picture = Image.fromarray(colours).convert(mode)
    picture.save(tmp_path / "picture.png")
    image = as_image(picture)
    for path in (tmp_path / "picture.png", str(tmp_path / "picture.png")):
        assert torch.equal(as_image(path), image)
    grey = mode in ("1", "L", "LA")
    assert image.shape == (1 if grey else 3, 4, 6)
    assert (image[:, :, 3:] == 0).all()
    assert grey or (image[0, :, :3] == 1).all()


def test_a_photograph_stands_upright(tmp_path):
    lying = Image.fromarray(numpy.array([[0, 100, 200]], dtype=numpy.uint8))
    exif = lying.getexif()
    exif[0x0112] = 6  # orientation: the camera was turned to its right
    lying.save(tmp_path / "photograph.png", exif=exif)
    image = as_image(tmp_path / "photograph.png")
    assert (255 * image[0, :, 0]).round().tolist() == [0, 100, 200]
