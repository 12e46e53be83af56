"""The workflows run what the Makefile runs, and nothing else; none of them is run here."""

import itertools
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from test_commands import clean_environment

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".github" / "workflows"
SYSTEMS = {"ubuntu-latest", "macos-latest", "windows-latest"}
PYTHONS = {"3.11", "3.13"}


def read(name: str) -> dict:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def variants(job: dict) -> list[dict]:
    """What the matrix of a job stands for: the values of each of its runs."""
    matrix = job.get("strategy", {}).get("matrix", {})
    axes = {name: values for name, values in matrix.items() if name != "include"}
    product = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return matrix.get("include") or product


def filled(text: str, values: dict) -> str:
    """A workflow's text with the matrix's values in it; KeyError for a name it does not have."""
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found: values[found[1]], text)


def runs(name: str) -> list[tuple[str, str, str | None]]:
    """The system, the command and the Python of everything that a workflow runs."""
    found = []
    for job in read(name)["jobs"].values():
        given = [step["with"] for step in job["steps"] if "with" in step]
        python = next((w["python-version"] for w in given if "python-version" in w), None)
        for values in variants(job):
            for step in job["steps"]:
                if "run" in step:
                    fields = (job["runs-on"], step["run"], python)
                    found.append(tuple(text and filled(text, values) for text in fields))
    return found


WORKFLOWS = sorted(path.name for path in FOLDER.glob("*.yml"))
COMMANDS = sorted({command for name in WORKFLOWS for _, command, _ in runs(name)})


def test_there_are_the_three():
    assert WORKFLOWS == ["pages.yml", "tests.yml", "weekly.yml"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_valid(name):
    """As far as can be told without GitHub: its keys, its triggers, what each job must have."""
    workflow = read(name)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["defaults"] == {"run": {"shell": "bash"}}  # on Windows, too: Git's
    assert "workflow_dispatch" in workflow[True]  # YAML 1.1 reads `on` as true
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])
        assert {filled(job["runs-on"], values) for values in variants(job)} <= SYSTEMS


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_version(name):
    used = [s["uses"] for job in read(name)["jobs"].values() for s in job["steps"] if "uses" in s]
    assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+\.\d+\.\d+", action) for action in used)


def test_each_change_is_tested_everywhere_with_pinned_and_newest_versions():
    assert {"push", "pull_request"} <= set(read("tests.yml")[True])
    every = itertools.product(SYSTEMS, ("make test", "make test-newest"), PYTHONS)
    assert sorted(runs("tests.yml")) == sorted(every)


def test_each_week_the_newest_a_pre_release_and_conda_are_tried():
    (when,) = read("weekly.yml")[True]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", when["cron"])
    weekly = runs("weekly.yml")
    newest = {(system, python) for system, command, python in weekly if command.endswith("newest")}
    assert newest == set(itertools.product(SYSTEMS, PYTHONS))
    assert [command for _, command, _ in weekly if "PRE" in command] == ["make test-newest PRE=yes"]
    assert {s for s, command, _ in weekly if "solve-conda" in command} == SYSTEMS - {"macos-latest"}


def test_what_make_site_writes_is_what_the_pages_show():
    """Only the job that deploys may write anything, and it may write pages alone."""
    assert [command for _, command, _ in runs("pages.yml")] == ["make site"]
    build, deploy = read("pages.yml")["jobs"].values()
    assert "permissions" not in build
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    (path,) = [step["with"]["path"] for step in build["steps"] if "path" in step.get("with", {})]
    assert path == "site"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_target_of_the_makefile(command):
    """What runs there runs here: nothing is installed or prepared by any other command."""
    make, target, *settings = shlex.split(command)
    assert make == "make" and re.fullmatch(r"[a-z-]+", target)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    for setting in settings:
        assert re.search(rf"^{setting.partition('=')[0]} \?=", makefile, re.MULTILINE), setting
    plan = ["make", "--dry-run", target, *settings]
    done = subprocess.run(plan, cwd=ROOT, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
