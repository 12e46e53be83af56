"""Files of training runs: all or nothing is written, and nothing in them is run when read."""

import io
import zipfile
from pathlib import Path

import torch

from stn_course.files import write_atomically


def save(path: str | Path, kind: str, content: dict) -> None:
    """Write a dict of tensors, numbers and text, or, where that fails, leave the file as it was."""
    buffer = io.BytesIO()
    torch.save({"format": kind, **content}, buffer)
    write_atomically(Path(path), buffer.getvalue())


def load(path: str | Path, kind: str) -> dict:
    """What `save` wrote as that kind, on the CPU.

    Raises ValueError, and leaves the file as it is, if it is damaged or something else.
    """
    file = io.BytesIO(Path(path).read_bytes())
    if not (zipfile.is_zipfile(file) and zipfile.ZipFile(file).testzip() is None):
        raise ValueError(f"{path} is damaged, or no {kind!r}")
    file.seek(0)
    content = torch.load(file, map_location="cpu", weights_only=True)
    found = content.pop("format", None) if isinstance(content, dict) else None
    if found != kind:
        instead = f" but a {found!r}" if found else ""
        raise ValueError(f"{path} is not a {kind!r}{instead}")
    return content
