"""What is built: a wheel that is the whole course, and a source archive that can be tested."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from pathlib import Path

import browser as browser_tool
import pytest
from test_repository import tracked

from stn_course.lessons import load_lessons

ROOT = Path(__file__).resolve().parent.parent
LAB = Path(sys.prefix, "share", "jupyter", "lab")
# Every Python of the environment imports this first.
CUT = """
import socket
connect = socket.socket.connect
def guarded(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
        raise OSError(f"the network is cut off from {address}")
    return connect(self, address)
socket.socket.connect = guarded
"""
# Runs a notebook, then says which package its kernel had.
RUN = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
last = nbformat.v4.new_code_cell("import stn_course; print(stn_course.__file__)")
notebook.cells.append(last)
nbclient.NotebookClient(notebook, timeout=120).execute()
print(last.outputs[0].text)
"""


def run(*command: str | Path, **options) -> str:
    """What a command prints; where it fails, the failure is all of its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(kind: str, checkout: Path, target: Path) -> Path:
    """The "sdist" or the "wheel" of a checkout."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target, cwd=checkout)
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """The source archive, unpacked; no git repository is around it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory) -> Path:
    """Built of the source archive, as pip and others do it."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def files(folder: Path) -> set[str]:
    """The files in a folder of the checkout, as they are called from its top."""
    paths = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    hidden = {"__pycache__", ".ipynb_checkpoints"}
    return {p.relative_to(ROOT).as_posix() for p in paths if not hidden & set(p.parts)}


def test_the_wheel_holds_the_package_with_digits_notice_and_weights(wheel):
    found = names(wheel)
    assert files(Path("stn_course")) <= set(found)
    assert sum(name.endswith("ubyte.gz") for name in found) == 4


def test_the_wheel_holds_the_notebooks_their_pictures_and_the_changelog(wheel):
    expected = {f"notebooks/{lesson}.ipynb" for lesson in load_lessons()}
    expected |= files(Path("notebooks", "images")) | {"notebooks/lessons.toml", "CHANGELOG.md"}
    inside = {f"stn_course/{name}" for name in expected} | files(Path("stn_course"))
    assert {name for name in names(wheel) if name.startswith("stn_course/")} == inside


def test_the_wheel_holds_nothing_else(wheel):
    assert {re.split("[-/]", name)[0] for name in names(wheel)} == {"stn_course"}


def test_the_source_archive_holds_the_whole_checkout(unpacked):
    """So that whatever a test imports or reads is there."""
    paths = {path.relative_to(ROOT) for path in tracked()}
    assert {path for path in paths if not (unpacked / path).is_file()} == set()


def test_tests_run_in_the_source_archive(unpacked):
    """On its own package; what asks git for the checkout's files says that there is none."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    variables["PYTHONPATH"] = str(unpacked)
    tests = [f"tests/test_{name}.py" for name in ("grids", "release", "make", "repository")]
    said = run(sys.executable, "-m", "pytest", "-q", "-rs", *tests, cwd=unpacked, env=variables)
    assert re.search(r"\d\d passed", said)
    reasons = set(re.findall(r"^SKIPPED.*?: (.*)", said, re.MULTILINE))
    assert "not a git checkout" in reasons


class Installed:
    """The wheel in an empty environment, and then no network.

    The packages that it needs are those of the tests: a .pth file names their folder.
    """

    def __init__(self, folder: Path, wheel: Path):
        self.environment, self.folder = folder / "environment", folder / "an empty folder"
        self.folder.mkdir()
        venv.create(self.environment, symlinks=os.name != "nt")
        scripts = self.environment / ("Scripts" if os.name == "nt" else "bin")
        self.python, self.command = scripts / "python", scripts / "stn-course"
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check"]
        run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
        own = {k: v for k, v in os.environ.items() if not re.match("PY|JUPYTER|.*proxy$", k, re.I)}
        # JupyterLab's pages lie where the tests' JupyterLab does.
        self.variables = own | {"STN_COURSE_HOME": str(folder), "JUPYTERLAB_DIR": str(LAB)}
        site = Path(
            self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        )
        (site / "network_cut.py").write_text(CUT, encoding="utf-8")
        lines = ["import network_cut", sysconfig.get_path("purelib")]
        (site / "of_the_tests.pth").write_text("\n".join(lines), encoding="utf-8")

    def run(self, *words: str) -> str:
        """What the environment's Python prints, in the empty folder."""
        return run(self.python, *words, cwd=self.folder, env=self.variables)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_the_network_is_cut_off(installed):
    program = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    with pytest.raises(AssertionError, match="the network is cut off from"):
        installed.run("-c", program)


def test_the_installed_course_opens_and_runs_notebook_02(installed, tmp_path):
    """As `stn-course lab` gives it, in an empty folder."""
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [installed.command, "lab", "--no-browser", "--port", "0"],
            cwd=installed.folder,
            env=installed.variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = browser_tool.address(log).format("02_grid_generation.ipynb")
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    said = installed.run("-c", RUN, str(installed.folder / "my_notebooks/02_grid_generation.ipynb"))
    assert Path(said.strip()).is_relative_to(installed.environment)
