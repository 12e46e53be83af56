"""Digits somewhere in a larger picture: one among fragments of others, or two to be added.

The paper's translated and cluttered MNIST (Jaderberg et al. 2015, appendix A.4): 60×60 pixels, one
digit at a random place, six fragments of 6×6 pixels. Two digits and their sum: its MNIST addition.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from stn_course.validation import check_choice, check_images, check_positive, describe

Clutter = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]


def _paste(canvas: Tensor, pictures: Tensor, top: Tensor, left: Tensor) -> None:
    """Lay pictures (B, h, w) on a canvas (B, H, W), in place; the brighter pixel shows.

    top, left: (B,) whole numbers, the pixel of the canvas under each picture's top left one.
    """
    height, width = pictures.shape[1:]
    at = torch.arange(len(canvas), device=canvas.device)[:, None, None]
    y = (top[:, None] + torch.arange(height, device=canvas.device))[:, :, None]
    x = (left[:, None] + torch.arange(width, device=canvas.device))[:, None, :]
    canvas[at, y, x] = torch.maximum(canvas[at, y, x], pictures)


def _crop_squares(images: Tensor, top: Tensor, left: Tensor, size: int) -> Tensor:
    """From each of the images (B, H, W) the square of `size` pixels at (top, left), (B,) each."""
    at = torch.arange(len(images), device=images.device)[:, None, None]
    steps = torch.arange(size, device=images.device)
    return images[at, (top[:, None] + steps)[:, :, None], (left[:, None] + steps)[:, None, :]]


def _extent(brightness: Tensor) -> tuple[Tensor, Tensor]:
    """The first index that is not black, and how far it is to the last: (B, n) -> (B,) each.

    All of it for a picture that is black.
    """
    bright = (brightness > 0).int()
    first, behind = bright.argmax(1), bright.flip(1).argmax(1)
    return first, bright.shape[1] - behind - first


def _boxes(digits: Tensor, top: Tensor, left: Tensor) -> Tensor:
    """The boxes (B, 4) of digits (B, h, w) whose images lie at (top, left), (B,) each."""
    (x, width), (y, height) = _extent(digits.amax(1)), _extent(digits.amax(2))
    return torch.stack([left + x, top + y, width, height], dim=1)


def random_clutter(size: int = 60, fragments: int = 6, fragment_size: int = 6) -> Clutter:
    """A distortion: each digit at a random place of a larger picture, among fragments of others.

    Args:
        size: height and width of the pictures, in pixels.
        fragments: how many lie in each, cut from other digits of the batch; 0 only moves digits.
        fragment_size: height and width of a fragment, in pixels.

    Returns:
        A function (images, generator) -> (pictures, boxes), from images (B, 1, h, w), 0 to 1, to
        pictures (B, 1, size, size) and boxes (B, 4), which are left, top, width and height in
        pixels of each digit in its picture, close around all that is not black. Boxes are for
        measuring; no network is told. The generator is on the CPU, so that places are the same on
        every device.

    Raises:
        ValueError: by the function, for images that do not fit, and for one image alone, which has
            no other to cut fragments from.

    Example:
        >>> digits = torch.rand(2, 1, 28, 28)
        >>> generator = torch.Generator().manual_seed(0)
        >>> pictures, boxes = random_clutter(size=60)(digits, generator)
        >>> pictures.shape, boxes[0].tolist()
        (torch.Size([2, 1, 60, 60]), [23, 32, 28, 28])
    """
    check_positive("size", size)
    check_positive("fragment_size", fragment_size)

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count, (height, width) = _check_room(images, size, fragments), images.shape[2:]

        def draw(limit: int) -> Tensor:
            """A whole number below the limit for each picture."""
            return torch.randint(limit, (count,), generator=generator).to(images.device)

        canvas, digits = images.new_zeros(count, size, size), images[:, 0]
        top, left = draw(size - height + 1), draw(size - width + 1)
        _paste(canvas, digits, top, left)
        for _ in range(fragments):
            others = digits.roll(1 + int(torch.randint(count - 1, (1,), generator=generator)), 0)
            spot = draw(height - fragment_size + 1), draw(width - fragment_size + 1)
            pieces = _crop_squares(others, *spot, fragment_size)
            _paste(canvas, pieces, draw(size - fragment_size + 1), draw(size - fragment_size + 1))
        return canvas[:, None], _boxes(digits, top, left)

    return distort


def pair_up(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each digit with another one, and their sum.

    Args:
        images: (N, 1, h, w).
        labels: (N,), the digits' values.
        generator: draws the others, on the CPU.

    Returns:
        Pairs (N, 2, h, w), and their sums (N,).

    Example:
        >>> images, labels = torch.zeros(3, 1, 28, 28), torch.tensor([1, 2, 4])
        >>> pairs, sums = pair_up(images, labels, torch.Generator().manual_seed(0))
        >>> pairs.shape, sums
        (torch.Size([3, 2, 28, 28]), tensor([5, 3, 6]))
    """
    others = torch.randperm(len(images), generator=generator).to(images.device)
    return torch.cat([images, images[others]], dim=1), labels + labels[others]


def scattered_pairs(size: int = 60, channels: int = 1, apart: int = 20) -> Clutter:
    """A distortion: the two digits of each pair at random places of a larger picture.

    Args:
        size: height and width of the pictures, in pixels.
        channels: 1 for both digits in one picture, 2 for a channel of its own each.
        apart: in one picture, how many pixels lie at least between their centres, along one axis.

    Returns:
        A function (pairs, generator) -> (pictures, boxes), from pairs (B, 2, h, w), as of
        `pair_up`, to pictures (B, channels, size, size) and boxes (B, 2, 4), as of
        `random_clutter`.

    Raises:
        ValueError: channels is neither 1 nor 2; by the function, for pairs that do not fit.

    Example:
        >>> pairs, generator = torch.rand(5, 2, 28, 28), torch.Generator()
        >>> pictures, boxes = scattered_pairs()(pairs, generator)
        >>> pictures.shape, boxes.shape
        (torch.Size([5, 1, 60, 60]), torch.Size([5, 2, 4]))
    """
    check_choice("channels", channels, (1, 2))

    def distort(pairs: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        room = _check_pairs(pairs, size, apart)
        count, device = len(pairs), pairs.device
        places = _draw_places(count, room, apart if channels == 1 else 0, generator).to(device)
        canvas = pairs.new_zeros(count, channels, size, size)
        boxes = []
        for which in (0, 1):
            left, top = places[which]
            _paste(canvas[:, which % channels], pairs[:, which], top, left)
            boxes.append(_boxes(pairs[:, which], top, left))
        return canvas, torch.stack(boxes, dim=1)

    return distort


def _draw_places(
    count: int, room: tuple[int, int], apart: int, generator: torch.Generator
) -> Tensor:
    """Places (digit, axis, count), from 0 to room, of which one axis keeps both digits apart."""
    # (axis, count) each. In float32 what is made of them could be rounded up, to a place outside.
    first, gap = torch.rand(2, 2, count, generator=generator).double()
    limit = torch.tensor(room, dtype=torch.float)[:, None]
    both = torch.stack([first, gap]) * (limit + 1)  # anywhere, on the axis that is not chosen
    free = limit + 1 - apart
    one = first * free
    kept = torch.stack([one, one + apart + gap * (free - one)])
    chosen = torch.randint(2, (count,), generator=generator) == torch.arange(2)[:, None]
    places = torch.where(chosen & (apart > 0), kept, both).long()
    swapped = torch.rand(count, generator=generator) < 0.5
    return torch.where(swapped, places.flip(0), places)


def _check_pairs(pairs: Tensor, size: int, apart: int) -> tuple[int, int]:
    """How far a digit can move along x and y; ValueError if they have not that much room."""
    check_images(pairs, "pairs")
    room = size - pairs.shape[3], size - pairs.shape[2]
    if pairs.shape[1] != 2 or min(room) < apart:
        fit = f"pairs must be (B, 2, h, w), h and w at most {size - apart}"
        raise ValueError(f"{fit}; got {describe(pairs)}")
    return room


def _check_room(images: Tensor, size: int, fragments: int) -> int:
    """How many images there are, if they fit; ValueError naming what came if they do not."""
    check_images(images, "images")
    if images.shape[1] != 1 or max(images.shape[2:]) > size:
        fit = f"images must be (B, 1, h, w), h and w at most {size}"
        raise ValueError(f"{fit}; got {describe(images)}")
    if fragments and len(images) < 2:
        raise ValueError("fragments are cut from other digits of the batch; got one digit alone")
    return len(images)
