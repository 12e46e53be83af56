"""Numbers compared as numbers: a pytest plugin beside nbval, for cells with a tolerance tag.

tolerance=0.5   each number may differ by 0.5, in the units printed
tolerance=5%    each number may differ by 5 % of the stored one

The text between the numbers must be the same to the letter; nan and inf are text, too.
A number's padding belongs to it, so that " 9.9" and "10.1" may stand in one column.
"""

import re
from decimal import Decimal, InvalidOperation

import pytest
from nbval.plugin import IPyNbCell

TAG = "tolerance="
# A digit that follows a letter (conv2d) or a point (1.2.3) is text; so is a hyphen after a digit.
NUMBER = re.compile(
    r"( *)(?<![\w.])([+\-−]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
    r"(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
)


class Tolerance:
    """What a cell's tag allows."""

    def __init__(self, tag: str):
        """tag: such as "tolerance=0.5" or "tolerance=5%". ValueError if it is none of these."""
        self.tag = tag
        amount = tag.removeprefix(TAG)
        self.relative = amount.endswith("%")
        try:
            self.amount = Decimal(amount.removesuffix("%"))
        except InvalidOperation:
            self.amount = Decimal("nan")
        if not (self.amount.is_finite() and self.amount > 0):
            raise ValueError(f"{tag!r}: expected a positive number, as in {TAG}0.5 or {TAG}5%")

    @classmethod
    def of(cls, tags: list[str]) -> "Tolerance | None":
        """The tolerance among a cell's tags; ValueError if it is malformed or not the only one."""
        own = [tag for tag in tags if tag.lower().startswith("tolerance")]
        if len(own) > 1:
            raise ValueError(f"one tolerance a cell; got {own}")
        return cls(own[0]) if own else None

    def difference(self, stored: str, new: str) -> str | None:
        """How a new text differs from the stored one beyond what is allowed; None if it does not.

        The numbers are taken as the decimals that were printed, so that 0.8 and 0.7 differ by 0.1.
        """
        before, after = NUMBER.split(stored), NUMBER.split(new)  # text, padding, number, text, …
        if len(before) != len(after):
            return f"{len(before) // 3} numbers are stored, {len(after) // 3} came"
        for one, other in zip(before[::3], after[::3], strict=True):
            if one != other:
                return f"the text differs: {one!r} is stored, {other!r} came"
        for i in range(1, len(before), 3):
            if found := self.between(before[i : i + 2], after[i : i + 2]):
                return f"number {i // 3 + 1} of {len(before) // 3} differs: {found}"
        return None

    def between(self, stored: list[str], new: list[str]) -> str | None:
        """The same for two numbers, each with its padding."""
        if stored[0] != new[0] and len("".join(stored)) != len("".join(new)):
            return f"{''.join(stored)!r} is stored, {''.join(new)!r} came: not one column's width"
        reference, value = number(stored[1]), number(new[1])
        allowed = abs(reference) * self.amount / 100 if self.relative else self.amount
        if abs(value - reference) <= allowed:
            return None
        return (
            f"{stored[1]} is stored, {new[1]} came. "
            f"They differ by {abs(value - reference)}; {self.tag} allows {allowed.normalize():f}"
        )


def number(text: str) -> Decimal:
    """A number as it was printed, with thousands separators and a typographic minus."""
    return Decimal(text.replace(",", "").replace("−", "-"))


class TolerantText(str):
    """A text that equals another if its numbers do, within a tolerance."""

    __hash__ = None

    def __new__(cls, text: str, tolerance: Tolerance):
        self = super().__new__(cls, text)
        self.tolerance = tolerance
        return self

    def __ne__(self, new) -> bool:
        return self.tolerance.difference(self, new) is not None


class TolerantCell(IPyNbCell):
    """A cell with a tolerance tag: nbval's own comparison, of texts that know their tolerance."""

    def runtest(self):
        try:
            self.tolerance = Tolerance.of(self.cell.metadata.tags)
        except ValueError as error:
            self.raise_cell_error(str(error))
        super().runtest()

    def sanitize(self, s):
        clean = super().sanitize(s)
        return TolerantText(clean, self.tolerance) if isinstance(clean, str) else clean

    def format_output_compare(self, key, left, right):
        super().format_output_compare(key, left, right)
        self.comparison_traceback.append(self.tolerance.difference(left, right))


def pytest_itemcollected(item: pytest.Item) -> None:
    """A cell with a tolerance tag compares numbers as numbers; nbval makes the cells itself."""
    if isinstance(item, IPyNbCell):
        tags = item.cell.metadata.get("tags", [])
        if any(tag.lower().startswith("tolerance") for tag in tags):
            item.__class__ = TolerantCell
