"""Two transformers that start at windows of their own."""

from functools import partial

import torch
from torch import Tensor, nn

from stn_course import models, samplers, transforms
from stn_course.alignment import window_box
from stn_course.checks.engine.networks import ask_for_gradients, flag, learns, seeded, shaken
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

Box = tuple[int, int, int, int]
LEFT, RIGHT, LARGE = (3, 30, 24, 24), (30, 0, 30, 30), (12, 18, 36, 36)


def different_starts(first: Box, second: Box) -> list[nn.Module]:
    """Two transformers of attention, (B, 1, 60, 60) -> (B, 1, 28, 28), each starts at its box.

    The boxes are left, top, width and height in pixels, as wide as high.
    """

    def start(left, top, width, height):
        """Scale, x and y of the window."""
        return width / 60, (2 * left + width) / 60 - 1, (2 * top + height) / 60 - 1

    return [models.AttentionNet(start(*box)).transformer for box in (first, second)]


def run_pair(attempt, first: Box, second: Box, look: str):
    """Ask for two transformers; look at their windows, outputs, gradients, or at how they learn."""
    pair = seeded(lambda: attempt(first, second))
    if not isinstance(pair, tuple | list | nn.ModuleList) or len(pair) != 2:
        return pair
    if not all(isinstance(net, nn.Module) for net in pair):
        return next(net for net in pair if not isinstance(net, nn.Module))
    return LOOKS[look](pair)


def read(net: nn.Module) -> Tensor:
    """What a transformer reads from four pictures of noise, no two of them alike."""
    return net(seeded(lambda: torch.rand(4, 1, 60, 60)))


def windows(net: nn.Module) -> Tensor:
    """Where it looks in the four pictures, (4, 4) in pixels."""
    read(net)
    return window_box(net.theta.detach().expand(4, 2, 3), (60, 60))


def boxes_at_the_start(pair) -> Tensor:
    """The window of each, (2, 4); zeros where it is not the same for all pictures."""
    found = torch.stack([windows(net) for net in pair])
    alike = (found - found[:, :1]).abs().amax(dim=(1, 2)) < 1e-3
    return torch.where(alike[:, None], found[:, 0], 0)


def shapes_of_outputs(pair) -> Tensor:
    """The shape of what each reads, (2, 4)."""
    return torch.tensor([list(read(net).shape) for net in pair]).float()


def ways_to_move(pair) -> Tensor:
    """For each, (2, 2): does a gradient arrive, and is it attention once its weights have moved?"""
    truths = []
    for net in pair:
        ask_for_gradients(read(net))
        arrived = any(map(learns, net.parameters()))
        read(shaken(net, 0.05))
        zeros = net.theta[:, 0, 1], net.theta[:, 1, 0], net.theta[:, 0, 0] - net.theta[:, 1, 1]
        truths += [arrived, all(number.abs().max() < 1e-5 for number in zeros)]
    return flag(*truths).view(2, 2)


def after_three_steps(pair) -> Tensor:
    """Has each a window of its own for each picture? And do the two look at different places?"""
    parameters = [parameter for net in pair for parameter in net.parameters()]
    optimizer = torch.optim.Adam(set(parameters), lr=0.001)
    for _ in range(3):
        loss = sum(read(net).square().mean() for net in pair)
        optimizer.zero_grad()
        if loss.requires_grad:
            loss.backward()
        optimizer.step()
    found = torch.stack([windows(net) for net in pair])
    own = (found[:, :1] - found[:, 1:]).abs().amax(dim=2).amin(dim=1) > 1e-4
    return flag(*own, ((found[0] - found[1]).abs().amax(dim=1) > 1).all())


LOOKS = {
    "boxes": boxes_at_the_start,
    "shapes": shapes_of_outputs,
    "moves": ways_to_move,
    "steps": after_three_steps,
}


def wanted(first: Box, second: Box, look: str) -> Tensor:
    """The two boxes as they were given; 28×28 pixels from four pictures; yes to all questions."""
    return {
        "boxes": torch.tensor([first, second]).float(),
        "shapes": torch.tensor([[4.0, 1.0, 28.0, 28.0]] * 2),
        "moves": torch.ones(2, 2),
        "steps": torch.ones(3),
    }[look]


def cases() -> list[Case]:
    """The windows at the start, for two pairs of boxes; then the outputs, and how they learn."""
    words = {
        "boxes": "the two windows at the start, left, top, width and height (zeros for a "
        "transformer whose windows differ from picture to picture)",
        "shapes": "the shapes of what the two read from four pictures",
        "moves": "for each of the two: does a gradient arrive? And once its weights have moved, "
        "has theta still one scale, and zeros beside it? (1 is yes)",
        "steps": "after three steps of training: has the first a window of its own for each "
        "picture, has the second, and do they look at different places? (1 is yes)",
    }
    looks = [
        *((LEFT, RIGHT, "boxes"), (RIGHT, LARGE, "boxes"), (LEFT, RIGHT, "shapes")),
        *((LEFT, RIGHT, "moves"), (LEFT, LARGE, "steps")),
    ]
    return [Case(c, f"{words[c[2]]}; first = {c[0]}, second = {c[1]}") for c in looks]


def _start(left, top, width, height):
    return [width / 60, (2 * left + width) / 60 - 1, (2 * top + height) / 60 - 1]


def _pair(change=lambda start, box: start, order=lambda first, second: (first, second)):
    """A right pair with other starts, a function of (start, box), or other boxes."""

    def build(first, second):
        starts = [change(_start(*box), box) for box in order(first, second)]
        return [models.AttentionNet(tuple(start)).transformer for start in starts]

    return build


def _around(localization, starts, numbers, output_size=(28, 28)):
    """A pair around such localization networks whose heads give so many numbers."""

    def build(first, second):
        pair = []
        for box in (first, second):
            net = models.SpatialTransformer(
                localization(), output_size, transformation=numbers, padding_mode="border"
            )
            net.head[0].bias.data = torch.tensor(starts(*_start(*box)))
            pair.append(net)
        return pair

    return build


def _three_numbers():
    return nn.Sequential(*models.localization_cnn(in_channels=1)[:-1], nn.Linear(32, 3))


def _as_six(scale, x, y):
    return [scale, 0.0, x, 0.0, scale, y]


def _random_weights(first, second):
    pair = different_starts(first, second)
    for net in pair:
        nn.init.normal_(net.head[0].weight)
    return pair


class _Fixed(nn.Module):
    """One window for all pictures: it can learn, but it looks at no picture."""

    def __init__(self, box: Box):
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor(_start(*box)))

    def forward(self, input: Tensor) -> Tensor:
        theta = transforms.attention(*self.numbers).expand(len(input), 2, 3)
        self.theta = theta.detach()
        return samplers.warp(input, theta, (28, 28))


EXERCISE = FunctionExercise(
    attempt="my_starts",
    solution=different_starts,
    run=run_pair,
    returns="two modules, as (a, b), [a, b] or nn.ModuleList([a, b])",
    oracle=wanted,
    against="the two boxes at the start; both windows learn, and stay apart",
    cases=cases,
    hints=(
        "Which three numbers are the window of a box? In a picture of 60×60 pixels a square box is "
        "a square window: scale = width / 60, and x and y are its middle, from -1 to 1.",
        "x = (2 · left + width) / 60 - 1, and likewise y. These three are the bias of the head, "
        "whose weights are zero: then every picture starts with this window.",
        "models.AttentionNet(start=(scale, x, y)).transformer is such a transformer. By hand: "
        'SpatialTransformer(localization, (28, 28), transformation="attention"), whose head is an '
        "nn.Linear with three outputs; set its bias afterwards.",
        "Each box needs a localization network of its own, made anew, so call it twice, and return "
        "[one, other].",
    ),
    misconceptions=(
        Misconception(
            "same start",
            "both start at the first box. They would get the same gradient there and may go the "
            "same way: give the second its own box.",
            _pair(order=lambda first, second: (first, first)),
            typed="""
                import copy
                left, top, side, _ = first
                start = side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                one = models.AttentionNet(start).transformer
                return one, copy.deepcopy(one)
            """,
        ),
        Misconception(
            "one head for both",
            "both look at the second box: there is only one head, and the second start has "
            "overwritten the first. Make a localization network for each.",
            _pair(order=lambda first, second: (second, second)),
            typed="""
                shared = nn.Sequential(*models.localization_cnn(1)[:-1], nn.Linear(32, 3))
                pair = []
                for left, top, side, _ in (first, second):
                    net = models.SpatialTransformer(shared, (28, 28), transformation="attention")
                    x, y = (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                    shared[-1].bias.data = torch.tensor([side / 60, x, y])
                    pair.append(net)
                return pair
            """,
        ),
        Misconception(
            "first and second swapped",
            "the two boxes are swapped: the first transformer starts at `first`.",
            _pair(order=lambda first, second: (second, first)),
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    start = side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                    pair.insert(0, models.AttentionNet(start).transformer)
                return pair
            """,
        ),
        Misconception(
            "identity",
            "both start with the whole picture, at the identity. SpatialTransformer sets the head "
            "when it is made, so set the bias after that.",
            _pair(lambda start, box: [1.0, 0.0, 0.0]),
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    net = nn.Sequential(*models.localization_cnn(1)[:-1], nn.Linear(32, 3))
                    net[-1].bias.data = torch.tensor(
                        [side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1]
                    )
                    pair.append(
                        models.SpatialTransformer(net, (28, 28), transformation="attention")
                    )
                return pair
            """,
        ),
        Misconception(
            "half the picture",
            "both start with the middle of the picture, at half its size, as AttentionNet does if "
            "it is not told otherwise. Give each its start.",
            _pair(lambda start, box: [0.5, 0.0, 0.0]),
            typed="return [models.AttentionNet().transformer for _ in (first, second)]",
        ),
        Misconception(
            "the whole network",
            "an AttentionNet finds the digit and reads it: (B, 10). Only its first part is wanted, "
            "its .transformer.",
            lambda first, second: [models.AttentionNet(tuple(_start(*b))) for b in (first, second)],
            typed="""
                pair = nn.ModuleList()
                for left, top, side, _ in (first, second):
                    start = side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                    pair.append(models.AttentionNet(start))
                return pair
            """,
        ),
        Misconception(
            "size left",
            "the middles are right, but the windows have half the picture's size, not that of "
            "their boxes. The scale is width / 60.",
            _pair(lambda start, box: [0.5, *start[1:]]),
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    middle = (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                    pair.append(models.AttentionNet(start=(0.5, *middle)).transformer)
                return pair
            """,
        ),
        Misconception(
            "not moved",
            "the sizes are right, but both lie in the middle of the picture: x and y are the "
            "middle of the box.",
            _pair(lambda start, box: [start[0], 0.0, 0.0]),
            typed="""
                starts = [(side / 60, 0.0, 0.0) for _, _, side, _ in (first, second)]
                return tuple(models.AttentionNet(start).transformer for start in starts)
            """,
        ),
        Misconception(
            "corner for middle",
            "the middle of each window lies at its box's top left corner. Half a width must be "
            "added: left + width / 2, top + height / 2.",
            _pair(lambda start, box: [start[0], box[0] / 30 - 1, box[1] / 30 - 1]),
            typed="""
                def make(left, top, width, height):
                    start = width / 60, 2 * left / 60 - 1, 2 * top / 60 - 1
                    return models.AttentionNet(start).transformer

                return make(*first), make(*second)
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: left belongs to x, the second number of the start, and top to y.",
            _pair(lambda start, box: [start[0], start[2], start[1]]),
            typed="""
                def make(top, left, height, width):
                    start = width / 60, (2 * left + width) / 60 - 1, (2 * top + height) / 60 - 1
                    return models.AttentionNet(start).transformer

                return make(*first), make(*second)
            """,
        ),
        Misconception(
            "from 0 to 1",
            "the middles are given as shares from 0 to 1. Coordinates run from -1 to 1: double "
            "them and take 1 away.",
            _pair(lambda start, box: [start[0], (start[1] + 1) / 2, (start[2] + 1) / 2]),
            typed="""
                def make(left, top, width, height):
                    start = width / 60, (left + width / 2) / 60, (top + height / 2) / 60
                    return models.AttentionNet(start).transformer

                return make(*first), make(*second)
            """,
        ),
        Misconception(
            "random weights",
            "the bias is right, but the head's weights are not zero: each picture moves its window "
            "before anything was learned.",
            _random_weights,
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    net = nn.Sequential(*models.localization_cnn(1)[:-1], nn.Linear(32, 3))
                    pair.append(
                        models.SpatialTransformer(net, (28, 28), transformation="attention")
                    )
                    net[-1].reset_parameters()
                    net[-1].bias.data = torch.tensor(
                        [side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1]
                    )
                return pair
            """,
        ),
        Misconception(
            "size of the input",
            "the starts are right, but each output has the picture's 60×60 pixels. Hand "
            "output_size=(28, 28) to SpatialTransformer.",
            _around(_three_numbers, lambda *start: list(start), "attention", None),
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    net = nn.Sequential(*models.localization_cnn(1)[:-1], nn.Linear(32, 3))
                    pair.append(models.SpatialTransformer(net, transformation="attention"))
                    net[-1].bias.data = torch.tensor(
                        [side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1]
                    )
                return pair
            """,
        ),
        Misconception(
            "six numbers",
            "the starts are right, but six numbers can move: the windows may turn and shear. "
            'Attention has a head of three, and transformation="attention".',
            _around(partial(models.localization_cnn, in_channels=1), _as_six, "affine"),
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    net = models.localization_cnn(1)
                    pair.append(models.SpatialTransformer(net, (28, 28)))
                    x, y = (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                    net[-1].bias.data = torch.tensor([side / 60, 0, x, 0, side / 60, y])
                return pair
            """,
        ),
        Misconception(
            "frozen",
            "the starts are right, but no gradient arrives: requires_grad is off.",
            lambda *boxes: [net.requires_grad_(False) for net in different_starts(*boxes)],
            typed="""
                pair = []
                for left, top, side, _ in (first, second):
                    start = side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
                    pair.append(models.AttentionNet(start).transformer)
                    for parameter in pair[-1].parameters():
                        parameter.requires_grad = False
                return pair
            """,
        ),
        Misconception(
            "one window for all",
            "the starts are right, and the windows can learn, but each is the same for all "
            "pictures: no localization network looks at them.",
            lambda first, second: [_Fixed(first), _Fixed(second)],
            typed="""
                class Window(nn.Module):
                    def __init__(self, left, top, width, height):
                        super().__init__()
                        self.scale = nn.Parameter(torch.tensor(width / 60))
                        place = [(left + width / 2) / 30 - 1, (top + height / 2) / 30 - 1]
                        self.place = nn.Parameter(torch.tensor(place))

                    def forward(self, images):
                        theta = transforms.attention(self.scale, *self.place)
                        self.theta = theta.detach()
                        return samplers.warp(images, theta, (28, 28))

                return Window(*first), Window(*second)
            """,
        ),
    ),
)
