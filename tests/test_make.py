"""What `make` itself decides: which tests run at all, in a hurry, or for one notebook."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_commands import clean_environment

ROOT = Path(__file__).resolve().parent.parent
BIN = "Scripts" if sys.platform == "win32" else "bin"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def make(*arguments: str) -> subprocess.CompletedProcess:
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )


def calls_of_pytest(plan: subprocess.CompletedProcess) -> list[list[str]]:
    """The words of each call of pytest."""
    assert plan.returncode == 0, plan.stderr
    lines = plan.stdout.replace("\\\n", " ").splitlines()
    return [line.split() for line in lines if "-m pytest" in line]


def test_nothing_is_left_out():
    (call,) = calls_of_pytest(make("--dry-run", "test"))
    assert not {"-m", "-k"} & set(call[3:])
    assert not any(word.startswith(("--ignore", "--deselect")) for word in call)
    assert not any(word.endswith((".py", ".ipynb")) for word in call)


def test_the_newest_versions_meet_the_same_tests_in_an_environment_of_their_own():
    plan = make("--dry-run", "test-newest")
    newest, usual = calls_of_pytest(plan), calls_of_pytest(make("--dry-run", "test"))
    assert [call[0].rpartition("/")[0] for call in newest] == [f".venv-newest/{BIN}"]
    assert [call[1:] for call in newest] == [call[1:] for call in usual]
    assert "-m venv --clear .venv-newest" in plan.stdout
    assert "constraint" not in plan.stdout


def test_what_a_new_torch_can_break_is_asked_for_by_one_word_and_needs_no_browser():
    plan = make("--dry-run", "test-newest", "ONLY=torch")
    (whole,) = calls_of_pytest(make("--dry-run", "test-newest"))
    (call,) = calls_of_pytest(plan)
    assert call == [*whole, "--only-torch"]
    assert "tools/browser.py" not in plan.stdout


def test_a_pre_release_of_torch_is_one_or_the_run_stops():
    """Before anything is tested; pip falls back to the newest release where it finds no other."""
    plan = make("--dry-run", "test-newest", "PRE=yes").stdout.splitlines()
    (installs,) = [n for n, line in enumerate(plan) if "install --pre torch torchvision" in line]
    _, program = plan[installs + 1].split(" ", maxsplit=1)
    stops = f"'{sys.executable}' {program}"
    done = subprocess.run(["sh", "-c", stops], capture_output=True, text=True)
    assert done.returncode == 1  # the tests' own torch is a release
    assert "is no pre-release; set PIP_EXTRA_INDEX_URL" in done.stderr
    dev = stops.replace("version('torch')", "'2.14.0.dev20261120+cpu'")
    assert subprocess.run(["sh", "-c", dev]).returncode == 0
    usual = calls_of_pytest(make("--dry-run", "test-newest"))
    assert calls_of_pytest(make("--dry-run", "test-newest", "PRE=yes")) == usual


@pytest.mark.parametrize("target", ["lab", "test", "test-newest", "quick", "notebooks"])
def test_on_windows_python_lies_where_windows_puts_it(target):
    plan = make("--dry-run", target, "OS=Windows_NT", "VENV=elsewhere").stdout
    assert "/Scripts/python -m " in plan
    assert "/bin/python" not in plan and "python3" not in plan


def test_conda_solves_and_installs_nothing(tmp_path):
    """A conda elsewhere is named, also by a path with a space."""
    conda = tmp_path / "mini conda"
    conda.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    conda.chmod(0o755)
    done = make("--silent", "solve-conda", f"CONDA_EXE={conda}")
    assert done.stdout == "env create --dry-run --file environment.yml\n"


def test_quick_names_files_that_are():
    (call,) = calls_of_pytest(make("--dry-run", "quick"))
    files = [word for word in call if word.startswith("tests/")]
    assert len(files) == 20 and all((ROOT / file).exists() for file in files)
    assert {"tests/test_grids.py", "tests/test_grids_spline.py"} <= set(files)


def test_the_api_pages_are_made_with_what_their_extra_installs():
    said = make("--dry-run", "api").stdout
    assert said.index(".[docs]") < said.index("-m sphinx")
    assert "-W" in said  # a docstring that cannot be read ends it


def test_the_papers_table_is_made_with_what_its_extra_installs_and_as_asked():
    said = make("--dry-run", "paper", "ARGS=--workers 3").stdout
    run = "-m stn_course.cli paper --results stn_course/results/paper --workers 3"
    assert said.index(".[paper]") < said.index(run)


def test_one_notebook_is_checked_by_the_beginning_of_its_name():
    (call,) = calls_of_pytest(make("--dry-run", "check", "NB=02"))
    assert "notebooks/02_grid_generation.ipynb" in call
    assert call[call.index("-k") + 1] == '"02_grid_generation"'


@pytest.mark.parametrize("names", [[], ["NB=99"], ["NB=0"]])
def test_an_unknown_notebook_is_told_which_there_are(names):
    done = make("check", *names)
    assert done.returncode == 2
    assert "make check NB=02" in done.stdout
    assert "00_start_here 01_data 02_grid_generation" in done.stdout


def test_help_names_what_a_maintainer_runs():
    said = make("help").stdout
    for target in ("make test ", "make quick ", "make check NB=02 ", "make durations "):
        assert target in said
