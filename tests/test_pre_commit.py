"""What .pre-commit-config.yaml runs is what `make lint` runs, and the check of pairs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_commands import installed
from test_make import make
from test_repository import constraints, tracked

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = {hook["id"]: hook for repo in CONFIGURATION["repos"] for hook in repo["hooks"]}


def test_every_hook_is_the_repositorys_own():
    """Nothing is fetched from elsewhere but the pinned ruff."""
    assert [repo["repo"] for repo in CONFIGURATION["repos"]] == ["local"]
    assert set(HOOKS) == {"ruff-check", "ruff-format", "notebook-pairs"}


@pytest.mark.parametrize("name", ["ruff-check", "ruff-format"])
def test_ruff_is_the_pinned_one_and_runs(name, tmp_path):
    hook = HOOKS[name]
    assert hook["additional_dependencies"] == [f"ruff=={constraints()['ruff']}"]
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("x = 1\n", encoding="utf-8")
    bad.write_text("import os\nx  =  1\n", encoding="utf-8")
    for path, expected in ((good, 0), (bad, 1)):
        command = [sys.executable, "-m", *hook["entry"].split(), str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == expected, done.stderr


def test_ruff_checks_as_make_lint_does():
    """pre-commit names files, so that ruff is told to leave out what the settings leave out."""
    lint = re.findall(r"-m (ruff .+) \.", make("--dry-run", "lint").stdout)
    entries = [HOOKS[name]["entry"] for name in ("ruff-check", "ruff-format")]
    assert entries == [f"{command} --force-exclude" for command in lint]


def test_pairs_are_checked_where_a_notebook_or_a_source_is_committed():
    pattern = re.compile(HOOKS["notebook-pairs"]["files"])
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    chosen = {name for name in names if pattern.search(name)}
    folder = ROOT / "notebooks"
    pairs = [*folder.glob("*.ipynb"), *(folder / "src").glob("*.py")]
    assert chosen == {path.relative_to(ROOT).as_posix() for path in pairs}


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_check_of_pairs_runs(tmp_path):
    """With this Python in place of the one that make installs."""
    command = HOOKS["notebook-pairs"]["entry"].split()
    assert command[0] == "make"
    done = make(*command[1:], *installed(tmp_path))
    assert done.returncode == 0, done.stdout
    assert f"{len(list((ROOT / 'notebooks').glob('*.ipynb')))} passed" in done.stdout
