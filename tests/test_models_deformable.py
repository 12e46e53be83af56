"""The network with a deformable convolution: it starts as an ordinary one, and reads elsewhere."""

import pytest
import torch

from stn_course import models
from stn_course.training import RECIPES
from stn_course.training.recipes import parameter_groups


@pytest.fixture
def digits_seen():
    return torch.rand(3, 1, 28, 28)


def twins():
    torch.manual_seed(0)
    net, ordinary = models.DeformableNet().eval(), models.DeformableNet(deformable=False).eval()
    left_out = ordinary.load_state_dict(net.state_dict(), strict=False)
    assert set(left_out.unexpected_keys) == {"localization.weight", "localization.bias"}
    return net, ordinary


def test_it_starts_as_the_ordinary_one(digits_seen):
    net, ordinary = twins()
    torch.testing.assert_close(net(digits_seen), ordinary(digits_seen), atol=1e-5, rtol=0)
    assert not net.offset.any() and ordinary.offset is None


def test_a_common_offset_moves_what_all_taps_read(digits_seen):
    """One row down for each: what the ordinary convolution answers one row further down."""
    net, ordinary = twins()
    with torch.no_grad():
        net.localization.bias[0::2] = 1
    features = torch.rand(2, 10, 12, 12)
    expected = ordinary.second(features)[:, :, 2:-1, 1:-1]
    torch.testing.assert_close(net.second(features)[:, :, 1:-2, 1:-1], expected)


def test_the_offsets_learn_at_a_localization_networks_rate(digits_seen):
    net, _ = twins()
    net(digits_seen).sum().backward()
    assert net.localization.weight.grad.any()
    slow, _ = parameter_groups(net, RECIPES["course"])
    assert {id(p) for p in slow["params"]} == {id(p) for p in net.localization.parameters()}
