"""Every figure looks as it did (pytest-mpl), comes without pyplot, and can be shown in words."""

import io
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from stn_course import clutter, data, grids, models, plotting, samplers, training, transforms

# Letters and lines may move by a fraction of a pixel between versions of matplotlib.
pictured = pytest.mark.mpl_image_compare(tolerance=6, savefig_kwargs={"dpi": 60})


@pytest.fixture
def made_up_history():
    """A history with invented numbers, so that its figure is the same on any machine."""
    steps = torch.linspace(0, 1, 11)
    spread = torch.linspace(-40, 40, 16)
    history = training.History(training.RECIPES["course"], 0)
    history.losses = (2.3 * torch.exp(-torch.linspace(0, 4, 200))).tolist()
    history.accuracies, history.seconds = [0.95, 0.98], [1.0, 2.0]
    history.probe_steps = list(range(0, 201, 20))
    history.probe_thetas = [transforms.rotation(degrees=spread * step) for step in steps]
    return history


@pictured
def test_image_grid(digits):
    return plotting.image_grid(digits[0][:14], digits[1][:14].tolist(), 7, "fourteen digits")


@pytest.mark.parametrize(("limits", "bars"), [((0, 1), 0), ((-0.3, 1), 1)])
def test_other_limits_than_black_and_white_are_told_by_a_bar(digits, limits, bars):
    figure = plotting.image_grid(digits[0][:3], columns=3, limits=limits)
    found = [axes for axes in figure.axes if axes.get_ylabel() == "value"]
    assert [axes.get_ylim() for axes in found] == [limits] * bars


@pytest.fixture
def cluttered(digits):
    """Six pictures of 60×60 and the boxes of their digits."""
    return clutter.random_clutter()(digits[0][:6], torch.Generator().manual_seed(0))


@pictured
def test_boxes(cluttered, digits):
    pictures, truth = cluttered
    theta = transforms.attention(torch.linspace(0.3, 1, 6), x=torch.linspace(-0.4, 0.4, 6))
    return plotting.boxes(pictures, theta, truth, digits[1][:6].tolist(), title="six searches")


@pictured
def test_places(digits):
    return plotting.places(digits[0][:6], queries(), digits[1][:6].tolist(), 3, "six queries")


def queries():
    """Six queries of two places each, the same over six digits: (6, 6, 2, 2)."""
    x = torch.linspace(-0.8, 0.8, 6)
    two = torch.stack([torch.stack([x, x / 2]), torch.stack([x, -x / 2])]).permute(2, 0, 1)
    return two.expand(6, 6, 2, 2)


def test_places_are_normalised_and_x_comes_first():
    wide, there = torch.zeros(2, 1, 10, 30), torch.rand(2, 3, 4, 2) * 2 - 1
    figure = plotting.places(wide, there)
    for axes, several in zip(figure.axes, there, strict=False):
        assert axes.images[0].get_extent() == [-1, 1, 1, -1]
        drawn = torch.stack([torch.as_tensor(line.get_xydata()) for line in axes.lines])
        torch.testing.assert_close(drawn.float(), several)
    with pytest.raises(ValueError, match=r"places must be \(2, Q, P, 2\); got"):
        plotting.places(wide, there[0])


def test_a_box_lies_where_its_theta_reads_and_the_true_one_around_the_digit(cluttered):
    pictures, truth = cluttered
    left, top, width, height = truth.double().unbind(dim=1)
    x, y = (2 * left + width) / 60 - 1, (2 * top + height) / 60 - 1
    theta = transforms.from_pose(scale_x=width / 60, scale_y=height / 60, x=x, y=y)
    figure = plotting.boxes(pictures, theta, truth)
    assert len(figure.axes) == 8  # two rows of four
    for axes, (left, top, width, height) in zip(figure.axes, truth.tolist(), strict=False):
        edges = [left - 0.5, top - 0.5, left + width - 0.5, top + height - 0.5]
        for line in axes.lines:
            places = line.get_xydata()
            assert [*places.min(axis=0), *places.max(axis=0)] == pytest.approx(edges, abs=1e-4)
    dashes = [line.get_linestyle() for line in figure.axes[0].lines]
    assert dashes == ["-", "--"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "box of theta",
        "true box",
    ]


def test_a_turned_box_is_drawn_turned(cluttered):
    pictures, _ = cluttered
    figure = plotting.boxes(pictures[:1, :, :30], transforms.rotation(degrees=90))
    (line,) = figure.axes[0].lines
    corners = [[59.5, -0.5], [59.5, 29.5], [-0.5, 29.5], [-0.5, -0.5], [59.5, -0.5]]
    assert torch.allclose(
        torch.tensor(line.get_xydata()), torch.tensor(corners).double(), atol=1e-4
    )


@pictured
def test_side_by_side(digits):
    images = digits[0][:6]
    return plotting.side_by_side(images, data.rotate(images, 40), ("before", "after"), "turned")


@pictured
def test_sampling_grid(digits):
    theta = transforms.similarity(degrees=30, scale=0.8, x=0.2)
    return plotting.sampling_grid(digits[0][0], theta, title="the grid")


@pictured
def test_sampling_grid_of_another_size_with_aligned_corners(digits):
    theta = transforms.scale(1.3)
    image = digits[0][0][:, :20]
    return plotting.sampling_grid(image, theta, (7, 9), True, "nearest", "border", "small")


def test_dots_of_a_dense_grid_are_smaller_so_that_the_image_is_seen(digits):
    sizes = []
    for scale in (2.0, 1.0, 0.5, 0.25, 0.0):
        figure = plotting.sampling_grid(digits[0][0], transforms.scale(scale, 1.0))
        sizes.append(figure.axes[0].lines[0].get_markersize())
    assert sizes == pytest.approx([3, 3, 60 / 28, 30 / 28, 1])


def folded_and_beyond(digits) -> dict:
    """A digit that is not square, and two grids for it: one folds, one has a horizon."""
    lattice = grids.control_lattice(4)
    crossed = lattice.reshape(4, 4, 2)[:, [0, 2, 1, 3]].reshape(16, 2)  # two columns change places
    seen_far = torch.eye(3)[None].clone()
    seen_far[0, 2] = torch.tensor([0.2, 1.0, 0.5])  # w = 0.2 x + y + 0.5
    size = (1, 1, 28, 20)
    folds = {"grid": grids.thin_plate_spline_grid(crossed[None], size), "points": crossed}
    beyond = {"grid": grids.projective_grid(seen_far, size)}
    return {"image": digits[0][0][:, :, 4:24], "folds": folds, "beyond": beyond}


@pictured
@pytest.mark.parametrize("kind", ["folds", "beyond"])
def test_bent_grid(digits, kind):
    made = folded_and_beyond(digits)
    return plotting.bent_grid(made["image"], **made[kind], title=kind)


@pytest.mark.parametrize("kind", ["folds", "beyond"])
def test_a_bent_grids_lines_lie_where_it_reads_and_end_at_the_horizon(digits, kind):
    made = folded_and_beyond(digits)
    left, right = plotting.bent_grid(made["image"], **made[kind]).axes
    expected = made[kind]["grid"][0, torch.linspace(0, 27, 11).round().long()]
    lines = torch.stack([torch.as_tensor(line.get_xydata()) for line in left.lines[:11]])
    beyond = (expected == grids.OUTSIDE).all(dim=-1)
    assert beyond.any() == (kind == "beyond")
    assert lines[beyond].isnan().all()
    assert torch.allclose(lines[~beyond].float(), expected[~beyond])
    assert len(right.collections) == 1  # what is hatched


@pictured
def test_two_warps(digits):
    turn, shift = transforms.rotation(degrees=90), transforms.translation(x=0.5)
    return plotting.two_warps(digits[0][0], turn, shift, (-0.4, -0.2), "one pixel asks")


def test_two_warps_marks_where_each_theta_sends_the_point(digits):
    first, second = transforms.similarity(degrees=30, scale=0.5), transforms.translation(0.4, -0.1)
    figure = plotting.two_warps(digits[0][0], first, second, (0.2, -0.6))
    marked = torch.tensor([axes.lines[0].get_xydata()[0].tolist() for axes in figure.axes])
    assert torch.allclose(marked[2], torch.tensor([0.2, -0.6]))
    assert torch.allclose(marked[1], torch.tensor([0.6, -0.7]))
    assert torch.allclose(marked[0], first[0] @ torch.tensor([0.6, -0.7, 1]))
    pictures = [torch.tensor(axes.images[0].get_array().data) for axes in figure.axes]
    assert torch.equal(pictures[0], digits[0][0, 0])
    assert torch.equal(pictures[1], samplers.warp(digits[0][:1], first)[0, 0])
    assert torch.equal(pictures[2], samplers.warp(pictures[1][None, None], second)[0, 0])


@pictured
def test_pixel_coordinates():
    return plotting.pixel_coordinates(4)


@pictured
def test_curves():
    x = list(range(10))
    series = {"one": [v**2 for v in x], "two": [10 * v for v in x]}
    return plotting.curves(x, series, "x, unit", "y, unit", "two curves")


@pictured
def test_history(made_up_history):
    return plotting.history({"made up": made_up_history}, "a history")


@pictured
def test_theta_history(made_up_history):
    return plotting.theta_history(made_up_history, "theta")


@pictured
def test_pose_history(made_up_history):
    return plotting.pose_history(made_up_history, "pose")


@pytest.fixture
def bending(made_up_history, digits):
    """A history of control points that leave their lattice, each in a direction of its own."""
    directions = torch.linspace(0, 40, 3 * 16 * 2).sin().reshape(3, 16, 2)
    lattice = grids.control_lattice(4)
    thetas = [lattice + 0.2 * step * directions for step in torch.linspace(0, 1, 11)]
    return replace(made_up_history, probe_thetas=thetas, probe_images=digits[0][:3])


@pictured
def test_lattice_history(bending):
    return plotting.lattice_history(bending, title="points travel")


def test_a_lattice_is_drawn_where_its_points_read_and_the_last_row_is_what_they_give(bending):
    figure = plotting.lattice_history(bending, digits=2, looks=2)
    panels = figure.axes
    assert len(panels) == 6 and panels[2].get_ylabel() == "step 200"
    dots = panels[3].lines[-1]  # of the second digit at the end
    assert dots.get_xydata() == pytest.approx(bending.probe_thetas[-1][1].numpy(), abs=1e-5)
    ways = panels[3].lines[-17:-1]
    assert [len(way.get_xydata()) for way in ways] == 16 * [11]
    grid = grids.thin_plate_spline_grid(bending.probe_thetas[-1], (3, 1, 28, 28))
    read = F.grid_sample(bending.probe_images, grid, padding_mode="border", align_corners=False)
    shown = torch.as_tensor(panels[5].images[0].get_array().data)
    assert torch.allclose(shown, read[1, 0], atol=1e-5)


def test_a_lattice_may_be_the_corners_of_a_homography(bending):
    corners = grids.control_lattice(2)[None] * torch.tensor([0.5, 0.7, 1.0])[:, None, None]
    theta = transforms.from_corners(corners)
    seen = replace(bending, probe_thetas=[torch.eye(3).expand(3, 3, 3), theta], probe_steps=[0, 9])
    figure = plotting.lattice_history(seen, n=2, looks=2)
    for i in range(3):
        assert figure.axes[3 + i].lines[-1].get_xydata() == pytest.approx(corners[i].numpy())


@pictured
def test_angle_scatter():
    angles = torch.linspace(-90, 90, 200)
    return plotting.angle_scatter(angles, -0.7 * angles + 10 * torch.sin(angles), "angles")


@pictured
def test_neighbours():
    patch = torch.tensor([[0.0, 0.2, 0.6], [0.1, 0.9, 0.5], [0.3, 0.7, 0.4]])
    return plotting.neighbours(patch, 0.7, 1.2, "neighbours")


def test_the_square_around_the_point_covers_each_neighbour_by_its_weight():
    axes = plotting.neighbours(torch.rand(3, 3), 0.7, 1.2).axes[0]
    pieces = [patch for patch in axes.patches if patch.get_fill()]
    boxes = [piece.get_bbox() for piece in pieces]
    weights = [0.3 * 0.8, 0.7 * 0.8, 0.3 * 0.2, 0.7 * 0.2]
    assert [box.width * box.height for box in boxes] == pytest.approx(weights, abs=1e-6)
    assert Bbox.union(boxes).extents == pytest.approx([0.2, 0.7, 1.2, 1.7])
    colours = [plotting.COLOURS[name] for name in ("input", "x", "y", "output")]
    assert [to_hex(piece.get_facecolor()).upper() for piece in pieces] == colours


@pictured
@pytest.mark.parametrize("point", [(4.7, 4.8), (-1.7, 5.3)], ids=["inside", "outside"])
def test_sampled_point(digits, point):
    image = 0.3 + 0.7 * digits[0][0, :, 4:14, 8:18]
    return plotting.sampled_point(image, point, padding_mode="reflection")


def test_a_sampled_point_reads_what_pytorch_reads(digits):
    """For each padding; the weights stand in the enlarged part, of the nearest pixel a 1."""
    image = digits[0][0, :, 4:14, 8:18]
    x, y = (-1.7 + 0.5) / 5 - 1, (5.3 + 0.5) / 5 - 1
    for mode, weights in (("bilinear", {"0.70", "0.30"}), ("nearest", {"1.00"})):
        figure = plotting.sampled_point(image, (-1.7, 5.3), mode, "border")
        for padding in samplers.PADDING_MODES:
            options = {"mode": mode, "padding_mode": padding, "align_corners": False}
            value = F.grid_sample(image[None], torch.tensor([[[[x, y]]]]), **options).item()
            assert f"{padding}: {value:.3f}" in figure.get_suptitle()
        assert {text.get_text() for text in figure.axes[1].texts} == weights


@pictured
@pytest.mark.parametrize("where", ["picture", "features", "nowhere"])
def test_recorded_step(cluttered, where):
    pictures, _ = cluttered
    theta = transforms.rotation(degrees=torch.linspace(-40, 40, 6)) * 0.7
    outputs = samplers.warp(pictures, theta, (28, 28)) if where == "picture" else None
    rising = plotting.Curve("step", "digits read correctly", range(30), range(30), here=12)
    few = plotting.Curve("epoch", "accuracy, %", [1, 2], [90, 95])
    thetas = None if where == "nowhere" else theta
    return plotting.recorded_step(pictures, thetas, outputs, [rising, few], f"reads a {where}")


@pictured
def test_steering(digits):
    images, labels = digits[0][:5], digits[1][:5]
    thetas = transforms.rotation(degrees=torch.linspace(-40, 40, 5))
    shares = torch.eye(10)[labels] * 0.5 + 0.05
    yours = plotting.Reading(thetas, samplers.warp(images, thetas), shares)
    same = plotting.Reading(0.5 * thetas, images, shares.flip(1))
    readings = {"yours": yours, "network": same}
    return plotting.steering(images, labels, readings, index=1, title="steering")


@pictured
def test_arrows(digits):
    places = torch.linspace(-0.9, 0.9, 8)
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), dim=-1)
    return plotting.arrows(digits[0][0], grid, -0.2 * grid, "arrows")


@pictured
def test_surfaces():
    shifts = torch.linspace(-5, 5, 21)
    loss = shifts[:, None] ** 2 + 2 * shifts[None, :] ** 2
    path = torch.linspace(4, 0.5, 8)[:, None].expand(8, 2)
    return plotting.surfaces(shifts, {"bowl": loss, "same": loss}, {"bowl": path, "same": -path})


@pictured
def test_architecture(digits):
    turned = data.normalise(data.rotate(digits[0][:4], 30))
    return plotting.architecture(models.load_straightener(), turned, "the network")


def test_the_architecture_is_traced_from_real_tensors(digits):
    layers = plotting.trace_layers(models.TutorialNet(), digits[0][:3])
    assert layers[0] == ("localization.0", "Conv2d", (3, 8, 22, 22))
    assert layers[-1] == ("fc2", "Linear", (3, 10))
    assert len(layers) == 17


def test_tracing_leaves_no_hooks_even_after_an_error():
    model = models.TutorialNet()
    own = [list(module._forward_hooks.values()) for module in model.modules()]
    with pytest.raises(ValueError, match="32"):
        plotting.trace_layers(model, torch.zeros(1, 1, 32, 32))
    assert [list(module._forward_hooks.values()) for module in model.modules()] == own


def test_a_moving_picture_has_a_frame_for_each_pair(digits):
    images = digits[0][:5]
    gif = Image.open(io.BytesIO(plotting.moving_picture(images, 1 - images, enlarge=2)))
    assert gif.n_frames == 5
    assert gif.size == (2 * (28 + 2 + 28), 2 * 28)
    gif.seek(0)
    first = torch.frombuffer(bytearray(gif.convert("L").tobytes()), dtype=torch.uint8)
    left = first.reshape(56, 116)[::2, :56:2].float() / 255
    assert (left - images[0, 0]).abs().max() < 0.05


def test_rounded_numbers_print_as_they_are_meant():
    values = torch.tensor([[-1e-9, 0.96428573], [-0.5, 1 / 3]], requires_grad=True)
    assert str(plotting.rounded(values, 4)) == "[[0.0, 0.9643], [-0.5, 0.3333]]"
    assert str(plotting.rounded(values[0, 0])) == "0.0"


def test_a_figure_is_shown_with_its_words(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    described = plotting.show(plotting.pixel_coordinates(), "four by four pixels")
    described._ipython_display_()
    picture, words = shown
    assert picture.data.startswith(b"\x89PNG")
    assert picture._repr_mimebundle_()[1]["image/png"]["alt"] == "four by four pixels"
    assert words.data == "*In words: four by four pixels*"


def test_figures_are_at_most_900_pixels_wide_and_white(digits):
    figure = plotting.architecture(models.TutorialNet(), digits[0][:2])
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    picture = Image.open(io.BytesIO(plotting.show(figure, "words").png()))
    assert picture.width <= 900


def test_colours_are_apart_for_colour_blind_eyes():
    """Okabe and Ito's palette, each colour once."""
    okabe_ito = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    used = [colour for name, colour in plotting.COLOURS.items() if name != "text"]
    assert set(used) <= okabe_ito
    assert len(set(used)) == len(used)


IMAGE, IDENTITY = torch.zeros(1, 8, 8), transforms.identity()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plotting.show("a picture", "words"), TypeError, "'a picture'"),
        (lambda: plotting.image_grid(IMAGE), ValueError, r"\(1, 8, 8\)"),
        (lambda: plotting.image_grid(IMAGE[None].byte()), TypeError, "torch.uint8"),
        (
            lambda: plotting.side_by_side(IMAGE[None], IMAGE.expand(2, 1, 8, 8)),
            ValueError,
            "1 and 2",
        ),
        (
            lambda: plotting.boxes(IMAGE[None], transforms.identity(2)),
            ValueError,
            r"pair; got \[1, 2\]",
        ),
        (
            lambda: plotting.boxes(IMAGE[None], IDENTITY, torch.zeros(1, 3)),
            ValueError,
            r"truth must have shape \(B, 4\).*\(1, 3\)",
        ),
        (lambda: plotting.sampling_grid(IMAGE, IDENTITY / 0), ValueError, "theta must be finite"),
        (lambda: plotting.sampling_grid(IMAGE[0], IDENTITY), ValueError, r"\(1, 8, 8\)"),
        (
            lambda: plotting.theta_history(training.History(training.RECIPES["course"], 0)),
            ValueError,
            "no theta",
        ),
        (
            lambda: plotting.lattice_history(training.History(training.RECIPES["course"], 0)),
            ValueError,
            "no theta",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_history_of_few_steps_can_be_drawn(made_up_history):
    short = replace(made_up_history, losses=[2.3, 1.0, 0.5], accuracies=[0.4], seconds=[1.0])
    assert plotting.history({"short": short}).axes[0].lines[0].get_xdata().tolist() == [3]


TILTED = torch.eye(3)[None].clone()
TILTED[0, 2, 0] = 0.3  # w = 1 + 0.3 x
BENT = grids.control_lattice(4)[None].clone()
BENT[0, 5] += 0.3


@pytest.mark.parametrize("theta", [TILTED, BENT], ids=["projective", "tps"])
def test_a_frame_of_another_family_is_its_grids_edge(digits, theta):
    """On the figure of a grid, of a recorded step, and in numbers."""
    places = grids.grid_of(theta, (1, 1, 33, 33), align_corners=True)[0]
    outline, centre, tips = plotting.drawing.frame_of(theta)
    corners = outline[[0, 32, 33, 65, 66, 98, 99, 131]]
    assert torch.equal(corners[[0, 1, 3, 5]], places[[0, 0, -1, -1], [0, -1, -1, 0]])
    assert torch.equal(corners[[1, 3, 5, 7]], corners[[2, 4, 6, 0]])
    assert (outline[1:] - outline[:-1]).norm(dim=1).max() < 0.2
    assert torch.equal(torch.stack([centre, *tips]), places[[16, 16, 32], [16, 32, 16]])
    image = digits[0][0]
    figure = plotting.sampling_grid(image, theta)
    lines = [line.get_xydata() for line in figure.axes[0].lines]
    assert (torch.as_tensor(lines[1]) - outline).abs().max() <= 1e-6
    seen = torch.as_tensor(figure.axes[1].images[0].get_array().data)
    assert torch.allclose(seen, samplers.warp(image[None], theta)[0, 0])
    curves = [plotting.Curve("", "", [0], [0])]
    step = plotting.recorded_step(image[None], theta, image[None], curves)
    frame = torch.as_tensor(step.axes[0].lines[0].get_xydata())
    assert (frame - ((outline + 1) * 28 - 1) / 2).abs().max() <= 1e-4


@pytest.mark.parametrize("theta", [TILTED, BENT], ids=["projective", "tps"])
def test_histories_of_another_family_show_the_nearest_affine_map(made_up_history, theta):
    steps = len(made_up_history.probe_steps)
    run = replace(made_up_history, probe_thetas=[theta.expand(5, -1, -1)] * steps)
    expected = transforms.nearest_affine(theta)[0].flatten()
    lines = plotting.theta_history(run).axes[0].lines
    shown = torch.tensor([line.get_ydata()[-1] for line in lines])
    assert torch.allclose(shown, expected, atol=1e-6)
    (angles,) = plotting.pose_history(run).axes[0].lines
    turn = transforms.to_pose(expected.view(1, 2, 3)).rotation.item()
    assert angles.get_ydata()[-1] == pytest.approx(turn, abs=1e-4)


def test_scatter_tells_kinds_apart_and_names_each_point():
    panels = {"time, s": [1.0, 2.0, 3.0], "cost": [9.0, 5.0, 1.0]}
    kinds = ["plain", "helped", "plain"]
    figure = plotting.scatter(panels, [0.5, 0.7, 2.0], ["a", "b", "c"], kinds, "error, %")
    for axes, (xlabel, xs) in zip(figure.axes, panels.items(), strict=True):
        assert axes.get_xlabel() == xlabel
        drawn = {line.get_label(): list(line.get_xdata()) for line in axes.lines}
        assert drawn == {"plain": [xs[0], xs[2]], "helped": [xs[1]]}
        assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]
        assert [text.xy for text in axes.texts] == list(zip(xs, [0.5, 0.7, 2.0], strict=True))
        assert len({(line.get_marker(), line.get_color()) for line in axes.lines}) == 2
    assert len(figure.axes[-1].get_legend().texts) == 2
