"""Finding a Chromium or installing one, and what the browser tests do without."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import browser as tool  # noqa: E402


def run_without_chromium(tmp_path, **environment) -> subprocess.CompletedProcess:
    """The browser tests in a process that finds no Chromium: an empty PATH and home."""
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "PATH")}
    clean |= {"PATH": "", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "tests/test_browser_theta_lab.py"]
    command += ["-k", "shows_the_digit"]
    return subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True
    )


def test_without_a_browser_its_tests_are_skipped_and_say_so(tmp_path):
    done = run_without_chromium(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert "no Chromium" in done.stdout


def test_in_ci_no_browser_is_a_failure(tmp_path):
    done = run_without_chromium(tmp_path, CI="true")
    assert done.returncode == 1, done.stdout
    assert "no Chromium" in done.stdout


def test_one_on_the_path_is_found(tmp_path, monkeypatch):
    chromium = tmp_path / "chromium"
    chromium.write_text("#!/bin/sh\n")
    chromium.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tool.find_chromium() == str(chromium)


@pytest.mark.parametrize("root", [True, False])
def test_ways_to_install_are_tried_until_one_works(monkeypatch, root, capsys):
    """Playwright's own first; Debian's only where it may, as root."""
    ran, found = [], iter([None, None, "/usr/bin/chromium"] if root else [None])
    monkeypatch.setattr(tool.subprocess, "run", lambda command, **_: ran.append(command[-1]))
    monkeypatch.setattr(tool, "find_chromium", lambda: next(found))
    monkeypatch.setattr(tool.os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(tool.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert tool.install_chromium() == ("/usr/bin/chromium" if root else None)
    assert ran == (["chromium", "update", "chromium"] if root else ["chromium"])


def test_where_there_is_no_user_id_debians_packages_are_left_alone(monkeypatch, capsys):
    """As on Windows."""
    ran = []
    monkeypatch.setattr(tool.subprocess, "run", lambda command, **_: ran.append(command[-1]))
    monkeypatch.setattr(tool, "find_chromium", lambda: None)
    monkeypatch.delattr(tool.os, "geteuid")
    monkeypatch.setattr(tool.shutil, "which", lambda name: None)
    assert tool.install_chromium() is None
    assert ran == ["chromium"]


def test_an_address_is_given_once_it_accepts_connections(tmp_path):
    """JupyterLab writes it first and listens a moment later, a long moment on a loaded machine."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        log = tmp_path / "log"
        log.write_text(f"http://127.0.0.1:{port}/lab?token=abc")
        later = threading.Timer(0.4, server.listen)
        later.start()
        url = tool.address(log)
        assert not later.is_alive()
        assert url == f"http://127.0.0.1:{port}/lab/tree/{{}}?token=abc&reset"
