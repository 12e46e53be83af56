"""Anti-aliased reading: the pyramid, which of its levels is read, and that no pixel is skipped."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from stn_course import models, samplers, transforms

WHOLE = torch.eye(2, 3)[None]


@pytest.mark.parametrize("size", [(60, 60), (28, 61), (7, 5), (1, 9)])
def test_a_level_is_half_the_size_of_the_one_before_and_as_bright(size):
    levels = samplers.pyramid(torch.ones(2, 3, *size), output_size=(1, 1))
    for large, small in itertools.pairwise(levels):
        assert small.shape[2:] == tuple((n + 1) // 2 for n in large.shape[2:])
        assert (small - 1).abs().max() <= 1e-6


@pytest.mark.parametrize(
    ("size", "output_size", "levels"),
    [
        ((60, 60), (28, 28), 3),
        ((56, 56), (28, 28), 2),
        ((28, 28), (28, 28), 2),
        ((64, 8), (8, 8), 4),
    ],
)
def test_the_last_level_is_no_larger_than_the_output(size, output_size, levels):
    made = samplers.pyramid(torch.zeros(1, 1, *size), output_size)
    assert len(made) == levels
    assert all(small <= new for small, new in zip(made[-1].shape[2:], output_size, strict=True))


@pytest.mark.parametrize("size", [(60, 60), (61, 45)])
def test_the_same_coordinates_mean_the_same_place_on_every_level(size):
    """A brightness that grows evenly is read alike, to half a pixel where sizes are odd."""
    height, width = size
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height)[:, None]
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width)
    ramp = (2 * x + y).expand(1, 1, height, width)
    grid = F.affine_grid(WHOLE / 2, (1, 1, 9, 9), align_corners=False)
    for level in samplers.pyramid(ramp, (15, 15)):
        height, width = level.shape[2:]
        off = 1e-6 if height == width else 2 / width + 1 / height  # half a pixel, by the slopes
        read = F.grid_sample(level, grid, align_corners=False)[0, 0]
        assert (read - (2 * grid[0, ..., 0] + grid[0, ..., 1])).abs().max() <= off


def test_the_level_is_how_often_the_step_halves():
    thetas = torch.cat([transforms.attention(s, x=0.3) for s in (0.25, 0.5, 1.0, 2.0)])
    assert samplers.pyramid_level(thetas, (56, 56), (28, 28)).tolist() == [0, 0, 1, 2]
    turned = transforms.similarity(degrees=33, scale=2.0)
    assert samplers.pyramid_level(turned, (28, 28), (28, 28)).item() == pytest.approx(1, abs=1e-5)
    stretched = transforms.scale(4.0, 1.0)
    assert samplers.pyramid_level(stretched, (8, 8), (8, 8)).item() == pytest.approx(1)
    flat = transforms.scale(1.0, 1.0) * torch.tensor([[[1.0], [0.0]]])
    assert samplers.pyramid_level(flat, (8, 8), (8, 8)).item() == 0


def test_a_whole_level_is_read_as_it_is():
    input = torch.rand(2, 3, 56, 40)
    half = F.avg_pool2d(input, 2)
    read = samplers.warp(input, WHOLE, (28, 20), antialias=True)
    assert (read - half).abs().max() <= 1e-5


def test_where_nothing_is_shrunk_nothing_changes():
    input, theta = torch.rand(2, 3, 30, 30), transforms.similarity(degrees=20, scale=0.4)
    plain, antialiased = (samplers.warp(input, theta, (12, 12), antialias=a) for a in (False, True))
    assert torch.equal(plain, antialiased)


def test_between_two_levels_both_are_mixed():
    input = torch.rand(1, 1, 64, 64)
    theta = transforms.scale(2**-0.75)  # a step of 2**0.25 pixels
    grid = F.affine_grid(theta, (1, 1, 32, 32), align_corners=False)
    near, far = (
        F.grid_sample(level, grid, padding_mode="border", align_corners=False)
        for level in (input, F.avg_pool2d(input, 2))
    )
    read = samplers.warp(input, theta, (32, 32), padding_mode="border", antialias=True)
    assert (read - (0.75 * near + 0.25 * far)).abs().max() <= 1e-5


def test_beyond_the_last_level_the_last_is_read():
    input, theta = torch.rand(1, 1, 56, 56), transforms.scale(3.0)
    grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
    expected = F.grid_sample(F.avg_pool2d(input, 2), grid, align_corners=False)
    read = samplers.warp(input, theta, (28, 28), antialias=True)
    assert (read - expected).abs().max() <= 1e-6


def test_a_bright_pixel_is_seen_wherever_it_lies():
    """Read 16×16 from 64×64: plain sampling skips three of four rows and columns."""
    places = torch.eye(64).view(64, 1, 1, 64) * torch.eye(64)[20].view(1, 1, 64, 1)
    plain, antialiased = (
        samplers.warp(places, WHOLE, (16, 16), antialias=a).sum((1, 2, 3)) for a in (False, True)
    )
    assert (plain == 0).float().mean() >= 0.5
    assert antialiased.min() > 0
    assert antialiased.max() <= 1.01 * antialiased.min()


def test_each_of_a_batch_is_read_from_a_level_of_its_own():
    input = torch.rand(1, 1, 56, 56).expand(2, 1, 56, 56)
    theta = torch.cat([transforms.scale(0.5), transforms.scale(1.0)])
    read = samplers.warp(input, theta, (28, 28), antialias=True)
    assert (read[0] - input[0, :, 14:42, 14:42]).abs().max() <= 1e-5
    assert (read[1] - F.avg_pool2d(input, 2)[0]).abs().max() <= 1e-5


def test_gradcheck():
    """To the input, and to theta, whose scale also chooses the level."""
    input = torch.rand(2, 1, 12, 12, dtype=torch.float64, requires_grad=True)
    theta = torch.cat(
        [transforms.similarity(degrees=7, scale=s, x=0.02, y=0.05) for s in (0.93, 0.37)]
    )
    theta = theta.double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda i, t: samplers.warp(i, t, (5, 5), padding_mode="border", antialias=True),
        (input, theta),
    )


def test_a_flat_theta_has_a_gradient_without_nan():
    theta = torch.zeros(1, 2, 3, requires_grad=True)
    samplers.warp(torch.rand(1, 1, 8, 8), theta, antialias=True).sum().backward()
    assert theta.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_lower_precisions_are_computed_in_float32(dtype, device):
    input = torch.rand(1, 1, 60, 60, device=device).to(dtype)
    expected = samplers.warp(input.float(), WHOLE.to(device), (28, 28), antialias=True)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        read = samplers.warp(input, WHOLE.to(device), (28, 28), antialias=True)
    assert torch.equal(read, expected.to(dtype))


def test_pyramids_have_no_aligned_corners():
    words = "antialias=True needs align_corners=False; got align_corners=True"
    for use in (
        lambda: samplers.warp(torch.zeros(1, 1, 8, 8), WHOLE, align_corners=True, antialias=True),
        lambda: models.SpatialTransformer(
            models.localization_cnn(1), align_corners=True, antialias=True
        ),
    ):
        with pytest.raises(ValueError, match=words):
            use()
