"""A run on several workers: the longest files first, a line for each that is done, where time went.

conftest.py registers this where pytest-xdist is at work. `durations.json` holds the seconds that
each file took, as `make durations` wrote them; it decides about the order alone.
"""

import json
import os
import re
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

DURATIONS = Path(__file__).with_name("durations.json")
BUDGET = 60  # seconds of CPU time for a notebook's compared run
LISTED = 15  # seconds from which on a file has a row of its own
UNKNOWN = 10.0  # seconds for a file without a figure


def file_of(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02} s"


def needs_torch(file: Path) -> bool:
    """Whether a file of tests computes with torch and opens no browser."""
    if re.match(r"test_(browser|page)_", file.name):
        return False
    text = file.read_text(encoding="utf-8")
    return bool(re.search(r"^\s*(import|from) torch\b", text, re.MULTILINE))


def cpu_seconds() -> tuple[float, float]:
    """CPU time of this process and its ended children (0 on Windows), and of those alone.

    The browser tests' JupyterLab and its kernels end after the last test, and count for none.
    """
    times = os.times()
    children = times.children_user + times.children_system
    return times.user + times.system + children, children


def together(file: str) -> str:
    """What goes to one worker, one after the other: a file, or all that one Chromium serves.

    Those in JupyterLab, which is one for all, too, wait more than they compute. The course as pages
    takes longest, and has a Chromium of its own.
    """
    found = re.match(r"test_(browser|page)_(?!site)", Path(file).name)
    return f"in a {found.group(1)}" if found else file


class Scheduling(LoadFileScheduling):
    """What goes together, on one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return together(super()._split_scope(nodeid))


class Worker:
    """In each worker: puts first what takes longest, and measures each test's CPU time."""

    def __init__(self):
        self.durations = json.loads(DURATIONS.read_text(encoding="utf-8"))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        seconds = {f: self.durations.get(f, UNKNOWN) for f in (file_of(i.nodeid) for i in items)}
        sums: Counter[str] = Counter()
        for file, its in seconds.items():
            sums[together(file)] += its
        longest_first = sorted(
            seconds, key=lambda f: (-sums[together(f)], together(f), -seconds[f])
        )
        place = {file: i for i, file in enumerate(longest_first)}
        items.sort(key=lambda item: place[file_of(item.nodeid)])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self.before = time.perf_counter(), *cpu_seconds()
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        if call.when == "teardown":
            now = time.perf_counter(), *cpu_seconds()
            spent = [after - before for before, after in zip(self.before, now, strict=True)]
            item.user_properties.append(("spent", spent))


class Controller:
    """In the process that a human sees: what is done, what is left, and at the end a table."""

    def __init__(self, terminal, record: bool):
        self.terminal, self.record = terminal, record
        self.began, self.running = time.monotonic(), True
        self.left: Counter[str] = Counter()  # tests of each file that have not ended
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self.total = 0

    def pytest_xdist_make_scheduler(self, config, log):
        return Scheduling(config, log)

    def pytest_xdist_node_collection_finished(self, node, ids):
        if not self.total:  # each worker collects the same, and another may take one's place
            self.total, self.left = len(ids), Counter(map(file_of, ids))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self):
        """No dots: a line for each file takes their place. What is counted stays the same."""
        category, letter, word = yield
        return (category, "", "") if self.running else (category, letter, word)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        self.running = False

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.terminal.write_line(f"FAILED {report.nodeid} ({report.when})")
        if report.when == "teardown":
            self.ended(file_of(report.nodeid), dict(report.user_properties)["spent"])

    def ended(self, file: str, spent: list[float]) -> None:
        self.spent[file] = [a + b for a, b in zip(self.spent[file], spent, strict=True)]
        self.left[file] -= 1
        if self.left[file] == 0:
            percent = 100 * (1 - sum(self.left.values()) / self.total)
            files = sum(count > 0 for count in self.left.values())
            left = f"{files} file left" if files == 1 else f"{files} files left"
            elapsed = clock(time.monotonic() - self.began)
            self.terminal.write_line(f"[{percent:3.0f} %] {file} done, {left}, {elapsed}")

    def pytest_terminal_summary(self, terminalreporter):
        for line in ["", *table(self.spent), "", *budgets(self.spent)]:
            terminalreporter.write_line(line)
        if self.record:
            seconds = {file: round(wall, 1) for file, (wall, _, _) in sorted(self.spent.items())}
            DURATIONS.write_text(json.dumps(seconds, indent=1) + "\n", encoding="utf-8")


def group(file: str, wall: float) -> str:
    """The row of the table that a file belongs to."""
    if wall >= LISTED or file.endswith(".ipynb"):
        return f"`{file}`"
    found = re.match(r"tests/test_(browser|checks)_", file)
    return f"other `test_{found.group(1)}_*`" if found else "all others"


def table(spent: dict[str, list[float]]) -> list[str]:
    """Where the minutes went, in Markdown, for tests/README.md."""
    rows: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for file, (wall, cpu, _) in spent.items():
        row = rows[group(file, wall)]
        row[:] = row[0] + 1, row[1] + wall, row[2] + cpu
    rows = dict(sorted(rows.items(), key=lambda row: -row[1][1]))
    rows["together"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    lines = [f"| {name} | {n} | {wall:.0f} | {cpu:.0f} |" for name, (n, wall, cpu) in rows.items()]
    head = ["| what | files | seconds | of CPU |", "| --- | ---: | ---: | ---: |"]
    return head + lines


def budgets(spent: dict[str, list[float]]) -> list[str]:
    """What each notebook's kernel took, beside what it may take."""
    return [
        f"{file}: {children:.0f} s of CPU time in its kernel, of {BUDGET}"
        + ("  OVER BUDGET" if children > BUDGET else "")
        for file, (_, _, children) in sorted(spent.items())
        if file.endswith(".ipynb")
    ]


def register(config) -> None:
    """Take part in a run of pytest-xdist, in a worker or in the process that leads them."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(), "pace")
    elif config.pluginmanager.hasplugin("dsession") and config.get_verbosity() == 0:
        terminal = config.pluginmanager.getplugin("terminalreporter")
        config.pluginmanager.register(
            Controller(terminal, config.getoption("record_durations")), "pace"
        )
