"""Failures that need no training: what they do is computed at once."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.data import normalise
from stn_course.models import PlainNet, load_straightener
from stn_course.museum.exhibit import Seen
from stn_course.museum.runs import FRAMES, TESTED, first_digits
from stn_course.samplers import warp
from stn_course.transforms import rotation, scale
from stn_course.validation import check_choice

ANGLE = 60  # degrees
PERIOD = 3.7  # pixels from stripe to stripe in a picture four times as large
IN_A_ROW = 3  # transformers
COLUMN = 24  # whose place is followed through them
MISREAD = "digits misread, %"


@functools.cache
def upright_reader() -> PlainNet:
    """The straightener's classifier, which knows upright digits only."""
    model = PlainNet().eval()
    model.load_state_dict(load_straightener().state_dict(), strict=False)
    return model


def misread(answers: Tensor) -> float:
    """The share of test digits that these log-probabilities name wrongly, in percent."""
    _, labels = first_digits("test", TESTED)
    return 100 * (answers.argmax(dim=1) != labels).float().mean().item()


@torch.no_grad()
def turned_back(angle: float, what: str) -> float:
    """What is misread of digits turned by an angle, in percent.

    angle: in degrees. what: "pictures" or "maps", those of the first convolution, are turned back
    by exactly that angle; or "nothing" is.
    """
    check_choice("what", what, ("pictures", "maps", "nothing"))
    model, (images, _) = upright_reader(), first_digits("test", TESTED)
    turned = warp(normalise(images), rotation(degrees=angle), padding_mode="border")
    back = rotation(degrees=-angle)
    if what == "pictures":
        turned = warp(turned, back, padding_mode="border")
    maps = F.relu(model.pool(model.conv1(turned)))
    if what == "maps":
        maps = warp(maps, back, padding_mode="border")
    deeper = F.relu(model.pool(model.conv2(maps)))
    return misread(model.fc2(F.relu(model.fc1(deeper.flatten(1)))))


def seen_turned_back(what: str) -> Seen:
    """The exhibit of the feature maps."""
    return Seen({f"digits turned by {ANGLE}° misread, %": turned_back(ANGLE, what)})


def striped() -> Tensor:
    """Test digits four times as large in front of fine stripes, (TESTED, 1, 112, 112)."""
    images, _ = first_digits("test", TESTED)
    large = F.interpolate(images, scale_factor=4, mode="nearest")
    stripes = 0.5 + 0.5 * torch.cos(2 * torch.pi * torch.arange(112) / PERIOD)
    return torch.maximum(large, 0.7 * stripes.expand_as(large))


@torch.no_grad()
def seen_small(antialias: bool) -> Seen:
    """The exhibit of aliasing: 28×28 pixels read from 112×112."""
    small = warp(striped(), scale(1.0), (28, 28), antialias=antialias)
    bands = small[:, 0, :2].std(dim=-1, correction=0).mean().item()  # above the digits
    return Seen(
        {"contrast of the bands": bands, MISREAD: misread(upright_reader()(normalise(small)))},
        small[:FRAMES],
    )


@torch.no_grad()
def through_a_row(align_corners: bool) -> Seen:
    """The exhibit of three transformers that change nothing, but for their `align_corners`.

    align_corners: of the grids; the sampler's is False.
    """
    images, _ = first_digits("test", TESTED)
    ruler = torch.arange(28.0).expand(1, 1, 28, 28)
    pictures, strip = normalise(images), [images[:1]]
    for _ in range(IN_A_ROW):
        grid = F.affine_grid(torch.eye(2, 3)[None], (1, 1, 28, 28), align_corners=align_corners)
        options = {"padding_mode": "border", "align_corners": False}
        ruler = F.grid_sample(ruler, grid, **options)
        pictures = F.grid_sample(pictures, grid.expand(len(images), -1, -1, -1), **options)
        strip.append(F.grid_sample(strip[-1], grid, **options))
    moved = (ruler[0, 0, 14, COLUMN] - COLUMN).item()
    numbers = {f"column {COLUMN} reads too far out by, pixels": moved}
    return Seen(numbers | {MISREAD: misread(upright_reader()(pictures))}, torch.cat(strip))


def sample_pixels(image: Tensor, grid: Tensor, size: tuple[int, int]) -> Tensor:
    """Read an image at a grid whose pixels are counted by a size (H, W), right or not."""
    height, width = size
    true = image.new_tensor([image.shape[3], image.shape[2]])
    pixels = ((grid + 1) * image.new_tensor([width, height]) - 1) / 2
    return F.grid_sample(image, (2 * pixels + 1) / true - 1, align_corners=False)


@torch.no_grad()
def seen_on_wide(swapped: bool) -> Seen:
    """The exhibit of x and y: digits in the right half of a picture that is twice as wide."""
    images, _ = first_digits("test", TESTED)
    numbers, strips = {}, []
    for name, picture in (("square", images), ("wide", F.pad(images, (28, 0)))):
        width = picture.shape[3]
        theta = torch.tensor([[28 / width, 0, 1 - 28 / width], [0, 1, 0]])[None]
        grid = F.affine_grid(theta.expand(len(images), -1, -1), images.shape, align_corners=False)
        size = (width, 28) if swapped else (28, width)
        read = sample_pixels(picture, grid, size)
        numbers[f"{name}: {MISREAD}"] = misread(upright_reader()(normalise(read)))
        strips.append(read[: FRAMES // 2])
    return Seen(numbers, torch.cat(strips))
