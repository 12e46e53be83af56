"""A learner's image, whatever it came as, and as many of its pixels as a canvas paints."""

import functools
from os import PathLike

import numpy
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from stn_course.data import load_mnist, to_float
from stn_course.validation import check_images, describe

LARGEST = 512  # pixels to a side that a canvas is given; it paints no more of them


GREY = ("1", "L", "LA")  # Pillow's modes of pictures without colours
Picture = Tensor | numpy.ndarray | Image.Image | PathLike | str


def pixels(picture: Image.Image) -> numpy.ndarray:
    """A picture of Pillow's as an array, (H, W) or (H, W, 3); greys of 16 bits from 0 to 1."""
    if picture.mode.startswith("I;16"):
        return numpy.asarray(picture, dtype=numpy.float32) / 65535
    return numpy.array(picture.convert("L" if picture.mode in GREY else "RGB"))


def as_image(image: Picture) -> Tensor:
    """A learner's image as (C, H, W), floating point from 0 to 1, C 1 or 3.

    image: a tensor or an array, (H, W), (1, H, W), (3, H, W) or (H, W, 3); floating point from 0
    to 1, or uint8. Where both fit, the channels come first. Or a picture of Pillow's, or a file's
    path; transparent parts lose their transparency, and a photograph stands upright.
    """
    if isinstance(image, str | PathLike):
        image = Image.open(image)
    if isinstance(image, Image.Image):
        image = pixels(ImageOps.exif_transpose(image))
    if isinstance(image, numpy.ndarray):
        image = torch.from_numpy(numpy.ascontiguousarray(image))
    if not isinstance(image, Tensor):
        raise TypeError(
            f"image must be a tensor, an array, a picture or a path; got {describe(image)}"
        )
    if image.dtype == torch.uint8:
        image = image.float() / 255
    came = describe(image)
    image = image[None] if image.dim() == 2 else image
    if image.dim() == 3 and image.shape[0] not in (1, 3) and image.shape[2] == 3:
        image = image.movedim(-1, 0)
    if image.dim() != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"image must be (H, W), (1, H, W), (3, H, W) or (H, W, 3); got {came}")
    check_images(image[None], "image")
    if not torch.isfinite(image).all():
        raise ValueError("image must be finite; got NaN or infinity in it")
    if image.min() < -1e-3 or image.max() > 1 + 1e-3:  # interpolation may round a little beyond
        low, high = image.min().item(), image.max().item()
        raise ValueError(f"image must have values from 0 to 1; got {low:.3g} to {high:.3g}")
    return image.detach().float().cpu()


def reduced(image: Tensor) -> Tensor:
    """An image (C, H, W) of at most LARGEST pixels to a side: averages where it was larger."""
    step = -(-max(image.shape[-2:]) // LARGEST)
    if step == 1:
        return image
    size = [-(-n // step) for n in image.shape[-2:]]
    return F.interpolate(image[None], size, mode="area")[0]


@functools.cache  # to unpack ten thousand digits for one takes as long as many movements
def examples() -> Tensor:
    """The first test digit of each class, 0 to 9: (10, 1, 28, 28), from 0 to 1."""
    images, labels = load_mnist("test")
    return to_float(torch.stack([images[labels == digit][0] for digit in range(10)]))
