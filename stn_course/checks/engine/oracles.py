"""What is right by PyTorch's own functions, where several exercises ask for it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import transforms
from stn_course.checks.engine.types import Case


def pytorch_affine_grid(
    theta: Tensor, size: tuple[int, ...], align_corners: bool = False
) -> Tensor:
    """PyTorch's own: (B, 2, 3) -> (B, H, W, 2)."""
    return F.affine_grid(theta, size, align_corners=align_corners)


def pytorch_inverse(theta: Tensor) -> Tensor:
    """torch.linalg.inv of the 3×3 matrix: (B, 2, 3) -> (B, 2, 3)."""
    last = theta.new_tensor([[[0, 0, 1]]]).expand(len(theta), 1, 3)
    return torch.linalg.inv(torch.cat([theta, last], dim=1))[:, :2]


def turn_by_pytorch(images: Tensor, degrees: float) -> Tensor:
    """Pictures turned anticlockwise by PyTorch's two functions, black outside."""
    theta = transforms.rotation(degrees=torch.tensor(float(degrees)).to(images))
    grid = F.affine_grid(theta.expand(len(images), 2, 3), images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def read_by_pytorch(input: Tensor, x: Tensor, y: Tensor, mode: str, padding_mode: str = "zeros"):
    """F.grid_sample at places in pixels: (B, C, H, W), (B, H', W') twice -> (B, C, H', W')."""
    height, width = input.shape[-2:]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(input, grid, mode=mode, padding_mode=padding_mode, align_corners=False)


def reading_cases(xs: list[float], ys: list[float]) -> list[Case]:
    """The places one by one on a small image, then all of them on a batch; both dtypes."""
    small = torch.tensor([[[[1.0, 2.0, 4.0], [3.0, 7.0, 5.0]]]])
    cases = [
        Case((small, torch.tensor([[[x]]]), torch.tensor([[[y]]])))
        for x, y in zip(xs, ys, strict=True)
    ]
    generator = torch.Generator().manual_seed(3)
    for dtype in (torch.float32, torch.float64):
        batch = torch.randn(2, 3, 4, 3, generator=generator, dtype=dtype)
        places = torch.tensor([xs, ys], dtype=dtype)[:, None, None, :].expand(2, 2, 1, -1)
        cases.append(Case((batch, places[0].contiguous(), places[1].contiguous())))
    return cases
