"""What an exhibit of the museum of failures is: a broken thing, its mended twin, their numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor, nn

from stn_course.training import History

NOTHING = "nothing"  # what the detector says of a healthy run


class Seen(NamedTuple):
    """What one sees of a broken thing, or of its mended twin.

    Attributes:
        numbers: what was measured, by name and unit.
        pictures: (K, 1, H, W) from 0 to 1, a strip in the order of time, where there is one.
        history: of the training, where there was one.
        model: as trained; None where nothing was, or where only its history was kept.
    """

    numbers: dict[str, float]
    pictures: Tensor | None = None
    history: History | None = None
    model: nn.Module | None = None

    @property
    def found(self) -> str:
        """What the detector found in the run, by kind; "-" where nothing was trained."""
        if self.history is None:
            return "-"
        return ", ".join(self.history.findings) or NOTHING


@dataclass(frozen=True)
class Exhibit:
    """One failure.

    Attributes:
        title: what it is called.
        symptom: what one sees.
        check: the cheapest number that tells, in words.
        remedy: what to do.
        broken: shows it.
        mended: shows it mended.
        finds: the kinds of findings, one of which names it; none where the detector cannot see it.
    """

    title: str
    symptom: str
    check: str
    remedy: str
    broken: Callable[[], Seen]
    mended: Callable[[], Seen]
    finds: tuple[str, ...] = ()


class Visit(NamedTuple):
    """An exhibit, seen broken and mended.

    Attributes:
        exhibit: which.
        broken: as it failed.
        mended: as it works.
    """

    exhibit: Exhibit
    broken: Seen
    mended: Seen

    def table(self) -> str:
        """The numbers of both side by side, and what the detector found, as lines of text."""
        rows = [("", "broken", "mended")]
        for name, number in self.broken.numbers.items():
            other = self.mended.numbers[name]
            rows.append((name, *(f"{round(value, 3) + 0:g}" for value in (number, other))))
        rows.append(("the detector finds", self.broken.found, self.mended.found))
        first, *others = (max(map(len, column)) + 2 for column in zip(*rows, strict=True))
        width = max(others)
        return "\n".join(f"{row[0]:{first}}{row[1]:>{width}}{row[2]:>{width}}" for row in rows)


def visit(exhibit: Exhibit, live: bool = False) -> Visit:
    """See an exhibit broken, and mended.

    Args:
        exhibit: one of EXHIBITS.
        live: train now what is taken from recordings otherwise.

    Returns:
        Both, with their numbers.
    """
    shows = exhibit.broken, exhibit.mended
    if live:
        shows = [replace(x, live=True) if hasattr(x, "recording") else x for x in shows]
    return Visit(exhibit, *(show() for show in shows))
