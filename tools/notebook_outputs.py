"""What a notebook stores of a run: nothing of the machine, and no change that nobody could see."""

import base64
import io
import re
import sys
from pathlib import Path

import nbformat
import numpy
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode
from nbval.plugin import get_sanitize_patterns
from PIL import Image, ImageSequence

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS))
from nbval_tolerance import Tolerance  # noqa: E402

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDS = {  # Jupyter Book's tags, and JupyterLab's words: the output answers a question,
    "hide-output": {"outputs_hidden": True},
    "hide-cell": {"source_hidden": True, "outputs_hidden": True},  # and the code tells, too
}
UNSEEN = 2  # of 255: by so little a pixel may differ from the stored one without being stored anew


def normalise(notebook: NotebookNode) -> None:
    """Leave out what differs between runs or needs the kernel that made it."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = cell_metadata(cell.metadata.get("tags"))
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if not is_progress(o)]
        for output in cell.get("outputs", []):
            if output.output_type == "execute_result":
                output.execution_count = None  # stands in the cell already
            for part in ("data", "metadata"):
                output.get(part, {}).pop(WIDGET, None)
    CoalesceStreamsPreprocessor().preprocess(notebook, {})


def cell_metadata(tags: list[str] | None) -> NotebookNode:
    """A cell's tags, and JupyterLab's words for what is folded where a tag asks for it."""
    metadata = {} if tags is None else {"tags": tags}
    if folded := folding(tags or []):
        metadata["jupyter"] = folded
    return nbformat.from_dict(metadata)


def folding(tags: list[str]) -> dict[str, bool]:
    """What of a cell with these tags is folded, in JupyterLab's words; empty if nothing is."""
    return {part: True for tag in tags for part in FOLDS.get(tag, {})}


def is_progress(output: NotebookNode) -> bool:
    """Whether an output is a progress bar: on stderr, or a widget, which is stored as 0 %."""
    data = output.get("data", {})
    bar = WIDGET in data and re.match(r"\s*\d+%\|", data.get("text/plain", ""))
    return output.get("name") == "stderr" or bool(bar)


def tolerances(notebook: NotebookNode) -> dict[str, Tolerance | None]:
    """What each cell's tag allows, by the cell's id; ValueError if a tag is malformed."""
    return {cell.id: Tolerance.of(cell.metadata.get("tags", [])) for cell in notebook.cells}


def keep_outputs(new: NotebookNode, old: NotebookNode) -> None:
    """Let each cell store what it stored before, if its new outputs are the same to a reader.

    To the letter, after sanitizing and within the cell's tolerance, as the tests compare them, and
    pictures as an eye does. Both notebooks are normalised; a cell is known by its id.
    """
    stored = {cell.id: cell.get("outputs") for cell in old.cells}
    allowed = tolerances(new)
    for cell in new.cells:
        if cell.cell_type == "code" and same(stored.get(cell.id), cell.outputs, allowed[cell.id]):
            cell.outputs = stored[cell.id]


def same(stored, new, tolerance: Tolerance | None, kind: str = "") -> bool:
    """Whether two outputs, or parts of them, are the same to a reader; kind: such as image/png."""
    if isinstance(stored, dict) and isinstance(new, dict):
        alike = stored.keys() == new.keys()
        return alike and all(same(stored[k], new[k], tolerance, k) for k in stored)
    if isinstance(stored, list) and isinstance(new, list):
        pairs = zip(stored, new, strict=False)
        return len(stored) == len(new) and all(same(*pair, tolerance) for pair in pairs)
    if stored == new or not (isinstance(stored, str) and isinstance(new, str)):
        return stored == new
    if kind in {"image/png", "image/gif", "image/jpeg"}:
        return same_picture(stored, new)
    stored, new = sanitized(stored), sanitized(new)
    return stored == new or bool(tolerance and not tolerance.difference(stored, new))


def same_picture(stored: str, new: str) -> bool:
    """Whether no pixel of any frame differs by more than an eye sees."""
    before, after = frames(stored), frames(new)
    return before.shape == after.shape and bool((abs(before - after) <= UNSEEN).all())


def frames(picture: str) -> numpy.ndarray:
    """A base64 picture's frames, (frames, height, width, 4), as integers that can be subtracted."""
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    return numpy.stack([f.convert("RGBA") for f in ImageSequence.Iterator(image)]).astype(int)


def sanitized(text: str) -> str:
    """A text without what differs between machines, as nbval is told to compare it."""
    settings = (TESTS / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    for pattern, replacement in get_sanitize_patterns(settings):
        text = re.sub(pattern, replacement, text)
    return text
