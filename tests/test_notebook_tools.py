"""`make notebooks` and `make sources`: no edit is lost; what did not change is stored as it was."""

import base64
import io
import re
import shutil
import subprocess

import nbformat
import notebook_outputs
import notebook_pairs
import numpy
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbval_tolerance import Tolerance
from notebook_pairs import Pair
from PIL import Image

import notebooks as tool
from stn_course.widgets.progress_map import bar

SOURCE = """# %% [markdown]
# # A lesson

# %%
print("one")
"""
NOTEBOOK_LACKS = (
    r"notebooks/02_grids\.ipynb has edits .*make sources NB=02\. .*git checkout HEAD notebooks/"
)
SOURCE_LACKS = (
    r"notebooks/src/02_grids\.py has edits .*make notebooks NB=02\. .*git checkout HEAD notebooks/"
)
BOTH = r"were both edited, and differ\.\n.*git checkout HEAD notebooks/"


def git(folder, *arguments) -> str:
    identity = ["-c", "user.name=Name", "-c", "user.email=name@localhost"]
    command = ["git", *identity, *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def write(pair: Pair, path, text: str) -> None:
    """What a maintainer does in an editor, or in JupyterLab."""
    if path == pair.notebook:
        nbformat.write(notebook_pairs.from_source(text), path)
    else:
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def pair(tmp_path, monkeypatch) -> Pair:
    """A pair that agrees; `git init` and a commit make it committed."""
    pair = Pair("02_grids", tmp_path / "notebooks")
    pair.source.parent.mkdir(parents=True)
    write(pair, pair.source, SOURCE)
    write(pair, pair.notebook, SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tool, "NOTEBOOKS", pair.notebook.parent)
    return pair


@pytest.fixture
def committed(pair) -> Pair:
    folder = pair.notebook.parent
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "a lesson")
    return pair


def edited(what: str) -> str:
    return SOURCE.replace("A lesson", f"A lesson with {what}")


def refusals(pair: Pair) -> tuple[str | None, str | None]:
    """What refresh and sources say to it."""
    return pair.loss(pair.notebook, pair.source), pair.loss(pair.source, pair.notebook)


def assert_says(refusal: str | None, expected: str | None) -> None:
    if expected is None:
        assert refusal is None
    else:
        assert pytest.RaisesExc(SystemExit, match=f"(?s){expected}").matches(SystemExit(refusal))


@pytest.mark.parametrize(
    ("notebook", "source", "refresh", "sources"),
    [
        ("", "", None, None),
        ("", "a sentence", None, SOURCE_LACKS),
        ("a sentence", "", NOTEBOOK_LACKS, None),
        ("a sentence", "a sentence", None, None),
        ("a sentence", "another", BOTH, BOTH),
    ],
)
def test_an_edit_that_is_nowhere_else_is_not_overwritten(
    committed, notebook, source, refresh, sources
):
    for path, what in ((committed.notebook, notebook), (committed.source, source)):
        if what:
            write(committed, path, edited(what))
    for refusal, expected in zip(refusals(committed), (refresh, sources), strict=True):
        assert_says(refusal, expected)


@pytest.mark.parametrize("file", ["notebook", "source"])
def test_one_of_the_two_may_be_edited_again_and_again_without_a_commit(committed, file):
    write(committed, committed.notebook, edited("a sentence"))
    write(committed, committed.source, edited("a sentence"))
    committed.remember(edited("a sentence"))
    write(committed, getattr(committed, file), edited("two sentences"))
    expected = {"source": (None, SOURCE_LACKS), "notebook": (NOTEBOOK_LACKS, None)}
    for refusal, words in zip(refusals(committed), expected[file], strict=True):
        assert_says(refusal, words)


def test_an_edit_is_not_lost_because_its_source_was_taken_back(committed):
    write(committed, committed.notebook, edited("a sentence"))
    committed.remember(edited("a sentence"))
    assert_says(committed.loss(committed.notebook, committed.source), NOTEBOOK_LACKS)


def test_a_changed_tag_is_an_edit_and_an_output_is_none(committed):
    notebook = nbformat.read(committed.notebook, as_version=4)
    notebook.cells[1].outputs = [new_output("stream", name="stdout", text="two\n")]
    notebook.cells[1].execution_count = 7
    nbformat.write(notebook, committed.notebook)
    assert refusals(committed) == (None, None)
    notebook.cells[1].metadata.tags = ["tolerance=5%"]
    nbformat.write(notebook, committed.notebook)
    assert_says(refusals(committed)[0], NOTEBOOK_LACKS)


def test_without_git_two_that_differ_are_left_alone(pair):
    assert refusals(pair) == (None, None)
    write(pair, pair.notebook, edited("a sentence"))
    for refusal in refusals(pair):
        assert_says(refusal, r"both edited, and differ\.\n.*then remove notebooks")
    pair.notebook.unlink()
    assert pair.loss(pair.notebook, pair.source) is None


def test_a_refusal_shows_what_would_be_lost(committed):
    write(committed, committed.notebook, edited("a sentence"))
    assert refusals(committed)[0].splitlines()[-2:] == [
        "-# # A lesson with a sentence",
        "+# # A lesson",
    ]


@pytest.mark.parametrize("command", ["refresh", "sources"])
def test_the_command_ends_before_it_writes(committed, command):
    write(committed, committed.notebook, edited("a sentence"))
    write(committed, committed.source, edited("another"))
    before = committed.notebook.read_bytes(), committed.source.read_bytes()
    with pytest.raises(SystemExit, match="both edited"):
        tool.main([command, "02"])
    assert before == (committed.notebook.read_bytes(), committed.source.read_bytes())


def test_sources_carries_an_edit_over(committed):
    write(committed, committed.notebook, edited("a sentence"))
    tool.main(["sources", "02"])
    assert committed.source.read_text(encoding="utf-8") == edited("a sentence")
    write(committed, committed.notebook, edited("two sentences"))
    tool.main(["sources", "02"])
    assert committed.source.read_text(encoding="utf-8") == edited("two sentences")


BROKEN = {
    "source": ("# %%\nprint(\n", r"notebooks/src/02_grids\.py: .*[Ee]xpected"),
    "notebook": ("<<<<<<< HEAD\n", r"notebooks/02_grids\.ipynb: .*JSON"),
    "tag": ('# %% tags=["tolerance=abc"]\n1\n', r"'tolerance=abc': expected"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_named(committed, text, said):
    path = committed.notebook if "HEAD" in text else committed.source
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match=f"(?s){said}"):
        tool.main(["refresh", "02"])


def test_what_was_committed_broken_can_be_mended(committed):
    committed.source.write_text("# %%\nprint(\n", encoding="utf-8")
    git(committed.source.parent, "commit", "-am", "a slip")
    write(committed, committed.source, edited("a sentence"))
    assert committed.loss(committed.notebook, committed.source) is None


RUN = """# %%
import time
print("CPU x86_64, 3 threads", flush=True)
time.sleep(0.5)
print("in two pieces")

# %% tags=["tolerance=0.5", "hide-output"]
print("97.3 %")

# %% tags=["hide-cell"]
1 + 1
"""


def test_a_run_stores_what_changed_and_nothing_else(pair):
    """Run twice; in between the stored outputs become another machine's, and one is wrong."""
    write(pair, pair.source, RUN)
    pair.notebook.unlink()
    tool.main(["refresh", "02"])
    first = nbformat.read(pair.notebook, as_version=4)
    texts = [output.get("text") for cell in first.cells for output in cell.outputs]
    assert texts == ["CPU x86_64, 3 threads\nin two pieces\n", "97.3 %\n", None]
    assert [cell.execution_count for cell in first.cells] == [1, 2, 3]
    assert first.cells[2].outputs[0].execution_count is None
    assert first.cells[1].metadata.jupyter == {"outputs_hidden": True}
    assert first.cells[2].metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}
    first.cells[0].outputs[0].text = "CPU arm64, 96 threads\nin two pieces\n"
    first.cells[1].outputs[0].text = "97.7 %\n"
    nbformat.write(first, pair.notebook)
    stored = pair.notebook.read_bytes()
    first.cells[2].outputs[0].data["text/plain"] = "3"  # no noise: 1 + 1 is 2
    nbformat.write(first, pair.notebook)
    tool.main(["refresh", "02"])
    assert pair.notebook.read_bytes() == stored


def changed_lines(folder) -> int:
    return len(re.findall(r"^[+-] ", git(folder, "diff"), re.MULTILINE))


@pytest.mark.skipif(shutil.which("sed") is None, reason="needs sed")
def test_one_sentence_and_one_cell_change_few_lines_of_a_diff(root, committed):
    """As git shows it after the command in CONTRIBUTING.md; the file counts its cells anew."""
    folder = committed.notebook.parent
    shutil.copy(root / ".gitattributes", folder)
    notebook = nbformat.read(root / "notebooks" / "05_training.ipynb", as_version=4)
    nbformat.write(notebook, committed.notebook)
    git(folder, "add", ".")
    git(folder, "commit", "-m", "the whole of it")
    notebook.cells[0].source += " One sentence."
    output = new_output("stream", text="1\n")
    notebook.cells.insert(2, new_code_cell("print(1)", execution_count=0, outputs=[output]))
    for count, cell in enumerate((c for c in notebook.cells if "execution_count" in c), start=1):
        cell.execution_count = count
    nbformat.write(notebook, committed.notebook)
    assert changed_lines(folder) > 80
    guide = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (command,) = re.findall(r'git config diff.notebook.textconv "(.+)"', guide)
    git(folder, "config", "diff.notebook.textconv", command)
    assert changed_lines(folder) < 25


def picture(kind: str, frames: list[numpy.ndarray]) -> str:
    file = io.BytesIO()
    images = [Image.fromarray(frame.astype("uint8")) for frame in frames]
    images[0].save(file, kind, save_all=True, append_images=images[1:])
    return base64.b64encode(file.getvalue()).decode()


GREY = numpy.full((4, 6), 100)
SPOT = numpy.where(numpy.arange(24).reshape(4, 6) == 9, 110, GREY)


@pytest.mark.parametrize(
    ("kind", "other", "expected"),
    [
        ("png", [GREY + 2], True),
        ("png", [SPOT], False),
        ("png", [GREY[:3]], False),
        ("gif", [GREY, SPOT], False),
    ],
)
def test_a_picture_is_stored_anew_where_an_eye_sees_a_change(kind, other, expected):
    stored = {f"image/{kind}": picture(kind, [GREY])}
    new = {f"image/{kind}": picture(kind, other)}
    assert notebook_outputs.same(stored, new, None) is expected


@pytest.mark.parametrize(
    ("stored", "new", "tag", "expected"),
    [
        ({"text/plain": "CPU a, 1 threads"}, {"text/plain": "CPU b, 2 threads"}, None, True),
        ({"alt": "at 5 %"}, {"alt": "at 6 %"}, "tolerance=2", True),
        ({"alt": "at 5 %"}, {"alt": "at 6 %"}, None, False),
        ({"alt": "at 5 %"}, {"alt": "at 5 %", "width": 3}, None, False),
        (["a"], ["a", "b"], None, False),
        (None, ["a"], None, False),
        ({"text/plain": "0 of 9 exercises"}, {"text/plain": "3 of 9 exercises"}, None, True),
        ({"text/plain": "0 of 9 exercises"}, {"text/plain": "0 of 10 exercises"}, None, False),
        ({"text/html": bar(0, 9)}, {"text/html": bar(3, 9)}, None, True),
        ({"text/html": bar(0, 9)}, {"text/html": bar(0, 10)}, None, False),
    ],
)
def test_outputs_are_the_same_if_the_tests_would_take_one_for_the_other(stored, new, tag, expected):
    assert notebook_outputs.same(stored, new, tag and Tolerance(tag)) is expected


def test_a_print_after_a_picture_stays_after_it():
    """Adjacent pieces of one stream become one, after progress bars between them are gone."""
    stream = [new_output("stream", name="stdout", text=text) for text in ("a", "b\n", "c\n")]
    bar = new_output("stream", name="stderr", text="100%")
    picture = new_output("display_data", data={"text/plain": "<Figure>"})
    outputs = [stream[0], bar, stream[1], picture, stream[2]]
    notebook = new_notebook(cells=[new_code_cell("", outputs=outputs)])
    notebook_outputs.normalise(notebook)
    said = [output.get("text") for output in notebook.cells[0].outputs]
    assert said == ["ab\n", None, "c\n"]


@pytest.mark.parametrize("fold", ["hide-output", "hide-cell"])
def test_tags_survive_the_way_to_the_source_and_back(fold):
    cells = [new_markdown_cell("**Predict:** how many?")]
    cells += [new_code_cell("1", metadata={"tags": [fold, "tolerance=5%"]})]
    notebook = new_notebook(cells=cells)
    notebook_outputs.normalise(notebook)
    text = notebook_pairs.to_source(notebook)
    assert "_hidden" not in text
    back = notebook_pairs.from_source(text)
    assert back.cells[1].metadata == {"tags": [fold, "tolerance=5%"]}


def test_blank_lines_beside_a_cell_are_as_ever(pair):
    """However many somebody types between two cells: the notebook keeps none of them."""
    text = SOURCE.replace("lesson\n", "lesson\n\n\n") + "\n\n\n# %% [markdown]\n# More.\n"
    write(pair, pair.source, text)
    once = notebook_pairs.said(pair.source)
    nbformat.write(notebook_pairs.from_source(once), pair.notebook)
    assert notebook_pairs.said(pair.notebook) == once
    assert "\n\n\n" not in once
