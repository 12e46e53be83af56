"""A transformer that starts at a given crop."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import models
from stn_course.checks.engine.networks import ask_for_gradients, flag, learns, seeded, shaken
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

Box, Size = tuple[int, int, int, int], tuple[int, int]


def start_at_crop(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> nn.Module:
    """A transformer for images (B, 1, H, W) that at the start gives the box, pixel by pixel.

    The box is `width` × `height` pixels, from column `left` and row `top` on; size: (H, W).
    """
    image_height, image_width = size
    x = (2 * left + width) / image_width - 1  # the middle of the box
    y = (2 * top + height) / image_height - 1
    theta = [width / image_width, 0.0, x, 0.0, height / image_height, y]
    localization = models.localization_cnn(in_channels=1)
    transformer = models.SpatialTransformer(localization, output_size=(height, width))
    with torch.no_grad():
        localization[-1].bias.copy_(torch.tensor(theta))
    return transformer


def run_crop(attempt, box: Box, size: Size, look: str):
    """Ask for a transformer that starts at a box; look at its output, or at how it can learn."""
    net = attempt(*box, size)
    if not isinstance(net, nn.Module):
        return net
    first, second = seeded(lambda: torch.rand(2, 1, 1, *size))
    output = net(torch.cat([first, second]))
    if look == "output":
        return output
    ask_for_gradients(output)
    learning = any(map(learns, net.parameters()))
    with torch.no_grad():  # sampling by one and the same theta is linear
        one, other, both = shaken(net, 0.05)(
            torch.stack([first[0], second[0], first[0] + second[0]])
        )
    return flag(learning, not torch.allclose(one + other, both, atol=1e-3))


def cut(box: Box, size: Size, look: str) -> Tensor:
    """The box of the images, cut out by slicing; or: it learns, and each image has its theta."""
    if look != "output":
        return flag(1, 1)
    left, top, width, height = box
    images = seeded(lambda: torch.rand(2, 1, 1, *size)).reshape(2, 1, *size)
    return images[..., top : top + height, left : left + width]


def _started(theta, shape=lambda width, height, size: (height, width)):
    """A transformer from a rule for theta and one for its output's size."""

    def build(left, top, width, height, size):
        net = models.SpatialTransformer(
            models.localization_cnn(in_channels=1), output_size=shape(width, height, size)
        )
        numbers = theta(left, top, width, height, *size)
        with torch.no_grad():
            net.head[0].bias.copy_(torch.tensor(numbers))
        return net

    return build


def _right(left, top, width, height, rows, columns):
    x, y = (2 * left + width) / columns - 1, (2 * top + height) / rows - 1
    return [width / columns, 0.0, x, 0.0, height / rows, y]


def _in_corners(left, top, width, height, rows, columns):
    """The rule of align_corners=True, under which -1 and 1 are centres of pixels."""
    x = (2 * left + width - 1) / (columns - 1) - 1
    y = (2 * top + height - 1) / (rows - 1) - 1
    return [(width - 1) / (columns - 1), 0.0, x, 0.0, (height - 1) / (rows - 1), y]


def _with_corner(left, top, width, height, rows, columns):
    x, y = 2 * left / columns - 1, 2 * top / rows - 1
    return [width / columns, 0.0, x, 0.0, height / rows, y]


def _from_zero(left, top, width, height, rows, columns):
    x, y = (left + width / 2) / columns, (top + height / 2) / rows
    return [width / columns, 0.0, x, 0.0, height / rows, y]


def _rows_first(left, top, width, height, rows, columns):
    a, _, x, _, d, y = _right(left, top, width, height, rows, columns)
    return [d, 0.0, y, 0.0, a, x]


def _inverted(left, top, width, height, rows, columns):
    _, _, x, _, _, y = _right(left, top, width, height, rows, columns)
    return [columns / width, 0.0, x, 0.0, rows / height, y]


class _Slice(nn.Module):
    def __init__(self, left, top, width, height):
        super().__init__()
        self.rows, self.columns = slice(top, top + height), slice(left, left + width)

    def forward(self, input: Tensor) -> Tensor:
        return input[..., self.rows, self.columns]


class _Fixed(nn.Module):
    """One theta for all images: it can learn, but it looks at no image."""

    def __init__(self, box: Box, size: Size):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(_right(*box, *size)).view(1, 2, 3))
        self.output_size = box[3], box[2]

    def forward(self, input: Tensor) -> Tensor:
        size = (*input.shape[:2], *self.output_size)
        grid = F.affine_grid(self.theta.expand(len(input), 2, 3), size, align_corners=False)
        return F.grid_sample(input, grid, align_corners=False)


EXERCISE = FunctionExercise(
    attempt="my_start_at_crop",
    solution=start_at_crop,
    run=run_crop,
    returns="an nn.Module, as SpatialTransformer(…) is",
    oracle=cut,
    against="the box cut out by slicing; it learns, and each image can get its own theta",
    cases=lambda: [
        Case(
            ((1, 0, 3, 2), (4, 6), "output"),
            "two images of size (4, 6); the box has left 1, top 0, width 3 and height 2",
        ),
        Case(
            ((12, 4, 10, 14), (28, 28), "output"),
            "two images of size (28, 28); the box has left 12, top 4, width 10 and height 14",
        ),
        Case(
            ((1, 0, 3, 2), (4, 6), "learns"),
            "does a gradient arrive? And has each image a theta of its own, once the weights have "
            "moved? (1 is yes)",
        ),
    ],
    hints=(
        "An image read through theta at the start must be images[..., top : top + height, left : "
        "left + width]. How many pixels does the output have, and which theta reads this box?",
        "The output has size (height, width). Theta's numbers 1 and 5 are the shares width / W "
        "and height / H; numbers 3 and 6 are the box's middle, between -1 and 1.",
        "The middle of the box lies at (2 · left + width) / W - 1 along x. The weights of the head "
        "stay zero, and its bias is theta, row by row.",
        "SpatialTransformer sets the head to the identity. So copy your six numbers afterwards, "
        "under torch.no_grad(): localization[-1].bias.copy_(torch.tensor([…])).",
    ),
    misconceptions=(
        Misconception(
            "identity",
            "it starts at the identity: the whole image, made smaller. SpatialTransformer sets the "
            "head when it is made, so change the bias after that.",
            _started(lambda *_: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
            typed="""
                localization = models.localization_cnn(in_channels=1)
                return models.SpatialTransformer(localization, output_size=(height, width))
            """,
        ),
        Misconception(
            "size of the input",
            "the box is enlarged to the size of the image. For pixel to read pixel, output_size is "
            "(height, width).",
            _started(_right, lambda width, height, size: size),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization)
                middle = [(left + width / 2) / W * 2 - 1, (top + height / 2) / H * 2 - 1]
                theta = torch.tensor([width / W, 0, middle[0], 0, height / H, middle[1]])
                localization[-1].bias.data = theta
                return transformer
            """,
        ),
        Misconception(
            "width first",
            "the output is width pixels high and height pixels wide. Sizes are (height, width).",
            _started(_right, lambda width, height, size: (width, height)),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(width, height))
                middle = [(left + width / 2) / W * 2 - 1, (top + height / 2) / H * 2 - 1]
                localization[-1].bias.data = torch.tensor(
                    [width / W, 0, middle[0], 0, height / H, middle[1]]
                )
                return transformer
            """,
        ),
        Misconception(
            "corner for middle",
            "the third column is the box's top left corner. It must be the box's middle: that is "
            "where the middle of the output reads.",
            _started(_with_corner),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(height, width))
                corner = [left / W * 2 - 1, top / H * 2 - 1]
                localization[-1].bias.data = torch.tensor(
                    [width / W, 0, corner[0], 0, height / H, corner[1]]
                )
                return transformer
            """,
        ),
        Misconception(
            "from 0 to 1",
            "the middle of the box is given as a share from 0 to 1. Coordinates run from -1 to 1: "
            "double it and take 1 away.",
            _started(_from_zero),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(height, width))
                with torch.no_grad():
                    localization[-1].bias[0] = width / W
                    localization[-1].bias[2] = (left + 0.5 * width) / W
                    localization[-1].bias[4] = height / H
                    localization[-1].bias[5] = (top + 0.5 * height) / H
                return transformer
            """,
        ),
        Misconception(
            "align_corners",
            "these are coordinates for align_corners=True, in which -1 and 1 are the centres of "
            "the border pixels. The transformer has False: divide by W and H, not by W - 1.",
            _started(_in_corners),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(height, width))
                first = torch.tensor([left / (W - 1), top / (H - 1)]) * 2 - 1
                last = (
                    torch.tensor([(left + width - 1) / (W - 1), (top + height - 1) / (H - 1)]) * 2
                    - 1
                )
                half, middle = (last - first) / 2, (first + last) / 2
                theta = torch.stack([half.diag()[0], half.diag()[1]])
                theta = torch.cat([theta, middle[:, None]], dim=1)
                localization[-1].bias.data = theta.flatten()
                return transformer
            """,
        ),
        Misconception(
            "rows first",
            "x and y are swapped: the first row of theta gives x, from left and width.",
            _started(_rows_first),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(height, width))
                x, y = (2 * top + height) / H - 1, (2 * left + width) / W - 1
                localization[-1].bias.data = torch.tensor([height / H, 0, x, 0, width / W, y])
                return transformer
            """,
        ),
        Misconception(
            "inverted",
            "the scale is inverted. Theta leads from the output to the input: a small box takes a "
            "scale below 1, width / W.",
            _started(_inverted),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(height, width))
                x, y = (2 * left + width) / W - 1, (2 * top + height) / H - 1
                localization[-1].bias.data = torch.tensor([W / width, 0, x, 0, H / height, y])
                return transformer
            """,
        ),
        Misconception(
            "sliced",
            "the output is right, but it is cut out by slicing: no theta, so nothing can learn to "
            "look elsewhere.",
            lambda left, top, width, height, size: _Slice(left, top, width, height),
            typed="""
                class Crop(nn.Module):
                    def forward(self, images):
                        return images[:, :, top : top + height, left : left + width]
                return Crop()
            """,
        ),
        Misconception(
            "one theta",
            "the start is right, and theta can learn, but it is one theta for all images: no "
            "localization network looks at them.",
            lambda left, top, width, height, size: _Fixed((left, top, width, height), size),
            typed="""
                H, W = size

                class Crop(nn.Module):
                    def __init__(self):
                        super().__init__()
                        x, y = (2 * left + width) / W - 1, (2 * top + height) / H - 1
                        self.theta = nn.Parameter(
                            torch.tensor([[[width / W, 0, x], [0, height / H, y]]])
                        )

                    def forward(self, images):
                        return samplers.warp(images, self.theta, (height, width))

                return Crop()
            """,
        ),
        Misconception(
            "frozen",
            "the start is right, but no gradient arrives: requires_grad is off.",
            lambda *box: start_at_crop(*box).requires_grad_(False),
            typed="""
                H, W = size
                localization = models.localization_cnn(in_channels=1)
                transformer = models.SpatialTransformer(localization, output_size=(height, width))
                x, y = (2 * left + width) / W - 1, (2 * top + height) / H - 1
                localization[-1].bias.data = torch.tensor([width / W, 0, x, 0, height / H, y])
                for parameter in localization.parameters():
                    parameter.requires_grad = False
                return transformer
            """,
        ),
    ),
)
