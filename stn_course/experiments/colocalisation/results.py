"""What searches found, in a folder: a JSON file for each, whole or not there."""

import json
from pathlib import Path

from stn_course.experiments.colocalisation.learning import Found
from stn_course.experiments.colocalisation.search import Search
from stn_course.files import write_atomically

STORED = Path(__file__).resolve().parents[2] / "results" / "colocalised"  # comes with the package


def save_found(folder: Path, found: Found) -> None:
    """Write what was found, all or nothing."""
    text = json.dumps(found.to_content()) + "\n"
    write_atomically(folder / f"{found.search.name}.json", text.encode())


def load_found(folder: Path, search: Search) -> Found | None:
    """What exactly this search found; None if it was not run, or in another way."""
    path = folder / f"{search.name}.json"
    try:
        found = Found.from_content(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no result; move it away: {error!r}") from error
    return found if found.search == search else None
