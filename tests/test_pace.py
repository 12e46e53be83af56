"""The order of a run on several workers, and what a human sees of it."""

import json
from types import SimpleNamespace

import pace
import pytest

NOTEBOOK, SHORT, LONG = "notebooks/05.ipynb", "tests/test_short.py", "tests/test_long.py"


class Terminal:
    """What was written to it, line by line."""

    def __init__(self):
        self.lines = []

    def write_line(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def controller():
    controller = pace.Controller(Terminal(), record=False)
    controller.pytest_xdist_node_collection_finished(
        None, [f"{SHORT}::a", f"{SHORT}::b", f"{LONG}::a"]
    )
    return controller


def report(nodeid: str, when: str = "teardown", failed: bool = False, spent=(2.0, 1.0, 0.5)):
    properties = [("spent", list(spent))]
    return SimpleNamespace(nodeid=nodeid, when=when, failed=failed, user_properties=properties)


def test_all_files_that_need_a_browser_go_to_one_worker():
    controller = pace.Controller(Terminal(), record=False)
    config = SimpleNamespace(getvalue=lambda name: ["popen"] * 3)
    scheduling = controller.pytest_xdist_make_scheduler(config, None)
    lab, quiz = (f"tests/test_browser_{name}.py::test_a" for name in ("lab", "quiz"))
    assert scheduling._split_scope(lab) == scheduling._split_scope(quiz)
    assert scheduling._split_scope(f"{SHORT}::a[browser::x]") == SHORT
    assert pace.together("tests/test_page_lab.py") == pace.together("tests/test_page_warps.py")
    assert pace.together("tests/test_page_site.py") == "tests/test_page_site.py"


@pytest.mark.parametrize(
    ("name", "text", "needed"),
    [
        ("test_grids.py", "import json\nimport torch\n", True),
        ("test_data.py", "def test_a():\n    from torch import nn\n", True),
        ("test_release.py", "# import torch\nimport torchvision\n", False),
        ("test_browser_lab.py", "import torch\n", False),
        ("test_page_geometry.py", "import torch\n", False),
    ],
)
def test_what_a_new_torch_cannot_break_is_left_out_on_request(name, text, needed, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert pace.needs_torch(tmp_path / name) == needed


def test_the_longest_files_come_first_and_each_stays_whole():
    worker = pace.Worker()
    worker.durations = {SHORT: 1, LONG: 99}
    nodeids = [f"{SHORT}::a", "tests/test_new.py::a", f"{LONG}::b", f"{LONG}::a"]
    items = [SimpleNamespace(nodeid=nodeid) for nodeid in nodeids]
    worker.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [
        *(f"{LONG}::b", f"{LONG}::a", "tests/test_new.py::a", f"{SHORT}::a")
    ]


def test_what_goes_together_comes_by_its_sum():
    worker = pace.Worker()
    pages = [f"tests/test_page_{name}.py" for name in ("lab", "warps")]
    worker.durations = {SHORT: 1, LONG: 30, pages[0]: 15, pages[1]: 20}
    items = [SimpleNamespace(nodeid=f"{file}::a") for file in (SHORT, pages[0], LONG, pages[1])]
    worker.pytest_collection_modifyitems(items)
    files = [item.nodeid.removesuffix("::a") for item in items]
    assert files == [pages[1], pages[0], LONG, SHORT]


def test_the_known_durations_are_of_files_that_are(root):
    known = json.loads(pace.DURATIONS.read_text(encoding="utf-8"))
    assert known and all((root / file).exists() for file in known)


def test_each_file_that_is_done_is_a_line(controller):
    controller.began -= 190
    for nodeid in (f"{SHORT}::a", f"{SHORT}::b", f"{LONG}::a"):
        controller.pytest_runtest_logreport(report(nodeid, "call"))
        controller.pytest_runtest_logreport(report(nodeid))
    assert controller.terminal.lines == [
        f"[ 67 %] {SHORT} done, 1 file left, 3 min 10 s",
        f"[100 %] {LONG} done, 0 files left, 3 min 10 s",
    ]


def test_what_fails_is_told_at_once(controller):
    controller.pytest_runtest_logreport(report(f"{LONG}::a", "call", failed=True))
    assert controller.terminal.lines == [f"FAILED {LONG}::a (call)"]


def test_a_second_worker_counts_nothing_twice(controller):
    controller.pytest_runtest_logreport(report(f"{LONG}::a"))
    controller.pytest_xdist_node_collection_finished(None, [f"{LONG}::a"])
    assert controller.left == {SHORT: 2, LONG: 0}
    assert controller.total == 3


def test_the_table_adds_up_by_group():
    lone, small = "tests/test_checks_main.py", ["tests/test_checks_a.py", "tests/test_checks_b.py"]
    spent = {lone: [40, 20, 5], small[0]: [3, 2, 1], small[1]: [4, 2, 1], SHORT: [1, 1, 0]}
    assert pace.table({**spent, NOTEBOOK: [5, 5, 5]})[2:] == [
        "| `tests/test_checks_main.py` | 1 | 40 | 20 |",
        "| other `test_checks_*` | 2 | 7 | 4 |",
        "| `notebooks/05.ipynb` | 1 | 5 | 5 |",
        "| all others | 1 | 1 | 1 |",
        "| together | 5 | 53 | 30 |",
    ]


@pytest.mark.parametrize(("seconds", "over"), [(60, False), (61, True)])
def test_a_notebook_over_its_budget_is_marked(seconds, over):
    (line,) = pace.budgets({NOTEBOOK: [99, 99, seconds], SHORT: [99, 99, 99]})
    assert line.startswith(f"{NOTEBOOK}: {seconds} s of CPU time in its kernel, of 60")
    assert line.endswith("OVER BUDGET") == over


def test_a_record_replaces_the_known_durations(controller, monkeypatch, tmp_path):
    monkeypatch.setattr(pace, "DURATIONS", tmp_path / "durations.json")
    controller.record = True
    for nodeid in (f"{SHORT}::a", f"{SHORT}::b"):
        controller.pytest_runtest_logreport(report(nodeid))
    controller.pytest_terminal_summary(Terminal())
    assert json.loads(pace.DURATIONS.read_text(encoding="utf-8")) == {SHORT: 4.0}


def test_without_dots_outcomes_are_counted_as_ever(controller):
    def status():
        wrapper = controller.pytest_report_teststatus()
        next(wrapper)
        with pytest.raises(StopIteration) as done:
            wrapper.send(("passed", ".", "PASSED"))
        return done.value.value

    assert status() == ("passed", "", "")
    controller.pytest_sessionfinish()
    assert status() == ("passed", ".", "PASSED")
