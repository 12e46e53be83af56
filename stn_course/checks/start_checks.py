"""Harder exercises of notebook 04: a start at a given crop, and a theta of three numbers."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import models, transforms
from stn_course.checks import solutions
from stn_course.checks.kinds import Case, FunctionExercise, Misconception
from stn_course.checks.model_checks import flag, learns, seeded

NOTEBOOK = "04_stn_model"
Box, Size = tuple[int, int, int, int], tuple[int, int]


def shaken(net: nn.Module, by: float) -> nn.Module:
    """The network with each parameter moved at random, as training would move it."""

    def shake():
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += by * torch.randn_like(parameter)

    seeded(shake)
    return net


def run_crop(attempt, box: Box, size: Size, look: str):
    """Ask for a transformer that starts at a box; look at its output, or at how it can learn."""
    net = attempt(*box, size)
    if not isinstance(net, nn.Module):
        return net
    first, second = seeded(lambda: torch.rand(2, 1, 1, *size))
    output = net(torch.cat([first, second]))
    if look == "output":
        return output
    if output.requires_grad:
        output.square().sum().backward()
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


START_AT_CROP = FunctionExercise(
    name="start_at_crop",
    notebook=NOTEBOOK,
    title="A transformer that starts at a given crop",
    attempt="my_start_at_crop",
    solution=solutions.start_at_crop,
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
        ),
        Misconception(
            "size of the input",
            "the box is enlarged to the size of the image. For pixel to read pixel, output_size is "
            "(height, width).",
            _started(_right, lambda width, height, size: size),
        ),
        Misconception(
            "width first",
            "the output is width pixels high and height pixels wide. Sizes are (height, width).",
            _started(_right, lambda width, height, size: (width, height)),
        ),
        Misconception(
            "corner for middle",
            "the third column is the box's top left corner. It must be the box's middle: that is "
            "where the middle of the output reads.",
            _started(_with_corner),
        ),
        Misconception(
            "from 0 to 1",
            "the middle of the box is given as a share from 0 to 1. Coordinates run from -1 to 1: "
            "double it and take 1 away.",
            _started(_from_zero),
        ),
        Misconception(
            "align_corners",
            "these are coordinates for align_corners=True, in which -1 and 1 are the centres of "
            "the border pixels. The transformer has False: divide by W and H, not by W - 1.",
            _started(_in_corners),
        ),
        Misconception(
            "rows first",
            "x and y are swapped: the first row of theta gives x, from left and width.",
            _started(_rows_first),
        ),
        Misconception(
            "inverted",
            "the scale is inverted. Theta leads from the output to the input: a small box takes a "
            "scale below 1, width / W.",
            _started(_inverted),
        ),
        Misconception(
            "sliced",
            "the output is right, but it is cut out by slicing: no theta, so nothing can learn to "
            "look elsewhere.",
            lambda left, top, width, height, size: _Slice(left, top, width, height),
        ),
        Misconception(
            "one theta",
            "the start is right, and theta can learn, but it is one theta for all images: no "
            "localization network looks at them.",
            lambda left, top, width, height, size: _Fixed((left, top, width, height), size),
        ),
        Misconception(
            "frozen",
            "the start is right, but no gradient arrives: requires_grad is off.",
            lambda *box: solutions.start_at_crop(*box).requires_grad_(False),
        ),
    ),
)


FEATURES = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])


def run_attention(attempt, look: str):
    """Ask for a head of 3 features; look at its theta at the start, or how it can move."""
    head = seeded(lambda: attempt(3))
    if not isinstance(head, nn.Module):
        return head
    theta = head(FEATURES)
    if look == "start" or not isinstance(theta, Tensor) or theta.shape != (2, 2, 3):
        return theta
    if look == "learns":
        if theta.requires_grad:
            (theta * torch.arange(1.0, 7.0).view(2, 3)).sum().backward()
        return flag(any(map(learns, head.parameters())))
    with torch.no_grad():
        theta = shaken(head, 0.3)(FEATURES)
    if look == "window":
        zeros = theta[:, 0, 1], theta[:, 1, 0], theta[:, 0, 0] - theta[:, 1, 1]
        return flag(*(number.abs().max() < 1e-5 for number in zeros))
    moved = (theta[0] - theta[1]).abs() > 1e-4
    return flag(moved[0, 0], moved[0, 2], moved[1, 2])


def _head(make, bias: list[float], weight: float = 0.0):
    """What builds a head: a Linear layer with this start, and the theta that is made of it."""

    class Head(nn.Module):
        def __init__(self, features: int):
            super().__init__()
            self.numbers = nn.Linear(features, len(bias))
            with torch.no_grad():
                self.numbers.weight.mul_(weight)
                self.numbers.bias.copy_(torch.tensor(bias))

        def forward(self, features: Tensor) -> Tensor:
            return make(*self.numbers(features).unbind(-1))

    return Head


def _rows(*numbers: Tensor) -> Tensor:
    return torch.stack(numbers, dim=-1).view(-1, 2, 3)


def _shift_only(x: Tensor, y: Tensor) -> Tensor:
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return _rows(one, zero, x, zero, one, y)


def _shift_in_second_column(scale: Tensor, x: Tensor, y: Tensor) -> Tensor:
    zero = torch.zeros_like(x)
    return _rows(scale, x, zero, y, scale, zero)


def _two_scales(a: Tensor, d: Tensor, x: Tensor, y: Tensor) -> Tensor:
    zero = torch.zeros_like(x)
    return _rows(a, zero, x, zero, d, y)


def _detached(scale: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return transforms.attention(scale.detach(), x.detach(), y.detach())


class _SameForAll(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([1.0, 0.0, 0.0]))

    def forward(self, features: Tensor) -> Tensor:
        return transforms.attention(*self.numbers.expand(len(features), 3).unbind(-1))


ATTENTION_HEAD = FunctionExercise(
    name="attention_head",
    notebook=NOTEBOOK,
    title="Attention: a head that may only scale and shift",
    attempt="my_attention_head",
    solution=solutions.attention_head,
    run=run_attention,
    returns="an nn.Module that answers theta (B, 2, 3)",
    oracle=lambda look: {
        "start": torch.eye(2, 3).repeat(2, 1, 1),
        "window": flag(1, 1, 1),
        "free": flag(1, 1, 1),
        "learns": flag(1),
    }[look],
    against="the identity at the start, and after it an upright square window that can learn",
    cases=lambda: [
        Case(("start",), "theta of two different features at the start"),
        Case(
            ("window",),
            "after its weights have moved: are theta[0, 1] and theta[1, 0] still 0, and the two "
            "scales equal? (1 is yes)",
        ),
        Case(
            ("free",),
            "after its weights have moved: do scale, x and y depend on the features? (1 is yes)",
        ),
        Case(("learns",), "does a gradient arrive? (1 is yes)"),
    ],
    hints=(
        "Three numbers for each image: a scale, x and y. Which layer makes three numbers of the "
        "features, and where does each number stand in theta?",
        "A module has two methods: __init__ makes nn.Linear(features, 3), and forward makes theta "
        "of its answer. transforms.attention(scale, x, y) takes tensors, too.",
        "At the start the three numbers must be 1, 0, 0, whatever the features: zero weights, and "
        "a bias of (1, 0, 0).",
        "In forward: scale, x, y = self.numbers(features).unbind(-1), and then "
        "transforms.attention(scale, x, y).",
    ),
    misconceptions=(
        Misconception(
            "six numbers",
            "the start is right, but all six numbers of theta can move: the window may turn and "
            "shear. Only three numbers may come from the features.",
            _head(_rows, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ),
        Misconception(
            "two scales",
            "the window has two scales, one along x and one along y: it may become a rectangle. "
            "Use one number for both.",
            _head(_two_scales, [1.0, 1.0, 0.0, 0.0]),
        ),
        Misconception(
            "scale zero",
            "the scale starts at 0: every output pixel reads the middle of the image. The identity "
            "has the scale 1.",
            _head(transforms.attention, [0.0, 0.0, 0.0]),
        ),
        Misconception(
            "weights left",
            "the bias is right, but the weights are not zero: the features move theta from the "
            "start.",
            _head(transforms.attention, [1.0, 0.0, 0.0], weight=1.0),
        ),
        Misconception(
            "shift only",
            "the window can be moved, but its scale stays 1: it cannot zoom.",
            _head(_shift_only, [0.0, 0.0]),
        ),
        Misconception(
            "second column",
            "x and y stand in theta's second column, where they shear and turn. A shift stands in "
            "the third.",
            _head(_shift_in_second_column, [1.0, 0.0, 0.0]),
        ),
        Misconception(
            "detached",
            "theta is right, but no gradient arrives: it is made under no_grad, from detached "
            "numbers, or from plain Python numbers.",
            _head(_detached, [1.0, 0.0, 0.0]),
        ),
        Misconception(
            "same for all",
            "the three numbers do not depend on the features: every image gets the same window.",
            _SameForAll,
        ),
        Misconception(
            "flat",
            "the numbers are right, but they stand in one row of six. Theta has shape (B, 2, 3).",
            _head(lambda *numbers: transforms.attention(*numbers).flatten(1), [1.0, 0.0, 0.0]),
        ),
    ),
)

START_EXERCISES = (START_AT_CROP, ATTENTION_HEAD)
