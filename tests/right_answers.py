"""The right answers of the lessons' quizzes, computed, with PyTorch as the judge."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import clutter, data, grids, models, museum, training, transforms
from stn_course.comparison import interval, load_comparison, multiply_adds


def warped(image, theta, **options):
    """PyTorch's own warp, align_corners=False."""
    grid = F.affine_grid(theta, list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, align_corners=False, **options)


def centroid(image) -> tuple[float, float]:
    """The centre of brightness (x, y) of a (1, 1, H, W), in pixels."""
    rows, columns = (torch.arange(float(n)) for n in image.shape[-2:])
    return (
        (image.sum(-2) * columns).sum().item() / image.sum().item(),
        (image.sum(-1) * rows).sum().item() / image.sum().item(),
    )


def normalised_range(digits):
    normal = data.normalise(digits[0][:2000])
    assert normal.min().item() == pytest.approx(-0.42, abs=0.005)
    assert normal.max().item() == pytest.approx(2.82, abs=0.005)
    assert torch.allclose(normal.min(), torch.tensor((0 - 0.1307) / 0.3081))
    assert torch.allclose(normal.max(), torch.tensor((1 - 0.1307) / 0.3081))
    means = normal.mean(dim=(1, 2, 3))
    assert means.max() > means.min() + 0.3  # not each digit's own mean is 0


def what_a_cnn_knows(digits):
    """The straightener's classifier has only seen upright digits."""
    images, labels = digits
    turned = data.rotate(images, 45)
    assert turned.sum() / images.sum() > 0.99
    lit_columns, lit_rows = ((images > 0).any(axis).squeeze(1) for axis in (2, 3))
    for lit in (lit_columns, lit_rows):
        extent = 28 - lit.float().argmax(1) - lit.flip(1).float().argmax(1)
        assert extent.max() == 20
    straightener = models.load_straightener()
    plain = nn.Module()
    plain.forward = straightener.classify
    assert training.evaluate(plain, data.normalise(images), labels) > 0.98
    assert 0.5 < training.evaluate(plain, data.normalise(turned), labels) < 0.7


def which_way(digits):
    seven = digits[0][:1]
    moved = warped(seven, torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]))
    assert centroid(moved)[0] == pytest.approx(centroid(seven)[0] - 7, abs=1)  # to the left
    assert centroid(moved)[1] == pytest.approx(centroid(seven)[1], abs=1)


def zoom(_):
    square = torch.zeros(1, 1, 28, 28)
    square[..., 10:18, 10:18] = 1
    output = warped(square, torch.tensor([[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]]))
    assert (output > 0.5).sum() == 4 * (square > 0.5).sum()
    assert output.max() == 1


def xy_order(_):
    grid = F.affine_grid(transforms.identity(), (1, 1, 4, 7), align_corners=False)
    assert grid.shape == (1, 4, 7, 2)
    assert grid[0, 3, 5, 0].item() == pytest.approx((2 * 5 + 1) / 7 - 1)  # x, of column 5
    assert (grid[0, :, 5, 0] == grid[0, 3, 5, 0]).all()
    with pytest.raises(IndexError):
        grid[0, 5, 3, 0]


def align_corners(_):
    places = {
        corners: F.affine_grid(transforms.identity(), (1, 1, 4, 4), align_corners=corners)
        for corners in (False, True)
    }
    assert places[False][0, 0, 0, 0].item() == -0.75
    assert places[True][0, 0, 0, 0].item() == -1


def grey_frame(digits):
    zoom_out = transforms.scale(1.6)
    plain = warped(digits[0][:1], zoom_out, padding_mode="zeros")
    assert plain[0, 0, 0, 0] == 0  # black
    normal = warped(data.normalise(digits[0][:1]), zoom_out, padding_mode="zeros")
    assert data.denormalise(normal)[0, 0, 0, 0].item() == pytest.approx(0.1307)  # dark grey


def nearest_gradient(digits):
    for mode, flat in (("nearest", True), ("bilinear", False)):
        theta = transforms.rotation(degrees=10).requires_grad_()
        (warped(digits[0][:1], theta, mode=mode) ** 2).sum().backward()
        assert bool((theta.grad == 0).all()) is flat


def gradient_reach(_):
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 6] = 1

    def gradient(x):
        place = torch.tensor([[[[(2 * x + 1) / 9 - 1, 0.0]]]], requires_grad=True)
        F.grid_sample(image, place, align_corners=False).sum().backward()
        return place.grad.abs().max().item()

    assert gradient(3.0) == gradient(3.3) == 0
    assert gradient(5.5) > 0


def dead_zone(digits):
    theta = torch.tensor([[[1.0, 0.0, 2.1], [0.0, 1.0, 0.0]]], requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=1000.0)
    before = theta.detach().clone()
    F.mse_loss(warped(digits[0][:1], theta), digits[0][:1]).backward()
    optimizer.step()
    assert theta.grad.abs().max() == 0
    assert torch.equal(theta.detach(), before)


def identity_start(digits):
    transformer = models.SpatialTransformer(models.localization_cnn(in_channels=1))
    noise = torch.rand(4, 1, 28, 28)
    assert torch.allclose(transformer(noise), noise, atol=1e-5)
    six_zeros = warped(digits[0][:1], torch.zeros(1, 2, 3))
    assert (six_zeros == six_zeros[0, 0, 0, 0]).all()


def who_has_parameters(_):
    net = models.TutorialNet()
    parts = [net.localization, net.fc_loc]
    assert sum(map(models.count_parameters, parts)) == 5520
    assert models.count_parameters(net) - models.count_parameters(models.PlainNet()) == 5520


def tanh_on_theta(_):
    for bias, value in ((1, 0.76), (3, 0.995)):
        assert torch.tanh(torch.tensor(float(bias))).item() == pytest.approx(value, abs=0.005)
    bias = torch.tensor([1.0, 3.0, 6.0, 9.0], dtype=torch.float64, requires_grad=True)
    torch.tanh(bias).sum().backward()
    assert (torch.tanh(bias) < 1).all()
    assert (bias.grad.diff() < 0).all()
    ten = torch.tensor(10.0, requires_grad=True)
    torch.tanh(ten).backward()
    assert torch.tanh(ten) == 1 and ten.grad == 0


def upright_accuracy(digits):
    """A network whose transformer stays at the identity answers as the plain one does."""
    net, plain = models.TutorialNet(padding_mode="border").eval(), models.PlainNet().eval()
    names = plain.state_dict().keys()
    plain.load_state_dict({name: net.state_dict()[name] for name in names})
    images = data.normalise(digits[0][:200])
    assert torch.allclose(net(images), plain(images), atol=1e-4)
    assert torch.equal(net.theta, transforms.identity(200))


def mark_of_a_collapse(digits):
    assert (digits[1] == 1).sum() == 1135
    assert len(digits[1]) == 10_000


def clutter_cnn(digits):
    """The maps move with the digit; the layer behind them has weights for each place."""
    net = models.DigitReader(60).eval()
    pictures = torch.zeros(2, 1, 60, 60)
    for picture, left in zip(pictures, (12, 16), strict=True):  # 4 pixels, 1 after two poolings
        picture[0, 16:44, left : left + 28] = digits[0][0, 0]
    maps = net.features[:8](pictures)
    assert torch.allclose(maps[0, :, :, :-1], maps[1, :, :, 1:], atol=1e-4)
    assert (net(pictures)[0] - net(pictures)[1]).abs().max() > 0.01
    whole, window = (first_linear(models.DigitReader(size)) for size in (60, 28))
    assert (whole.in_features, window.in_features) == (144 * 48, 16 * 48)
    assert whole.weight.numel() == 9 * window.weight.numel()
    bare, among = (
        clutter.random_clutter(fragments=n)(digits[0][:200], torch.Generator().manual_seed(0))[0]
        for n in (0, 6)
    )
    fragments = torch.where(among > bare, among, 0)
    assert fragments.amax() == digits[0][:200].amax()


def first_linear(reader) -> nn.Linear:
    return next(layer for layer in reader.features if isinstance(layer, nn.Linear))


def attention_pays(_):
    """To look and read takes far less work than to read all; the least has the pooled picture."""
    picture = torch.zeros(1, 1, 60, 60)
    nets = {name: make().eval() for name, make in models.CLUTTER_NETWORKS.items()}
    work = {name: multiply_adds(net, picture) for name, net in nets.items()}
    finder = nets["transformer"]
    look = multiply_adds(finder.transformer.localization, picture)
    read = multiply_adds(finder.reader, picture[..., :28, :28])
    grid = 28 * 28 * 2 * 3  # a window's places, theta times (x, y, 1)
    assert look < read
    assert look + grid + read == work["transformer"] < work["plain"] / 5
    assert work["pooled"] < work["transformer"]
    assert 0.2 < 28**2 / 60**2 < 0.25
    assert models.count_parameters(nets["pooled"]) < models.count_parameters(finder)
    finder(torch.rand(2, 1, 60, 60))
    assert torch.equal(finder.transformer.theta[:, [0, 1], [1, 0]], torch.zeros(2, 2))  # no turn


def family_keeps(_):
    """A page whose edges converge: no affine map parts them, and a spline spreads it evenly."""
    corners = torch.tensor([[[-0.3, -0.6], [0.4, -0.5], [-1.0, 1.0], [1.0, 0.8]]])
    size, through = (1, 1, 33, 33), {"align_corners": True}
    straight = grids.projective_grid(transforms.from_corners(corners), size, **through)[0]
    bent = grids.thin_plate_spline_grid(corners, size, **through)[0]
    for grid in (straight, bent):
        assert torch.allclose(grid[[0, 0, -1, -1], [0, -1, 0, -1]], corners[0], atol=1e-5)
    for lines in (0, 1):  # rows, columns
        assert max(map(deviation, straight.unbind(lines))) < 1e-5
        assert max(map(deviation, bent.unbind(lines))) > 0.005
    assert bent[16, 16, 1] > straight[16, 16, 1] + 0.3  # its middle is below the page's
    left, right = corners[0, 2] - corners[0, 0], corners[0, 3] - corners[0, 1]
    assert cosine(left, right) < 0.9
    for _ in range(20):
        part = torch.randn(2, 2)
        assert cosine(part @ left, part @ right) < 1 - 1e-6


def deviation(line) -> float:
    """How far places (n, 2) lie from the straight line through the first and the last."""
    along = F.normalize(line[-1] - line[0], dim=0)
    return ((line - line[0]) @ torch.stack([-along[1], along[0]])).abs().max().item()


def cosine(a, b) -> float:
    """Of the angle between two vectors, computed in float64."""
    return F.cosine_similarity(a.double(), b.double(), dim=0).item()


def behind_the_horizon(_):
    theta = torch.diag(torch.tensor([1.0, 1.0, -0.5]))[None]
    theta[0, :2, 2] = torch.tensor([0.1, 0.2])  # at the middle: u, v and w of the question
    u, v, w = theta[0] @ torch.tensor([0.0, 0.0, 1.0])
    assert (u / w).item() == pytest.approx(-0.2) and (v / w).item() == pytest.approx(-0.4)
    assert (grids.projective_grid(theta, (1, 1, 1, 1)) == grids.OUTSIDE).all()
    white = torch.ones(1, 1, 4, 4)
    assert F.grid_sample(white, torch.full((1, 1, 1, 2), 10.0), align_corners=False) == 0


def bicubic_overshoot(_):
    edge = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    edge[..., 4:] = 1
    theta = torch.tensor([[[0.9, 0.2, 0.03], [-0.2, 0.9, 0.0]]], dtype=torch.float64)
    for mode, beyond in (("bilinear", 0), ("bicubic", 0.11)):
        low, high = warped(edge, theta, mode=mode, padding_mode="border").aminmax()
        assert -low.item() == pytest.approx(beyond, abs=0.005)
        assert high.item() - 1 == pytest.approx(beyond, abs=0.005)


def whose_gain(digits):
    """Of the errors on turned digits, augmentation takes away more than nine tenths."""
    shown = data.normalise(data.rotate(digits[0][:2000], 60))
    upright = models.PlainNet()
    upright.load_state_dict(models.load_straightener().state_dict(), strict=False)
    nets = upright, models.load_trained("turned_plain"), models.load_trained("turned_transformer")
    first, second, third = (1 - training.evaluate(n, shown, digits[1][:2000]) for n in nets)
    assert 0.9 < (first - second) / (first - third) < 1


def told_apart(_):
    share = 0.007
    assert 100 * (share * (1 - share) / 10_000) ** 0.5 == pytest.approx(0.08, abs=0.005)
    assert 10_000 * 0.001 == 10 and round(0.749, 1) != round(0.751, 1)


def seen_before_training(_):
    """Swapped sizes compute the same on a square; corners that disagree do not."""
    square = torch.rand(2, 1, 28, 28)
    grid = F.affine_grid(
        transforms.rotation(degrees=torch.tensor([20.0, 50.0])), square.shape, align_corners=False
    )
    right = F.grid_sample(square, grid, align_corners=False)
    x, y = grid.unbind(-1)
    height, width = square.shape[:1:-1]  # swapped
    places = torch.stack([(x + 1) * width / 28 - 1, (y + 1) * height / 28 - 1], dim=-1)
    swapped = F.grid_sample(square, places, align_corners=False)
    assert torch.allclose(swapped, right, atol=1e-4)
    assert not torch.allclose(F.grid_sample(square, grid, align_corners=True), right, atol=0.1)


def what_a_finding_proves(_):
    """The table of the museum: no run with tanh was found; those that are lost, were."""
    table = museum.load_confusion()
    assert table.found["tanh"] == {} and table.runs["tanh"] > 0
    for name in ("outside", "bypassed"):
        assert table.named[name] == table.runs[name]


def which_slip(_):
    """Swapped, x and y read outside of a wide picture; half a pixel stays inside."""
    wide = torch.ones(1, 1, 20, 40)
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(40.0), indexing="ij")
    for x, y, outside in ((columns, rows, 0), (rows, columns, 400), (columns + 0.5, rows, 0)):
        grid = torch.stack([(2 * x + 1) / 40 - 1, (2 * y + 1) / 20 - 1], dim=-1)[None]
        read = F.grid_sample(wide, grid, align_corners=False)
        assert (read == 0).sum() == outside
    square = torch.arange(28.0)
    assert square.max() < 28  # swapped indices stay in range there


def which_for_turns(_):
    """Any angle and 300 labels: built in, and turned in training, both beat the transformer."""
    table = load_comparison("few-any-angle")
    rows = {row.network: interval(row.errors) for row in table.rows}
    mean, half = rows["transformer"]
    assert all(sum(rows[name]) < mean - half for name in ("plain", "four-turns"))


COMPUTED = [
    normalised_range,
    what_a_cnn_knows,
    which_way,
    zoom,
    xy_order,
    align_corners,
    grey_frame,
    nearest_gradient,
    gradient_reach,
    dead_zone,
    identity_start,
    who_has_parameters,
    tanh_on_theta,
    upright_accuracy,
    mark_of_a_collapse,
    clutter_cnn,
    attention_pays,
    family_keeps,
    behind_the_horizon,
    bicubic_overshoot,
    whose_gain,
    told_apart,
    seen_before_training,
    what_a_finding_proves,
    which_slip,
    which_for_turns,
]
