"""The answers that the package itself has no function for; the other answers are its own code."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course import data, models, training, transforms
from stn_course.grids import pixel_centres
from stn_course.samplers import read_pixels, warp


def rotation_about(degrees: float, x: float, y: float, size: tuple[int, int]) -> Tensor:
    """Theta (1, 2, 3) that turns the grid clockwise about the pixel (x, y) of an image (H, W)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    move_x = x - cos * x + sin * y  # so that (x, y) itself stays where it is
    move_y = y - sin * x - cos * y
    matrix = torch.tensor([[[cos, -sin, move_x], [sin, cos, move_y]]])
    return transforms.from_pixel_matrix(matrix, size, direction="output_to_input")


def crop_theta(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> Tensor:
    """Theta (1, 2, 3) that reads the box of width × height pixels from column left, row top on.

    size: (H, W) of the whole image; align_corners=False, so the box ends at its pixels' edges.
    """
    image_height, image_width = size
    x = (2 * left + width) / image_width - 1  # the middle of the box
    y = (2 * top + height) / image_height - 1
    return torch.tensor([[[width / image_width, 0, x], [0, height / image_height, y]]])


def grid_with_rows_first(theta: Tensor, size: tuple[int, ...]) -> Tensor:
    """The affine grid (B, H, W, 2) of theta (B, 2, 3), rows before columns; size: (B, C, H, W)."""
    _, _, height, width = size
    y, x = torch.meshgrid(pixel_centres(height), pixel_centres(width), indexing="ij")
    target = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    return torch.einsum("bij,hwj->bhwi", theta, target)


def bilinear_weights(x: Tensor, y: Tensor) -> Tensor:
    """The weights of the four neighbours of N places (pixels): (N,), (N,) -> (N, 4).

    Their order is top left, top right, bottom left, bottom right.
    """
    right, lower = x - x.floor(), y - y.floor()
    left, upper = 1 - right, 1 - lower
    return torch.stack([left * upper, right * upper, left * lower, right * lower], dim=-1)


def gradient_x(input: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The slope of bilinear sampling along x, in values a pixel (paper, eq. 7).

    input: (B, C, H, W). x, y: (B, H', W') in pixels. Returns (B, C, H', W').
    """
    left, top = x.floor(), y.floor()
    lower_part = (y - top)[:, None]
    upper = read_pixels(input, left + 1, top) - read_pixels(input, left, top)
    lower = read_pixels(input, left + 1, top + 1) - read_pixels(input, left, top + 1)
    return (1 - lower_part) * upper + lower_part * lower


def warp_in_agreement(image: Tensor, theta: Tensor) -> Tensor:
    """The image (B, C, H, W) read through theta, both calls with the same `align_corners`."""
    grid = F.affine_grid(theta, image.shape, align_corners=False)
    return F.grid_sample(image, grid, align_corners=False)


def plug_in(cnn: nn.Module) -> nn.Module:
    """A network for (B, 1, 28, 28): a transformer, then `cnn`, which takes (B, 1, 20, 20)."""
    localization = models.localization_cnn(in_channels=1)
    return nn.Sequential(models.SpatialTransformer(localization, output_size=(20, 20)), cnn)


def theta_unbounded(head: nn.Module, features: Tensor) -> Tensor:
    """The head's six numbers as theta, nothing squeezed: (B, N) -> (B, 2, 3)."""
    return head(features).view(-1, 2, 3)


def forward_through(net: models.TutorialNet, x: Tensor) -> Tensor:
    """The class scores (B, 10) of digits (B, 1, 28, 28), read through the transformer."""
    transformed = net.stn(x)
    return net.classify(transformed)


def start_at_crop(left: int, top: int, width: int, height: int, size: tuple[int, int]) -> nn.Module:
    """A transformer for images (B, 1, H, W) that at the start gives the box, pixel by pixel.

    The box is `width` × `height` pixels, from column `left` and row `top` on; size: (H, W).
    """
    image_height, image_width = size
    x = (2 * left + width) / image_width - 1  # the middle of the box
    y = (2 * top + height) / image_height - 1
    theta = [width / image_width, 0.0, x, 0.0, height / image_height, y]
    localization = models.localization_cnn(in_channels=1)
    transformer = models.SpatialTransformer(localization, output_size=(height, width))
    with torch.no_grad():
        localization[-1].bias.copy_(torch.tensor(theta))
    return transformer


def attention_head(features: int) -> nn.Module:
    """A layer (B, features) -> theta (B, 2, 3) that scales and shifts; at first the identity."""

    class AttentionHead(nn.Module):
        def __init__(self):
            super().__init__()
            self.numbers = nn.Linear(features, 3)  # scale, x, y
            nn.init.zeros_(self.numbers.weight)
            with torch.no_grad():
                self.numbers.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))

        def forward(self, x):
            return transforms.attention(*self.numbers(x).unbind(-1))

    return AttentionHead()


def accuracy_over_angle(
    model: nn.Module, images: Tensor, labels: Tensor, angles: list[float]
) -> list[float]:
    """The share of images (N, 1, 28, 28), from 0 to 1, named rightly when turned by each angle.

    angles: degrees, anticlockwise.
    """
    return [
        training.evaluate(model, data.normalise(data.rotate(images, angle)), labels)
        for angle in angles
    ]


def turn_then_normalise(images: Tensor, degrees: float) -> Tensor:
    """Images (B, 1, 28, 28) from 0 to 1, turned while black is 0, then normalised."""
    return data.normalise(data.rotate(images, degrees))


def training_step(
    model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer
) -> None:
    """One step of training on one batch; the model gives log-probabilities (B, 10)."""
    loss = F.nll_loss(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def accuracy_in_eval_mode(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images (N, 1, 28, 28), normalised, that the model names rightly."""
    model.eval()
    return (model(images).argmax(dim=1) == labels).float().mean().item()


def transform_on_black(images: Tensor, theta: Tensor) -> Tensor:
    """Normalised images (B, 1, H, W) read through theta; outside is black, as at the border."""
    return warp(data.normalise(images), theta, padding_mode="border")
