"""A Chromium, and JupyterLab in it, for tests, benchmarks and pictures of the labs.

python tools/browser.py    find a Chromium, or install one: Playwright's own, or Debian's
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
INSTALLERS = [
    [sys.executable, "-m", "playwright", "install", "chromium"],
    ["apt-get", "update"],
    ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"],
]


def find_chromium() -> str | None:
    """The path of a Chromium that starts: one on the PATH, or Playwright's own; None without."""
    on_path = filter(None, map(shutil.which, NAMES))
    return next(filter(starts, on_path), None) or playwrights_own()


def starts(path: str) -> bool:
    """Whether a browser says its version; one without its system libraries does not."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    return False


def playwrights_own() -> str | None:
    """The path of the browser that `playwright install chromium` brought; None without."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if starts(path) else None


def may_use_apt() -> bool:
    """Whether Debian's packages can be installed here: there are some, and this is root."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install_chromium() -> str | None:
    """Try one way after the other until there is a Chromium; None where all of them fail."""
    for command in INSTALLERS:
        if command[0] == "apt-get" and not may_use_apt():
            continue
        print("no Chromium yet; trying:", " ".join(command[-3:]), flush=True)
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, timeout=900, stdin=subprocess.DEVNULL, check=True)
        if found := find_chromium():
            return found
    return None


def plain(folder: Path) -> list[str]:
    """The command for JupyterLab over a folder, on loopback, at a free port."""
    flags = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    return [sys.executable, "-m", "jupyter", "lab", *flags, f"--ServerApp.root_dir={folder}"]


def learners(folder: Path) -> list[str]:
    """The same as a learner starts it, over a copy of the course; its kernels give way."""
    flags = ["--no-browser", "--port=0", f"--folder={folder}"]
    return [sys.executable, "-m", "stn_course.cli", "lab", *flags]


@contextlib.contextmanager
def jupyterlab(folder: Path, command: Callable[[Path], list[str]] = plain) -> Iterator[str]:
    """A JupyterLab over a folder: its address with the token, and a place for a notebook's name.

    Its settings and workspaces are its own, so that the user's are not touched.
    """
    with tempfile.TemporaryDirectory() as own:
        places = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
        environment = os.environ | {name: f"{own}/{name}" for name in places}
        # The order of a set of texts differs with this, and with it the order of messages' parts.
        environment.setdefault("PYTHONHASHSEED", "1")
        log = Path(own, "log")
        with log.open("w") as output:
            streams = {"stdout": output, "stderr": subprocess.STDOUT}
            process = subprocess.Popen(command(folder), env=environment, **streams)
        try:
            yield address(log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def address(log: Path) -> str:
    """What JupyterLab wrote into its log, once it listens there: it writes first."""
    for _ in range(240):
        found = re.search(r"(http://127\.0\.0\.1:([1-9]\d*))\S*token=(\w+)", log.read_text())
        if found and accepts_connections(int(found.group(2))):
            return f"{found.group(1)}/lab/tree/{{}}?token={found.group(3)}&reset"
        time.sleep(0.25)
    raise TimeoutError(f"JupyterLab gave no address within a minute:\n{log.read_text()}")


def accepts_connections(port: int) -> bool:
    """Whether somebody listens at a port of this machine."""
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False


@contextlib.contextmanager
def headless_chromium(chromium: str | None = None) -> Iterator:
    """A headless Chromium, as Playwright's `Browser`; only one at a time. chromium: its path."""
    from playwright.sync_api import sync_playwright

    # Before Playwright starts here: looking for its own starts it, too.
    chromium = chromium or find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser, width: int = 1280, height: int = 900):
    """A page of the browser; the console's errors are in `page.errors`."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.errors = []
    page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


def run_notebook(page, url: str, name: str) -> None:
    """Open a notebook of that JupyterLab and run all of its cells."""
    page.goto(url.format(name))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    page.wait_for_selector("text=| Idle", timeout=120_000)
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells")
    page.wait_for_selector(".jp-InputPrompt:has-text('[*]')", timeout=30_000)


def wait_until_run(page) -> None:
    """Wait until no cell waits or runs any more: twice, for the kernel rests in between."""
    rests = 0
    while rests < 2:
        page.wait_for_timeout(500)
        page.wait_for_selector("text=| Idle", timeout=600_000)
        waiting = page.query_selector(".jp-InputPrompt:has-text('[*]')")
        rests = 0 if waiting else rests + 1


def main() -> None:
    found = find_chromium() or install_chromium()
    if found is None:
        print("no Chromium could be installed: the browser tests cannot run")
    else:
        print("Chromium:", found)


if __name__ == "__main__":
    main()
