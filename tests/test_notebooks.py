"""What is shown is what is tested: pairs, mirrors, stored outputs. nbval runs the notebooks."""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks as tool  # noqa: E402

STORED = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
IGNORED = {"nbval-ignore-output", "nbval-skip"}
# What each lesson builds, and where the same function stands in the package.
BUILT = {
    "02_grid_generation": {"grids": ["pixel_centres", "base_grid", "affine_grid"]},
    "03_sampling": {
        "samplers": [
            *("to_pixels", "clip", "reflect", "pad"),
            *("read_pixels", "nearest", "bilinear", "grid_sample"),
        ]
    },
    "04_stn_model": {"models": ["start_at_identity", "SpatialTransformer"]},
    "05_training": {"training": ["train_epoch", "evaluate"]},
}
MIRRORS = [
    (notebook, module, name)
    for notebook, modules in BUILT.items()
    for module, names in modules.items()
    for name in names
]
each_notebook = pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)


def read(path: Path):
    return nbformat.read(path, as_version=4)


def code_cells(path: Path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_there_are_six_lessons_each_with_its_source():
    names = [path.stem for path in STORED]
    assert [name[:2] for name in names] == ["00", "01", "02", "03", "04", "05"]
    assert names == [path.stem for path in SOURCES]


@each_notebook
def test_notebook_and_source_say_the_same(path):
    source = (path.parent / "src" / f"{path.stem}.py").read_text(encoding="utf-8")
    assert tool.to_source(read(path)) == source, f"run: make notebooks NB={path.stem[:2]}"


@each_notebook
def test_every_cell_has_run_once_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_error_and_no_warning_is_stored(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            assert "Warning" not in output.get("text", "").replace("['UserWarning']", "")


@each_notebook
def test_at_least_85_percent_of_code_cells_are_compared(path):
    cells = code_cells(path)
    compared = [cell for cell in cells if not IGNORED & set(cell.metadata.get("tags", []))]
    assert len(compared) >= 0.85 * len(cells)


@each_notebook
def test_nothing_of_a_kernel_or_a_machine_is_stored(path):
    notebook = read(path)
    assert notebook.metadata == nbformat.from_dict(tool.METADATA)
    assert tool.WIDGET not in path.read_text(encoding="utf-8")
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}
        if cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", []):
            assert not re.search(r"/(home|root|Users|tmp|work)/", str(cell.outputs))


@each_notebook
def test_notebooks_are_small(path):
    assert path.stat().st_size < 3_000_000


@each_notebook
def test_code_cells_are_short(path):
    """At most 15 lines; imports, docstrings, comments and line breaks inside a call not counted."""
    for cell in code_cells(path):
        tree = without_docstrings(ast.parse(cell.source))
        tree.body = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
        lines = [line for line in ast.unparse(tree).splitlines() if line.strip()]
        assert len(lines) <= 15, cell.source


@each_notebook
def test_each_picture_has_its_words(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            pictures = {"image/png", "image/gif"} & set(output.get("data", {}))
            for kind in pictures:
                assert output.metadata[kind]["alt"]


@pytest.mark.parametrize("path", STORED[1:], ids=lambda path: path.stem)
def test_a_lesson_has_its_parts(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for part in ("The question", "Try", "Keep"):
        assert part in headings
    assert re.search(r"\*\*\d+ minutes", text)
    assert not re.search(r"\b([Ss]imply|[Oo]bviously|[Jj]ust)\b", text)


@pytest.mark.parametrize("path", STORED[:3], ids=lambda path: path.stem)
def test_a_notebook_states_the_minutes_to_read_and_with_the_exercises(path):
    """As the map of notebook 00 gives them; that notebook itself has no exercises."""
    first = read(path).cells[0].source
    if path == STORED[0]:
        assert re.search(r"\*\*\d+ minutes to read, no exercises · ", first)
        return
    reading, whole = re.search(r"\*\*(\d+) minutes to read, (\d+) with the exerc", first).groups()
    (row,) = re.findall(rf"\({path.name}\) \| (\d+) \| (\d+) \|", str(read(STORED[0]).cells))
    assert row == (reading, whole)
    assert int(reading) < int(whole)


def test_links_between_notebooks_lead_somewhere():
    for path in STORED:
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                for target in re.findall(r"\]\(([\w./]+\.ipynb)\)", cell.source):
                    assert (path.parent / target).exists(), target


def without_docstrings(tree):
    """The tree without docstrings and annotations; comments are gone already."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
            if isinstance(node, ast.FunctionDef):
                node.returns = None
                every = [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
                for argument in filter(None, every):
                    argument.annotation = None
    return tree


def normal(source: str) -> str:
    """Source text with nothing left but what runs; `data.batches` is `batches`."""
    text = ast.unparse(without_docstrings(ast.parse(textwrap.dedent(source))))
    return text.replace("data.batches", "batches")


def defined(source_file: Path) -> dict[str, str]:
    """Each function and class at the top of a file: its name and text."""
    text = source_file.read_text(encoding="utf-8")
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {node.name: ast.unparse(node) for node in nodes}


@pytest.mark.parametrize(("notebook", "module", "name"), MIRRORS)
def test_what_is_shown_is_the_packages_own(notebook, module, name):
    shown = defined(ROOT / "notebooks" / "src" / f"{notebook}.py")[name]
    package = getattr(importlib.import_module(f"stn_course.{module}"), name)
    assert normal(shown) == normal(inspect.getsource(package))


def test_no_notebook_redefines_a_name_of_the_package_unnoticed():
    """Whatever carries a package function's name in a notebook is one of the mirrors."""
    package = {}
    for file in (ROOT / "stn_course").glob("*.py"):
        package.update({name: file.stem for name in defined(file)})
    mirrored = {(notebook, name) for notebook, _, name in MIRRORS}
    for source in SOURCES:
        for name in defined(source):
            assert name not in package or (source.stem, name) in mirrored, f"{source.stem}: {name}"


def test_a_mirror_that_differs_is_seen():
    one = "def f(x: int) -> int:\n    '''Doc.'''\n    return x + 1  # why"
    assert normal(one) == normal("def f(x):\n    return x + 1")
    assert normal(one) != normal("def f(x):\n    return x - 1")
