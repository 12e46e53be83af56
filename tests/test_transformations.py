"""Families of transformations: each starts at the identity, learns, and is what PyTorch says."""

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import grids, models, samplers, training, transforms

NUMBERS = {"affine": 6, "attention": 3, "projective": 8, "tps": 32}
SHAPES = {"affine": (2, 3), "attention": (2, 3), "projective": (3, 3), "tps": (16, 2)}
TURN = torch.tensor([[0.8, -0.3, 0.1], [0.2, 0.9, -0.4]])
each_family = pytest.mark.parametrize("name", models.TRANSFORMATIONS)
both_corners = pytest.mark.parametrize("align_corners", [False, True])


class Rotation:
    """A user's own family, of three members: one number, the angle in radians."""

    identity = (0.0,)

    def to_theta(self, answer):
        cos, sin, zero = answer.cos(), answer.sin(), torch.zeros_like(answer)
        return torch.cat([cos, -sin, zero, sin, cos, zero], dim=1).view(-1, 2, 3)

    def grid(self, theta, size, align_corners):
        return F.affine_grid(theta, size, align_corners=align_corners)


class Barrel(models.Transformation):
    """A lens: its theta (B, 1) has no shape that the course knows, so it brings its grid."""

    identity = (0,)  # a whole number will do

    def to_theta(self, answer):
        return answer

    def grid(self, theta, size, align_corners):
        options = {"dtype": theta.dtype, "device": theta.device}
        places = grids.base_grid(*size[2:], align_corners, **options)[..., :2]
        return places * (1 + theta[:, None, None] * places.square().sum(dim=-1, keepdim=True))


OWN = {"rotation": Rotation, "barrel": Barrel, "tps of 9": lambda: models.ThinPlateSpline(n=3)}
FAMILIES = {**{name: (lambda name=name: name) for name in models.TRANSFORMATIONS}, **OWN}
with_own = pytest.mark.parametrize("name", FAMILIES)


def transformer(family, channels=1, **options):
    localization = models.localization_cnn(channels, transformation=family)
    return models.SpatialTransformer(localization, transformation=family, **options)


def moved(net, far=0.1):
    """The transformer with a head that chooses other numbers for each input."""
    nn.init.normal_(net.localization[-1].weight, std=far)
    return net


def homogeneous(theta):
    return torch.cat([theta, theta.new_tensor([0.0, 0.0, 1.0]).expand(len(theta), 1, 3)], dim=1)


def test_the_families_by_name():
    assert {name: len(x.identity) for name, x in models.TRANSFORMATIONS.items()} == NUMBERS
    assert len(models.ThinPlateSpline().identity) == 32


@with_own
@both_corners
def test_nothing_changes_at_the_start(name, align_corners, device):
    net = transformer(FAMILIES[name](), 3, align_corners=align_corners).to(device)
    input = torch.rand(2, 3, 28, 20, device=device)
    assert (net(input) - input).abs().max() <= 1e-5
    assert (net.theta.dtype, net.theta.requires_grad) == (torch.float32, False)
    (grid,) = net.transformation.grid(net.theta[:1], (1, 1, 28, 20), align_corners)
    expected = grids.base_grid(28, 20, align_corners, device=device)[..., :2]
    assert (grid - expected).abs().max() <= 1e-6


@with_own
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_nothing_changes_at_the_start_under_autocast(name, dtype, device):
    net = transformer(FAMILIES[name]()).to(device)
    input = torch.rand(2, 1, 224, 192, device=device)
    with torch.autocast(device.type, dtype=dtype):
        output = net(input)
    assert net.theta.dtype == output.dtype == torch.float32
    assert (output - input).abs().max() <= 1e-3
    output.square().sum().backward()
    assert (net.localization[-1].bias.grad != 0).all()


@with_own
def test_autocast_changes_nothing_of_a_families_theta_and_grid(name, device):
    """A matrix product in a family is computed in float32, too."""
    net = moved(transformer(FAMILIES[name]())).to(device)
    answer = net.localization(torch.rand(3, 1, 28, 28, device=device))
    expected = models.to_theta(answer, 3, net.transformation)
    input = torch.rand(3, 1, 28, 28, device=device)
    options = {"grid": net.transformation.grid}
    with torch.autocast(device.type, dtype=torch.bfloat16):
        theta = models.to_theta(answer, 3, net.transformation)
        output = samplers.warp(input, theta, **options)
    assert torch.equal(theta, expected)
    assert torch.equal(output, samplers.warp(input, theta, **options))


class Product(models.Affine):
    """A family whose theta is a matrix product."""

    def to_theta(self, answer):
        return super().to_theta(answer) @ torch.eye(3, device=answer.device)


def test_a_product_in_a_family_of_ones_own_is_precise(device):
    answer = torch.tensor([[1.001, 0.0, 0.0, 0.0, 1.0, 0.0]], device=device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        theta = models.to_theta(answer, 1, Product())
    assert (theta[0, 0, 0] - 1.001).abs() <= 1e-6


@with_own
def test_models_of_float64_and_of_lower_precisions_run(name):
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.bfloat16, 0.05)):
        net = transformer(FAMILIES[name]()).to(dtype)
        input = torch.rand(2, 1, 28, 28).to(dtype)
        output = net(input)
        assert output.dtype == dtype
        assert net.theta.dtype == torch.promote_types(dtype, torch.float32)
        assert (output - input).abs().max() <= tolerance


@with_own
@both_corners
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
def test_it_is_the_families_grid_and_pytorchs_sampler(name, padding_mode, align_corners):
    options = {"padding_mode": padding_mode, "align_corners": align_corners}
    net = moved(transformer(FAMILIES[name](), 2, output_size=(9, 14), **options))
    input = torch.rand(3, 2, 13, 11)
    output = net(input)
    assert net.theta.std(dim=0).max() > 0
    grid = net.transformation.grid(net.theta, (3, 2, 9, 14), align_corners)
    expected = F.grid_sample(input, grid, "bilinear", padding_mode, align_corners)
    assert (output - expected).abs().max() <= 1e-5


@each_family
@both_corners
def test_each_family_can_say_the_identity_and_most_an_affine_map(name, align_corners):
    """Held against F.affine_grid; attention has no turn, so it scales and shifts."""
    theta = torch.tensor([[0.7, 0.0, 0.1], [0.0, 0.7, -0.4]]) if name == "attention" else TURN
    answer = {
        "affine": theta.flatten(),
        "attention": torch.tensor([0.7, 0.1, -0.4]),
        "projective": homogeneous(theta[None]).flatten()[:8],
        "tps": (grids.base_grid(4, 4, align_corners=True) @ theta.mT).flatten(),
    }[name]
    family, size = models.TRANSFORMATIONS[name], (1, 1, 9, 14)
    chosen = models.to_theta(answer[None].double(), 1, name)
    assert chosen.shape == (1, *SHAPES[name])
    grid = family.grid(chosen, size, align_corners)
    expected = F.affine_grid(theta[None].double(), size, align_corners=align_corners)
    assert (grid - expected).abs().max() <= 1e-7  # the answer is of float32
    assert torch.equal(grids.grid_of(chosen, size, align_corners), grid)


def test_the_numbers_of_a_homography_stand_row_by_row():
    theta = models.to_theta(torch.arange(1.0, 9.0)[None], 1, "projective")
    assert theta.tolist() == [[[1, 2, 3], [4, 5, 6], [7, 8, 1]]]


def test_the_numbers_of_a_spline_are_x_and_y_of_each_point_row_by_row():
    """The second point of the first row reads half as far up and a little to the right."""
    answer = torch.tensor([models.ThinPlateSpline(3).identity])
    assert answer[0, :6].tolist() == [-1, -1, 0, -1, 1, -1]
    answer[0, 2:4] += torch.tensor([0.1, 0.5])
    theta = models.to_theta(answer, 1, models.ThinPlateSpline(3))
    grid = grids.thin_plate_spline_grid(theta, (1, 1, 3, 3), align_corners=True)
    assert (grid[0, 0, 1] - torch.tensor([0.1, -0.5])).abs().max() <= 1e-6


@each_family
def test_each_number_learns(name):
    net = transformer(name, padding_mode="border")
    net(torch.rand(3, 1, 17, 23)).square().sum().backward()
    assert (net.localization[-1].bias.grad != 0).all()


@with_own
def test_training_lowers_the_loss(name):
    """Pictures are to become what they are read as half a pixel away, where the family can."""
    torch.manual_seed(0)
    net = transformer(FAMILIES[name](), padding_mode="border")
    input = F.interpolate(torch.rand(16, 1, 4, 4), (20, 20), mode="bicubic")
    wanted = samplers.warp(input, TURN[None] * 0.5 + 0.5 * torch.eye(2, 3), padding_mode="border")
    optimizer, losses = torch.optim.Adam(net.parameters(), 0.005), []
    for _ in range(30):
        loss = F.mse_loss(net(input), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < (0.9 if len(net.transformation.identity) > 3 else 0.995) * losses[0]


@with_own
def test_copies_pickles_and_weights(name):
    net = moved(transformer(FAMILIES[name]()))
    input = torch.rand(2, 1, 12, 12)
    expected = net(input)
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    other = transformer(FAMILIES[name]())
    other.load_state_dict(net.state_dict())
    for same in (copy.deepcopy(net), loaded, other):
        assert torch.equal(same(input), expected)
    localization = [f"localization.{key}" for key in net.localization.state_dict()]
    assert list(net.state_dict()) == localization


@with_own
def test_it_compiles_to_one_graph(name):
    """Before its first call, or, as every second family here, after it."""
    net, input = moved(transformer(FAMILIES[name]())), torch.rand(2, 1, 12, 12)
    if list(FAMILIES).index(name) % 2:
        net(input)
    torch.compiler.reset()  # the number of programs for one method is limited
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    assert torch.allclose(compiled(input), net(input), atol=1e-5)


@pytest.mark.filterwarnings("ignore:The tensor attribute self.theta was assigned during export")
@with_own
def test_it_can_be_exported(name):
    net, input = moved(transformer(FAMILIES[name]())), torch.rand(2, 1, 12, 12)
    program = torch.export.export(net, (input,)).module()
    assert torch.allclose(program(input), net(input), atol=1e-5)


@each_family
def test_nan_in_one_input_stays_there(name):
    net, input = transformer(name), torch.rand(3, 1, 8, 9)
    input[1, 0, 2, 2] = torch.nan
    output = net(input)
    assert output[1].isnan().all()
    assert torch.allclose(output[[0, 2]], input[[0, 2]], atol=1e-5)


@each_family
def test_what_is_kept_after_inference_serves_in_training(name):
    size = (1, 1, 11, 13)  # of no other test
    with torch.inference_mode():
        transformer(name)(torch.rand(size))
    transformer(name)(torch.rand(size)).sum().backward()


@pytest.mark.parametrize("name", ["affine", "attention", "rotation"])
def test_antialiasing_goes_with_an_affine_theta(name):
    net = transformer(FAMILIES[name](), output_size=(7, 7), antialias=True)
    input = torch.rand(2, 1, 28, 28)
    expected = samplers.warp(input, transforms.identity(), (7, 7), antialias=True)
    assert torch.allclose(net(input), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["projective", "tps", "barrel"])
def test_antialiasing_another_theta_is_refused_when_it_is_made(name):
    with pytest.raises(ValueError, match=r"needs an affine theta, \(B, 2, 3\); got .*\(2, "):
        transformer(FAMILIES[name](), antialias=True)


@pytest.mark.parametrize(
    ("theta", "grid"),
    [
        (homogeneous(TURN[None]), grids.projective_grid),
        (grids.control_lattice(4)[None] * 0.8, grids.thin_plate_spline_grid),
    ],
)
@pytest.mark.parametrize("batch", [1, 3])
def test_warp_knows_a_family_by_the_shape_of_its_theta(theta, grid, batch):
    input, theta = torch.rand(3, 2, 5, 7), theta.expand(batch, -1, -1)
    places = grid(theta.expand(3, -1, -1), (3, 2, 4, 3))
    expected = F.grid_sample(input, places, align_corners=False)
    assert torch.allclose(samplers.warp(input, theta, (4, 3)), expected, atol=1e-6)
    with pytest.raises(ValueError, match="antialias=True needs an affine theta"):
        samplers.warp(input, theta, antialias=True)


def test_warp_takes_a_grid_of_ones_own():
    theta, input = torch.tensor([[0.2]]), torch.rand(2, 1, 5, 5)
    output = samplers.warp(input, theta, grid=Barrel().grid)
    grid = Barrel().grid(theta, (1, 1, 5, 5), False).expand(2, -1, -1, -1)
    assert torch.equal(output, F.grid_sample(input, grid, align_corners=False))


class Moves(Rotation):
    identity = (1.0,)


class NoGrid(Rotation):
    def grid(self, theta, size, align_corners):
        return None


class OneForAll(Rotation):
    """Each picture would be read as the first."""

    def grid(self, theta, size, align_corners):
        return super().grid(theta, size, align_corners)[:1]


class Number(Rotation):
    identity = 0.0


class NoTheta(models.Transformation):
    identity = (0.0,)


@pytest.mark.parametrize(
    ("family", "error", "words"),
    [
        ("zoom", ValueError, "one of 'affine', 'attention', 'projective', 'tps'; got 'zoom'"),
        (3, TypeError, "an object with identity, to_theta, grid, or one of affine, .*; got int 3"),
        (None, TypeError, "got NoneType None"),
        (Rotation, TypeError, "got type <class"),
        (Moves(), ValueError, r"leave each pixel in its place; got \(1.0,\) of Moves"),
        (NoGrid(), TypeError, r"grid must be .* of shape \(B, H, W, 2\); got NoneType None"),
        (OneForAll(), ValueError, r"must have shape \(2, 4, 5, 2\); got .* \(1, 4, 5, 2\)"),
        (Number(), TypeError, "identity must be a tuple of numbers; got float 0.0"),
        (NoTheta(), TypeError, r"NoTheta needs to_theta\(answer\)"),
    ],
)
def test_what_is_no_family_is_named(family, error, words):
    localization = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Linear(1, 2))
    with pytest.raises(error, match=words):
        models.SpatialTransformer(localization, transformation=family)


@pytest.mark.parametrize(
    ("n", "error", "words"),
    [(1, ValueError, "at least 2, .*; got 1"), (2.0, TypeError, "float"), (0, ValueError, "0")],
)
def test_a_spline_has_four_points_or_more(n, error, words):
    with pytest.raises(error, match=words):
        models.ThinPlateSpline(n)
    assert len(models.ThinPlateSpline(2).identity) == 8


@pytest.mark.parametrize("name", models.TRANSFORMATIONS)
def test_in_float64_the_start_is_the_identity_to_its_last_digits(name):
    localization = models.localization_cnn(1, transformation=name).double()
    net = models.SpatialTransformer(localization, transformation=name)
    image = torch.rand(2, 1, 28, 28, dtype=torch.float64)
    assert (net(image) - image).abs().max() <= 1e-12


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.half])
@pytest.mark.parametrize("name", models.TRANSFORMATIONS)
def test_in_half_the_precision_the_start_moves_no_pixel(name, dtype):
    """A third, where a spline's points lie, is rounded by bfloat16."""
    localization = models.localization_cnn(1, transformation=name)
    net = models.SpatialTransformer(localization, transformation=name).to(dtype)
    image = torch.rand(2, 1, 224, 224).to(dtype)
    assert (net(image) - image).abs().max() <= 0.02


def test_an_answer_of_another_family_is_refused():
    expected = r"must answer \(B, 8\), here \(2, 8\); got a torch.float32 tensor of shape \(2, 6\)"
    with pytest.raises(ValueError, match=expected):
        models.to_theta(torch.zeros(2, 6), 2, "projective")


def test_a_network_for_another_family_is_refused_and_left_as_it_was():
    """Its hidden layer has 32 outputs, as many as a spline takes."""
    localization = models.localization_cnn(1, hidden=32)
    hidden = localization[-3].weight.clone()
    with pytest.raises(ValueError, match=r"a bias and 32 outputs; got Linear.*out_features=6"):
        models.SpatialTransformer(localization, transformation="tps")
    assert torch.equal(localization[-3].weight, hidden)


def test_the_start_is_watched_in_each_family():
    """Another layer gives theta: a start at random, which is told."""
    localization = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh())
    net = models.SpatialTransformer(localization, transformation="projective")
    with pytest.raises(ValueError, match="theta must be the identity at the start"):
        net(torch.rand(2, 1, 8, 8))
    spline = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh())
    net = models.SpatialTransformer(spline, transformation="tps")
    with pytest.raises(ValueError, match="theta must be the identity at the start"):
        net(torch.rand(2, 1, 8, 8))


@with_own
def test_fit_trains_and_records_each_family(name, digits):
    some = digits[0][:128], digits[1][:128]
    net = nn.Sequential(transformer(FAMILIES[name](), padding_mode="border"), models.PlainNet())
    options = {"train": some, "test": some, "epochs": 1, "progress": False, "device": "cpu"}
    history = training.fit(net, "rotated", **options)
    assert history.findings == {}
    assert torch.equal(history.probe_thetas[-1], net[0].theta[: training.PROBE])
    again = training.History.from_content(history.to_content())
    assert torch.equal(again.probe_thetas[-1], history.probe_thetas[-1])


@with_own
def test_a_grid_that_leaves_the_picture_is_a_collapse_in_each_family(name, digits):
    """Moved or spread far away by hand, before the first step."""
    some = digits[0][:64], digits[1][:64]
    net = transformer(FAMILIES[name](), padding_mode="border")
    with torch.no_grad():
        net.localization[-1].bias += {"rotation": 0.8, "barrel": 9.0}.get(name, 5.0)
    both = nn.Sequential(net, models.PlainNet())
    options = {"train": some, "test": some, "epochs": 1, "progress": False, "device": "cpu"}
    if name == "rotation":  # it cannot leave the picture
        assert training.fit(both, "rotated", **options).findings == {}
        return
    with pytest.warns(training.CollapseWarning, match="before anything was learned"):
        training.fit(both, "rotated", **options)
