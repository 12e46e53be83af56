"""What every test may use, and what no test may do: touch a network."""

import contextlib
import json
import os
import re
import shutil
import socket
import sys
from pathlib import Path
from urllib.request import Request, urlopen

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported, and for each kernel
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers share the cores

import pace
import pytest
import torch
from hypothesis import settings

from stn_course import data
from stn_course.device import available_devices

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import browser as browser_tool
import cells

pytest.register_assert_rewrite(
    "lab_page", "lab_by_hand", "right_answers", "closing_answers"
)  # their failures say what was found

# No deadline, for slow machines. In CI the same examples each time, so that red means broken.
settings.register_profile("course", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("course")

ROOT = Path(__file__).resolve().parent.parent
# Counts what would keep an idle notebook busy: frames asked for, timers started.
COUNTER = """
window.asked = {frames: [], timers: []};
for (const [name, kind] of [["requestAnimationFrame", "frames"], ["setInterval", "timers"]]) {
    const original = window[name].bind(window);
    window[name] = (...rest) => { asked[kind].push(new Error().stack); return original(...rest); };
}
"""
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def pytest_addoption(parser):
    parser.addoption(
        "--record-durations", action="store_true", help="with -n: write tests/durations.json anew"
    )
    parser.addoption(
        "--only-torch",
        action="store_true",
        help="leave out files of tests that a new release of torch cannot break",
    )


def pytest_ignore_collect(collection_path, config):
    """Notebooks and docstrings lie elsewhere, and are never left out."""
    asked = config.getoption("only_torch") and collection_path.match("test_*.py")
    return True if asked and not pace.needs_torch(collection_path) else None


@pytest.hookimpl(trylast=True)  # once the terminal and pytest-xdist are there
def pytest_configure(config):
    pace.register(config)
    config.pluginmanager.register(Chromium(), "chromium")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(autouse=True)
def seeded():
    """On the CPU; with a GPU everywhere, which takes milliseconds for each test."""
    generator = torch if torch.cuda.is_available() else torch.default_generator
    generator.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def no_progress_of_the_users(tmp_path_factory):
    """Whatever a test, or a process it starts, solves goes to a folder of this run alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STN_COURSE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def own_progress(monkeypatch, tmp_path):
    """Each test begins with nothing solved."""
    monkeypatch.setenv("STN_COURSE_HOME", str(tmp_path / "stn_course_home"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Connecting to anything but this machine fails; Jupyter's kernels are on this machine."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise OSError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def digits():
    """The test digits (10000, 1, 28, 28) from 0 to 1, and their labels."""
    return data.load_digits("test")


@pytest.fixture(scope="session")
def small(digits):
    """A small problem: 640 digits to learn, 5 steps of 128, and 200 others to be tested on."""
    images, labels = digits
    return {"train": (images[:640], labels[:640]), "test": (images[5000:5200], labels[5000:5200])}


@pytest.fixture(params=available_devices())
def device(request) -> torch.device:
    """Each device of this machine in turn."""
    return torch.device(request.param)


@pytest.fixture(scope="session")
def chromium() -> str:
    """A Chromium's path. Without one: skipped, but where CI=true a failure."""
    reason = "Playwright is not installed"
    with contextlib.suppress(ImportError):
        if found := browser_tool.find_chromium():
            return found
        reason = "no Chromium: run tools/browser.py"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def served(chromium, tmp_path_factory):
    """JupyterLab, one for all files of tests: its folder, and its address for a notebook's name."""
    folder = tmp_path_factory.mktemp("browser")
    with browser_tool.jupyterlab(folder) as url:
        yield folder, url


@pytest.fixture(scope="module")
def notebooks(served, request) -> Path:
    """A copy of the notebooks' folder, which JupyterLab serves to this file of tests."""
    folder = served[0] / request.module.__name__
    shutil.copytree(ROOT / "notebooks", folder)
    return folder


def end_kernels(url: str) -> None:
    """End what runs in the JupyterLab at this address, which holds its token."""
    server, token = re.match(r"(http://[^/]+)/.*token=(\w+)", url).groups()
    sessions, headers = f"{server}/api/sessions", {"Authorization": f"token {token}"}
    with urlopen(Request(sessions, headers=headers)) as answer:
        running = json.load(answer)
    for session in running:
        urlopen(Request(f"{sessions}/{session['id']}", headers=headers, method="DELETE")).close()


@pytest.fixture(scope="module")
def address(served, notebooks):
    """Where JupyterLab shows that copy, with a place for a notebook's name; its kernels end."""
    yield served[1].format(f"{notebooks.name}/{{}}")
    end_kernels(served[1])


class Chromium:
    """One for files that follow one another: to start it takes seconds of CPU time."""

    def __init__(self):
        self.running, self.ending = None, contextlib.ExitStack()

    def start(self, path: str):
        if self.running is None:
            self.running = self.ending.enter_context(browser_tool.headless_chromium(path))
        return self.running

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item, nextitem):
        """It ends before files that need none: Playwright's event loop would be in their way."""
        result = yield
        if nextitem is None or pace.together(nextitem.path.name) != pace.together(item.path.name):
            self.running = None
            self.ending.close()
        return result


@pytest.fixture(scope="module")
def browser(chromium, pytestconfig):
    browser = pytestconfig.pluginmanager.getplugin("chromium").start(chromium)
    yield browser
    for context in browser.contexts:
        context.close()


@pytest.fixture
def browser_page(browser):
    """An empty page."""
    return browser_tool.new_page(browser, height=1400)


@pytest.fixture(scope="module")
def open_notebook(browser, address, notebooks):
    """A function: a page with that notebook, what its labs need has run, and they are painted.

    With `shows`, some text of a lab's cell, only the cells run that this cell needs.
    """

    def opened(name: str, labs: int, shows: str | None = None):
        if shows is not None:
            cells.leave(notebooks / name, shows)
        page = browser_tool.new_page(browser, height=1400)
        page.add_init_script(COUNTER)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.sockets = []
        page.on("websocket", lambda socket: page.sockets.append(socket))
        browser_tool.run_notebook(page, address, name)
        canvas = f":nth-match(.stn-frame canvas[aria-label], {labs})"
        page.wait_for_selector(canvas, timeout=180_000)
        browser_tool.wait_until_run(page)
        return page

    return opened
