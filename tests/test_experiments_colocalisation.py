"""Co-localisation: its loss against a double loop, its encoding against the classifier."""

import torch

from stn_course.experiments.colocalisation import encode, triplet_loss
from stn_course.models import load_straightener


def test_the_loss_is_that_of_a_double_loop():
    generator = torch.Generator().manual_seed(0)
    found, random = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    terms = [
        max(0.0, (((found[n] - found[m]) ** 2).sum() - ((found[n] - random[n]) ** 2).sum() + 2.0))
        for n in range(5)
        for m in range(5)
        if m != n
    ]
    assert 0 < sum(term == 0 for term in terms) < len(terms)  # the hinge matters
    expected = torch.as_tensor(sum(terms) / 20, dtype=torch.float64)
    assert torch.allclose(triplet_loss(found, random, margin=2.0), expected)


def test_crops_that_are_alike_and_unlike_a_random_one_cost_nothing():
    alike, unlike = torch.ones(4, 2), torch.zeros(4, 2)
    assert triplet_loss(alike, unlike, margin=1.0) == 0  # 0 - 2 + 1 is below 0
    assert triplet_loss(alike, alike, margin=1.0) == 1  # the margin


def test_an_encoding_holds_four_layers_of_length_one(digits):
    classifier = load_straightener()
    crops = (digits[0][:4] - 0.1307) / 0.3081
    code = encode(classifier, crops)
    assert code.shape == (4, 1440 + 320 + 50 + 10)
    assert torch.allclose(code.square().sum(dim=1), torch.full((4,), 4.0))
    answers = torch.nn.functional.normalize(classifier.classify(crops), dim=1)
    logits = code[:, -10:]  # log-probabilities but for what is added to all ten, and the length
    assert torch.equal(logits.argsort(dim=1), answers.argsort(dim=1))
