"""warps.js in a real browser, against PyTorch and the package: the same places, the same folds."""

import base64

import pytest
import torch
import torch.nn.functional as F

from stn_course import grids, transforms
from stn_course.widgets.esm import joined

SIZES = [(2, 2), (5, 8), (9, 4), (2, 7), (16, 16)]
LINE = [[-1.0, -1.0], [0.0, 0.0], [0.5, 0.5], [2.0, 2.0]]
# Corners, the first three or all: in one place, in a line, three in a line, crossed, one inside the
# others, mirrored, a horizon through the middle of the output.
DEGENERATE = [
    [[0.3, 0.3]] * 4,
    LINE,
    [*LINE[:3], [1.0, -1.0]],
    [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]],
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [-0.4, -0.3]],
    [[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]],
    [[0.5, 1.0], [-0.5, 1.0], [-0.5, -1.0], [0.5, -1.0]],
]
LOAD = """async source => {
    window.warps = await import(`data:text/javascript;base64,${source}`);
}"""
FIND = """cases => cases.map(({ points, size, alignCorners }) => {
    const { baseGrid, throughCorners, fromThreeCorners, projected, splined } = warps;
    const theta = { 3: fromThreeCorners, 4: throughCorners }[points.length]?.(points);
    const places = baseGrid(size, alignCorners);
    const grid = theta ? projected(theta, places) : splined(points, places);
    return {
        theta, grid: [...grid],
        areas: [...warps.jacobianDeterminant(grid, size, alignCorners)],
        folded: [...warps.foldedPixels(grid, size)],
        beyond: [...warps.beyondHorizon(grid)],
    };
})"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    source = f"{joined('warps.js')}\nexport {{ baseGrid }};\n"
    page.evaluate(LOAD, base64.b64encode(source.encode()).decode())
    yield page
    page.close()


def made_cases() -> list[dict]:
    """Points of each family, moved a little or anywhere; sizes; both `align_corners`."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for n in range(360):
        count = (3, 4, 4, 9, 16, 25)[n % 6]
        lattice = grids.control_lattice(max(2, round(count**0.5)), dtype=torch.float64)[:count]
        moved = torch.randn(count, 2, generator=generator, dtype=torch.float64)
        made.append((lattice + (0.2, 0.9)[n // 6 % 2] * moved).tolist())
    made += [corners[:count] for corners in DEGENERATE for count in (3, 4)]
    return [
        {"points": points, "size": SIZES[n // 12 % 5], "alignCorners": n // 60 % 2 == 1}
        for n, points in enumerate(made)
    ]


@pytest.fixture(scope="module")
def pairs(page):
    """Each case with what the browser found."""
    cases = made_cases()
    return list(zip(cases, page.evaluate(FIND, cases), strict=True))


def expected_grid(case) -> torch.Tensor:
    """The grid (1, H, W, 2) by the package; of three corners by PyTorch."""
    points = torch.tensor([case["points"]], dtype=torch.float64)
    size, corners = (1, 1, *case["size"]), case["alignCorners"]
    if len(case["points"]) == 3:
        theta = transforms.from_three_corners(points)
        return F.affine_grid(theta, size, align_corners=corners)
    if len(case["points"]) == 4:
        return grids.projective_grid(transforms.through_corners(points), size, corners)
    return grids.thin_plate_spline_grid(points, size, corners)


def found_grid(case, found) -> torch.Tensor:
    grid = torch.tensor(found["grid"], dtype=torch.float64)
    return grid.reshape(1, *case["size"], 2)


def test_there_are_enough_cases_of_every_kind(pairs):
    kinds = {(len(case["points"]), case["alignCorners"], case["size"]) for case, _ in pairs}
    assert len(pairs) > 360 and len(kinds) == 5 * 2 * len(SIZES)
    beyond = [any(found["beyond"]) and not all(found["beyond"]) for _, found in pairs]
    folded = [any(found["folded"]) and not all(found["folded"]) for _, found in pairs]
    assert sum(beyond) >= 10 and sum(folded) >= 50


def test_places_are_the_packages(pairs):
    for case, found in pairs:
        expected = expected_grid(case)
        difference = (found_grid(case, found) - expected).abs() / expected.abs().clamp(min=1)
        assert difference.max() <= 1e-9, case


def test_thetas_are_the_packages(pairs):
    for case, found in pairs:
        if len(case["points"]) > 4:
            continue
        points = torch.tensor([case["points"]], dtype=torch.float64)
        three = len(case["points"]) == 3
        theta = (transforms.from_three_corners if three else transforms.through_corners)(points)
        expected = transforms.to_matrix(theta) if three else theta
        assert found["theta"] == pytest.approx(expected.flatten().tolist(), abs=1e-9), case


def test_areas_and_folds_are_the_packages(pairs):
    """But where rounding decides: an area of 0, as far as can be told."""
    for case, found in pairs:
        grid = found_grid(case, found)
        expected = transforms.jacobian_determinant(grid, case["alignCorners"])
        areas = torch.tensor(found["areas"], dtype=torch.float64).reshape(expected.shape)
        scale = grid.abs().max().clamp(min=1) ** 2
        assert ((areas - expected).abs() <= 1e-9 * scale).all(), case
        sure = expected.abs() > 1e-9 * scale
        folded = torch.tensor(found["folded"]).reshape(expected.shape) == 1
        assert torch.equal(folded[sure], transforms.folded(grid)[sure]), case
        beyond = torch.tensor(found["beyond"]).reshape(expected.shape) == 1
        assert torch.equal(beyond, (grid == grids.OUTSIDE).all(dim=-1)), case


def test_a_spline_is_solved_once_and_its_places_are_kept_apart(page):
    """The same places for other points, other places for the same points, another lattice."""
    found = page.evaluate("""() => {
        const { baseGrid, controlLattice, splined, splineWeights } = warps;
        const [few, many] = [[3, 4], [7, 5]].map((size) => baseGrid(size, false));
        const distance = (n, times, places) => {
            const grid = splined(controlLattice(n).map((p) => p.map((x) => times * x)), places);
            return Math.max(...grid.map((x, at) => Math.abs(x - times * places[at])));
        };
        const runs = [[4, 1, few], [4, 2, few], [4, 1, many], [3, 1, few], [4, 2, few]];
        return {
            worst: Math.max(...runs.map((run) => distance(...run))),
            once: splineWeights(4) === splineWeights(4),
        };
    }""")
    assert found["once"] and found["worst"] < 1e-12


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_spline_weights_are_the_packages(page, n):
    found = torch.tensor(page.evaluate("n => warps.splineWeights(n)", n), dtype=torch.float64)
    assert (found - grids.spline_weights(n)).abs().max() < 1e-9


def test_only_both_coordinates_say_that_a_place_lies_beyond(page):
    found = page.evaluate("[...warps.beyondHorizon([10, 10, 10, 0, 0, 10, 10.5, 10.5])]")
    assert found == [1, 0, 0, 0]


def test_what_is_squeezed_into_one_place_is_folded(page):
    grid = torch.full((1, 3, 4, 2), 0.25, dtype=torch.float64)
    found = page.evaluate("g => [...warps.foldedPixels(g, [3, 4])]", grid.flatten().tolist())
    assert found == transforms.folded(grid).int().flatten().tolist() == [1] * 12
