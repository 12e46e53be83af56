"""The house: which module imports which, where a name is defined, what an import brings along."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from stn_course import __file__ as package_file

PACKAGE = Path(package_file).parent
LESSONS = [
    "grids",
    "samplers",
    "transforms",
    "alignment",
    "descendants",
    "data",
    "models",
    "training",
    "device",
    "museum",
    "experiments",
    "plotting",
]
ALLOWED = {
    "__init__": {"torchvision_operators"},
    "torchvision_operators": set(),
    "validation": set(),
    "lessons": set(),
    "files": set(),
    "changelog": {"lessons"},
    "notebook_file": set(),
    "kernels": set(),
    "cluster": set(),
    "device": {"validation"},
    "grids": {"validation"},
    "samplers": {"grids", "validation"},
    "descendants": {"grids", "validation"},
    "transforms": {"grids", "validation"},
    "clutter": {"validation"},
    "data": {"files", "grids", "samplers", "transforms", "validation"},
    "alignment": {"grids", "validation"},
    "models": {"descendants", "grids", "samplers", "transforms", "validation"},
    "training": {
        "data",
        "device",
        "files",
        "grids",
        "models",
        "samplers",
        "transforms",
        "validation",
    },
    "comparison": {
        "alignment",
        "clutter",
        "data",
        "device",
        "files",
        "models",
        "training",
        "transforms",
    },
    "experiments": {
        "alignment",
        "cluster",
        "clutter",
        "comparison",
        "data",
        "device",
        "files",
        "models",
        "samplers",
        "training",
        "transforms",
    },
    "museum": {
        "clutter",
        "data",
        "models",
        "samplers",
        "training",
        "transforms",
        "validation",
    },
    "plotting": {"grids", "samplers", "training", "transforms", "validation"},
    "working_copy": {"changelog", "files", "notebook_file"},
    "exercise_cells": {"files", "lessons", "notebook_file"},
    "checks": {*LESSONS, "exercise_cells", "files", "lessons", "validation"},
    "marking": {"checks", "cluster", "files"},
    "widgets": {*LESSONS, "checks", "files", "lessons", "validation"},
    "cli": {"comparison", "exercise_cells", "lessons", "widgets", "working_copy"},
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
CHECKS = PACKAGE / "checks"


def room(path: Path) -> str:
    """The module of the table that a file belongs to."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_run_one_way(path):
    own = {name.split(".")[1] for name in imports(path) if name.startswith("stn_course.")}
    rooms = {part for part in own if (PACKAGE / part).exists() or (PACKAGE / f"{part}.py").exists()}
    assert own == rooms, "a name is imported from where it is defined, not from the package's face"
    assert rooms - {room(path)} <= ALLOWED[room(path)]


def test_every_module_has_its_place_in_the_table():
    assert {room(path) for path in MODULES} == set(ALLOWED)


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.is_relative_to(CHECKS) and path.parent != CHECKS],
    ids=lambda path: str(path.relative_to(CHECKS)),
)
def test_the_engine_knows_no_lesson_and_no_lesson_another(path):
    """Of the checks both import the engine alone; the catalogue finds the lessons."""
    inside = {name for name in imports(path) if name.startswith("stn_course.checks.")}
    assert all(name.startswith("stn_course.checks.engine.") for name in inside), inside


def test_the_table_has_no_circle():
    done: set[str] = set()
    while len(done) < len(ALLOWED):
        free = {name for name, needs in ALLOWED.items() if name not in done and needs <= done}
        assert free, f"a circle among {set(ALLOWED) - done}"
        done |= free


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_widgets_import_ipywidgets_and_only_plotting_matplotlib(path):
    tops = {name.split(".")[0] for name in imports(path)}
    if room(path) != "widgets":
        assert not tops & {"ipywidgets", "anywidget"}
    if room(path) not in {"widgets", "plotting"}:
        assert "matplotlib" not in tops
    assert "pyplot" not in path.read_text(encoding="utf-8")


def test_a_public_name_is_defined_in_one_place():
    places: dict[str, list[str]] = {}
    for path in MODULES:
        if path.stem == "__main__" or CHECKS / "lessons" in path.parents:
            continue  # nobody imports from a command, or from a lesson
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.stem)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_importing_the_package_is_light():
    heavy = ("matplotlib", "ipywidgets", "torchvision", "IPython")
    program = f"import sys, stn_course; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_functions_say_what_they_do(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.stem}.{node.name} has no docstring"


@pytest.mark.parametrize("name", ["grids", "samplers"])
def test_what_learners_read_is_short(name):
    """About 15 lines a function, the docstring and the signature not counted."""
    for node in ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert body[-1].end_lineno - body[0].lineno < 15, node.name
