"""Fair fights: with and without a transformer, on the same digits, in equal epochs and equal time.

`python -m stn_course.comparison` makes one run; `stn-course table` makes a whole table.
"""

from stn_course.comparison.conditions import CONDITIONS
from stn_course.comparison.runs import Row, multiply_adds
from stn_course.comparison.table import (
    TABLES,
    Comparison,
    compare,
    difference_of_means,
    interval,
    load_comparison,
    to_markdown,
)

__all__ = [
    "CONDITIONS",
    "TABLES",
    "Comparison",
    "Row",
    "compare",
    "difference_of_means",
    "interval",
    "load_comparison",
    "multiply_adds",
    "to_markdown",
]
