"""Copy the notebooks to where a learner works, and never overwrite a learner's work.

python tools/working_copy.py [folder]    my_notebooks by default

A notebook that the learner has not changed is brought up to date. Beside one that was changed, and
whose original has changed since, the new version is put under another name, such as
02_grid_generation.new.ipynb. The folder's .copied.json says which version of each was copied.
"""

import argparse
import hashlib
import itertools
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ("*.ipynb", "images/*")
RECORD = ".copied.json"


def main(arguments: list[str] | None = None) -> None:
    """Bring the folder up to date, and say what was done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "my_notebooks")
    folder = parser.parse_args(arguments).folder
    try:
        for line in update(ROOT / "notebooks", folder):
            print(line)
    except (OSError, ValueError) as error:
        sys.exit(f"the working copy in {folder} could not be brought up to date: {error}")


def update(originals: Path, folder: Path) -> list[str]:
    """Copy what is new or was not changed by the learner; what there is to say, in lines.

    Raises ValueError if the two folders are the same: a copy must be a copy.
    """
    if folder.resolve() == originals.resolve():
        raise ValueError(f"the working copy must be another folder than {originals}")
    folder.mkdir(parents=True, exist_ok=True)
    copied = read_record(folder)
    said = []
    for original in sorted(path for pattern in PATTERNS for path in originals.glob(pattern)):
        name = original.relative_to(originals).as_posix()
        said += update_one(name, original.read_bytes(), folder, copied)
        write(folder / RECORD, json.dumps(copied, indent=1).encode())
    return said


def update_one(name: str, content: bytes, folder: Path, copied: dict[str, str]) -> list[str]:
    """Bring one file up to date, or put the new version beside it; note it in `copied`."""
    mine, version = folder / name, digest(content)
    if version == copied.get(name) and mine.exists():
        return []  # the original is the one copied before; the rest is the learner's
    if not mine.exists() or digest(mine.read_bytes()) in (version, copied.get(name)):
        write(mine, content)
        copied[name] = version
        return []
    beside = free_name(name, version, folder, copied)
    write(folder / beside, content)
    copied[name] = copied[beside] = version
    return [f"{name} is yours and stays as it is. The course's new version: {beside}"]


def free_name(name: str, version: str, folder: Path, copied: dict[str, str]) -> str:
    """NAME.new.ipynb, or with a number, where there is none or one that nobody has changed."""
    path = Path(name)
    for number in itertools.count(1):
        tag = "new" if number == 1 else f"new{number}"
        beside = path.with_name(f"{path.stem}.{tag}{path.suffix}").as_posix()
        there = folder / beside
        if not there.exists() or digest(there.read_bytes()) in (version, copied.get(beside)):
            return beside


def digest(content: bytes) -> str:
    """What tells one version of a file from another."""
    return hashlib.sha256(content).hexdigest()


def read_record(folder: Path) -> dict[str, str]:
    """Which version of each file was copied; without a readable record, none.

    Then every file that differs from its original counts as the learner's.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write(path: Path, content: bytes) -> None:
    """All of the content, or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)


if __name__ == "__main__":
    main()
