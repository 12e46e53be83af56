"""Samplers are held against PyTorch's grid_sample, never against themselves."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from stn_course import models, samplers

SHAPES = [(1, 1, 5, 7), (3, 2, 4, 9), (2, 3, 1, 6), (2, 1, 6, 1), (1, 2, 1, 1)]
EVERY = [
    (mode, padding_mode, align_corners)
    for mode in samplers.ALL_MODES
    for padding_mode in samplers.PADDING_MODES
    for align_corners in (False, True)
]


def both(input, grid, mode, padding_mode, align_corners):
    """The package's answer and PyTorch's."""
    ours = samplers.grid_sample(input, grid, mode, padding_mode, align_corners)
    theirs = F.grid_sample(input, grid, mode, padding_mode, align_corners)
    return ours, theirs


def near_a_tie(grid, size, align_corners):
    """Whether a place lies exactly between two pixels, where the last bit decides on the nearest.

    PyTorch's kernels may fuse a product and a sum, so their last bit is not always Python's.
    """
    for axis, n in enumerate(reversed(size)):
        pixels = samplers.to_pixels(grid[..., axis], n, align_corners)
        if ((pixels % 1) - 0.5).abs().min() < 1e-9:
            return True
    return False


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("mode", "padding_mode", "align_corners"), EVERY)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-12)])
def test_grid_sample_equals_pytorch(
    shape, mode, padding_mode, align_corners, dtype, tolerance, device
):
    input = torch.randn(shape, dtype=dtype, device=device)
    grid = torch.randn(shape[0], 6, 5, 2, dtype=dtype, device=device) * 3
    ours, theirs = both(input, grid, mode, padding_mode, align_corners)
    assert ours.shape == theirs.shape
    assert (ours.dtype, ours.device) == (theirs.dtype, theirs.device)
    assert (ours - theirs).abs().max() <= tolerance


@pytest.mark.parametrize(("mode", "padding_mode", "align_corners"), EVERY)
@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    places=st.lists(st.floats(-10, 10, allow_subnormal=False), min_size=8, max_size=8),
)
def test_grid_sample_equals_pytorch_within_ten(
    mode, padding_mode, align_corners, height, width, places
):
    input = torch.linspace(-1, 1, 2 * height * width, dtype=torch.float64)
    grid = torch.tensor(places, dtype=torch.float64).reshape(1, 2, 2, 2)
    assume(mode != "nearest" or not near_a_tie(grid, (height, width), align_corners))
    ours, theirs = both(input.reshape(1, 2, height, width), grid, mode, padding_mode, align_corners)
    assert (ours - theirs).abs().max() <= 1e-12


@pytest.mark.parametrize(("mode", "padding_mode", "align_corners"), EVERY)
def test_far_outside_is_pytorchs_too(mode, padding_mode, align_corners):
    input = torch.randn(1, 2, 5, 7, dtype=torch.float64)
    grid = torch.tensor([-1e5, -321.7, 99.2, 7e4], dtype=torch.float64)
    grid = torch.cartesian_prod(grid, grid).reshape(1, 4, 4, 2)
    ours, theirs = both(input, grid, mode, padding_mode, align_corners)
    assert (ours - theirs).abs().max() <= 1e-8


@pytest.mark.parametrize(("mode", "padding_mode", "align_corners"), EVERY)
def test_pixel_centres_and_borders_are_pytorchs(mode, padding_mode, align_corners):
    """The identity grid, and one that lies half a pixel off: where rounding and clipping decide."""
    input = torch.randn(1, 1, 4, 6, dtype=torch.float64)
    for theta in ([[1, 0, 0], [0, 1, 0]], [[1, 0, 1 / 12], [0, 1, 1 / 8]]):
        theta = torch.tensor([theta], dtype=torch.float64)
        grid = F.affine_grid(theta, (1, 1, 4, 6), align_corners=align_corners)
        if mode == "nearest" and near_a_tie(grid, (4, 6), align_corners):
            continue
        ours, theirs = both(input, grid, mode, padding_mode, align_corners)
        assert (ours - theirs).abs().max() <= 1e-12


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("mode", "padding_mode", "align_corners"), EVERY)
def test_gradients_are_pytorchs(shape, mode, padding_mode, align_corners, device):
    input = torch.randn(shape, dtype=torch.float64, device=device, requires_grad=True)
    grid = torch.randn(shape[0], 6, 5, 2, dtype=torch.float64, device=device) * 2
    grid = grid.requires_grad_()
    ours, theirs = both(input, grid, mode, padding_mode, align_corners)
    weights = torch.randn_like(theirs)
    expected = torch.autograd.grad((theirs * weights).sum(), (input, grid))
    received = torch.autograd.grad((ours * weights).sum(), (input, grid), allow_unused=True)
    assert (received[0] - expected[0]).abs().max() <= 1e-12
    to_grid = torch.zeros_like(grid) if received[1] is None else received[1]
    assert (to_grid - expected[1]).abs().max() <= 1e-10


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_gradcheck(mode, padding_mode, align_corners):
    input = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    # Off the kinks, at which a finite difference has no meaning.
    grid = (torch.rand(1, 3, 3, 2, dtype=torch.float64) * 1.7 - 0.85).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda i, g: samplers.grid_sample(i, g, mode, padding_mode, align_corners),
        (input, grid),
    )


@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-9)], ids=str
)
def test_bicubic_on_the_samples_that_pytorch_tests_its_own_with(
    padding_mode, align_corners, dtype, tolerance, device
):
    """As its OpInfo of grid_sample and grid_sampler_2d: 5×5, all values between -2 and 2."""
    options = {"dtype": dtype, "device": device}
    input = (torch.rand(2, 3, 5, 5, **options) * 4 - 2).requires_grad_()
    grid = (torch.rand(2, 5, 5, 2, **options) * 4 - 2).requires_grad_()
    ours = samplers.grid_sample(input, grid, "bicubic", padding_mode, align_corners)
    number = samplers.PADDING_MODES.index(padding_mode)
    for theirs in (
        F.grid_sample(input, grid, "bicubic", padding_mode, align_corners),
        torch.grid_sampler_2d(input, grid, 2, number, align_corners),
    ):
        assert (ours - theirs).abs().max() <= tolerance
        weights = torch.randn_like(theirs)
        options = {"grad_outputs": weights, "retain_graph": True}
        received = torch.autograd.grad(ours, (input, grid), **options)
        expected = torch.autograd.grad(theirs, (input, grid), **options)
        for one, other in zip(received, expected, strict=True):
            assert (one - other).abs().max() <= tolerance * 10


def test_a_bicubic_weight_is_what_pytorch_gives_a_single_bright_pixel():
    """Also where its two parts meet, and where it ends."""
    distance = torch.linspace(-3, 3, 49, dtype=torch.float64)  # in steps of 1/8
    one = torch.zeros(1, 1, 1, 13, dtype=torch.float64)
    one[..., 6] = 1
    grid = torch.stack([distance / 6, torch.zeros_like(distance)], dim=-1)[None, None]
    expected = F.grid_sample(one, grid, "bicubic", align_corners=True)
    assert (samplers.cubic_weight(distance) - expected.flatten()).abs().max() <= 1e-12
    assert samplers.cubic_weight(torch.tensor([2.0, 2.5, 99.0])).abs().max() == 0


def test_bicubic_has_no_kink_at_a_pixel_and_bilinear_has():
    """The slope a hair to the left and to the right of each whole coordinate."""
    input = torch.randn(1, 1, 1, 9, dtype=torch.float64)
    whole = torch.arange(2.0, 7.0, dtype=torch.float64)
    jumps = []
    for mode in ("bicubic", "bilinear"):
        slopes = []
        for hair in (-1e-7, 1e-7):
            x = ((whole + hair) / 4 - 1).requires_grad_()
            grid = torch.stack([x, torch.zeros_like(x)], dim=-1)[None, None]
            output = samplers.grid_sample(input, grid, mode, align_corners=True)
            slopes.append(torch.autograd.grad(output.sum(), x)[0])
        jumps.append((slopes[0] - slopes[1]).abs().max().item())
    assert jumps[0] < 1e-5 < 0.1 < jumps[1]


def test_the_gradient_at_the_border_is_pytorchs():
    """At the clipped border itself PyTorch's gradient is 0; so is ours."""
    input = torch.randn(1, 1, 4, 4, dtype=torch.float64)
    for padding_mode in ("border", "reflection"):
        grids = [torch.tensor([[[[-1.0, 0.1], [1.0, 0.1]]]]).double() for _ in range(2)]
        for grid, sample in zip(grids, (samplers.grid_sample, F.grid_sample), strict=True):
            sample(input, grid.requires_grad_(), "bilinear", padding_mode, True).sum().backward()
        assert torch.allclose(grids[0].grad, grids[1].grad, atol=1e-12)


def test_the_defaults_are_bilinear_zeros_and_false():
    input, grid = torch.randn(1, 1, 4, 5), torch.rand(1, 3, 3, 2) * 4 - 2
    expected = F.grid_sample(input, grid, "bilinear", "zeros", False)
    assert torch.allclose(samplers.grid_sample(input, grid), expected, atol=1e-6)
    theta = torch.randn(1, 2, 3)
    grid = F.affine_grid(theta, (1, 1, 4, 5), align_corners=False)
    expected = F.grid_sample(input, grid, "bilinear", "zeros", False)
    assert torch.allclose(samplers.warp(input, theta), expected, atol=1e-6)


def test_the_steps_have_the_same_defaults():
    """In a row of four pixels: the edges are at -0.5 and 3.5, and outside a place stays."""
    places = torch.tensor([-1.0, 1.0])
    assert samplers.to_pixels(places, 4).tolist() == [-0.5, 3.5]
    outside = torch.tensor([-1.25, 4.25])
    assert samplers.reflect(outside, 4).tolist() == [0.25, 2.75]
    assert samplers.pad(outside, 4).tolist() == [-1.25, 4.25]
    assert samplers.pad(outside, 4, "reflection").tolist() == [0.25, 2.75]


def test_everything_is_made_where_the_input_is():
    """Whatever torch's default device; here one that holds no numbers."""
    input, grid = torch.rand(2, 1, 4, 5), torch.rand(2, 3, 3, 2)
    expected = samplers.grid_sample(input, grid)
    with torch.device("meta"):
        assert torch.equal(samplers.grid_sample(input, grid), expected)


INPUT, GRID = torch.rand(1, 1, 4, 4), torch.zeros(1, 2, 2, 2)


@pytest.mark.parametrize(
    ("input", "grid", "options", "error", "words"),
    [
        ([[1.0]], GRID, {}, TypeError, "list"),
        ((INPUT * 255).byte(), GRID, {}, TypeError, "torch.uint8"),
        (INPUT[0], GRID, {}, ValueError, r"\(1, 4, 4\)"),
        (torch.empty(0, 1, 4, 4), GRID[:0], {}, ValueError, r"\(0, 1, 4, 4\)"),
        (torch.empty(1, 1, 0, 4), GRID, {}, ValueError, r"\(1, 1, 0, 4\)"),
        (INPUT, GRID.long(), {}, TypeError, "torch.int64"),
        (INPUT, torch.zeros(1, 2, 2, 3), {}, ValueError, r"\(1, 2, 2, 3\)"),
        (INPUT, GRID / 0, {}, ValueError, "grid must be finite; got .*nan"),
        (INPUT, GRID.expand(2, 2, 2, 2), {}, ValueError, "batch of 1"),
        (INPUT, GRID.double(), {}, TypeError, "torch.float64"),
        (INPUT, GRID, {"mode": "cubic"}, ValueError, "'cubic'"),
        (INPUT, GRID, {"padding_mode": "mirror"}, ValueError, "'mirror'"),
        (INPUT, GRID.to("meta"), {}, TypeError, "meta"),
    ],
)
def test_bad_input_is_named(input, grid, options, error, words):
    with pytest.raises(error, match=words):
        samplers.grid_sample(input, grid, **options)


@pytest.mark.parametrize("mode", samplers.ALL_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("theta_batch", [1, 3])
def test_warp_is_grid_and_sampler_in_one(mode, align_corners, theta_batch):
    input, theta = torch.rand(3, 2, 5, 7), torch.randn(theta_batch, 2, 3)
    output = samplers.warp(input, theta, (4, 3), mode, "border", align_corners)
    grid = F.affine_grid(theta.expand(3, 2, 3), (3, 2, 4, 3), align_corners=align_corners)
    expected = F.grid_sample(input, grid, mode, "border", align_corners)
    assert torch.allclose(output, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((INPUT, torch.eye(3)[None, :1]), ValueError, r"\(1, 1, 3\)"),
        ((INPUT, torch.eye(2, 3)), ValueError, r"\(2, 3\)"),
        ((INPUT, torch.eye(2, 3).expand(2, 2, 3)), ValueError, "got 2"),
        ((INPUT, torch.eye(2, 3)[None].double()), TypeError, "torch.float64"),
        ((INPUT.byte(), torch.eye(2, 3)[None]), TypeError, "torch.uint8"),
        ((INPUT, torch.eye(2, 3)[None], (0, 4)), ValueError, r"0, 4"),
        ((INPUT, torch.eye(2, 3)[None], None, "cubic"), ValueError, "'cubic'"),
        ((INPUT, torch.eye(2, 3)[None], None, "nearest", "wrap"), ValueError, "'wrap'"),
    ],
)
def test_warp_names_bad_input(arguments, error, words):
    with pytest.raises(error, match=words):
        samplers.warp(*arguments)


LOW = [torch.float16, torch.bfloat16]
TURN = torch.tensor([[[0.8, -0.3, 0.1], [0.2, 0.9, -0.4]]])


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("mode", samplers.ALL_MODES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_warp_computes_lower_precisions_in_float32(dtype, mode, align_corners, device):
    """Whichever of the two came in it; the output has the input's dtype."""
    input, theta = torch.rand(2, 3, 40, 56, device=device), TURN.to(device)
    options = ((30, 24), mode, "reflection", align_corners)
    expected = samplers.warp(input.to(dtype).float(), theta, *options)
    assert torch.equal(samplers.warp(input.to(dtype), theta, *options), expected.to(dtype))
    coarse = theta.to(dtype)
    for one in (input, input.to(dtype)):
        expected = samplers.warp(one.float(), coarse.float(), *options).to(one.dtype)
        assert torch.equal(samplers.warp(one, coarse, *options), expected)


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("given", [torch.float32, torch.float64, *LOW])
def test_autocast_changes_nothing_of_a_warp(dtype, given, device):
    input = torch.rand(2, 3, 40, 56, device=device).to(given)
    theta = TURN.to(input)
    expected = samplers.warp(input, theta)
    with torch.autocast(device.type, dtype=dtype):
        output = samplers.warp(input, theta)
    assert output.dtype == given
    assert torch.equal(output, expected)


def test_warp_in_float64_is_pytorchs():
    input, theta = torch.rand(2, 3, 13, 8, dtype=torch.float64), TURN.double().expand(2, 2, 3)
    grid = F.affine_grid(theta, input.shape, align_corners=False)
    expected = F.grid_sample(input, grid, align_corners=False)
    assert torch.allclose(samplers.warp(input, theta), expected, rtol=0, atol=1e-14)


def test_warp_on_a_device_without_autocast_or_numbers():
    input, theta = torch.rand(2, 3, 13, 8, device="meta"), TURN.to("meta")
    output = samplers.warp(input, theta, (5, 7))
    assert (output.shape, output.device.type) == ((2, 3, 5, 7), "meta")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: samplers.grid_sample(INPUT.half(), GRID),
            "input and grid must have the same dtype; input has torch.float16, grid has "
            "torch.float32",
        ),
        (
            lambda: samplers.grid_sample(INPUT, GRID.to("meta")),
            "input and grid must have the same device; input has cpu, grid has meta",
        ),
        (
            lambda: samplers.warp(INPUT, TURN.double()),
            "input and theta must have the same dtype; input has torch.float32, theta has "
            "torch.float64",
        ),
        (
            lambda: samplers.warp(INPUT.double(), TURN.half()),
            "input and theta must have the same dtype; input has torch.float64, theta has "
            "torch.float16",
        ),
        (
            lambda: samplers.warp(INPUT.half(), TURN.to("meta")),
            "input and theta must have the same device; input has cpu, theta has meta",
        ),
        (
            lambda: samplers.warp(INPUT, TURN, None, "x" * 500),
            f"mode must be one of 'bilinear', 'nearest', 'bicubic'; got '{'x' * 199}…",
        ),
        (
            lambda: samplers.warp(INPUT, TURN, [0] * 500),
            f"output_size must be two positive whole numbers (H', W'); got ({'0, ' * 66}0…",
        ),
        (
            lambda: samplers.warp(INPUT, TURN, ["a" * 500]),
            f"output_size must be two positive whole numbers (H', W'); got ('{'a' * 198}…",
        ),
        (
            lambda: samplers.warp([0] * 500, TURN),
            "input must be a floating-point tensor of shape (B, C, H, W); got list "
            f"[{'0, ' * 66}0…",
        ),
    ],
)
def test_errors_say_it_in_these_words(call, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == words


@pytest.mark.parametrize("wrong", [20, (20,), (20, 0), (2.5, 3), "20", (True, 3)])
def test_an_output_size_is_two_numbers(wrong):
    for use in (
        lambda: models.SpatialTransformer(models.localization_cnn(1), output_size=wrong),
        lambda: samplers.warp(torch.zeros(1, 1, 3, 3), torch.eye(2, 3)[None], wrong),
    ):
        with pytest.raises((TypeError, ValueError), match="output_size must be two positive whole"):
            use()


def test_bicubic_pads_with_zeros_and_aligns_no_corners_unless_asked_to():
    """As `grid_sample`; at the corner some of the sixteen neighbours lie outside."""
    input = torch.rand(1, 2, 3, 4, dtype=torch.float64)
    x, y = torch.full((1, 1, 1), -0.3).double(), torch.full((1, 1, 1), 2.4).double()
    found = samplers.bicubic(input, x, y)
    grid = torch.stack([(2 * x + 1) / 4 - 1, (2 * y + 1) / 3 - 1], dim=-1)
    expected = F.grid_sample(input, grid, mode="bicubic", align_corners=False)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    mirrored = samplers.bicubic(input, x, y, "reflection")
    expected = F.grid_sample(input, grid, "bicubic", "reflection", align_corners=False)
    torch.testing.assert_close(mirrored, expected, rtol=0, atol=1e-12)
