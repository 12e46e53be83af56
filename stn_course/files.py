"""Writing a file so that it is whole or not there."""

import os
import secrets
import shutil
import time
from pathlib import Path

WAITS = (0.01, 0.03, 0.1, 0.3, 0.5, 0)  # seconds after each try to replace a file that is open


def write_atomically(target: Path, content: bytes) -> None:
    """All of the content appears under the target's name, or nothing does.

    A file that was there gives its mode to the new one.

    Args:
        target: the file.
        content: what should be in it.

    Raises:
        PermissionError: the target cannot be replaced; it is then as it was, and the content lies
            beside it, with ".new" added.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     target = pathlib.Path(folder, "notes.txt")
        ...     write_atomically(target, b"done")
        ...     target.read_text()
        'done'
    """
    temporary = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        if target.exists():
            shutil.copymode(target, temporary)
        if not _replace(temporary, target):
            kept = temporary.replace(target.with_name(f"{target.name}.new"))
            raise PermissionError(
                f"{target} cannot be replaced: it is protected, or another program has it open. "
                f"It is as it was; what should be in it is in {kept.name} beside it"
            )
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _replace(temporary: Path, target: Path) -> bool:
    """Whether the target was replaced: Windows refuses while another program has it open."""
    for seconds in WAITS:
        try:
            os.replace(temporary, target)
        except PermissionError:
            time.sleep(seconds)
        else:
            return True
    return False
