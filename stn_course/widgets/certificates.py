"""A certificate: what was solved of each notebook, as a picture. Nothing leaves the machine."""

import datetime
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

import stn_course
from stn_course.files import write_atomically
from stn_course.plotting import COLOURS, Described
from stn_course.validation import describe
from stn_course.widgets.progress_map import ProgressMap, label, solved_of

LONGEST = 60  # letters of a name that fit on a line
HEIGHT, WIDTH, GAP = 0.32, 0.36, 0.06  # of a bar, in rows; of a column of bars, and beside it
TITLE = "Spatial transformers, taken apart and built again"

Counts = Mapping[str, Mapping[str, tuple[int, int]]]


def certificate(name: str = "", date: datetime.date | None = None) -> Described:
    """What is solved so far, notebook by notebook, to be shown or saved.

    Args:
        name: whose it is; empty for none.
        date: that stands on it, by default today's.

    Returns:
        The figure, and the same in words. `certificate(…).png()` are the bytes of a file.

    Raises:
        TypeError: name is not a text.
        ValueError: name has several lines, or more letters than fit.

    Example:
        >>> certificate("Ada Lovelace").words.split(":")[0]
        'certificate of Ada Lovelace'
    """
    check_name(name)
    counts, day = ProgressMap().counts(), (date or datetime.date.today()).isoformat()
    return Described(drawn(name, counts, day), in_words(name, counts))


def check_name(name: str) -> None:
    """A name is one line of text that fits."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a text; got {describe(name)}")
    if not name.isprintable() or len(name) > LONGEST:
        raise ValueError(f"name must be one line of at most {LONGEST} letters; got {name[:80]!r}")


def totals(counts: Counts) -> dict[str, tuple[int, int]]:
    """Of all "exercises" and "quizzes": how many are solved, and how many there are."""
    kinds = ("exercises", "quizzes")
    return {
        kind: tuple(map(sum, zip(*(of_it[kind] for of_it in counts.values()), strict=True)))
        for kind in kinds
    }


def verdict(counts: Counts) -> str:
    """What was done, in a line; it says what is left, too."""
    said = [f"{done} of {all_} {kind}" for kind, (done, all_) in totals(counts).items()]
    whole = all(done == all_ for done, all_ in totals(counts).values())
    return ("has solved all of it: " if whole else "has solved so far ") + " and ".join(said)


def in_words(name: str, counts: Counts) -> str:
    """The certificate for those who do not see it."""
    rows = [f"{label(notebook)}, {solved_of(of_it)}" for notebook, of_it in counts.items()]
    return f"certificate of {name or 'a learner'}: {verdict(counts)}. {'; '.join(rows)}."


def drawn(name: str, counts: Counts, day: str) -> Figure:
    """A page: the course, the name, what was solved, a bar for each notebook, day and version."""
    figure = Figure(figsize=(9, 6.4), layout="constrained", facecolor="white")
    head, body = figure.subfigures(2, 1, height_ratios=(1, 1.9))
    text = {"ha": "center", "color": COLOURS["text"]}
    head.text(0.5, 0.78, TITLE, fontsize=13, **text)
    head.text(0.5, 0.42, name or "A learner", fontsize=26, **text)
    head.text(0.5, 0.12, verdict(counts), fontsize=12, **text)
    axes = body.subplots()
    for row, of_it in enumerate(counts.values()):
        for column, (done, all_) in enumerate(of_it.values()):
            draw_bar(axes, column * (WIDTH + 2 * GAP), row, done, all_)
    axes.set(ylim=(len(counts) - 0.4, -0.9), xlim=(-GAP / 2, 2 * (WIDTH + 2 * GAP)))
    axes.set_yticks(range(len(counts)), [label(notebook) for notebook in counts])
    axes.set_xticks([WIDTH / 2, WIDTH * 3 / 2 + 2 * GAP], ["exercises", "quizzes"])
    axes.tick_params(length=0, labelsize=10, top=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    figure.supxlabel(
        f"stn_course {stn_course.__version__} · {day} · made on the learner's machine", size=9
    )
    return figure


def draw_bar(axes, left: float, row: int, done: int, all_: int) -> None:
    """A frame, filled as far as it is done, and the numbers beside it; nothing for none."""
    if all_:
        place = {"height": HEIGHT, "left": left}
        axes.barh(row, WIDTH * done / all_, color=COLOURS["y"], **place)
        axes.barh(row, WIDTH, color="none", edgecolor=COLOURS["text"], linewidth=0.8, **place)
        axes.text(left + WIDTH + 0.01, row, f"{done}/{all_}", va="center", fontsize=9)


def write_certificate(name: str, file: Path) -> str:
    """Write the certificate as a PNG file that is not there yet; the same in words.

    FileExistsError if it is there, ValueError for another ending.
    """
    if file.suffix.lower() != ".png":
        raise ValueError(f"the file must end with .png; got {file}")
    if file.exists():
        raise FileExistsError(f"{file} is there already; give another --output, or move it away")
    made = certificate(name)
    write_atomically(file, made.png())
    return made.words
