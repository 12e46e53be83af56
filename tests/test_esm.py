"""The widgets' JavaScript: modules that any editor can read, joined to one that imports nothing."""

import re
import subprocess

import pytest

from stn_course.plotting.drawing import COLOURS
from stn_course.widgets.esm import HERE, IMPORT, joined, with_imports

MODULES = sorted(path.name for path in HERE.glob("*.js"))
TOP = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+|\[[^\]]*\])", re.M)
# What an anywidget is given: these have no names that others could import.
WIDGETS = [name for name in MODULES if "\nexport default" in (HERE / name).read_text("utf-8")]


def source(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def names_of(name: str) -> set[str]:
    """The names at the top of a module."""
    return {word for found in TOP.findall(source(name)) for word in re.findall(r"\w+", found)}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_plain_and_fetches_nothing(name):
    for word in ("require(", "fetch(", "eval(", "setInterval", "://"):
        assert word not in source(name)
    assert max(map(len, source(name).splitlines())) <= 100


@pytest.mark.parametrize("name", WIDGETS)
def test_names_differ_in_all_modules_of_a_widget(name):
    seen: dict[str, str] = {}
    for part in with_imports(name):
        for word in names_of(part):
            assert seen.setdefault(word, part) == part, f"{word} is in {seen[word]} and {part}"


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_imports_is_there_and_used(name):
    for words, other in re.findall(r"import \{([^}]*)\} from \"\./(\w+\.js)\"", source(name)):
        for word in re.findall(r"\w+", words):
            assert re.search(rf"^export .*\b{word}\b", source(other), re.M), f"{other}: no {word}"
            assert len(re.findall(rf"\b{word}\b", IMPORT.sub("", source(name)))) > 0, (
                f"{word} unused"
            )


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_is_one_module_that_node_can_read(name, tmp_path):
    text = joined(name)
    assert "\nimport " not in text
    assert len(re.findall(r"^export ", text, re.M)) == text.count("\nexport default ") == 1
    for part in with_imports(name)[:-1]:
        assert names_of(part) <= set(re.findall(r"\w+", text))
    try:
        module = tmp_path / "joined.mjs"
        module.write_text(text, encoding="utf-8")
        done = subprocess.run(["node", "--check", str(module)], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("Node is not installed")  # the browser tests run it
    assert done.returncode == 0, done.stderr


def test_a_module_that_two_others_need_is_there_once():
    assert joined("theta_lab.js").count("function write(") == 1


def test_a_colour_is_the_same_in_labs_and_figures():
    written = re.search(r"COLOURS = \{(.*?)\}", source("canvas.js"), re.S)[1]
    assert dict(re.findall(r"(\w+): \"(#\w+)\"", written)) == COLOURS


def test_the_geometry_is_short():
    assert len(source("geometry.js").splitlines()) <= 200
