"""A learner's copy of the notebooks: made, brought up to date, and never overwritten.

A notebook that the learner has not changed is brought up to date. Beside one that was changed, and
whose original has changed since, the new version is put under another name, such as
02_grid_generation.new.ipynb. The folder's .copied.json says which version of the course brought the
copy up to date, and which version of each file was copied.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import stn_course
from stn_course.changelog import changelog_file, whats_new
from stn_course.files import write_atomically
from stn_course.notebook_file import read_notebook

PATTERNS = ("*.ipynb", "images/*")
RECORD = ".copied.json"
FIRST = "0.1.0"  # the version whose records do not say it: a file's name and its digest, no more


@dataclass
class Record:
    """What .copied.json holds.

    version: of the course, when the copy was last brought up to date. copied: by the name of each
    file, the digest of what was copied.
    """

    version: str
    copied: dict[str, str]


def default_folder() -> Path:
    """Where a learner works if nothing else is said: here, in a copy, or else in my_notebooks."""
    return Path("." if Path(RECORD).exists() else "my_notebooks")


def update(originals: Path, folder: Path) -> list[str]:
    """Copy what is new or was not changed by the learner; what there is to say, in lines.

    Raises ValueError if the two folders are the same: a copy must be a copy.
    """
    if folder.resolve() == originals.resolve():
        raise ValueError(f"the working copy must be another folder than {originals}")
    if not folder.exists() or not any(folder.iterdir()):
        write(folder / ".gitignore", b"*\n")  # wherever in a checkout the folder lies
    record = read_record(folder)
    files = course_files(originals)
    said = []
    for name, original in files.items():
        said += update_one(name, original.read_bytes(), folder, record.copied)
        write_record(folder, record)
    said += tell_of_dropped(list(files), folder, record.copied)
    said += tell_of_news(record.version)
    write_record(folder, Record(stn_course.__version__, record.copied))
    return said


def course_files(originals: Path) -> dict[str, Path]:
    """What a copy holds, by its name there: the notebooks, their pictures, and the changelog."""
    files = sorted(path for pattern in PATTERNS for path in originals.glob(pattern))
    named = {file.relative_to(originals).as_posix(): file for file in files}
    changelog = changelog_file()
    return named | ({changelog.name: changelog} if changelog.exists() else {})


def update_one(name: str, content: bytes, folder: Path, copied: dict[str, str]) -> list[str]:
    """Bring one file up to date, or put the new version beside it; note it in `copied`."""
    mine, version = folder / name, digest(content)
    if is_one_of(content, copied.get(name)) and mine.exists():
        return []  # the original is the one copied before; the rest is the learner's
    if not mine.exists() or is_one_of(mine.read_bytes(), version, copied.get(name)):
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
        if not there.exists() or is_one_of(there.read_bytes(), version, copied.get(beside)):
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


def is_one_of(content: bytes, *versions: str | None) -> bool:
    """Whether a file's content is one of the versions, its metadata aside."""
    # Versions noted by the course's first releases are digests of the bytes.
    return not {digest(content), hashlib.sha256(content).hexdigest()}.isdisjoint(versions)


def digest(content: bytes) -> str:
    """What tells one version of a file from another; of a notebook its cells and their outputs.

    JupyterLab writes metadata and counts when a notebook is merely opened and saved.
    """
    try:
        notebook = read_notebook(content)
    except ValueError:
        return hashlib.sha256(content).hexdigest()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    for part in [notebook, *notebook.cells, *outputs]:
        for key in ("metadata", "execution_count", "id", "nbformat_minor"):
            part.pop(key, None)
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()


def tell_of_news(version: str) -> list[str]:
    """What the course has brought since the version that made the copy."""
    news = whats_new(version)
    return [f"Your copy was made by version {version}. New since then:\n\n{news}"] if news else []


def read_record(folder: Path) -> Record:
    """What was copied, and by which version; without a readable record nothing, by this one.

    Then every file that differs from its original counts as the learner's.
    """
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        record = Record(str(content.get("version", FIRST)), dict(content.get("copied", content)))
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return Record(stn_course.__version__, {})
    damaged = not all(isinstance(version, str) for version in record.copied.values())
    return Record(stn_course.__version__, {}) if damaged else record


def write_record(folder: Path, record: Record) -> None:
    """Keep the record for the next time."""
    write(folder / RECORD, json.dumps(asdict(record), indent=1).encode())


def write(path: Path, content: bytes) -> None:
    """All of the content, or what was there before; the folder is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
