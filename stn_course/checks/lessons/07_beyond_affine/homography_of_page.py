"""The homography that straightens a page."""

import torch
from torch import Tensor

from stn_course import transforms
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception

BY_ROWS = [0, 1, 3, 2]  # of corners that go around


def homography_of_page(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Theta (1, 3, 3) that reads the whole page, upright, from a photograph of size (H, W).

    corners: (4, 2), (x, y) in the photograph's pixels, clockwise from the page's top left; (0, 0)
    is the centre of the photograph's top left pixel; align_corners=False.
    """
    height, width = size
    row_by_row = corners[[0, 1, 3, 2]]
    places = (2 * row_by_row + 1) / corners.new_tensor([width, height]) - 1
    return transforms.from_corners(places[None])


def run_up_to_a_factor(attempt, *args):
    """A multiple of theta reads the same, so its last number is made 1."""
    theta = attempt(*args)
    if isinstance(theta, Tensor) and theta.dim() >= 2 and theta.shape[-2:] == (3, 3):
        return theta / theta[..., 2:, 2:]
    return theta


def cases() -> list[Case]:
    """A page in a small photograph, then others in larger ones, wide and high, in both dtypes."""
    pages = [
        ([[1, 0], [4, 1], [5, 3], [0, 2]], (4, 6)),
        ([[30, 12], [81, 20], [99, 70], [8, 61]], (80, 120)),
        ([[200, 90], [420, 130], [300, 610], [60, 400]], (640, 480)),
    ]
    cases = [Case((torch.tensor(page).float(), size)) for page, size in pages]
    return [*cases, Case((torch.tensor(pages[1][0]).double(), pages[1][1]))]


def in_pixels(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """The corners (4, 2) normalised, by the inverse of the matrix from normalised to pixels."""
    to_pixels = transforms.normalised_to_pixels(size, dtype=torch.float64)
    places = torch.cat([corners.double(), torch.ones(4, 1)], dim=1)
    return torch.linalg.solve(to_pixels, places.T).T[:, :2]


def eight_equations(places: Tensor, targets: Tensor) -> Tensor:
    """The homography of four points (4, 2) each, by one linear system; (1, 3, 3)."""
    rows, right = [], []
    for (u, v), (x, y) in zip(places.tolist(), targets.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    system = torch.tensor(rows, dtype=torch.float64)
    numbers = torch.linalg.solve(system, torch.tensor(right, dtype=torch.float64))
    return torch.cat([numbers, torch.ones(1)]).reshape(1, 3, 3)


AROUND = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def solved(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """In the dtype of the corners."""
    return eight_equations(in_pixels(corners, size), AROUND).to(corners.dtype)


def _normalised_by(formula, order=BY_ROWS):
    """A program with another formula of (corners, (W, H)), or another order of the corners."""

    def program(corners, size):
        width_height = corners.new_tensor(size[::-1])
        return transforms.from_corners(formula(corners[order], width_height)[None])

    return program


def _right(corners: Tensor, n: Tensor) -> Tensor:
    return (2 * corners + 1) / n - 1


def _forward(corners, size):
    backward = solved(corners, size)
    return torch.linalg.inv(backward)


def _three(corners, size):
    by_rows = in_pixels(corners, size)[BY_ROWS].to(corners.dtype)
    return transforms.to_matrix(transforms.from_three_corners(by_rows[None, :3]))


EXERCISE = FunctionExercise(
    attempt="my_homography",
    solution=homography_of_page,
    run=run_up_to_a_factor,
    oracle=solved,
    against="the eight linear equations of four corners (any multiple of theta will do)",
    cases=cases,
    hints=(
        "transforms.from_corners does the algebra. It wants the corners normalised, and in its own "
        "order: look at its docstring.",
        "From pixels to normalised: the centre of pixel 0 lies half a pixel inside the edge, and "
        "the whole width is 2. So x = (2 · column + 1) / W - 1.",
        "The corners come around the page, from_corners takes them row by row: top left, top "
        "right, bottom left, bottom right. corners[[0, 1, 3, 2]] puts them so.",
        "places = (2 * corners[[0, 1, 3, 2]] + 1) / corners.new_tensor([W, H]) - 1, and then "
        "transforms.from_corners(places[None]).",
    ),
    misconceptions=(
        Misconception(
            "half a pixel",
            "everything lies half a pixel too far left and up. (0, 0) is the centre of the first "
            "pixel, half a pixel inside the edge: (2 · column + 1) / W - 1.",
            _normalised_by(lambda corners, n: 2 * corners / n - 1),
            typed="""
                H, W = size
                x, y = 2 * corners[:, 0] / W - 1, 2 * corners[:, 1] / H - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None])
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "these are the formulas for align_corners=True, with -1 and 1 at the centres of the "
            "border pixels. With False they are the edges: (2 · column + 1) / W - 1.",
            _normalised_by(lambda corners, n: 2 * corners / (n - 1) - 1),
            typed="""
                H, W = size
                x, y = 2 * corners[:, 0] / (W - 1) - 1, 2 * corners[:, 1] / (H - 1) - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None])
            """,
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped: x is divided by W, y by H, and size is (H, W).",
            _normalised_by(lambda corners, n: _right(corners, n.flip(0))),
            typed="""
                W, H = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None])
            """,
        ),
        Misconception(
            "x and y swapped",
            "x and y are swapped: the corners are (x, y), column before row, and theta's places "
            "are, too.",
            _normalised_by(lambda corners, n: _right(corners, n).flip(1)),
            typed="""
                H, W = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                tl, tr, br, bl = torch.stack([y, x], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None])
            """,
        ),
        Misconception(
            "corners taken for rows and columns",
            "the corners are taken for (row, column). They are (x, y): the first number goes with "
            "W.",
            _normalised_by(lambda corners, n: _right(corners.flip(1), n)),
            typed="""
                H, W = size
                y, x = (2 * corners[:, 0] + 1) / H - 1, (2 * corners[:, 1] + 1) / W - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None])
            """,
        ),
        Misconception(
            "around, not row by row",
            "the corners go into from_corners as they came, around the page. It takes them row by "
            "row, so two sides of yours cross: swap the last two.",
            _normalised_by(_right, order=[0, 1, 2, 3]),
            typed="""
                H, W = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                return transforms.from_corners(torch.stack([x, y], dim=1)[None])
            """,
        ),
        Misconception(
            "column by column",
            "the page comes out mirrored along its diagonal: the corners are given column by "
            "column. from_corners takes top left, top right, bottom left, bottom right.",
            _normalised_by(_right, order=[0, 3, 1, 2]),
            typed="""
                H, W = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, bl, tr, br])[None])
            """,
        ),
        Misconception(
            "mirrored top to bottom",
            "the page comes out mirrored, its foot at the top: the bottom corners stand first. In "
            "a picture y grows downwards, and the output's first row is the page's upper edge.",
            _normalised_by(_right, order=[3, 2, 0, 1]),
            typed="""
                H, W = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([bl, br, tl, tr])[None])
            """,
        ),
        Misconception(
            "forward",
            "this is the way forward, from the photograph to the straight page. Theta says where "
            "the output reads: from the output to the photograph. It is the inverse of this.",
            _forward,
            typed="""
                H, W = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None]).inverse()
            """,
        ),
        Misconception(
            "from 0 to 1",
            "the corners are shares of the photograph, from 0 to 1. Normalised coordinates run "
            "from -1 to 1: twice the share, minus 1.",
            _normalised_by(lambda corners, n: (corners + 0.5) / n),
            typed="""
                H, W = size
                x, y = (corners[:, 0] + 0.5) / W, (corners[:, 1] + 0.5) / H
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                return transforms.from_corners(torch.stack([tl, tr, bl, br])[None])
            """,
        ),
        Misconception(
            "three corners",
            "three corners are right, the fourth is not: this is affine, which keeps parallels. A "
            "page seen from the side has none. Use all four.",
            _three,
            typed="""
                H, W = size
                x, y = (2 * corners[:, 0] + 1) / W - 1, (2 * corners[:, 1] + 1) / H - 1
                tl, tr, br, bl = torch.stack([x, y], dim=1)
                theta = transforms.from_three_corners(torch.stack([tl, tr, bl])[None])
                return transforms.to_matrix(theta)
            """,
        ),
    ),
)
