"""What searches found, in a folder: a JSON file for each, whole or not there."""

import json
import statistics
from pathlib import Path

import torch

from stn_course.alignment import centre_distance
from stn_course.experiments.colocalisation.learning import Found, window_theta
from stn_course.experiments.colocalisation.search import (
    PRINTED,
    SIZE,
    Search,
    make_pictures,
    searches,
)
from stn_course.experiments.results import read_result
from stn_course.files import write_atomically

STORED = Path(__file__).resolve().parents[2] / "results" / "colocalised"  # comes with the package
NEAR = 7  # pixels from a digit's centre, a quarter of its size


def save_found(folder: Path, found: Found) -> None:
    """Write what was found, all or nothing."""
    text = json.dumps(found.to_content()) + "\n"
    write_atomically(folder / f"{found.search.name}.json", text.encode())


def load_found(folder: Path, search: Search) -> Found | None:
    """What exactly this search found; None if it was not run, or in another way."""
    found = read_result(folder / f"{search.name}.json", Found.from_content)
    return found if found is not None and found.search == search else None


def class_table(zoom: float) -> str:
    """What came with the package of both sets, class by class, beside the paper's shares."""
    lines = []
    for name, (low, high) in PRINTED.items():
        run = [s for s in searches() if (s.set, s.zoom) == (name, zoom)]
        shares, sides, near = zip(*map(measured, run), strict=True)
        paper = f"{low}" if low == high else f"{low} to {high}"
        lines.append(f"{name}: mean {statistics.mean(shares):.1f} %, paper {paper} %")
        for words, values in (
            ("% of boxes right", shares),
            ("their width in pixels", sides),
            (f"% of centres within {NEAR}", near),
        ):
            lines.append(f"  {words:23}" + "".join(f"{value:4.0f}" for value in values))
    return "\n".join(lines)


def measured(search: Search) -> tuple[float, float, float]:
    """Of a search's boxes: % right, mean width in pixels, % whose centre is near the digit's."""
    found, (_, frames) = load_found(STORED, search), make_pictures(search)
    theta = window_theta(torch.tensor(found.windows))
    near = centre_distance(theta, frames, (SIZE, SIZE)) < NEAR
    return found.share, SIZE * theta[:, 0, 0].mean().item(), 100 * near.double().mean().item()
