"""What is shown is what is tested: pairs, mirrors, stored outputs. nbval runs the notebooks."""

import ast
import importlib
import inspect
import operator
import re
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbval_tolerance import Tolerance

from stn_course.lessons import load_lessons

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebook_outputs  # noqa: E402
import notebook_pairs  # noqa: E402

LESSONS = load_lessons()
STORED = [ROOT / "notebooks" / f"{name}.ipynb" for name in LESSONS]
IGNORED = {"nbval-ignore-output", "nbval-skip"}
# What each lesson builds, and where the same function stands in the package.
MIRRORS = [
    (lesson.name, *built.split(".", 1)) for lesson in LESSONS.values() for built in lesson.builds
]
ENTRIES = "`builds` in notebooks/lessons.toml"
each_notebook = pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)


def read(path: Path):
    return nbformat.read(path, as_version=4)


def code_cells(path: Path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


@each_notebook
def test_notebook_and_source_say_the_same(path):
    source = (path.parent / "src" / f"{path.stem}.py").read_text(encoding="utf-8")
    number = path.stem[:2]
    assert notebook_pairs.to_source(read(path)) == source, (
        f"{path.name} and src/{path.stem}.py differ. If you edited the notebook, run `make sources "
        f"NB={number}`. Then, or if you edited the source, run `make notebooks NB={number}`."
    )


@each_notebook
def test_every_cell_has_run_once_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    ordered = list(range(1, len(counts) + 1))
    assert counts == ordered, f"run: make notebooks NB={path.stem[:2]}"


@each_notebook
def test_no_error_and_no_warning_is_stored(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            assert "Warning" not in output.get("text", "").replace("['UserWarning']", "")


@each_notebook
def test_at_least_85_percent_of_code_cells_are_compared(path):
    """To the letter, or number by number; nbval passes over a cell without a count, too."""
    cells = code_cells(path)
    ignored = [c for c in cells if IGNORED & set(tags(c)) or c.execution_count is None]
    assert len(ignored) <= 0.15 * len(cells), (
        f"{len(ignored)} of {len(cells)} code cells are not compared. Numbers that differ a little "
        "from run to run take a tag such as tolerance=0.5 in place of nbval-ignore-output."
    )


@each_notebook
def test_every_tolerance_can_be_understood(path):
    for cell in read(path).cells:
        if tolerance := Tolerance.of(tags(cell)):
            assert cell.cell_type == "code", f"{tolerance.tag}: this cell has no output"
            assert not IGNORED & set(tags(cell)), f"{tolerance.tag}: this output is not compared"


def beside_the_fold(cell) -> str:
    """What JupyterLab shows beside a fold: the first line of the first output, and of the code."""
    output = cell.outputs[0]
    data = output.get("data", {})
    kinds = ("text/html", "text/markdown", "text/plain")
    texts = [output.get("text"), *(data.get(kind) for kind in kinds)]
    folded = [next(filter(None, texts), "")]
    if "source_hidden" in notebook_outputs.folding(tags(cell)):
        folded.insert(0, cell.source)
    return "\n".join(text.partition("\n")[0] for text in folded)


@each_notebook
def test_nothing_is_given_away_beside_a_fold(path):
    for cell in code_cells(path):
        if notebook_outputs.folding(tags(cell)):
            beside = beside_the_fold(cell)
            assert not re.search(r"\d|True|False", beside), (
                f"{beside!r} can be read before the fold is opened. "
                "Let the first line say what follows, such as 'accuracy by angle:'."
            )


def test_what_stands_beside_a_fold_is_the_first_line():
    printed = nbformat.v4.new_output("stream", text="accuracy by angle:\n97 %\n")
    table = {"text/plain": "<Table>", "text/markdown": "| angle |\n| 90° |"}
    shown = nbformat.v4.new_output("display_data", data=table)

    def beside(outputs, tag):
        code = "show(\n    90)"
        cell = nbformat.v4.new_code_cell(code, outputs=outputs, metadata={"tags": [tag]})
        return beside_the_fold(cell)

    assert beside([printed, shown], "hide-output") == "accuracy by angle:"
    assert beside([shown, printed], "hide-output") == "| angle |"
    assert beside([shown, printed], "hide-cell") == "show(\n| angle |"


@each_notebook
def test_nothing_of_a_kernel_or_a_machine_is_stored(path):
    notebook = read(path)
    assert notebook.metadata == nbformat.from_dict(notebook_outputs.METADATA)
    assert notebook_outputs.WIDGET not in path.read_text(encoding="utf-8")
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    for cell in notebook.cells:
        expected = notebook_outputs.cell_metadata(cell.metadata.get("tags"))
        assert cell.metadata == expected, f"run: make notebooks NB={path.stem[:2]}"
        if cell.cell_type == "code" and "nbval-ignore-output" not in tags(cell):
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


@pytest.mark.parametrize("name", [name for name, x in LESSONS.items() if x.has_exercises])
def test_a_lesson_has_its_parts(name):
    cells = read(ROOT / "notebooks" / f"{name}.ipynb").cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for part in ("The question", "Try", "Keep"):
        assert part in headings
    assert not re.search(r"\b([Ss]imply|[Oo]bviously|[Jj]ust)\b", text)


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
    shown = defined(ROOT / "notebooks" / "src" / f"{notebook}.py")
    own = name.rpartition(".")[2]  # a method stands in the notebook as a function
    assert own in shown, f"no cell of {notebook} builds {own}; take it out of {ENTRIES}"
    package = operator.attrgetter(name)(importlib.import_module(f"stn_course.{module}"))
    assert normal(shown[own]) == normal(inspect.getsource(package)), (
        f"{name} differs. Make notebooks/src/{notebook}.py and stn_course's {module} the same, "
        f"then run `make notebooks NB={notebook[:2]}`."
    )


def unknown_mirrors(source: Path, mirrored: set[str]) -> str:
    """What to do about the functions of a notebook that bear a name of the package; or nothing."""
    rooms = ROOT / "stn_course"
    files = [*rooms.glob("*.py"), *rooms.glob("transforms/*.py")]
    package = {n: f.relative_to(ROOT).as_posix() for f in files for n in defined(f)}
    unknown = [name for name in defined(source) if name in package and name not in mirrored]
    return "\n".join(
        f"{source.name} defines {name}, which is in {package[name]}, too. If they are"
        f" the same, add it to {ENTRIES}; if not, rename the notebook's."
        for name in unknown
    )


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_no_notebook_redefines_a_name_of_the_package_unnoticed(lesson):
    """Whatever carries a package function's name in a notebook is one of the mirrors."""
    source = ROOT / "notebooks" / "src" / f"{lesson.name}.py"
    said = unknown_mirrors(source, {built.partition(".")[2] for built in lesson.builds})
    assert not said, said


def test_an_unknown_mirror_is_told_with_what_to_do(tmp_path):
    source = tmp_path / "06_more.py"
    source.write_text("# %%\ndef affine_grid(theta):\n    return theta\n", encoding="utf-8")
    assert unknown_mirrors(source, set()) == (
        "06_more.py defines affine_grid, which is in stn_course/grids.py, too. If they are the "
        "same, add it to `builds` in notebooks/lessons.toml; if not, rename the notebook's."
    )
    assert not unknown_mirrors(source, {"affine_grid"})


def test_a_mirror_that_differs_is_seen():
    one = "def f(x: int) -> int:\n    '''Doc.'''\n    return x + 1  # why"
    assert normal(one) == normal("def f(x):\n    return x + 1")
    assert normal(one) != normal("def f(x):\n    return x - 1")
