"""WarpLab's Python half, and the photograph of a page: what PyTorch makes of the points."""

import cv2
import numpy
import pytest
import torch
import torch.nn.functional as F
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure
from PIL import Image
from test_theta_lab import read_image

from stn_course import data, grids, samplers, transforms
from stn_course.widgets import WarpLab, page_photograph, warp_lab

IMAGE = torch.rand(3, 20, 31, generator=torch.Generator().manual_seed(0))
AFFINE = torch.tensor([[-0.8, -0.7], [0.9, -0.4], [-0.6, 0.5]])
TILTED = torch.tensor([[-0.8, -0.7], [0.9, -0.4], [-0.6, 0.5], [0.7, 0.9]])
BENT = grids.control_lattice(4) + 0.1 * torch.randn(16, 2, generator=torch.Generator())


@pytest.fixture
def lab():
    lab = WarpLab(IMAGE)
    yield lab
    lab.close()


def expected_grid(points: torch.Tensor, size, align_corners: bool) -> torch.Tensor:
    """The grid in float64: of three corners by PyTorch, of others by the package."""
    points, size = points[None].double(), (1, 1, *size)
    if points.shape[1] == 3:
        theta = transforms.from_three_corners(points)
        return F.affine_grid(theta, size, align_corners=align_corners)
    if points.shape[1] == 4:
        return grids.projective_grid(transforms.from_corners(points), size, align_corners)
    return grids.thin_plate_spline_grid(points, size, align_corners)


@pytest.mark.parametrize("family", ["affine", "projective", "tps"])
def test_it_starts_at_the_identity(family):
    lab = WarpLab(IMAGE, family)
    assert lab.family == family
    identity = F.affine_grid(transforms.identity(), (1, 1, 20, 31), align_corners=False)
    assert torch.allclose(lab.grid(), identity, atol=1e-6)
    assert torch.allclose(lab.output(), IMAGE[None], atol=1e-5)
    lab.close()


@pytest.mark.parametrize(
    ("points", "family", "shape"),
    [(AFFINE, "affine", (2, 3)), (TILTED, "projective", (3, 3)), (BENT, "tps", (16, 2))],
)
@pytest.mark.parametrize("align_corners", [False, True])
def test_points_bring_their_family_and_its_grid(points, family, shape, align_corners):
    lab = WarpLab(IMAGE, output_size=(9, 12), align_corners=align_corners, padding_mode="border")
    lab.points = points
    assert lab.family == lab.canvas.state["family"] == family
    assert torch.allclose(lab.points, points)
    assert lab.theta.shape == (1, *shape)
    expected = expected_grid(points, (9, 12), align_corners)
    assert lab.grid().dtype == torch.float32
    assert torch.allclose(lab.grid().double(), expected, atol=1e-6)
    options = {"align_corners": align_corners, "padding_mode": "border"}
    read = F.grid_sample(IMAGE[None].double(), expected, **options).float()
    assert torch.allclose(lab.output(), read, atol=1e-5)
    lab.close()


def test_points_are_a_copy_and_come_as_any_numbers(lab):
    lab.points = TILTED.numpy().astype(numpy.float64)
    lab.points[0, 0] = 9
    assert torch.allclose(lab.points, TILTED)
    lab.points = AFFINE.requires_grad_().tolist()
    assert lab.family == "affine"


def test_a_hand_in_the_browser_moves_the_points(lab):
    lab.canvas.set_state({"state": {"family": "affine", "points": AFFINE.tolist(), "by": 0}})
    assert lab.family == "affine"
    assert torch.allclose(lab.points, AFFINE)


@pytest.mark.parametrize("mode", samplers.MODES)
@pytest.mark.parametrize("padding_mode", samplers.PADDING_MODES)
def test_a_question_is_answered_by_the_device_chosen(lab, mode, padding_mode, device):
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": True}
    asked = {"family": "projective", "points": TILTED.tolist(), "image": 0, "options": options}
    lab.canvas.set_state({"question": asked | {"device": str(device), "serial": 0.5}})
    answer = lab.canvas.answer
    grid = expected_grid(TILTED, (20, 31), True)
    expected = F.grid_sample(IMAGE[None].double(), grid, **options)[0].float()
    assert torch.allclose(read_image(answer["output"]), expected, atol=1e-4)
    assert (answer["device"], answer["serial"]) == (str(device), 0.5)


def test_images_to_choose_from(lab):
    digits = [f"digit {n}" for n in range(10)]
    assert list(lab.source.options) == ["your image", "photograph of a page", *digits]
    assert torch.equal(lab.image, IMAGE)
    lab.source.value = "photograph of a page"
    assert torch.equal(lab.image, page_photograph().photograph)
    assert lab.output().shape[-2:] == lab.output_size == page_photograph().page.shape[-2:]
    images, labels = data.load_digits("test")
    lab.source.value = "digit 7"
    assert torch.equal(lab.image, images[labels == 7][0])
    assert lab.output_size == (28, 28)


def test_a_large_picture_is_reduced_and_a_file_is_read(tmp_path):
    Image.new("RGB", (1200, 800), "red").save(tmp_path / "red.png")
    lab = WarpLab(tmp_path / "red.png", output_size=(80, 60))
    assert lab.image.shape == (3, 267, 400)
    assert torch.allclose(lab.output()[0, :, 40, 30], torch.tensor([1.0, 0, 0]))
    assert repr(lab) == "WarpLab, 267×400 → 80×60 pixels: run this cell to drag its points"
    lab.close()


def test_presets_do_what_they_are_called(lab):
    lab.source.index = 1
    shares = {}
    for name, put in warp_lab.presets().items():
        lab.points = torch.tensor(put["points"])
        assert lab.family == put["family"]
        folded = transforms.folded(lab.grid()).double().mean().item()
        beyond = (lab.grid() == grids.OUTSIDE).all(dim=-1).double().mean().item()
        shares[name] = (folded > 0, beyond > 0)
    nothing = dict.fromkeys(("Page in perspective", "Fish eye", "Wave"), (False, False))
    assert shares == nothing | {"Fold": (True, False), "Horizon": (False, True)}
    lab.points = torch.tensor(warp_lab.presets()["Fish eye"]["points"])
    size = transforms.jacobian_determinant(lab.grid())[0]
    assert size[160, 113] < 0.5 < 1 < size[[0, 0, -1, -1], [0, -1, 0, -1]].min()


def test_words_say_what_the_package_finds(lab):
    lab.points = TILTED
    assert lab.text == (
        "The grid is projective. It reads the top left corner at x -0.8, y -0.7; the top right "
        "corner at x 0.9, y -0.4; the bottom left corner at x -0.6, y 0.5; the bottom right corner "
        "at x 0.7, y 0.9. Nothing is folded."
    )
    lab.points = TILTED[[1, 0, 3, 2]]
    assert lab.text.endswith(" 100.0 % of the output is folded.")
    points = grids.control_lattice(4)
    points[5] = torch.tensor([-0.001, 0.8])
    lab.points = points
    share = 100 * transforms.folded(lab.grid()).double().mean().item()
    assert 1 < share < 30
    assert lab.text == (
        "The grid is a thin plate spline. Points moved: 1 of 16, the furthest point 2 of "
        f"row 2 at x 0, y 0.8. {share:.1f} % of the output is folded."
    )


def test_its_figure_shows_the_lab_as_it_stands(lab):
    lab.points = TILTED
    figure = lab.figure("title")
    assert isinstance(figure, Figure) and figure.get_suptitle() == "title"
    right = torch.as_tensor(figure.axes[1].images[0].get_array())
    assert torch.allclose(right, lab.output()[0].movedim(0, -1), atol=1e-5)
    marked = figure.axes[0].lines[-1].get_xydata()
    assert torch.allclose(torch.as_tensor(marked).float(), TILTED)


def test_closing_leaves_nothing_behind():
    before = set(_instances)
    WarpLab().close()
    assert set(_instances) == before


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: WarpLab(family="spline"), ValueError, "'spline'"),
        (lambda: WarpLab(output_size=(1, 9)), ValueError, r"2 to 512 pixels .* got \(1, 9\)"),
        (lambda: WarpLab(output_size=(9, 513)), ValueError, r"got \(9, 513\)"),
        (lambda: WarpLab(output_size=9), TypeError, "int 9"),
        (lambda: WarpLab(torch.rand(1, 5)), ValueError, r"2 to 512 pixels .* got \(1, 5\)"),
        (lambda: WarpLab(torch.zeros(2, 8, 8)), ValueError, r"\(2, 8, 8\)"),
        (lambda: WarpLab(mode="cubic"), ValueError, "'cubic'"),
        (lambda: WarpLab(device="tpu"), ValueError, "'tpu'"),
        (lambda: WarpLab("nowhere.png"), FileNotFoundError, "nowhere.png"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("shape", [(5, 2), (4, 3), (1, 4, 2), (4,)])
def test_points_of_another_shape_are_refused(lab, shape):
    with pytest.raises(ValueError, match=r"\(3, 2\), \(4, 2\) or \(16, 2\); got"):
        lab.points = torch.zeros(shape)
    with pytest.raises(ValueError, match="points must be finite"):
        lab.points = AFFINE * torch.nan


def test_the_photographs_corners_are_true():
    """OpenCV straightens it by them: but for light, blur and noise, that is the page drawn."""
    photograph, page, corners = page_photograph()
    height, width = page.shape[-2:]
    rows, columns = photograph.shape[-2:]
    start = (corners.numpy() + 1) * numpy.float32([columns, rows]) / 2 - 0.5
    end = numpy.float32([[0, 0], [width, 0], [0, height], [width, height]]) - 0.5
    matrix = cv2.getPerspectiveTransform(start, end)
    straight = cv2.warpPerspective(photograph.movedim(0, -1).numpy(), matrix, (width, height))
    inner = numpy.s_[4:-4, 4:-4]
    got, expected = (
        cv2.GaussianBlur(part, (0, 0), 1.5)[inner].ravel()
        for part in (straight, page.movedim(0, -1).numpy())
    )
    assert numpy.corrcoef(got, expected)[0, 1] > 0.9
    moved = cv2.GaussianBlur(numpy.roll(straight, 3, axis=1), (0, 0), 1.5)[inner].ravel()
    assert numpy.corrcoef(moved, expected)[0, 1] < numpy.corrcoef(got, expected)[0, 1] - 0.1


def test_the_photograph_is_the_same_each_time():
    again = page_photograph.__wrapped__()
    for one, other in zip(again, page_photograph(), strict=True):
        assert torch.equal(one, other)
    assert again.photograph.min() >= 0 and again.photograph.max() <= 1
