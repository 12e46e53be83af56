"""`make links`: one setting, and what follows from it; taken out again to the letter.

The cell for Colab runs here beside a stand-in for google.colab and one for pip. Neither Colab nor
Binder is asked for anything.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import derived_text
import nbformat
import notebook_pairs
import pytest
import repository_links
import yaml

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "https://github.com/some-school/stn.course"
PATHS = [path.relative_to(ROOT) for path in repository_links.followers(ROOT, "")]
NOTEBOOKS = [path for path in PATHS if path.suffix == ".ipynb"]


def make_links(root: Path) -> None:
    followers = repository_links.followers(root, repository_links.setting(root))
    derived_text.write(followers, root)


def set_to(root: Path, address: str) -> None:
    """What a maintainer does: the setting, then the command."""
    file = root / "pyproject.toml"
    text = re.sub(
        r"^repository = .*", f'repository = "{address}"', file.read_text("utf-8"), flags=re.M
    )
    file.write_text(text, encoding="utf-8")
    make_links(root)


def copied(root: Path) -> Path:
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, root / path)
    return root


@pytest.fixture(scope="module")
def linked(tmp_path_factory) -> Path:
    """A copy of what the command writes, with a made-up repository."""
    root = copied(tmp_path_factory.mktemp("linked"))
    set_to(root, ADDRESS)
    return root


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The same with none."""
    root = copied(tmp_path_factory.mktemp("bare"))
    set_to(root, "")
    return root


def read(root: Path, path: Path | str) -> str:
    return (root / path).read_text(encoding="utf-8")


def cells(root: Path, path: Path) -> list:
    return nbformat.read(root / path, as_version=4).cells


def test_what_is_stored_is_what_the_setting_says():
    followers = repository_links.followers(ROOT, repository_links.setting(ROOT))
    assert not derived_text.stale(followers), "run: make links"


def test_without_a_repository_nothing_is_left_of_it(linked, bare, tmp_path):
    again = shutil.copytree(linked, tmp_path / "again")
    set_to(again, "")
    for path in PATHS:
        assert read(again, path) == read(bare, path) != read(linked, path), path
        assert "github.com/some" not in read(again, path) and "mybinder" not in read(again, path)


def test_a_second_run_writes_nothing(linked, capsys):
    make_links(linked)
    assert capsys.readouterr().out == ""


def test_the_project_and_its_citation_say_where_it_lives(linked):
    urls = tomllib.loads(read(linked, "pyproject.toml"))["project"]["urls"]
    assert urls == {
        "Repository": ADDRESS,
        "Issues": f"{ADDRESS}/issues",
        "Changelog": f"{ADDRESS}/blob/main/CHANGELOG.md",
    }
    citation = yaml.safe_load(read(linked, "CITATION.cff"))
    assert citation.pop("repository-code") == ADDRESS
    stored = yaml.safe_load(read(ROOT, "CITATION.cff"))
    stored.pop("repository-code", None)
    assert citation == stored


def opened(text: str) -> list[tuple[str, str]]:
    """Each badge's words, and where it leads."""
    return re.findall(r"\[!\[(.+?)\]\(https://\S+\.svg\)\]\((\S+?)\)", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_readme_and_notebook_open_in_colab_and_in_binder(linked, path):
    colab = f"https://colab.research.google.com/github/some-school/stn.course/blob/main/{path.as_posix()}"
    binder = (
        "https://mybinder.org/v2/gh/some-school/stn.course/main?labpath=notebooks%2F" + path.name
    )
    expected = [("Open in Colab", colab), ("Open in Binder", binder)]
    assert opened(cells(linked, path)[1].source) == expected
    (row,) = [line for line in read(linked, "README.md").splitlines() if colab in line]
    assert opened(row) == expected
    assert row.startswith(f"| {path.name[:2]} ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gains_two_cells_and_keeps_all_else(linked, bare, path):
    """Also the order in which its cells ran, and that its source says the same."""
    title, badges, setup, *rest = cells(linked, path)
    assert (badges.cell_type, setup.cell_type, setup.outputs) == ("markdown", "code", [])
    assert (badges.metadata.tags, setup.metadata.tags) == (["badges"], ["colab"])
    before = cells(bare, path)
    for cell in (*rest, *before):
        cell.pop("execution_count", None)
    assert [title, *rest] == before
    ran = [cell.execution_count for cell in cells(linked, path) if cell.cell_type == "code"]
    assert ran == list(range(1, len(ran) + 1))
    source = path.parent / "src" / f"{path.stem}.py"
    assert notebook_pairs.said(linked / path) == read(linked, source)


def test_the_pair_agrees_so_that_the_next_edit_of_either_is_taken(linked):
    pair = notebook_pairs.Pair(NOTEBOOKS[0].stem, linked / "notebooks")
    assert pair.common.read_text(encoding="utf-8") == notebook_pairs.said(pair.source)


@pytest.mark.parametrize(
    "address",
    ["github.com/a/b", "https://github.com/a", "https://github.com/a/b.git", f"{ADDRESS}/", "a b"],
)
def test_an_address_that_colab_cannot_open_is_refused(tmp_path, address):
    root = copied(tmp_path)
    with pytest.raises(ValueError, match=r"expected https://github.com/OWNER/NAME, or nothing"):
        set_to(root, address)
    assert read(root, "README.md") == read(ROOT, "README.md")


PIP = """
import os, sys
from pathlib import Path
here = Path(__file__).parent.parent
(here / "log").open("a").write(" ".join(sys.argv[1:]) + "\\n")
seen = here.stat()
if "ABSENT" not in os.environ:
    (here / "stn_course.py").write_text("")
# As a quick installation on a coarse clock: the folder looks as it did.
os.utime(here, ns=(seen.st_atime_ns, seen.st_mtime_ns))
sys.exit("no network" if "ABSENT" in os.environ else 0)
"""
COLAB = """
from pathlib import Path
def enable_custom_widget_manager():
    (Path(__file__).parents[2] / "log").open("a").write("widgets\\n")
"""
AFTERWARDS = "\nimport stn_course; print('can be imported')"


@pytest.fixture
def run(linked, tmp_path):
    """A function: run the cell as a kernel would, and say what pip and Colab were asked for."""
    files = {"pip/__init__.py": "", "pip/__main__.py": PIP, "google/colab/output.py": COLAB}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "log").touch()
    setup = cells(linked, NOTEBOOKS[2])[2].source

    def run(before: str, after: str = AFTERWARDS, **variables):
        program = f"{before}\n{setup}{after}"
        # -S: no package of this environment's, so that the course is absent.
        command = [sys.executable, "-B", "-S", "-c", program]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), **variables}
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True
        )
        return done, (tmp_path / "log").read_text().splitlines()

    return run


INSTALL = f"install --quiet stn_course @ git+{ADDRESS}"


def test_in_colab_the_course_is_installed_and_its_labs_show(run):
    done, asked = run("import google.colab")
    assert done.stdout == "can be imported\n", done.stderr
    assert asked == [INSTALL, "widgets"]


def test_in_colab_an_installed_course_is_left_alone(run, tmp_path):
    (tmp_path / "stn_course.py").touch()
    done, asked = run("import google.colab")
    assert done.stdout == "can be imported\n", done.stderr
    assert asked == ["widgets"]


def test_in_colab_a_failed_installation_is_an_error(run):
    done, asked = run("import google.colab", ABSENT="yes")
    assert done.returncode == 1
    assert "no network" in done.stderr and "CalledProcessError" in done.stderr
    assert asked == [INSTALL]


def test_elsewhere_the_cell_does_nothing(run):
    done, asked = run("", after="")
    assert (done.returncode, done.stdout, done.stderr, asked) == (0, "", "", [])


def test_the_cell_is_short_and_python():
    assert len(repository_links.SETUP.splitlines()) <= 15
    ast.parse(repository_links.SETUP)
