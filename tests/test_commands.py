"""`make lab` as a learner types it: it prints an address, on loopback, and wants its token."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import browser as browser_tool
import psutil
import pytest

from stn_course import kernels

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def clean_environment() -> dict[str, str]:
    """Without what an outer make or pytest hands down."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTEST"))}


def installed(folder: Path) -> list[str]:
    """What tells make that all is installed, and which Python has it: this one."""
    learners, tests = folder / "installed", folder / "installed-tests"
    learners.touch()
    tests.touch()
    return [f"RUN={sys.executable}", f"INSTALLED={learners}", f"TESTABLE={tests}"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """What `make lab` printed, while it runs."""
    folder = tmp_path_factory.mktemp("lab")
    log, copy = folder / "log", folder / "my copy"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "lab", "PORT=8899", "BROWSER=no", f"FOLDER={copy}", *installed(folder)],
            cwd=ROOT,
            env=clean_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            browser_tool.address(log)
            yield log.read_text()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def address(text: str) -> str:
    return re.search(r"http://127\.0\.0\.1:\d+\S+token=\w+", text).group()


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_it_prints_an_address_that_opens_the_first_notebook(lab):
    assert "00_start_here.ipynb" in address(lab)
    assert status(address(lab)) == 200


def test_without_the_token_nothing_is_told(lab):
    base = re.match(r"http://127\.0\.0\.1:\d+", address(lab)).group()
    token = address(lab).rsplit("token=")[1]
    assert status(f"{base}/api/contents") == 403
    assert status(f"{base}/api/contents/00_start_here.ipynb?token={token}") == 200


def asked(text: str, path: str, method: str) -> dict:
    """What JupyterLab's server answers."""
    base, token = re.match(r"(http://[^/]+)/.*token=(\w+)", address(text)).groups()
    request = urllib.request.Request(f"{base}/{path}", b"", method=method)
    request.add_header("Authorization", f"token {token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or "null")


def process_of(kernel: str) -> psutil.Process:
    """The process that was given a kernel's connection file."""
    lines = {p: " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])}
    (found,) = [process for process, line in lines.items() if f"kernel-{kernel}.json" in line]
    return found


def test_a_kernel_gives_way_to_the_browser_also_when_it_has_started_again(lab):
    kernel = asked(lab, "api/kernels", "POST")["id"]
    first = process_of(kernel)
    assert_gives_way(first)
    asked(lab, f"api/kernels/{kernel}/restart", "POST")
    assert process_of(kernel) != first
    assert_gives_way(process_of(kernel))
    asked(lab, f"api/kernels/{kernel}", "DELETE")


def assert_gives_way(process: psutil.Process) -> None:
    """Its priority is lowered, its server's is not; so is its session's, where that counts."""
    assert process.nice() == kernels.NICENESS > process.parent().nice()
    session = Path(f"/proc/{process.pid}/autogroup")
    if session.exists():
        assert session.read_text().split()[-1] == str(kernels.NICENESS)


def test_newcomers_are_not_asked_about_news(lab):
    """JupyterLab's default for its notification on news is no, which leaves the choice to users."""
    base = re.match(r"http://127\.0\.0\.1:\d+", address(lab)).group()
    token = address(lab).rsplit("token=")[1]
    plugin = "@jupyterlab/apputils-extension:notification"
    url = f"{base}/lab/api/settings/{plugin}?token={token}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        schema = json.load(answer)["schema"]
    assert schema["properties"]["fetchNews"]["default"] == "false"


def test_it_listens_on_loopback_only(lab):
    port = re.search(r"127\.0\.0\.1:(\d+)", address(lab)).group(1)
    wanted = f":{int(port):04X}"
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].exists():
        pytest.skip("no /proc/net/tcp on this system")
    lines = [line.split() for t in tables if t.exists() for line in t.read_text().splitlines()[1:]]
    listening = [line[1] for line in lines if line[3] == "0A" and line[1].endswith(wanted)]
    assert listening == [f"0100007F{wanted}"]


def test_it_says_where_the_copy_is(lab):
    assert re.search(r"^Your copy of version \S+: .*my copy$", lab, re.MULTILINE)


def plan(*arguments: str) -> str:
    """What make would do."""
    done = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("target", ["lab", "quick"])
def test_a_second_run_installs_nothing(tmp_path, target):
    assert "pip" not in plan(target, *installed(tmp_path))


def test_it_installs_what_a_learner_needs_and_no_test_tools(tmp_path):
    (line,) = [line for line in plan("lab", f"VENV={tmp_path}").splitlines() if " pip " in line]
    assert line.endswith("-m pip install --constraint constraints.txt --editable .")


TESTED = ["test", "lint", "quick", "durations", "notebooks", "sources", "site", "figures"]


@pytest.mark.parametrize("target", [*TESTED, "screenshots", "mutants", "dist", "bench-data"])
def test_what_a_maintainer_runs_installs_the_test_tools_first(tmp_path, target):
    lines = plan(target, f"VENV={tmp_path}").splitlines()
    places = [i for i, line in enumerate(lines) if " pip " in line]
    assert lines[places[0]].endswith("--editable .")
    assert lines[places[1]].endswith("--editable '.[test,browser,paper]'")
    assert places[1] < len(lines) - 2  # then the stamp, and the work itself


def test_it_calls_the_courses_own_command(tmp_path):
    """With what was asked of make."""
    given = ["PORT=8890", "BROWSER=no", "FOLDER=my own", *installed(tmp_path)]
    *_, line = plan("lab", *given).splitlines()
    options = "lab --folder 'my own' --port 8890 --no-browser"
    assert shlex.split(line) == shlex.split(f"{sys.executable} -m stn_course.cli {options}")
    *_, line = plan("lab", *installed(tmp_path)).splitlines()
    assert shlex.split(line)[3:] == ["lab", "--folder", "my_notebooks", "--port", "8888"]


def test_an_old_python_is_told_so(tmp_path):
    """In a copy without its .venv, with a python that says it is 3.10."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    old = tmp_path / "python3.10"
    pretend = "import sys; sys.version_info = (3, 10, 9); sys.version = '3.10.9 (main)'"
    old.write_text(f'#!/bin/sh\nshift\nexec python3 -c "{pretend}; exec(sys.argv[1])" "$1"\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "lab", f"PYTHON={old}"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert "3.10.9" in done.stderr
    assert not (tmp_path / ".venv").exists()
