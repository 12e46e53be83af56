"""Copy the notebooks to where a learner works, and never overwrite a learner's work.

python tools/working_copy.py [folder]    my_notebooks by default

A notebook that the learner has not changed is brought up to date. Beside one that was changed, and
whose original has changed since, the new version is put under another name, such as
02_grid_generation.new.ipynb. The folder's .copied.json says which version of each was copied.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import nbformat

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
    if not folder.exists():
        write(folder / ".gitignore", b"*\n")  # wherever in a checkout the folder lies
    copied = read_record(folder)
    files = sorted(path for pattern in PATTERNS for path in originals.glob(pattern))
    names = [file.relative_to(originals).as_posix() for file in files]
    said = []
    for name, original in zip(names, files, strict=True):
        said += update_one(name, original.read_bytes(), folder, copied)
        write(folder / RECORD, json.dumps(copied, indent=1).encode())
    said += tell_of_dropped(names, folder, copied)
    write(folder / RECORD, json.dumps(copied, indent=1).encode())
    return said


def update_one(name: str, content: bytes, folder: Path, copied: dict[str, str]) -> list[str]:
    """Bring one file up to date, or put the new version beside it; note it in `copied`."""
    mine, version = folder / name, digest(content)
    if same(content, copied.get(name)) and mine.exists():
        return []  # the original is the one copied before; the rest is the learner's
    if not mine.exists() or same(mine.read_bytes(), version, copied.get(name)):
        write(mine, content)
        copied[name] = version
        return []
    beside = free_name(name, version, folder, copied)
    write(folder / beside, content)
    copied[name] = copied[beside] = version
    said = [f"{name} is yours and stays as it is. The course's new version: {beside}"]
    there = [name, *(b for b in besides(name) if (folder / b).exists())]
    if len(there) > 2:
        said += [f"{', '.join(there)}: keep the one you work in, and delete those you don't need."]
    return said


def besides(name: str) -> list[str]:
    """The names for new versions beside a file: NAME.new.ipynb, NAME.new2.ipynb and so on."""
    path = Path(name)
    tags = ["new", *(f"new{number}" for number in range(2, 100))]
    return [path.with_name(f"{path.stem}.{tag}{path.suffix}").as_posix() for tag in tags]


def free_name(name: str, version: str, folder: Path, copied: dict[str, str]) -> str:
    """The first name beside a file where there is none, or one that nobody has changed."""
    for beside in besides(name):
        there = folder / beside
        if not there.exists() or same(there.read_bytes(), version, copied.get(beside)):
            return beside
    raise ValueError(f"there are too many versions of {name}: delete those you don't need")


def tell_of_dropped(names: list[str], folder: Path, copied: dict[str, str]) -> list[str]:
    """What to say of files that came from the course and are no longer part of it, once each.

    They stay. One that begins with the same number has taken their place.
    """
    said = []
    for old in [n for n in copied if n not in {*names, *(b for n in names for b in besides(n))}]:
        del copied[old]
        new = [name for name in names if name.split("_")[0] == old.split("_")[0]]
        instead = f"; {new[0]} has taken its place" if new else ""
        if (folder / old).exists():
            said.append(f"{old} is no longer part of the course{instead}. Delete it if you like.")
    return said


def same(content: bytes, *versions: str | None) -> bool:
    """Whether a file's content is one of the versions, its metadata aside."""
    # Versions noted by the course's first releases are digests of the bytes.
    return not {digest(content), hashlib.sha256(content).hexdigest()}.isdisjoint(versions)


def digest(content: bytes) -> str:
    """What tells one version of a file from another; of a notebook its cells and their outputs.

    JupyterLab writes metadata and counts when a notebook is merely opened and saved.
    """
    try:
        notebook = nbformat.reads(content.decode(), as_version=4)
    except (ValueError, AttributeError):  # no notebook
        return hashlib.sha256(content).hexdigest()
    for part in [notebook, *notebook.cells, *(o for c in notebook.cells for o in outputs(c))]:
        for key in ("metadata", "execution_count", "id", "nbformat_minor"):
            part.pop(key, None)
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()


def outputs(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return cell.get("outputs", [])


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
