"""The bundled MNIST: raw tensors, torchvision's root, batches, and distorted digits.

Nothing here touches a network: the four gzip files are part of the package.
"""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import platformdirs
import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.files import write_atomically
from stn_course.grids import pixel_centres
from stn_course.samplers import ALL_MODES, warp
from stn_course.transforms import scale
from stn_course.validation import (
    check_choice,
    check_images,
    check_positive,
    describe,
    name_first,
)

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in [0, 1]; notebook 01 computes them

# File name: (MD5 of the decompressed bytes, shape, length of the header in bytes).
FILES = {
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", (60000, 28, 28), 16),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", (60000,), 8),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", (10000, 28, 28), 16),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", (10000,), 8),
}
SPLITS = {"train": "train", "test": "t10k"}


def _has_checksum(content: bytes, name: str) -> bool:
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == FILES[name][0]


def _decompressed(name: str) -> bytes:
    """The bytes of one bundled file; OSError if the installed copy lacks it or it is damaged."""
    bundled = resources.files("stn_course").joinpath(f"mnist/{name}.gz")
    restore = "restore it with `git checkout stn_course/mnist`, or install stn_course again"
    try:
        content = gzip.decompress(bundled.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f"the bundled {name}.gz is missing; {restore}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        content = b""
    if not _has_checksum(content, name):
        raise OSError(f"the bundled {name}.gz is damaged; {restore}")
    return content


def load_mnist(split: str = "train") -> tuple[Tensor, Tensor]:
    """The digits of one split straight from the package.

    Args:
        split: "train" (60,000) or "test" (10,000).

    Returns:
        Images (N, 28, 28) uint8, 0 black to 255 white, and labels (N,) int64.

    Raises:
        ValueError: an unknown split.
        OSError: the installed copy lacks a file, or one is damaged.

    Example:
        >>> images, labels = load_mnist("test")
        >>> images.shape, labels[:5]
        (torch.Size([10000, 28, 28]), tensor([7, 2, 1, 0, 4]))
    """
    check_choice("split", split, SPLITS)
    arrays = []
    for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        name = f"{SPLITS[split]}-{kind}"
        _, shape, header = FILES[name]
        content = bytearray(_decompressed(name))
        arrays.append(torch.frombuffer(content, dtype=torch.uint8, offset=header).reshape(shape))
    return arrays[0], arrays[1].long()


def mnist_root(cache: str | Path | None = None) -> Path:
    """A `root` for `torchvision.datasets.MNIST(root, download=False)`; unpacked at the first call.

    Each file is checked against its checksum; a missing or damaged one is written anew under a
    temporary name and renamed, so that an interrupted call, or two at once, do no harm.

    Args:
        cache: the folder to unpack into, by default the user's cache folder for this course.

    Returns:
        That folder.

    Raises:
        OSError: the installed copy lacks a file, or one is damaged, or the folder can't be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as cache:
        ...     len(list(mnist_root(cache).glob("MNIST/raw/*-ubyte")))
        4
    """
    root = Path(cache) if cache is not None else Path(platformdirs.user_cache_dir("stn_course"))
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        target = raw / name
        if not (target.is_file() and _has_checksum(target.read_bytes(), name)):
            write_atomically(target, _decompressed(name))
    return root


def to_float(images: Tensor) -> Tensor:
    """Grey images as a network takes them.

    Args:
        images: (N, H, W) uint8, 0 to 255.

    Returns:
        (N, 1, H, W) float32, 0 to 1.

    Raises:
        TypeError: images is not a uint8 tensor (N, H, W).

    Example:
        >>> to_float(torch.tensor([[[0, 51, 255]]], dtype=torch.uint8))
        tensor([[[[0.0000, 0.2000, 1.0000]]]])
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.dim() != 3:
        raise TypeError(f"images must be a uint8 tensor of shape (N, H, W); got {describe(images)}")
    return images[:, None].float() / 255


def normalise(images: Tensor) -> Tensor:
    """Subtract MNIST's mean and divide by its standard deviation.

    Args:
        images: any shape, values from 0 (black) to 1 (white).

    Returns:
        The same shape; black is -0.4242.

    Example:
        >>> normalise(torch.tensor([0.0, 0.1307, 1.0]))
        tensor([-0.4242,  0.0000,  2.8215])
    """
    return (images - MEAN) / STD


def denormalise(images: Tensor) -> Tensor:
    """The way back from `normalise`.

    Args:
        images: normalised, any shape.

    Returns:
        The same shape, values from 0 (black) to 1 (white).

    Example:
        >>> denormalise(torch.tensor([0.0, 1.0]))  # mean, one deviation more
        tensor([0.1307, 0.4388])
    """
    return images * STD + MEAN


def load_digits(split: str = "train", device=None) -> tuple[Tensor, Tensor]:
    """One split in memory, ready for a network.

    They are not yet normalised, so that a distortion can fill with black, which is 0.

    Args:
        split: "train" (60,000) or "test" (10,000).
        device: where they go, by default the CPU.

    Returns:
        Images (N, 1, 28, 28) from 0 to 1, and labels (N,).

    Raises:
        ValueError: an unknown split.
        OSError: the installed copy lacks a file, or one is damaged.

    Example:
        >>> images, labels = load_digits("test")
        >>> images.shape, images.max()
        (torch.Size([10000, 1, 28, 28]), tensor(1.))
    """
    images, labels = load_mnist(split)
    return to_float(images.to(device)), labels.to(device)


def batches(
    images: Tensor, labels: Tensor, size: int, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of images and labels, each once, the last pair maybe smaller.

    Args:
        images: (N, ...).
        labels: (N,).
        size: how many make a pair.
        generator: a CPU generator that shuffles; without one the order is kept.

    Yields:
        `size` images and their labels.

    Raises:
        TypeError: size is not a whole number.
        ValueError: size is 0 or less, or images and labels do not pair.

    Example:
        >>> images, labels = torch.zeros(5, 1, 28, 28), torch.arange(5)
        >>> [some.tolist() for _, some in batches(images, labels, size=2)]
        [[0, 1], [2, 3], [4]]
    """
    check_positive("size", size)
    if len(images) != len(labels) or len(images) == 0:
        raise ValueError(f"images and labels must pair; got {len(images)} and {len(labels)}")
    if generator is None:
        yield from zip(images.split(size), labels.split(size), strict=True)
        return
    order = torch.randperm(len(images), generator=generator).to(images.device)
    for index in order.split(size):
        yield images[index], labels[index]


def rotate(images: Tensor, degrees, mode: str = "bilinear") -> Tensor:
    """Turn pictures anticlockwise about their centre, filling with 0 (black).

    Args:
        images: (B, C, H, W), H = W, values from 0.
        degrees: a number or a tensor (B,).
        mode: as in `grid_sample`.

    Returns:
        (B, C, H, W).

    Raises:
        TypeError: images is not a floating-point tensor.
        ValueError: a wrong shape, or an unknown mode.

    Example:
        >>> rotate(torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]), degrees=90).round()
        tensor([[[[1., 3.],
                  [0., 2.]]]])
    """
    check_images(images, "images")
    check_choice("mode", mode, ALL_MODES)
    if images.shape[-1] != images.shape[-2]:
        raise ValueError(f"rotate needs square images, H = W; got {describe(images)}")
    precise = torch.float64 if images.dtype == torch.float64 else torch.float32
    angle = torch.deg2rad(torch.as_tensor(degrees).to(images.device, torch.float64))
    if angle.shape not in ((), (1,), (len(images),)):
        raise ValueError(f"degrees must be a number or ({len(images)},); got {describe(degrees)}")
    turn = torch.polar(torch.ones_like(angle), angle).to(precise.to_complex()).reshape(-1, 1, 1)
    # To turn x + iy is to multiply it; a third of the time of a matrix product for each pixel.
    grid = torch.view_as_real(turn * _plane(images.shape[-1], precise, images.device))
    grid = grid.to(images.dtype).expand(len(images), -1, -1, -1)
    return F.grid_sample(images, grid, mode=mode, align_corners=False)


def _plane(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The pixel centres of a square image, (size, size), as complex numbers x + iy."""
    centres = pixel_centres(size, dtype=dtype, device=device)
    return torch.complex(centres.expand(size, size), centres[:, None].expand(size, size))


def rescale(images: Tensor, factor) -> Tensor:
    """Make pictures larger (above 1) or smaller about their centre, filling with 0 (black).

    Args:
        images: (B, C, H, W), values from 0.
        factor: a number or a tensor (B,), above 0.

    Returns:
        (B, C, H, W).

    Raises:
        TypeError: images is not a floating-point tensor.
        ValueError: a wrong shape, or a factor that is not above 0.

    Example:
        >>> rescale(torch.ones(1, 1, 4, 4), factor=0.5)
        tensor([[[[0., 0., 0., 0.],
                  [0., 1., 1., 0.],
                  [0., 1., 1., 0.],
                  [0., 0., 0., 0.]]]])
    """
    check_images(images, "images")
    factor = torch.as_tensor(factor).to(images)
    if not (factor > 0).all():
        found = name_first("0, less or NaN", ~(factor > 0), factor)
        raise ValueError(f"factor must be above 0; got {found}")
    return warp(images, scale(1 / factor))


def random_rotation(
    limit: float, mode: str = "bilinear"
) -> Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]:
    """A distortion: each picture turned by its own angle, uniform from -limit to limit degrees.

    Args:
        limit: degrees.
        mode: as in `rotate`.

    Returns:
        A function (images, generator) -> (rotated images, degrees (B,)); the generator is on the
        CPU, so the angles are the same on every device.

    Example:
        >>> distort = random_rotation(limit=90)
        >>> images, generator = torch.rand(5, 1, 28, 28), torch.Generator()
        >>> turned, degrees = distort(images, generator)
        >>> turned.shape, bool((degrees.abs() <= 90).all())
        (torch.Size([5, 1, 28, 28]), True)
    """

    def distort(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        degrees = (torch.rand(len(images), generator=generator) * 2 - 1) * limit
        return rotate(images, degrees.to(images), mode), degrees

    return distort
