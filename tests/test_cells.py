"""Which cells of a notebook need which, for the tests that run only some of them."""

import cells
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NOTEBOOK = """
import math
from stn_course import models, training
---
net, other = models.PlainNet(), 1
---
history = training.fit(net)
---
def best(net): return max(history.accuracies)
---
def double(net): return 2 * net
---
print(best(net))
---
history = double(other)
---
print(history, double(math.pi))
"""


@pytest.fixture
def notebook():
    return new_notebook(
        cells=[
            new_markdown_cell("Trainings call fit."),
            *(new_code_cell(text.strip()) for text in NOTEBOOK.split("---")),
        ]
    )


def sources(kept) -> list[str]:
    return [cell.source.splitlines()[-1] for cell in kept]


def test_without_training_what_rests_on_it_is_left_out_until_it_is_bound_anew(notebook):
    kept = sources(cells.without_training(notebook))
    assert kept == [
        "from stn_course import models, training",
        "net, other = models.PlainNet(), 1",
        "def double(net): return 2 * net",
        "history = double(other)",
        "print(history, double(math.pi))",
    ]


def test_a_cell_needs_those_that_bind_what_it_uses_and_theirs(notebook):
    assert sources(cells.needed(notebook, lambda cell: "print(best(" in cell.source)) == [
        "from stn_course import models, training",
        "net, other = models.PlainNet(), 1",
        "history = training.fit(net)",
        "def best(net): return max(history.accuracies)",
        "print(best(net))",
    ]


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("training.fit(net)", True),
        ("for net in nets: train_epoch(net, digits)", True),
        ("def train(): training.fit(net)", False),
        ("training.fit", False),
        ("fitted(net)", False),
    ],
)
def test_a_training_is_a_call_outside_of_functions(text, does):
    assert cells.trains(new_code_cell(text)) is does


def test_a_functions_own_names_are_nobody_elses():
    cell = new_code_cell("def f(a):\n    b = a + c\n    return b\nd = [e for e in g]")
    assert cells.bound(cell) == {"f", "d"}
    assert cells.used(cell) == {"c", "g"}
