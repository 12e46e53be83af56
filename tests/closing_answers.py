"""The right answers of the closing quiz, computed, with PyTorch as the judge."""

import pytest
import torch
import torch.nn.functional as F
from right_answers import warped
from torch import nn

from stn_course import clutter, data, grids, models, training, transforms
from stn_course.comparison import interval, load_comparison


def end_smaller(_):
    square = torch.zeros(1, 1, 28, 28)
    square[..., 8:20, 8:20] = 1
    seen = warped(square, torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]]))
    assert seen.sum() == square.sum() / 4
    assert warped(square, torch.tensor([[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]])).sum() > square.sum()


def end_in_one(_):
    """The places that B asks for, put to A."""
    a, b = transforms.rotation(degrees=30), transforms.translation(0.2, -0.3)
    size = (1, 1, 5, 7)
    asked = F.affine_grid(b, size, align_corners=False)
    put = asked @ a[0, :, :2].T + a[0, :, 2]
    three = [torch.cat([theta, torch.tensor([[[0.0, 0.0, 1.0]]])], dim=1) for theta in (a, b)]
    for first, second, same in ((*three, True), (*three[::-1], False)):
        at_once = F.affine_grid((first @ second)[:, :2], size, align_corners=False)
        assert torch.allclose(at_once, put, atol=1e-6) is same


def end_disagree(_):
    ramp = torch.arange(8.0).view(1, 1, 1, 8)  # each pixel says its place
    grid = F.affine_grid(transforms.identity(), ramp.shape, align_corners=False)
    read = F.grid_sample(ramp, grid, align_corners=True)[0, 0, 0]
    off = read - ramp[0, 0, 0]
    assert off[0] == pytest.approx(0.4375) and off[-1] == pytest.approx(-0.4375)  # of 8 pixels
    wide = torch.arange(1000.0).view(1, 1, 1, 1000)
    grid = F.affine_grid(transforms.identity(), wide.shape, align_corners=False)
    edge = F.grid_sample(wide, grid, align_corners=True)[0, 0, 0, 0]
    assert edge == pytest.approx(0.5, abs=0.01)
    assert abs(off[3] + off[4]) < 1e-6 and abs(off[3]) < 0.1


def end_not_square(_):
    picture = torch.zeros(1, 1, 40, 80)
    picture[..., 10:30, 30:50] = 1
    turned = warped(picture, torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]]), mode="nearest")
    rows, columns = (turned.amax(axis).sum().item() for axis in (3, 2))
    assert (rows, columns) == (10, 40)


def end_outside_black(digits):
    normal, zoom_out = data.normalise(digits[0][:1]), transforms.scale(1.6)
    corner = {
        (mode, padding): data.denormalise(warped(normal, zoom_out, mode=mode, padding_mode=padding))
        for mode in ("bilinear", "nearest")
        for padding in ("zeros", "border")
    }
    for (_, padding), seen in corner.items():
        assert (seen[0, 0, 0, 0].abs() < 1e-6) == (padding == "border")


def end_far_away(_):
    picture = torch.zeros(1, 1, 1, 41)
    picture[..., 30] = 1

    def gradient(seen):
        place = torch.tensor([[[[(2 * 20 + 1) / 41 - 1, 0.0]]]], requires_grad=True)
        F.grid_sample(seen, place, align_corners=False).sum().backward()
        return place.grad[..., 0].item()

    blurred = F.avg_pool2d(F.avg_pool2d(picture, (1, 13), 1, (0, 6)), (1, 13), 1, (0, 6))
    assert gradient(picture) == 0
    assert gradient(blurred) > 0  # brighter to the right


def end_zero_weights(digits):
    torch.manual_seed(0)
    net = models.TutorialNet()
    shown, labels = data.normalise(digits[0][:16]), digits[1][:16]
    assert len(thetas_of(net, shown)) == 1
    F.nll_loss(net(shown), labels).backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    assert len(thetas_of(net, shown)) == 16


def thetas_of(net, shown) -> set:
    net.eval()(shown)
    return {tuple(theta.flatten().tolist()) for theta in net.theta}


def end_is_it_used(digits):
    """The straightener's classifier relies on theta; a transformer at its start is not missed."""
    shown, labels = data.normalise(data.rotate(digits[0][:1000], 60)), digits[1][:1000]
    turned = torch.cat([shown, data.normalise(digits[0][:1000])])
    both = labels.repeat(2)
    used, unused = models.load_straightener(), models.TutorialNet(padding_mode="border")
    for net, relies in ((used, True), (unused, False)):
        own = 1 - training.evaluate(net.eval(), turned, both)
        alike = training.error_with_one_theta(net, turned, both)
        assert (alike > own + 0.05) is relies


def end_equal_time(_):
    rows = [row for row in load_comparison("turned").rows if row.digits == "turned90"]
    (transformer,) = (row for row in rows if row.network == "transformer")
    short, long = sorted((r for r in rows if r.network == "plain"), key=lambda row: row.epochs)
    found = [interval(row.errors) for row in (transformer, short, long)]
    assert [f"{mean:.2f} ± {half:.2f}" for mean, half in found] == [
        "2.17 ± 0.17",
        "2.30 ± 0.14",
        "2.02 ± 0.13",
    ]
    for mean, half in found[1:]:
        assert abs(mean - found[0][0]) < half + found[0][1]


def end_skipped(_):
    pixels = torch.rand(1, 1, 28, 28, requires_grad=True)
    grid = F.affine_grid(transforms.identity(), (1, 1, 7, 7), align_corners=False)
    F.grid_sample(pixels, grid, align_corners=False).sum().backward()
    assert (pixels.grad != 0).sum() == 196 == 28**2 / 4
    pixels.grad = None
    F.grid_sample(pixels, grid, mode="nearest", align_corners=False).sum().backward()
    assert (pixels.grad != 0).sum() == 49 == 28**2 / 16


def end_twins(digits):
    pictures = clutter.random_clutter()(digits[0][:8], torch.Generator().manual_seed(0))[0]
    for starts, alike in (
        (((0.5, 0.0, 0.0), (0.5, 0.0, 0.0)), True),
        (((0.5, -0.4, 0.0), (0.5, 0.4, 0.0)), False),
    ):
        torch.manual_seed(0)
        net = models.AdditionNet(starts)
        F.nll_loss(net(data.normalise(pictures)), digits[1][:8]).backward()
        first, second = (window.head[0].bias.grad for window in net.windows)
        assert torch.allclose(first, second, rtol=1e-3, atol=1e-6) is alike


def end_flow(digits):
    seven = digits[0][:1]
    flow = torch.tensor([3.0, 0.0]).expand(1, 28, 28, 2)
    moved = F.grid_sample(seven, grids.flow_grid(flow), align_corners=False)
    assert torch.allclose(moved[..., :-3], seven[..., 3:], atol=1e-5)


def end_determinant(_):
    for factor, area in ((2.0, 4.0), (0.5, 0.25)):
        grid = F.affine_grid(transforms.scale(factor), (1, 1, 6, 6), align_corners=False)
        assert torch.allclose(transforms.jacobian_determinant(grid), torch.tensor(area))


def end_feature_maps(digits):
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 4, 5, padding=2)
    seven = digits[0][:1]
    turned = seven.rot90(1, (2, 3))
    upright_again = convolution(turned).rot90(-1, (2, 3))
    assert (upright_again - convolution(seven)).abs().max() > 0.1
    assert torch.equal(turned.rot90(-1, (2, 3)), seven)  # the picture itself can be turned back


def end_log_polar(digits):
    """A quarter turn about the middle is a shift of the rows; about another point it is none."""
    grid = grids.log_polar_grid((1, 1, 28, 28))

    def read(picture):
        return F.grid_sample(picture, grid, align_corners=False, padding_mode="border")

    for right, a_shift in ((0, True), (5, False)):
        seven = F.pad(digits[0][:1], (4, 4, 4, 4))
        turned = seven.rot90(1, (2, 3))
        pair = [read(picture.roll(right, 3)[..., 4:-4, 4:-4]) for picture in (seven, turned)]
        ways = [(pair[0].roll(s, a) - pair[1]).abs().mean() for a in (2, 3) for s in range(28)]
        assert bool(min(ways) < 0.1 * pair[0].mean()) is a_shift


COMPUTED = [
    end_smaller,
    end_in_one,
    end_disagree,
    end_not_square,
    end_outside_black,
    end_far_away,
    end_zero_weights,
    end_is_it_used,
    end_equal_time,
    end_skipped,
    end_twins,
    end_flow,
    end_determinant,
    end_feature_maps,
    end_log_polar,
]
