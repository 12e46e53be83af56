"""What the tests of grids share: sizes, thetas, bent lattices."""

import pytest
import torch

from stn_course import grids

SIZES = [(3, 1, 4, 7), (3, 2, 9, 2), (3, 1, 1, 5), (3, 1, 6, 1), (3, 4, 1, 1), (3, 1, 28, 20)]
each_size = pytest.mark.parametrize("size", SIZES)
both_corners = pytest.mark.parametrize("align_corners", [False, True])
AFFINE = torch.tensor([[[0.9, -0.3, 0.1], [0.2, 1.1, -0.4]]], dtype=torch.float64)
TILTED = torch.tensor([[[1.0, 0.1, 0.05], [-0.1, 0.9, 0.1], [0.2, -0.3, 1.0]]], dtype=torch.float64)


def lattice_bent(n: int, batch: int = 3) -> torch.Tensor:
    """Control points (batch, n², 2), float64, each moved by a little at random."""
    generator = torch.Generator().manual_seed(n)
    moves = torch.randn(batch, n * n, 2, generator=generator, dtype=torch.float64)
    return grids.control_lattice(n, dtype=torch.float64) + 0.3 * moves
