"""The grid's descendants against torchvision's compiled operators, PyTorch and SciPy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import map_coordinates

from stn_course import descendants, transforms
from stn_course.grids import flow_grid

PRECISIONS = [(torch.float32, 1e-4), (torch.float64, 1e-12)]


def compiled(name):
    """One of torchvision's operators; where its build does not fit torch's, the test is skipped."""
    torchvision = pytest.importorskip("torchvision")
    if not hasattr(torch.ops.torchvision, name):
        pytest.skip(f"torchvision's compiled {name} is not there")
    return getattr(torchvision.ops, name)


def read_by_scipy(image, column, row):
    """One channel (H, W) read at places in pixels, between pixels too; zero outside."""
    places = [row.numpy(), column.numpy()]
    options = {"order": 1, "mode": "grid-constant", "cval": 0.0}
    return torch.from_numpy(map_coordinates(image.numpy(), places, **options))


def test_a_crop_reads_the_middle_of_each_of_its_cells():
    input = torch.randn(1, 1, 9, 14, dtype=torch.float64)
    left, top, right, bottom = 2.0, 1.5, 9.25, 7.0
    across = left + (torch.arange(5).double() + 0.5) * (right - left) / 5 - 0.5
    down = top + (torch.arange(4).double() + 0.5) * (bottom - top) / 4 - 0.5
    row, column = torch.meshgrid(down, across, indexing="ij")
    cropped = descendants.crop_boxes(input, input.new_tensor([[left, top, right, bottom]]), (4, 5))
    torch.testing.assert_close(cropped[0, 0], read_by_scipy(input[0, 0], column, row))


def test_offsets_are_down_then_right_for_each_tap():
    input = torch.randn(1, 2, 6, 9, dtype=torch.float64)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64)
    offset = 2 * torch.randn(1, 18, 6, 9, dtype=torch.float64)
    row, column = torch.meshgrid(*(torch.arange(n).double() for n in (6, 9)), indexing="ij")
    expected = torch.zeros(3, 6, 9, dtype=torch.float64)
    for tap in range(9):
        y = row + tap // 3 - 1 + offset[0, 2 * tap]
        x = column + tap % 3 - 1 + offset[0, 2 * tap + 1]
        for channel in range(2):
            read = read_by_scipy(input[0, channel], x, y)
            expected += weight[:, channel, tap // 3, tap % 3, None, None] * read
    ours = descendants.deformable_conv2d(input, offset, weight)
    torch.testing.assert_close(ours[0], expected)


@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS)
def test_a_crop_is_roi_align_of_one_sample_and_not_half_a_pixel_off(dtype, atol):
    roi_align = compiled("roi_align")
    torch.manual_seed(0)
    input = torch.randn(2, 3, 9, 14, dtype=dtype)
    boxes = torch.tensor([[2.0, 1.5, 9.25, 7.0], [1.0, 2.0, 12.0, 8.0]], dtype=dtype)
    numbered = torch.cat([torch.arange(2, dtype=dtype)[:, None], boxes], dim=1)
    ours = descendants.crop_boxes(input, boxes, (4, 5))
    theirs = roi_align(input, numbered, (4, 5), sampling_ratio=1, aligned=True)
    torch.testing.assert_close(ours, theirs, atol=atol, rtol=0)
    unaligned = roi_align(input, numbered, (4, 5), sampling_ratio=1, aligned=False)
    moved = descendants.crop_boxes(input, boxes + 0.5, (4, 5))
    torch.testing.assert_close(moved, unaligned, atol=atol, rtol=0)


def test_a_box_of_whole_pixels_is_a_slice():
    input = torch.randn(1, 2, 6, 9, dtype=torch.float64)
    cropped = descendants.crop_boxes(input, input.new_tensor([[3.0, 1.0, 8.0, 5.0]]), (4, 5))
    torch.testing.assert_close(cropped, input[..., 1:5, 3:8])


@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS)
@pytest.mark.parametrize("side", [1, 3, 5])
def test_a_deformable_convolution_is_torchvisions(side, dtype, atol):
    deform_conv2d = compiled("deform_conv2d")
    torch.manual_seed(side)
    input, weight = (
        torch.randn(*shape, dtype=dtype) for shape in [(2, 3, 6, 9), (4, 3, side, side)]
    )
    offset = 2 * torch.randn(2, 2 * side * side, 6, 9, dtype=dtype)
    ours = descendants.deformable_conv2d(input, offset, weight)
    theirs = deform_conv2d(input, offset, weight, padding=side // 2)
    torch.testing.assert_close(ours, theirs, atol=atol, rtol=0)


@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS)
def test_without_offsets_it_is_a_convolution(dtype, atol):
    input, weight = torch.randn(2, 3, 6, 9, dtype=dtype), torch.randn(4, 3, 3, 3, dtype=dtype)
    ours = descendants.deformable_conv2d(input, input.new_zeros(2, 18, 6, 9), weight)
    torch.testing.assert_close(ours, F.conv2d(input, weight, padding=1), atol=atol, rtol=0)


def test_attention_reads_as_scipy_interpolates():
    torch.manual_seed(0)
    value = torch.randn(1, 2, 5, 8, dtype=torch.float64)
    places = torch.rand(1, 3, 4, 2, dtype=torch.float64) - 0.5
    weights = torch.randn(1, 3, 4, dtype=torch.float64).softmax(dim=-1)
    column, row = (((places[0, ..., i] + 1) * n - 1) / 2 for i, n in enumerate((8, 5)))
    read = [map_coordinates(c, [row.numpy(), column.numpy()], order=1) for c in value[0].numpy()]
    expected = torch.from_numpy((np.stack(read) * weights[0].numpy()).sum(-1)).T
    found = descendants.deformable_attention(value, places, weights)
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_linear_velocity_is_integrated_to_its_exponential(dtype):
    """dx/dt = A x has the solution exp(A) x: away from the border, `integrate` finds it."""
    rates = torch.tensor([[0.1, -0.3], [0.3, 0.05]], dtype=dtype)
    y, x = torch.meshgrid(torch.arange(21.0) - 10, torch.arange(31.0) - 15, indexing="ij")
    places = torch.stack([x, y], dim=-1).to(dtype)
    flow = descendants.integrate((places @ rates.T)[None], steps=10)[0]
    expected = places @ torch.linalg.matrix_exp(rates).T - places
    inner = slice(6, -6), slice(8, -8)
    torch.testing.assert_close(flow[inner], expected[inner], atol=0.01, rtol=0)


def test_integrated_flows_do_not_fold_where_the_velocity_itself_does():
    torch.manual_seed(0)
    rough = torch.randn(1, 2, 20, 26)
    velocity = 12 * F.avg_pool2d(rough, 7, 1, 3).movedim(1, 3)
    folds = [
        transforms.folded(flow_grid(v)).sum() for v in (velocity, descendants.integrate(velocity))
    ]
    assert folds[0] > 0
    assert folds[1] < folds[0] / 4


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: descendants.crop_boxes(x, torch.zeros(2, 5), (2, 2)), "boxes must"),
        (
            lambda x: descendants.deformable_conv2d(x, x, torch.zeros(1, 1, 3, 3)),
            r"offset must have shape \(2, 18, 4, 5\)",
        ),
        (
            lambda x: descendants.deformable_attention(x, x, torch.zeros(2, 3, 4)),
            "places must have",
        ),
        (descendants.integrate, "flow must"),
    ],
)
def test_a_wrong_shape_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call(torch.zeros(2, 1, 4, 5))
