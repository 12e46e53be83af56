"""`stn-course check` on a class: what it solved, told apart from what is broken or forged."""

import json
import os
from pathlib import Path

import psutil
import pytest
from handed_in import AFFINE_GRID, IMPORT, LEFT_HALF, LESSON, NAMES, WHICH_WAY, write

from stn_course.checks import progress
from stn_course.marking import __main__ as command
from stn_course.marking import isolation

ANNA = {
    "import": IMPORT,
    "surroundings": """import os, sys
from pathlib import Path
assert os.listdir() == ["anna_02_grid_generation.ipynb"], os.listdir()
assert "TOKEN" not in os.environ
Path("helper.py").write_text("value = 3")
Path("random.py").write_text("1 / 0")
import helper, random
assert random.__file__ != "random.py" and Path.home() != Path({home!r})""",
    "right": WHICH_WAY,
    "wrong, then right": "checks.mirror('no')\nchecks.left_half(7)\n" + LEFT_HALF,
    "untouched": "def later(theta, size): ...\nchecks.base_grid(later)\nchecks.compose_order(...)",
    "broken on purpose": "1 / 0",
    "no Python": "def broken(",
    "asks": "input()",
    "leaves": "raise SystemExit",
    "endless": "import time\nwhile True: print('x' * 1000); time.sleep(0.001)",
    "after it": "%%capture\n" + AFFINE_GRID,
    "unsendable": "file = open(os.devnull)\nchecks.inverse(lambda theta: file)",
    "overwrites": "Path({neighbour!r}).write_text('gone')",
    "stays": """import subprocess
outlives = {{"start_new_session": True, "stdout": subprocess.DEVNULL}}
process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], **outlives)
Path({pid!r}).write_text(str(process.pid))""",
}
BERT = (
    IMPORT,
    WHICH_WAY,
    "from stn_course.checks import progress\nprogress.record('mirror')",
    "from stn_course import grids\n\ndef mine(*given):\n    return grids.affine_grid(*given)",
    "checks.affine_grid(mine)",
)
CLEO = (
    IMPORT,
    WHICH_WAY,
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "import time\nwhile True: time.sleep(1)",
    LEFT_HALF,
    "import os; os._exit(1)",
    AFFINE_GRID,
)


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The folder, and the rows of the class by learner."""
    folder = tmp_path_factory.mktemp("class")
    bert = folder / f"bert_{LESSON}.ipynb"
    home, pid = str(Path.home()), str(folder / "pid")
    cells = [cell.format(home=home, neighbour=str(bert), pid=pid) for cell in ANNA.values()]
    paths = [write(folder / f"anna_{LESSON}.ipynb", *cells), write(bert, *BERT)]
    paths.append(write(folder / f"cleo_{LESSON}.ipynb", *CLEO))
    (folder / "stn_course.py").write_text("1 / 0", encoding="utf-8")
    anna, output = paths[0].read_bytes(), folder / "class.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "GRACE", 6)
        patch.setenv("TOKEN", "secret")
        patch.chdir(folder)
        # Long enough for a cell that imports torch beside others; the endless ones only wait.
        options = ["--jobs", "3", "--cell-timeout", "25", "--format", "json"]
        assert command.main([*map(str, paths), *options, "--output", str(output)]) == 0
        assert os.environ["TOKEN"] == "secret"
    assert paths[0].read_bytes() == anna
    rows = json.loads(output.read_text(encoding="utf-8"))
    assert [row["learner"] for row in rows] == ["anna", "bert", "cleo"]
    return folder, {row["learner"]: row for row in rows}


def test_right_wrong_and_not_attempted_are_told_apart(marked):
    row = marked[1]["anna"]
    assert row["solved"] == [n for n in NAMES if n in ("which_way", "left_half", "affine_grid")]
    assert (row["count"], row["of"], row["notebook"]) == (3, len(NAMES), LESSON)
    assert set(row["wrong"]) == {"mirror", "inverse"}
    assert set(row["not_attempted"]) == {"base_grid", "compose_order"}
    assert set(row["not_reached"]) == {"swapped", "rotation_about", "crop_theta"}


def test_errors_are_counted_and_the_first_is_told(marked):
    row = marked[1]["anna"]
    place = list(ANNA).index("broken on purpose") + 1
    assert row["first_error"] == f"code cell {place}: ZeroDivisionError: division by zero"
    assert (row["raised"], row["cells"]) == (4, len(ANNA))


def test_an_endless_cell_costs_its_own_limit_and_later_exercises_count(marked):
    row = marked[1]["anna"]
    place = list(ANNA).index("endless") + 1
    assert row["remarks"] == [f"code cell {place} stopped after 25 s"]
    assert "affine_grid" in row["solved"]


def test_a_cell_that_costs_the_kernel_is_left_out_and_later_exercises_count(marked):
    row = marked[1]["cleo"]
    assert set(row["solved"]) == {"which_way", "left_half", "affine_grid"}
    assert row["remarks"] == [
        "code cell 3: the kernel did not stop; run without it",
        "code cell 5: the kernel died; run without it",
    ]


def test_a_neighbours_file_that_was_overwritten_counts_as_it_was_handed_in(marked):
    folder, rows = marked
    assert (folder / f"bert_{LESSON}.ipynb").read_text(encoding="utf-8") == "gone"
    assert rows["bert"]["cells"] == len(BERT) and rows["bert"]["raised"] == 0
    assert "which_way" in rows["bert"]["solved"]


def test_a_file_named_as_the_package_shadows_nothing(marked):
    assert (marked[0] / "stn_course.py").exists()
    assert all(row["solved"] for row in marked[1].values())


def test_no_background_process_outlives_the_run(marked):
    pid = int((marked[0] / "pid").read_text(encoding="utf-8"))
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_progress_written_by_hand_counts_for_nothing_and_is_suspicious(marked):
    row = marked[1]["bert"]
    assert "mirror" in row["not_reached"]
    assert "its code names progress.record" in row["suspicious"]
    assert "it wrote progress itself" in row["suspicious"]


def test_a_call_of_the_courses_own_solution_is_suspicious(marked):
    assert "affine_grid is, or calls, the course's own solution" in marked[1]["bert"]["suspicious"]
    assert marked[1]["anna"]["suspicious"] == marked[1]["cleo"]["suspicious"] == []


def test_the_users_own_progress_is_neither_read_nor_written(marked):
    assert progress.solved() == set()
