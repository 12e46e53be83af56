"""Networks that read clutter, and sums of two digits: shapes, starts, what tells twins apart."""

import copy

import pytest
import torch
import torch.nn.functional as F

from stn_course import models, samplers, transforms

PICTURES = torch.randn(6, 1, 60, 60)
TWINS = ((0.5, 0.0, 0.0), (0.5, 0.0, 0.0))


@pytest.mark.parametrize("name", models.CLUTTER_NETWORKS)
def test_each_answers_with_log_probabilities(name, device):
    net = models.CLUTTER_NETWORKS[name]().to(device)
    answers = net(PICTURES.to(device))
    assert answers.shape == (6, 10)
    assert torch.allclose(answers.exp().sum(1), torch.ones(6, device=device), atol=1e-5)


def test_all_have_the_same_reader():
    """But for the width of the layer behind the maps."""
    plain, pooled, transformer = (make() for make in models.CLUTTER_NETWORKS.values())
    kinds = [
        [type(m) for m in reader.features] for reader in (plain, pooled[1], transformer.reader)
    ]
    assert kinds[0] == kinds[1] == kinds[2]
    assert plain.features[0].weight.shape == transformer.reader.features[0].weight.shape


def test_the_window_starts_where_it_is_told_and_is_read_antialiased():
    net = models.AttentionNet(start=(0.8, 0.1, -0.3)).eval()
    seen = []
    net.reader.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    net(PICTURES)
    theta = transforms.attention(0.8, 0.1, -0.3)
    assert torch.equal(net.transformer.theta, theta.expand(6, 2, 3))
    expected = samplers.warp(PICTURES, theta, (28, 28), padding_mode="border", antialias=True)
    assert torch.allclose(seen[0], expected, atol=1e-6)


def test_a_reader_names_pictures_of_another_size():
    with pytest.raises(ValueError, match=r"\(B, 1, 28, 28\); got .*\(6, 1, 60, 60\)"):
        models.DigitReader(28)(PICTURES)
    with pytest.raises(TypeError, match="size must be a positive whole number"):
        models.DigitReader(28.0)


def test_the_probabilities_of_a_sum_are_those_of_all_its_pairs(device):
    net = models.AdditionNet().to(device).eval()
    digits = net.read(PICTURES.to(device)).exp()  # (B, 2, 10)
    sums = net(PICTURES.to(device)).exp()
    assert sums.shape == (6, 19)
    for total in range(19):
        pairs = [(i, total - i) for i in range(10) if 0 <= total - i < 10]
        expected = sum(digits[:, 0, i] * digits[:, 1, j] for i, j in pairs)
        assert torch.allclose(sums[:, total], expected, atol=1e-6)


def test_a_sum_that_cannot_be_has_a_gradient_without_nan():
    """Both windows certain of a 0: the probability of 18 is nearly 0."""
    net = models.AdditionNet()
    net.reader.answers.bias.data[0] = 200.0
    F.nll_loss(net(PICTURES), torch.full((6,), 18)).backward()
    assert all(p.grad.isfinite().all() for p in net.parameters() if p.grad is not None)


def steps(net, count=3):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    labels = torch.arange(6)
    for _ in range(count):
        optimizer.zero_grad()
        F.nll_loss(net(PICTURES), labels).backward()
        optimizer.step()
    return [window.theta for window in net.windows]


def test_twins_stay_twins_and_different_starts_part():
    torch.manual_seed(0)
    apart = models.AdditionNet()
    twins = models.AdditionNet(starts=TWINS)
    first, second = steps(twins)
    assert torch.equal(first, second)
    assert (first != transforms.attention(0.5)).any()  # they have learned, together
    begun = [theta[0, 0, 2].item() for theta in steps(copy.deepcopy(apart), count=1)]
    assert begun == pytest.approx([-0.4, 0.4])
    first, second = steps(apart)
    moved = [first[:, 0, 2] + 0.4, second[:, 0, 2] - 0.4]
    assert (moved[0] - moved[1]).abs().max() > 1e-5


def test_two_channels_are_read_as_two():
    net = models.AdditionNet(in_channels=2)
    assert net(torch.randn(3, 2, 60, 60)).shape == (3, 19)
    with pytest.raises(ValueError, match=r"\(B, 2, 28, 28\)"):
        net.reader(torch.randn(3, 1, 28, 28))
