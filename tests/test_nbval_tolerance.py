"""Numbers in stored outputs are compared as numbers: what passes, what fails, what is said."""

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval_tolerance import Tolerance

HALF = ["tolerance=0.5"]
# name: (tags, what is stored, what the cell prints, None or a pattern of what the failure says)
CASES = {
    "the same": (HALF, "98.6 %", "98.6 %", None),
    "exactly at the tolerance": (HALF, "97.0 %", "97.5 %", None),
    "outside": (
        HALF,
        "at 15° 97.0 %, at 45° 58.1 %",
        "at 15° 97.2 %, at 45° 57.5 %",
        r"number 4 of 4 differs: 58\.1 is stored, 57\.5 came\. "
        r"They differ by 0\.6; tolerance=0\.5 allows 0\.5",
    ),
    "floats would say 0.10000000000000009": (["tolerance=0.1"], "0.7", "0.8", None),
    "inside five percent": (["tolerance=5%"], "200 steps", "210 steps", None),
    "outside five percent": (
        ["tolerance=5%"],
        "200 steps",
        "211 steps",
        r"They differ by 11; tolerance=5% allows 10$",
    ),
    "percent of zero": (["tolerance=5%"], "0", "0.001", "allows 0$"),
    "a changed word": (HALF, "error 2.4 %", "loss 2.4 %", r"'error' is stored, 'loss' came"),
    "a changed unit": (HALF, "12 %", "12 °", r"' %\\n' is stored, ' °\\n' came"),
    "a missing line": (HALF, "one 1\ntwo 2", "one 1", "2 numbers are stored, 1 came"),
    "a missing line without a number": (HALF, "one 1\ntwo", "one 1", r"'\\ntwo\\n' is stored"),
    "a number too many": (HALF, "1, 2", "1, 2, 3", "2 numbers are stored, 3 came"),
    "a swapped sign": (HALF, "-0.9", "0.9", r"They differ by 1\.8"),
    "a sign within the tolerance": (HALF, "theta -0.1", "theta 0.1", None),
    "a sign in a column": (HALF, "theta -0.1", "theta  0.1", None),
    "a typographic minus": (HALF, "−3.2", "−3.4", None),
    "a swapped typographic minus": (HALF, "−3.2", "3.2", r"They differ by 6\.4"),
    "a column": (HALF, " 9.9\n10.0", "10.1\n 9.8", None),
    "a gap that grows": (HALF, "a 9", "a  9", "not one column's width"),
    "exponents": (["tolerance=1e-6"], "1.5e-05", "1.6e-05", None),
    "an exponent too far": (["tolerance=1e-6"], "1.5e-05", "1.5e-04", r"They differ by 0\.000135"),
    "thousands": (["tolerance=20"], "60,000 digits", "60,019 digits", None),
    "thousands too far": (["tolerance=20"], "60,000", "61,000", "They differ by 1000"),
    "nan is a word": (HALF, "nan", "0.0", "0 numbers are stored, 1 came"),
    "nan stays nan": (HALF, "nan, -inf", "nan, -inf", None),
    "inf has its sign": (HALF, "inf", "-inf", "the text differs"),
    "a name with a digit": (
        ["tolerance=9"],
        "conv1 0.5",
        "conv2 0.5",
        r"'conv1' is stored, 'conv2'",
    ),
    "what is sanitized": (HALF, "CPU x86_64, 2 threads", "CPU arm64, 96 threads", None),
    "no tag": ([], "98.6 %", "98.7 %", "mismatch 'stdout'"),
    "no number": (["tolerance=abc"], "1", "1", r"'tolerance=abc': expected a positive number"),
    "a negative one": (["tolerance=-1"], "1", "1", "'tolerance=-1': expected a positive number"),
    "none": (["tolerance=0"], "1", "1", "'tolerance=0': expected a positive number"),
    "an endless one": (["tolerance=inf"], "1", "1", "'tolerance=inf': expected"),
    "a colon": (["tolerance: 1"], "1", "1", "'tolerance: 1': expected"),
    "two tags": (["tolerance=1", "tolerance=5%"], "1", "1", "one tolerance a cell; got"),
}
LOOPS = {"alone": [], "in a worker": ["-n", "1", "--dist", "loadfile"]}


def cell(source: str, tags: list[str], *outputs):
    return new_code_cell(source, execution_count=1, metadata={"tags": tags}, outputs=[*outputs])


def stream(text: str):
    return new_output("stream", name="stdout", text=text)


def result(kind: str, text: str):
    data = {"text/plain": "<Table>"} | {kind: text}
    return new_output("execute_result", data=data, execution_count=1)


def others() -> dict[str, tuple]:
    """Results that are not printed, and a stream in two pieces: a cell, and what a failure says."""
    made = {}
    for kind in ("text/html", "text/markdown", "text/plain"):
        for value, said in (("2.8", None), ("3.1", "number 1 of 1 differs: 2.5 is stored")):
            show = f"display({{'text/plain': '<Table>', {kind!r}: '<b>{value}</b>'}}, raw=True)"
            made[f"{kind} {value}"] = cell(show, HALF, result(kind, "<b>2.5</b>")), said
    two = "import time\nprint('one 1', flush=True)\ntime.sleep(0.5)\nprint('two 2')"
    for tags in ([], HALF):
        made[f"two pieces, {tags}"] = cell(two, tags, stream("one"), stream(" 1\ntwo 2\n")), None
    return made


def cells() -> dict[str, tuple]:
    printed = {
        name: (cell(f"print({new!r})", tags, stream(f"{stored}\n")), said)
        for name, (tags, stored, new, said) in CASES.items()
    }
    return printed | others()


@pytest.fixture(scope="module", params=LOOPS.values(), ids=LOOPS)
def failures(request, root, tmp_path_factory) -> dict[str, str | None]:
    """What pytest with the repository's settings says of each cell: None, or its failure."""
    folder = tmp_path_factory.mktemp("tolerance")
    notebook = new_notebook(cells=[made for made, _ in cells().values()])
    nbformat.write(notebook, folder / "cells.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        folder / "cells.ipynb",
        "-c",
        root / "pyproject.toml",
    ]
    command += ["--nbval", "--nbval-current-env", "--color=no", *request.param]
    command += ["--nbval-sanitize-with", root / "tests" / "nbval_sanitize.cfg"]
    command += ["--junitxml", folder / "report.xml"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)
    assert (folder / "report.xml").exists(), done.stdout + done.stderr
    report = ElementTree.parse(folder / "report.xml").iter("testcase")
    said = {case.get("name"): case.findtext("failure") for case in report}
    assert len(said) == len(cells()), done.stdout
    return {name: said[f"Cell {i}"] for i, name in enumerate(cells())}


@pytest.mark.parametrize("name", cells())
def test_numbers_are_compared_as_numbers_and_text_to_the_letter(failures, name):
    _, expected = cells()[name]
    said = failures[name]
    if expected is None:
        assert said is None
    else:
        assert re.search(expected, said, re.MULTILINE), said


@pytest.mark.parametrize("tag", ["tolerance=0.5", "tolerance=5%", "tolerance=1e-3"])
def test_a_tag_says_what_it_allows(tag):
    assert Tolerance.of(["hide-output", tag]).tag == tag


def test_no_tag_no_tolerance():
    assert Tolerance.of(["nbval-ignore-output"]) is None
