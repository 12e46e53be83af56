"""Whole answers, to the letter: what a learner reads in each kind of situation."""

import textwrap
import threading

import pytest
import torch
from learner import attempted, body

from stn_course import checks
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.judging import judge

AFFINE = EXERCISES["affine_grid"]
CALL = """
  theta = [[[0.4, -0.2, -0.3], [-1.2, 1, -0.6]]]  (float32, shape (1, 2, 3))
  size = (1, 1, 2, 3)
  align_corners = False
"""
NEAREST = """
nearest: not yet.
The smallest case that is wrong (1 of 12):
  input = [[[[1, 2, 4], [3, 7, 5]]]]  (float32, shape (1, 1, 2, 3))
  x = [[[1]]]  (float32, shape (1, 1, 1))
  y = [[[1]]]  (float32, shape (1, 1, 1))
"""
PUSH = "Need a push? checks.hint('nearest')"


def text(*parts: str) -> str:
    return "\n".join(textwrap.dedent(part).strip("\n") for part in parts)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            "while True: pass",
            "my_affine_grid was stopped after 0.5 s, in call 1.\n"
            "Is there a loop without end? Or more work than the arguments ask for?",
        ),
        (
            "import os; os._exit(3)",
            "The process that ran my_affine_grid ended in call 1 (exit status 3).",
        ),
    ],
)
def test_an_attempt_that_does_not_come_to_its_end(source, why):
    verdict = judge(AFFINE, body(source), 0.5)
    assert verdict.solved is False
    assert verdict.text == "affine_grid: not yet.\n" + why + "\nThe call was:" + CALL.rstrip()


def test_an_attempt_that_cannot_be_sent():
    lock = threading.Lock()
    assert checks.affine_grid(lambda *arguments: lock).text == text("""
        affine_grid: not yet.
        my_affine_grid could not be sent to the process that runs it: TypeError: cannot pickle '_thread.lock' object
        Does it use a lab, an open file or another thing that only lives in the notebook?
        """)  # noqa: E501


def test_a_call_in_place_of_the_function():
    assert checks.affine_grid(3).text == text("""
        affine_grid: not yet.
        Give the function itself, as in checks.affine_grid(my_affine_grid), without calling it; got int 3.
        """)  # noqa: E501


def test_a_wrong_shape():
    verdict = checks.affine_grid(body("return grids.affine_grid(*arguments).sum()"))
    assert verdict.text == text(
        "affine_grid: not yet.\nThe smallest case that is wrong (1 of 16):" + CALL,
        """
        It returned shape (); expected (1, 2, 3, 2).
          expected, shape (1, 2, 3, 2):
            -0.4667 -0.3
            -0.2 -1.1
            0.0667 -1.9
            -0.6667 0.7
            -0.4 -0.1
            -0.1333 -0.9
          received, shape ():
            -5.4
        Need a push? checks.hint('affine_grid')
        """,
    )


@pytest.mark.parametrize(
    ("source", "rest"),
    [
        (
            "print('a')\nprint('b' * 3000)\nreturn input.new_full((1, 1, 1, 1), torch.nan)",
            f"""
            1 of its 1 numbers are NaN or infinite.
              at         expected  received
              [0, 0, 0]  7         nan       <
            It printed:
            a
            {"b" * 1998}…
            {PUSH}
            """,
        ),
        (
            "return undefined",
            f"""
            my_nearest raised NameError: name 'undefined' is not defined
              line 2: return undefined
            {PUSH}
            """,
        ),
        (
            "x.add_(1)\nreturn samplers.nearest(input, x - 1, y)",
            f"""
            It modified its argument x; leave arguments as they are.
              at         expected  received
              [0, 0, 0]  7         7
            {PUSH}
            """,
        ),
        (
            "x + 1",
            f"""
            my_nearest returned nothing. Is a `return` missing, or does it call a function that is not written yet?
              expected, shape (1, 1, 1, 1):
                7
            {PUSH}
            """,  # noqa: E501
        ),
        (
            "return samplers.nearest(input, x, y) + 0.5",
            f"""
            It differs:
              at         expected  received
              [0, 0, 0]  7         7.5       <
            No known mistake explains it. {PUSH}
            """,
        ),
        (
            "return torch.nn.Linear",
            f"""
            It returned type <class 'torch.nn.modules.linear.Linear'>; expected a torch.float32 tensor of shape (1, 1, 1, 1). This is the class; Net() makes a module of it.
              expected, shape (1, 1, 1, 1):
                7
            {PUSH}
            """,  # noqa: E501
        ),
    ],
)
def test_a_wrong_attempt(source, rest):
    verdict = attempted("nearest", source)
    assert verdict.solved is False
    assert verdict.text == text(NEAREST, rest)


def test_a_right_attempt_with_what_it_printed():
    verdict = attempted("nearest", "print('  done  ')\nreturn samplers.nearest(input, x, y)")
    right = (
        "nearest: right. Equal to torch.nn.functional.grid_sample with mode nearest in 12 cases."
    )
    assert verdict.text == f"{right}\nIt printed:\n  done"


def test_a_case_in_words_and_a_table_of_rows():
    verdict = checks.training_step(body("return 1"))
    lines = verdict.lines
    assert lines[:5] == [
        "training_step: not yet.",
        "The smallest case that is wrong (1 of 3):",
        "  the weights of a small model after 1 step of SGD, rate 0.5",
        "It differs:",
        "  at   expected                       received",
    ]
    assert [line[:5] for line in lines[5:8]] == ["  [0]", "  [1]", "  [2]"]
    assert all(line.endswith("  <") for line in lines[5:8])
    assert lines[8].startswith("Diagnosis: the weights have not moved.")
    assert len(lines) == 9
    assert torch.equal(verdict.expected - verdict.received != 0, torch.ones(3, 4).bool())
