"""Co-localisation's triplet loss: crops alike, and unlike random ones."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.experiments.colocalisation import triplet_loss


def by_loops(crops: Tensor, randoms: Tensor, margin: float) -> Tensor:
    """Pair by pair, as the formula is read."""
    terms = []
    for n, crop in enumerate(crops):
        for m, other in enumerate(crops):
            if n != m:
                near, far = torch.dist(crop, other) ** 2, torch.dist(crop, randoms[n]) ** 2
                terms.append((near - far + margin).clamp(min=0))
    return torch.stack(terms).mean()


def cases() -> list[Case]:
    """Numbers to do by hand, then vectors; some pairs are good enough and cost nothing."""
    by_hand = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[2.0], [1.0], [-1.0]]), 1.0
    g = torch.Generator().manual_seed(5)
    vectors = torch.randn(5, 4, generator=g), 1.5 * torch.randn(5, 4, generator=g), 2.0
    return [Case(tuple(by_hand)), Case(tuple(vectors))]


def _all_pairs(crops, randoms):
    """Squared distances between crops (n, m), and from each crop to its random one (n, 1)."""
    alike = torch.cdist(crops, crops, compute_mode="donot_use_mm_for_euclid_dist").square()
    return alike, (crops - randoms).square().sum(dim=1, keepdim=True)


def _others(terms):
    return terms[~torch.eye(len(terms), dtype=torch.bool)]


def _itself_too(crops, randoms, margin):
    alike, apart = _all_pairs(crops, randoms)
    return F.relu(alike - apart + margin).mean()


def _no_hinge(crops, randoms, margin):
    alike, apart = _all_pairs(crops, randoms)
    return _others(alike - apart + margin).mean()


def _upside_down(crops, randoms, margin):
    alike, apart = _all_pairs(crops, randoms)
    return _others(F.relu(apart - alike + margin)).mean()


def _no_square(crops, randoms, margin):
    alike, apart = _all_pairs(crops, randoms)
    return _others(F.relu(alike.sqrt() - apart.sqrt() + margin)).mean()


def _margin_off(crops, randoms, margin):
    alike, apart = _all_pairs(crops, randoms)
    return _others(F.relu(alike - apart - margin)).mean()


def _random_of_the_other(crops, randoms, margin):
    alike, _ = _all_pairs(crops, randoms)
    return _others(F.relu(alike - (crops[:, None] - randoms).square().sum(2) + margin)).mean()


def _summed(crops, randoms, margin):
    alike, apart = _all_pairs(crops, randoms)
    return _others(F.relu(alike - apart + margin)).sum()


def _hinge_of_the_mean(crops, randoms, margin):
    return F.relu(_no_hinge(crops, randoms, margin))


EXERCISE = FunctionExercise(
    attempt="my_triplet_loss",
    solution=triplet_loss,
    oracle=by_loops,
    against="two loops over all pairs",
    cases=cases,
    hints=(
        "Every picture n is compared with every other picture m, and with its own random crop. "
        "How do you get all B × B distances at once?",
        "crops[:, None] - crops is (B, B, D): crop n minus crop m. Square, and sum over D. The "
        "distance to the random crop is one a picture: (B,), seen as (B, 1).",
        "F.relu(alike - apart[:, None] + margin) has the pairs of a picture with itself on its "
        "diagonal. Leave those out before you take the mean.",
    ),
    misconceptions=(
        Misconception(
            "itself too",
            "the pairs of a picture with itself are counted, too. Leave the diagonal out.",
            _itself_too,
            typed="""
                near = ((crops[:, None] - crops[None]) ** 2).sum(-1)
                far = ((crops - randoms) ** 2).sum(-1, keepdim=True)
                return (near - far + margin).clamp(min=0).mean()
            """,
        ),
        Misconception(
            "no hinge",
            "pairs that are good enough are rewarded for becoming better still: take max(0, …) of "
            "each pair.",
            _no_hinge,
            typed="""
                near = ((crops[:, None] - crops[None]) ** 2).sum(-1)
                far = ((crops - randoms) ** 2).sum(-1, keepdim=True)
                return (near - far + margin)[torch.eye(len(crops)) == 0].mean()
            """,
        ),
        Misconception(
            "hinge of the mean",
            "max(0, …) is taken of the mean, so good pairs pay for bad ones. Take it of each pair.",
            _hinge_of_the_mean,
            typed="""
                near = ((crops[:, None] - crops[None]) ** 2).sum(-1)
                far = ((crops - randoms) ** 2).sum(-1, keepdim=True)
                terms = (near - far + margin)[torch.eye(len(crops)) == 0]
                return terms.mean().clamp(min=0)
            """,
        ),
        Misconception(
            "upside down",
            "the two distances are swapped: this pushes the crops apart and draws random ones "
            "near.",
            _upside_down,
            typed="""
                near = ((crops[:, None] - crops[None]) ** 2).sum(-1)
                far = ((crops - randoms) ** 2).sum(-1, keepdim=True)
                terms = (far - near + margin).clamp(min=0)
                return terms[torch.eye(len(crops)) == 0].mean()
            """,
        ),
        Misconception(
            "not squared",
            "these are distances. The loss takes their squares.",
            _no_square,
            typed="""
                terms = []
                for n in range(len(crops)):
                    for m in range(len(crops)):
                        if n != m:
                            near = (crops[n] - crops[m]).norm()
                            far = (crops[n] - randoms[n]).norm()
                            terms.append(torch.relu(near - far + margin))
                return sum(terms) / len(terms)
            """,
        ),
        Misconception(
            "margin subtracted",
            "the margin has the wrong sign: it asks for random crops to be further away by so "
            "much, so it is added to what must not be above 0.",
            _margin_off,
            typed="""
                near = ((crops[:, None] - crops[None]) ** 2).sum(-1)
                far = ((crops - randoms) ** 2).sum(-1, keepdim=True)
                terms = (near - far - margin).clamp(min=0)
                return terms[torch.eye(len(crops)) == 0].mean()
            """,
        ),
        Misconception(
            "the other's random crop",
            "crop n is held against the random crop of picture m. It belongs beside its own: "
            "randoms[n].",
            _random_of_the_other,
            typed="""
                terms = []
                for n in range(len(crops)):
                    for m in range(len(crops)):
                        if n != m:
                            near = ((crops[n] - crops[m]) ** 2).sum()
                            far = ((crops[n] - randoms[m]) ** 2).sum()
                            terms.append(torch.relu(near - far + margin))
                return sum(terms) / len(terms)
            """,
        ),
        Misconception(
            "summed",
            "this is the sum over all pairs. Take their mean, so that it does not depend on how "
            "many pictures there are.",
            _summed,
            typed="""
                near = ((crops[:, None] - crops[None]) ** 2).sum(-1)
                far = ((crops - randoms) ** 2).sum(-1, keepdim=True)
                terms = (near - far + margin).clamp(min=0)
                return terms.sum() - terms.diagonal().sum()
            """,
        ),
    ),
)
