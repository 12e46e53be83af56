"""The bundled MNIST files: raw tensors, and a root for torchvision."""

import gzip
import hashlib
import zlib
from importlib import resources
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

from stn_course.files import write_atomically
from stn_course.validation import check_choice

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
