"""The network that reads in four directions: a quarter turn is no matter to it, all else is."""

import pytest
import torch

from stn_course import models
from stn_course.data import rotate


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.FourTurns().double().eval()


def test_a_quarter_turn_changes_nothing_and_other_turns_do(net):
    images = torch.rand(4, 1, 28, 28, dtype=torch.float64)
    expected = net(images)
    for quarters in (1, 2, 3):
        turned = images.rot90(quarters, (2, 3))
        torch.testing.assert_close(net(turned), expected, atol=1e-12, rtol=0)
    for other in (rotate(images, 45.0), images.roll(4, dims=3), images.flip(3)):
        assert not torch.allclose(net(other), expected, atol=1e-4)


def test_it_is_the_plain_network_where_all_turns_are_alike(net):
    """It has the same weights, by the same names, and on what four turns leave alone it agrees."""
    plain = models.PlainNet().double().eval()
    plain.load_state_dict(net.state_dict())
    rough = torch.rand(3, 1, 28, 28, dtype=torch.float64)
    alike = sum(rough.rot90(n, (2, 3)) for n in range(4)) / 4
    torch.testing.assert_close(net(alike), plain(alike))


def test_other_shapes_are_refused(net):
    with pytest.raises(ValueError, match=r"\(B, 1, 28, 28\); got"):
        net(torch.zeros(1, 1, 32, 32))
