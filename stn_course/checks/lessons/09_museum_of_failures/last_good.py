"""Which snapshot to go back to."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import training, transforms
from stn_course.checks.engine.networks import shares
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def last_good(thetas: list[Tensor]) -> int:
    """The last look before the grid was lost for the first time, as an index."""
    for index, theta in enumerate(thetas):
        signs = training.signs(theta)
        if signs.outside > 0.1 or not 0.5 <= signs.determinant <= 2:
            return index - 1
    return len(thetas) - 1


def _in_sight(theta: Tensor) -> bool:
    signs = training.signs(theta)
    return signs.outside <= 0.1 and 0.5 <= signs.determinant <= 2


def by_torch(thetas: list[Tensor]) -> Tensor:
    """By affine_grid and torch.linalg.det, look by look."""
    good = []
    for theta in thetas:
        grid = F.affine_grid(theta, (len(theta), 1, 28, 28), align_corners=False)
        outside = (grid.abs().amax(dim=-1) > 1).float().mean()
        area = torch.linalg.det(theta[:, :, :2]).abs().median()
        good.append(bool(outside <= 0.1) and 0.5 <= area.item() <= 2)
    return torch.tensor([float([*good, False].index(False) - 1)])


HERE, AWAY = transforms.identity(3), transforms.translation(x=torch.tensor([2.5, 3.0, 2.0]))
NEAR = transforms.rotation(degrees=torch.tensor([5.0, -5.0, 2.0]))
POINT, LARGE = transforms.scale(0.1).expand(3, 2, 3), transforms.scale(3.0).expand(3, 2, 3)
BOTH_WAYS = transforms.translation(x=torch.tensor([-1.5, 1.5, 0.0]))  # in sight on average
ALL, ONE_OUT = transforms.identity(12), transforms.identity(12)
ONE_OUT[0] = transforms.scale(6.0)[0]  # it alone makes the mean area 4; the median stays 1
ROWS = {
    "lost at the third look": [HERE, NEAR, AWAY, AWAY],
    "in sight again later": [HERE, NEAR, NEAR, AWAY, HERE, AWAY],
    "never lost": [HERE, NEAR, NEAR],
    "zoomed into a point": [HERE, NEAR, HERE, POINT, POINT],
    "zoomed out": [HERE, LARGE, AWAY],
    "to both sides": [HERE, NEAR, BOTH_WAYS, AWAY],
    "one of twelve zoomed out": [ALL, ALL, ONE_OUT, AWAY],
}


def _first(lost, before: int = 1):
    """A program that goes back from the first look that is `lost`."""

    def choose(thetas):
        for index, theta in enumerate(thetas):
            if lost(theta):
                return index - before
        return len(thetas) - 1

    return choose


def _mean_area_lost(theta: Tensor) -> bool:
    area = theta[:, :, :2].det().abs().mean()
    return training.signs(theta).outside > 0.1 or not 0.5 <= area <= 2


def choice(attempt, name: str):
    """The attempt's answer for these looks, as a number."""
    answer = attempt([theta.clone() for theta in ROWS[name]])
    return answer if answer is None else shares([answer])


EXERCISE = FunctionExercise(
    attempt="my_last_good",
    solution=last_good,
    run=choice,
    returns="a whole number",
    oracle=lambda name: by_torch(ROWS[name]),
    against="affine_grid and torch.linalg.det, look by look",
    cases=lambda: [Case((name,), f"{len(ROWS[name])} looks, {name}") for name in ROWS],
    hints=(
        "Go through the looks from the first on, and stop at the first that is not in sight.",
        "training.signs(theta) has outside and determinant; both must be in order.",
        "for index, theta in enumerate(thetas): if it is lost, return index - 1. And if none was?",
    ),
    misconceptions=(
        Misconception(
            "the last in sight",
            "this is the last look that was in sight at all. The grid was lost before it: those "
            "weights have been thrown about. Stop at the first loss.",
            lambda thetas: max(i for i, theta in enumerate(thetas) if _in_sight(theta)),
            typed="""
                from stn_course import training
                best = 0
                for i in range(len(thetas)):
                    outside, area, _ = training.signs(thetas[i])
                    if outside <= 0.1 and 0.5 <= area <= 2:
                        best = i
                return best
            """,
        ),
        Misconception(
            "the first loss",
            "this is the look at which the grid was lost. Go back to the one before it.",
            _first(lambda theta: not _in_sight(theta), before=0),
            typed="""
                from stn_course import training
                for i in range(len(thetas)):
                    outside, area, _ = training.signs(thetas[i])
                    if outside > 0.1 or area < 0.5 or area > 2:
                        return i
                return len(thetas) - 1
            """,
        ),
        Misconception(
            "outside alone",
            "a grid in a point is wholly inside, and sees one grey: look at the area, too.",
            _first(lambda theta: training.signs(theta).outside > 0.1),
            typed="""
                from stn_course import training
                for i, theta in enumerate(thetas):
                    if training.signs(theta)[0] > 0.1:
                        return i - 1
                return len(thetas) - 1
            """,
        ),
        Misconception(
            "area alone",
            "a grid beside the picture keeps its area: look at the share outside, too.",
            _first(lambda theta: not 0.5 <= training.signs(theta).determinant <= 2),
            typed="""
                for i, theta in enumerate(thetas):
                    area = theta[:, :, :2].det().abs().median()
                    if area < 0.5 or area > 2:
                        return i - 1
                return len(thetas) - 1
            """,
        ),
        Misconception(
            "mean area",
            "you take the mean area. One digit that is zoomed out moves it far; the median shows "
            "what most digits do.",
            _first(_mean_area_lost),
            typed="""
                from stn_course import training
                for i, theta in enumerate(thetas):
                    area = torch.linalg.det(theta[..., :2]).abs().mean()
                    if training.signs(theta).outside > 0.1 or area < 0.5 or area > 2:
                        return i - 1
                return len(thetas) - 1
            """,
        ),
        Misconception(
            "mean theta",
            "you look at the mean theta. Grids that leave to both sides are in sight on average: "
            "give signs the whole batch.",
            _first(lambda theta: not _in_sight(theta.mean(dim=0, keepdim=True))),
            typed="""
                from stn_course import training
                for i, theta in enumerate(thetas):
                    outside, area, _ = training.signs(theta.mean(0, keepdim=True))
                    if outside > 0.1 or not 0.5 <= area <= 2:
                        return i - 1
                return len(thetas) - 1
            """,
        ),
        Misconception(
            "the last look",
            "this is the last look of all, whatever it saw. Go back to before the loss.",
            lambda thetas: len(thetas) - 1,
            typed="return len(thetas) - 1",
        ),
    ),
)
