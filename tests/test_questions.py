"""The quiz questions: complete, and every right answer is computed, with PyTorch as the judge."""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import clutter, data, grids, models, museum, samplers, training, transforms
from stn_course.checks.catalogue import QUESTIONS
from stn_course.comparison import interval, load_comparison, multiply_adds
from stn_course.lessons import load_lessons

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks" / "src"
each_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda q: q.name)


def test_at_least_two_for_each_lesson():
    lessons = [name for name, lesson in load_lessons().items() if lesson.has_exercises]
    asked = [question.notebook for question in QUESTIONS.values()]
    assert asked == sorted(asked)  # in the order of the course
    assert set(asked) == set(lessons)
    assert all(asked.count(lesson) >= 2 for lesson in lessons)


@each_question
def test_a_question_is_complete(question):
    assert [option.right for option in question.options].count(True) == 1
    assert len(question.options) >= 3
    assert len({option.text for option in question.options}) == len(question.options)
    assert question.question.strip().endswith("?")
    for option in question.options:
        assert len(option.reason) > 40
        assert len(option.text) <= 80


@each_question
def test_its_texts_are_clean(question):
    texts = [question.question, question.try_it]
    texts += [text for option in question.options for text in (option.text, option.reason)]
    for text in texts:
        assert text == text.strip() and "  " not in text and "\n" not in text
        assert text.count("`") % 2 == 0 and text.count("**") % 2 == 0
        assert not re.search(r"\b([Ss]imply|[Oo]bviously|[Jj]ust)\b", text)


@each_question
def test_the_place_to_try_it_in_exists(question):
    """`try_it` begins with a section of the notebook, or of another one, marked as its name."""
    elsewhere, name, number = re.match(
        r"In (?:notebook (\d\d), |the lab of )?\*\*([A-Z][\w: ?]*?)( \d)?\*\*:", question.try_it
    ).groups()
    (file,) = NOTEBOOKS.glob(f"{elsewhere}_*.py" if elsewhere else f"{question.notebook}.py")
    headings = re.findall(r"^# ## (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    whole = name + (number or "")
    assert any(h.startswith((whole, name)) for h in headings), whole


def test_the_right_answer_does_not_always_stand_in_the_same_place():
    places = [[o.right for o in q.options].index(True) for q in QUESTIONS.values()]
    assert len(set(places)) > 1
    assert max(map(places.count, places)) <= 0.5 * len(places)


# What each right answer says, computed.


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
    """Of the course's own comparison, nobody is better than the plain network on turned digits."""
    rows = {row.network: interval(row.errors) for row in load_comparison("polar").rows}
    mean, half = rows.pop("plain")
    assert all(mean - half < other for other, _ in rows.values())


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
    *(normalised_range, what_a_cnn_knows, which_way, zoom, xy_order, align_corners, grey_frame),
    *(nearest_gradient, gradient_reach, dead_zone, identity_start, who_has_parameters),
    *(tanh_on_theta, upright_accuracy, mark_of_a_collapse, clutter_cnn, attention_pays),
    *(family_keeps, behind_the_horizon, bicubic_overshoot, whose_gain, told_apart),
    *(seen_before_training, what_a_finding_proves, which_slip, which_for_turns),
    *(end_smaller, end_in_one, end_disagree, end_not_square, end_outside_black, end_far_away),
    *(end_zero_weights, end_is_it_used, end_equal_time, end_skipped, end_twins, end_flow),
    *(end_determinant, end_feature_maps, end_log_polar),
]


def test_every_right_answer_is_computed():
    assert [compute.__name__ for compute in COMPUTED] == list(QUESTIONS)


@pytest.mark.parametrize("compute", COMPUTED, ids=lambda compute: compute.__name__)
def test_the_right_answer_is_right(compute, digits):
    compute(digits)


def test_border_padding_on_a_grey_ground_differs(digits):
    """What `grey_frame` says of its third answer."""
    theta = transforms.scale(1.6)
    for ground, same in ((0.0, True), (0.4, False)):
        image = ground + (1 - ground) * digits[0][:1]
        ways = [samplers.warp(image, theta, padding_mode=mode) for mode in ("zeros", "border")]
        assert torch.equal(*ways) is same
