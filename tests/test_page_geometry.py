"""geometry.js in a real browser, against PyTorch: the same numbers, sent by the package."""

import base64
import math

import pytest
import torch
import torch.nn.functional as F

from stn_course import transforms
from stn_course.grids import pixel_centres
from stn_course.samplers import MODES, PADDING_MODES
from stn_course.widgets.esm import joined

RANDOM_CASES = 600
DEGENERATE = [
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0.3, 0, 0, -0.2],
    [1, 1, 0, 1, 1, 0],
    [0.5, 1, 0, 0, 0, 0],
    [1e-9, 0, 0, 0, 1e-9, 0],
    [1e6, 0, 0, 0, 1e6, 3],
    [1, 0, 1e7, 0, 1, -1e7],
]
SIZES = [(1, 1), (1, 5), (7, 1), (5, 8), (9, 4), (28, 28)]
POSE = ("rotation", "scale_x", "scale_y", "shear", "x", "y")

LOAD = """async source => {
    window.geometry = await import(`data:text/javascript;base64,${source}`);
}"""
# For each case the grid, the output, and what theta is in other forms.
WARP = """({ cases }) => cases.map(({ theta, image, size, mode, paddingMode, alignCorners }) => {
    const options = { mode, paddingMode, alignCorners };
    const inputSize = [image.rows, image.columns];
    return {
        grid: [...geometry.affineGrid(theta, size, alignCorners)],
        output: [...geometry.warp(image, theta, size, options).values],
        matrix: geometry.pixelMatrix(theta, inputSize, size, alignCorners),
        inverse: geometry.inverse(theta),
    };
})"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    source = base64.b64encode(joined("geometry.js").encode()).decode()
    page.evaluate(LOAD, source)
    yield page
    page.close()


def made_cases() -> list[dict]:
    """Random thetas, sizes and images, every choice among them; then the degenerate ones."""
    generator = torch.Generator().manual_seed(0)
    thetas = torch.randn(RANDOM_CASES, 6, generator=generator, dtype=torch.float64).tolist()
    made = []
    for n, theta in enumerate([*thetas, *DEGENERATE * len(PADDING_MODES) * 2]):
        rows, columns = SIZES[n % len(SIZES)]
        channels = 1 + 2 * (n % 2)
        image = torch.rand(channels, rows, columns, generator=generator, dtype=torch.float64)
        made.append(
            {
                "theta": theta,
                "image": {"channels": channels, "rows": rows, "columns": columns}
                | {"values": image.flatten().tolist()},
                "size": SIZES[(n // len(SIZES)) % len(SIZES)],
                "mode": MODES[(n // 2) % 2],
                "paddingMode": PADDING_MODES[n % 3],
                "alignCorners": bool((n // 4) % 2),
            }
        )
    return made


@pytest.fixture(scope="module")
def pairs(page):
    """Each case with what the browser found."""
    cases = made_cases()
    return list(zip(cases, page.evaluate(WARP, {"cases": cases}), strict=True))


def pytorch(case) -> tuple[torch.Tensor, torch.Tensor]:
    """The grid (H', W', 2) and the output (C, H', W') of PyTorch's own functions."""
    image = case["image"]
    shape = image["channels"], image["rows"], image["columns"]
    input = torch.tensor(image["values"], dtype=torch.float64).reshape(1, *shape)
    theta = torch.tensor(case["theta"], dtype=torch.float64).reshape(1, 2, 3)
    corners = case["alignCorners"]
    grid = F.affine_grid(theta, (1, 1, *case["size"]), align_corners=corners)
    options = {"mode": case["mode"], "padding_mode": case["paddingMode"]}
    return grid[0], F.grid_sample(input, grid, align_corners=corners, **options)[0]


def test_there_are_enough_cases_of_every_kind(pairs):
    cases = [case for case, _ in pairs]
    assert len(cases) >= 500
    kinds = {(c["mode"], c["paddingMode"], c["alignCorners"]) for c in cases}
    assert len(kinds) == len(MODES) * len(PADDING_MODES) * 2
    assert any(c["image"]["rows"] != c["image"]["columns"] for c in cases)
    assert any(tuple(c["size"]) != (c["image"]["rows"], c["image"]["columns"]) for c in cases)


def test_places_are_pytorchs(pairs):
    for case, found in pairs:
        expected, _ = pytorch(case)
        grid = torch.tensor(found["grid"], dtype=torch.float64).reshape(expected.shape)
        scale = max(1.0, expected.abs().max().item())
        assert (grid - expected).abs().max() <= 1e-9 * scale, case


def test_pictures_are_pytorchs(pairs):
    """To 1/255; "nearest" may choose the other of two pixels where a place lies between them."""
    for case, found in pairs:
        grid, expected = pytorch(case)
        output = torch.tensor(found["output"], dtype=torch.float64).reshape(expected.shape)
        wrong = ((output - expected).abs() > 1 / 255).any(dim=0)
        if case["mode"] == "nearest":
            wrong &= ~between_two_pixels(grid, case)
        assert not wrong.any(), case


def between_two_pixels(grid, case) -> torch.Tensor:
    """Where a place, before the padding or after it, lies within 1e-9 of halfway, as (H', W')."""
    size = torch.tensor([case["image"]["columns"], case["image"]["rows"]], dtype=torch.float64)
    edge = (grid + 1) / 2 * (size - 1) if case["alignCorners"] else ((grid + 1) * size - 1) / 2
    return ((edge % 1 - 0.5).abs() < 1e-9 * edge.abs().clamp(min=1)).any(dim=-1)


def test_few_places_lie_between_two_pixels(pairs):
    """Or the test above would hold nothing."""
    nearest = [case for case, _ in pairs if case["mode"] == "nearest"]
    shares = [between_two_pixels(pytorch(case)[0], case).double().mean() for case in nearest]
    assert torch.stack(shares).mean() < 0.05


def test_inverse_and_pixel_matrix_are_the_packages(pairs):
    for case, found in pairs:
        theta = torch.tensor(case["theta"], dtype=torch.float64).reshape(1, 2, 3)
        square = theta[0, :, :2]
        if found["inverse"] is None:
            assert abs(torch.linalg.det(square)) < 1e-5 * square.norm(dim=0).prod().clamp(min=1e-6)
        else:
            expected = transforms.inverse(theta).flatten()
            assert torch.tensor(found["inverse"]).double() == pytest.approx(expected, rel=1e-6)
        size = (case["image"]["rows"], case["image"]["columns"]), tuple(case["size"])
        if case["alignCorners"] and min(size[0] + size[1]) == 1:
            assert found["matrix"] is None
            continue
        matrix = transforms.to_pixel_matrix(theta, *size, case["alignCorners"], "output_to_input")
        assert found["matrix"] == pytest.approx(matrix.flatten().tolist(), rel=1e-9, abs=1e-9)


def test_poses_go_to_theta_and_back_as_the_packages(page):
    generator = torch.Generator().manual_seed(1)
    values = torch.rand(200, 6, generator=generator, dtype=torch.float64) * 4 - 2
    values[:, 0] *= 90
    poses = [dict(zip(POSE, row, strict=True)) for row in values.tolist()]
    there = "poses => poses.map(pose => geometry.fromPose(pose))"
    thetas = torch.tensor(page.evaluate(there, poses), dtype=torch.float64)
    expected = transforms.from_pose(*values.unbind(1))
    assert (thetas.reshape(-1, 2, 3) - expected).abs().max() < 1e-9
    back = page.evaluate("thetas => thetas.map(geometry.toPose)", thetas.tolist())
    for name, parts in transforms.to_pose(expected)._asdict().items():
        found = torch.tensor([pose[name] for pose in back], dtype=torch.float64)
        assert (found - parts).abs().max() < 1e-9 * max(1, parts.abs().max())


def test_a_mirror_has_a_negative_scale_and_no_turn(page):
    read = "theta => geometry.readPose(theta)"
    mirror = page.evaluate(read, [-1, 0, 0, 0, 1, 0])
    assert (mirror["rotation"], mirror["scale_x"], mirror["scale_y"]) == (0, -1, 1)
    upside_down = page.evaluate(read, [1, 0, 0, 0, -1, 0])
    assert (upside_down["rotation"], upside_down["scale_x"], upside_down["scale_y"]) == (0, 1, -1)
    turned = page.evaluate(read, transforms.rotation(degrees=135).flatten().tolist())
    assert turned["rotation"] == pytest.approx(135, abs=1e-4)


@pytest.mark.parametrize("align_corners", [False, True])
def test_coordinates_go_to_pixels_and_back(page, align_corners):
    for n in (1, 2, 5, 28):
        centres = pixel_centres(n, align_corners, dtype=torch.float64).tolist()
        options = {"xs": centres, "n": n, "corners": align_corners}
        pixels = page.evaluate(
            "({ xs, n, corners }) => xs.map(x => geometry.toPixels(x, n, corners))", options
        )
        assert pixels == pytest.approx(list(range(n)), abs=1e-12)
        back = page.evaluate(
            "({ xs, n, corners }) => xs.map(x => geometry.toNormalised(x, n, corners))",
            options | {"xs": pixels},
        )
        assert back == pytest.approx(centres, abs=1e-12)


def test_two_thetas_compose_as_the_packages(page):
    first, second = transforms.similarity(degrees=20, scale=0.7, x=0.1), transforms.shear(x=0.4)
    found = page.evaluate(
        "([first, second]) => geometry.compose(first, second)",
        [first.flatten().tolist(), second.flatten().tolist()],
    )
    expected = transforms.compose(first, second).flatten().tolist()
    assert found == pytest.approx(expected, abs=1e-6)
    assert math.isclose(found[2], expected[2], abs_tol=1e-6)
