"""What users read of a function: its arguments by name, what it returns and raises, an example.

pytest runs the examples themselves: --doctest-modules, over the package.
"""

import ast
import builtins
import dataclasses
import doctest
import inspect
import re
import runpy
import sys
import textwrap

import pytest

import stn_course
from stn_course import (
    alignment,
    clutter,
    data,
    descendants,
    grids,
    models,
    samplers,
    training,
    transforms,
)

MODULES = [
    grids,
    samplers,
    transforms,
    models,
    data,
    clutter,
    alignment,
    training,
    descendants,
]
PAGE = 77  # characters of an example that an API page shows without being scrolled
KNOWN = {**vars(builtins), **vars(training)}  # the names of errors and warnings


def public(module) -> dict[str, object]:
    """The functions and classes that a module offers: its `__all__`, or what it defines."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in vars(module) if not name.startswith("_")]
        names = [n for n in names if getattr(vars(module)[n], "__module__", "") == module.__name__]
    found = {name: getattr(module, name) for name in names}
    return {n: o for n, o in found.items() if inspect.isfunction(o) or inspect.isclass(o)}


def is_error(thing) -> bool:
    return inspect.isclass(thing) and issubclass(thing, BaseException)


# An error is raised, not called: one sentence says when.
DOCUMENTED = {
    f"{module.__name__.rpartition('.')[2]}.{name}": thing
    for module in MODULES
    for name, thing in public(module).items()
    if not is_error(thing)
}
METHODS = {
    f"{name}.{key}": getattr(thing, key)
    for name, thing in DOCUMENTED.items()
    if inspect.isclass(thing)
    for key, value in vars(thing).items()
    if not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))
}
each = pytest.mark.parametrize("name", DOCUMENTED)


def sections(docstring: str) -> dict[str, list[str]]:
    """The lines of each part of a Google-style docstring, by its heading."""
    parts = re.split(r"^([A-Z]\w+):\n", inspect.cleandoc(docstring), flags=re.MULTILINE)
    return {
        heading: textwrap.dedent(text).splitlines()
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def entries(lines: list[str]) -> list[str]:
    """The names that a part explains, one at the beginning of each entry."""
    return [line.split(":")[0] for line in lines if line and not line.startswith(" ")]


def arguments(function) -> list[str]:
    """As a signature writes them: theta, *others, **options."""
    kinds = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(function).parameters.values()
    return [f"{kinds.get(p.kind, '')}{p.name}" for p in parameters if p.name != "self"]


def fields(thing) -> list[str] | None:
    """The names of a record's values, for a NamedTuple or a dataclass."""
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    return list(getattr(thing, "_fields", [])) or None


def names_raising(module) -> set[str]:
    """The functions of a module that raise by a statement, a check_… or one another."""
    tree = ast.parse(inspect.getsource(module))
    uses: dict[str, set[str]] = {}
    for node in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
        inner = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node]
        later = {id(part) for function in inner for part in ast.walk(function)}  # not when called
        now = [n for n in ast.walk(node) if id(n) not in later]
        uses[node.name] = {n.id for n in now if isinstance(n, ast.Name)}
        uses[node.name] |= {"raise" for n in now if isinstance(n, ast.Raise)}
    raising = {"raise"}
    while True:
        more = {
            n for n, used in uses.items() if any(u in raising or u[:6] == "check_" for u in used)
        }
        if more <= raising:
            return raising
        raising |= more


@each
def test_arguments_or_values_are_explained_by_name_and_in_order(name):
    thing = DOCUMENTED[name]
    parts = sections(thing.__doc__)
    values = fields(thing)
    if values:
        assert entries(parts["Attributes"]) == values
    else:
        assert entries(parts.get("Args", [])) == arguments(thing)


@each
def test_what_comes_back_is_said(name):
    thing = DOCUMENTED[name]
    if inspect.isfunction(thing):
        gives = inspect.signature(thing).return_annotation is not None
        parts = sections(thing.__doc__)
        said = parts.get("Returns") or parts.get("Yields")
        assert gives == bool(said)
        assert not said or ": " not in said[0]  # what stands before one is read as a type


@each
def test_what_is_raised_is_said(name):
    thing = DOCUMENTED[name]
    said = entries(sections(thing.__doc__).get("Raises", []))
    assert all(is_error(KNOWN[error]) for error in said)
    if inspect.isfunction(thing) and arguments(thing):
        assert said or thing.__name__ not in names_raising(sys.modules[thing.__module__])


@each
def test_there_is_an_example(name):
    lines = sections(DOCUMENTED[name].__doc__)["Example"]
    assert doctest.DocTestParser().get_examples("\n".join(lines))
    assert max(map(len, lines)) <= PAGE


def names_read(thing) -> set[str]:
    """The names that an example takes from outside of itself."""
    examples = doctest.DocTestParser().get_examples(inspect.cleandoc(thing.__doc__))
    tree = ast.parse("".join(example.source for example in examples))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    own |= {a.asname or a.name for n in ast.walk(tree) for a in getattr(n, "names", [])}
    own |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    own |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return {node.id for node in names} - own


@each
def test_an_example_needs_no_more_than_the_api_pages_say(name):
    """PyTorch, and what its module offers; pytest runs it with all that the module imports."""
    module = next(m for m in MODULES if m.__name__.endswith(f".{name.partition('.')[0]}"))
    offered = {*getattr(module, "__all__", public(module)), "torch", "nn", *vars(builtins)}
    assert names_read(DOCUMENTED[name]) <= offered


def test_the_api_pages_show_these_modules(root):
    """Their settings are read here without Sphinx, which `make api` installs."""
    assert runpy.run_path(str(root / "docs" / "conf.py"))["version"] == stn_course.__version__
    index, *pages = sorted((root / "docs").glob("*.rst"), key=lambda page: page.stem != "index")
    shown = [
        re.search(r"automodule:: (\S+)", p.read_text(encoding="utf-8")).group(1) for p in pages
    ]
    assert set(shown) == {module.__name__ for module in MODULES}
    listed = re.findall(r"^   (\w+)$", index.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(2 * [page.stem for page in pages])  # in the table, in the menu


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_does(name):
    method = METHODS[name]
    parts = sections(method.__doc__)
    if parts:
        assert entries(parts.get("Args", [])) == arguments(method)


def test_the_suite_runs_the_examples_of_the_whole_package(request):
    config = request.config
    assert "stn_course" in config.getini("testpaths")
    assert "--doctest-modules" in config.getini("addopts")


def test_the_parts_of_a_docstring_are_told_apart():
    parts = sections(grids.affine_grid.__doc__)
    assert list(parts) == ["Args", "Returns", "Raises", "Example"]
    assert entries(parts["Args"]) == ["theta", "size", "align_corners"]
    assert {"affine_grid", "base_grid"} <= names_raising(grids)
    assert "read_pixels" not in names_raising(samplers)
    assert {"rotation", "similarity"} <= names_raising(sys.modules[transforms.rotation.__module__])
