"""The network on rays: a turn of the picture is a shift of what it reads, and no matter to it."""

import pytest
import torch

from stn_course import models
from stn_course.data import rotate
from stn_course.models.polar import RAYS


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.PolarNet().double().eval()


def blobs(count=4):
    """Smooth pictures, so that reading between pixels changes little: (count, 1, 28, 28)."""
    generator = torch.Generator().manual_seed(1)
    rough = torch.randn(count, 1, 28, 28, generator=generator, dtype=torch.float64)
    away = torch.linspace(-1, 1, 28, dtype=torch.float64)
    soft = torch.exp(-((2 * torch.linspace(-1, 1, 15, dtype=torch.float64)) ** 2))
    kernel = (soft[:, None] * soft)[None, None]
    smooth = torch.nn.functional.conv2d(rough, kernel / kernel.sum(), padding=7)
    inside = (away[:, None] ** 2 + away**2) < 0.5
    return smooth * inside / smooth.std()


def test_a_turn_by_a_column_shifts_the_log_polar_picture_by_one(net):
    """Anticlockwise on the screen, so against the columns, which go clockwise."""
    images = blobs()
    before = net.unroll(images)
    for columns in (1, 9):
        after = net.unroll(rotate(images, columns * 360 / RAYS))
        apart = (after - before.roll(-columns, dims=3)).abs().mean()
        assert apart < 0.2 * (after - before).abs().mean()


def test_a_turned_picture_gets_the_same_answer(net):
    """By a quarter turn, which loses no pixel: exactly. A shift of the picture is noticed."""
    images = blobs()
    expected = net(images)
    for quarters in (1, 2, 3):
        assert torch.allclose(net(images.rot90(quarters, (2, 3))), expected, atol=1e-9)
    assert not torch.allclose(net(images.roll(4, dims=3)), expected, atol=1e-3)


def test_it_is_differentiable_and_has_its_size():
    net = models.PolarNet(channels=16)
    net(torch.rand(2, 1, 28, 28)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    # 8 and 16 filters with their biases, 64 → 50 → 10
    assert models.count_parameters(net) == 8 * 26 + 16 * 201 + 65 * 50 + 51 * 10
    assert "grid" not in net.state_dict()


def test_other_shapes_are_refused(net):
    with pytest.raises(ValueError, match=r"\(B, 1, 28, 28\); got"):
        net(torch.zeros(1, 1, 32, 32))
