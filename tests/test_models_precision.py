"""Transformers under autocast and in models of a lower precision: theta stays in float32."""

import pytest
import torch
from localization_networks import PICTURES, Answers, Mean, is_identity
from torch import nn

from stn_course import data, models, samplers, transforms

LOW = [torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", LOW)
def test_under_autocast_nothing_changes_at_the_start(dtype, device):
    transformer = models.SpatialTransformer(models.localization_cnn(3)).to(device)
    input = torch.rand(2, 3, 224, 192, device=device)
    with torch.autocast(device.type, dtype=dtype):
        output = transformer(input)
    assert output.dtype == torch.float32
    assert is_identity(transformer.theta, 2)
    assert (output - input).abs().max() <= 1e-3
    output.square().sum().backward()
    assert transformer.localization[-1].bias.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", LOW)
def test_under_autocast_nothing_changes_before_a_deeper_layer(dtype, device):
    convolution = nn.Conv2d(1, 8, 3).to(device)
    transformer = models.SpatialTransformer(models.localization_cnn(8)).to(device)
    with torch.autocast(device.type, dtype=dtype):
        features = convolution(torch.rand(2, 1, 226, 130, device=device)).sigmoid()
        output = transformer(features)
    assert output.dtype == features.dtype == dtype
    assert is_identity(transformer.theta, 2)
    assert (output - features).abs().max() <= 0.02


@pytest.mark.parametrize("dtype", LOW)
def test_the_tutorials_network_runs_under_autocast(digits, dtype, device):
    batch = data.normalise(digits[0][:16]).to(device)
    net = models.TutorialNet().to(device).eval()
    expected = net(batch)
    with torch.autocast(device.type, dtype=dtype):
        output = net(batch)
        straight = net.stn(batch)
    assert is_identity(net.theta, 16)
    assert straight.dtype == torch.float32
    assert torch.allclose(straight, batch, atol=1e-5)
    assert torch.allclose(output.float(), expected, atol=0.02)


@pytest.mark.parametrize("dtype", LOW)
def test_models_of_a_lower_precision_change_nothing_at_the_start(digits, dtype, device):
    transformer = models.SpatialTransformer(models.localization_cnn(3)).to(device, dtype)
    input = torch.rand(2, 3, 224, 192, device=device).to(dtype)
    output = transformer(input)
    assert output.dtype == dtype
    assert is_identity(transformer.theta, 2)
    assert (output - input).abs().max() <= 0.02
    net, images = models.TutorialNet().to(device, dtype), digits[0][:5].to(device, dtype)
    straight = net.stn(images)
    assert straight.dtype == net(images).dtype == dtype
    assert is_identity(net.theta, 5)
    assert (straight - images).abs().max() <= 0.02


def test_float64_stays_float64():
    transformer = models.SpatialTransformer(models.localization_cnn(2)).double()
    input = torch.rand(3, 2, 13, 17, dtype=torch.float64)
    output = transformer(input)
    assert output.dtype == torch.float64
    assert is_identity(transformer.theta, 3, torch.float64)
    assert (output - input).abs().max() <= 1e-12


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("whole", [False, True])
def test_theta_is_finer_than_the_precision_around_it(dtype, whole, device):
    """1 + 1/4096 is a number of float32 only, and so is the place that it leads to."""
    transformer = models.SpatialTransformer(Mean()).to(device)
    nn.init.constant_(transformer.localization.head.weight, 2**-12)
    input = torch.ones(2, 1, 5, 7, device=device)
    expected = transforms.identity(2) + 2**-12
    if whole:
        transformer, input = transformer.to(dtype), input.to(dtype)
    with torch.autocast(device.type, dtype=dtype, enabled=not whole):
        output = transformer(input)
    assert torch.equal(transformer.theta.cpu(), expected)
    assert torch.equal(output, samplers.warp(input, expected.to(device)))


@pytest.mark.parametrize("dtype", LOW)
def test_theta_is_float32_whatever_comes_after_the_head(dtype):
    transformer = models.SpatialTransformer(Answers(lambda theta: theta.to(dtype)))
    assert torch.allclose(transformer(PICTURES), PICTURES, atol=1e-5)
    assert is_identity(transformer.theta, 4)
