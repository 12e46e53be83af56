"""Attempts that loop, eat memory, crash or cause damage: an answer, and the next check works."""

import importlib
import os
import queue
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from learner import body, cell

from stn_course import checks, grids
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine import sandbox
from stn_course.checks.engine.judging import judge
from stn_course.checks.engine.types import call
from stn_course.checks.engine.worker import FORKS, PRINTED

AFFINE = EXERCISES["affine_grid"]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a limit")
posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


def refused(source: str, limit: float = 5.0) -> str:
    """The answer to a wrong attempt with this body; after it a right one passes."""
    verdict = judge(AFFINE, body(source), limit)
    assert verdict.solved is False
    assert verdict.lines[0] == "affine_grid: not yet."
    assert checks.affine_grid(grids.affine_grid).solved is True
    return verdict.text


def test_an_endless_loop_ends_with_a_message():
    before = time.monotonic()
    text = refused("while True: pass", limit=0.7)
    assert "my_affine_grid was stopped after 0.7 s, in call 1." in text
    assert "size = (1, 1, 2, 3)" in text
    assert time.monotonic() - before < 20


def test_a_loop_in_a_later_call_shows_that_call():
    text = refused(
        """
        theta, size, align_corners = arguments
        while align_corners: pass
        return grids.affine_grid(theta, size)
        """,
        limit=0.7,
    )
    assert "in call 2." in text
    assert "align_corners = True" in text


def test_the_limit_is_ten_seconds():
    assert sandbox.LIMIT == 10


@linux
@pytest.mark.parametrize("greed", ["[0] * 10**10", "torch.ones(10**9)", "'x' * 10**11"])
def test_a_huge_allocation_ends_with_a_message(greed):
    text = refused(f"return {greed}")
    assert "asked for more memory than the 2 GiB" in text
    assert f"return {greed}" in text


@pytest.mark.parametrize("end", ["import os; os._exit(3)", "import ctypes; ctypes.string_at(0)"])
def test_a_crash_is_an_answer(end):
    assert "The process that ran my_affine_grid ended in call 1" in refused(end)


@pytest.mark.parametrize(
    "error",
    [
        *("ValueError", "SystemExit", "KeyboardInterrupt", "RecursionError", "StopIteration"),
        *("GeneratorExit", "MemoryError", "AssertionError", "UnicodeError"),
    ],
)
def test_an_exception_is_shown_with_the_learners_line(error):
    text = refused(f"x = 1\nraise {error}('so it is')")
    assert f"my_affine_grid raised {error}: so it is" in text
    assert f"  line 3: raise {error}('so it is')" in text
    assert "Traceback" not in text


def test_the_line_shown_is_the_learners_not_torchs():
    text = refused("theta = arguments[0]\nreturn F.affine_grid(theta, (1, 2))")
    assert "  line 3: return F.affine_grid(theta, (1, 2))" in text


def test_an_exception_whose_text_raises():
    text = refused(
        """
        class Odd(Exception):
            def __str__(self): raise SystemExit
        raise Odd
        """
    )
    assert "my_affine_grid raised Odd: (its text raises SystemExit)" in text


def test_endless_recursion():
    mine = cell("def mine(*arguments): return mine(*arguments)")["mine"]
    assert "RecursionError" in judge(AFFINE, mine).text


def test_what_cannot_be_sent():
    names = cell("import threading\nlock = threading.Lock()\ndef mine(*arguments): return lock")
    verdict = judge(AFFINE, names["mine"])
    assert verdict.solved is False
    assert "my_affine_grid could not be sent" in verdict.text
    assert "lock" in verdict.text


def test_what_cannot_be_unpacked_there():
    names = cell(
        """
        class Odd:
            def __reduce__(self): return int, ("no number",)
        odd = Odd()
        def mine(*arguments): return odd
        """
    )
    verdict = judge(AFFINE, names["mine"])
    assert verdict.solved is False
    assert "ValueError" in verdict.text


FIND = "from stn_course.checks.catalogue import EXERCISES; "
DAMAGE = [
    "import builtins; del builtins.len, builtins.isinstance",
    "torch.einsum = torch.stack = None",
    "torch.Tensor.__getitem__ = None",
    "torch.set_default_dtype(torch.float64)",
    "torch.set_grad_enabled(False)",
    "torch.set_default_device('meta')",
    "import sys; sys.path.clear()",
    "grids.pixel_centres = lambda *a, **k: torch.zeros(3)",
    "grids.base_grid.__code__ = (lambda *a, **k: torch.zeros(3)).__code__",
    f"{FIND}EXERCISES['training_step'].solution.__globals__['F'].nll_loss = None",
    f"{FIND}EXERCISES['accuracy_over_angle'].run.__globals__['small_set']()[0].means.zero_()",
]


def test_damage_does_not_last():
    """Each is followed by a right attempt (see `refused`), all of them by those they aim at."""
    for damage in DAMAGE:
        refused(f"{damage}\nreturn None")
    for name in ("base_grid", "training_step", "accuracy_over_angle"):
        assert getattr(checks, name)(EXERCISES[name].solution).solved is True, name


def test_an_attempt_is_not_judged_by_what_it_patched():
    """What is right is computed where no attempt has been."""
    zeros = "lambda theta, size, *a, **k: torch.zeros(size[0], *size[2:], 2).to(theta)"
    for patched in ("F.affine_grid", "grids.affine_grid"):
        text = refused(f"{patched} = mine = {zeros}\nreturn mine(*arguments)")
        assert "It differs:" in text


@pytest.mark.parametrize("forks", [True, False] if FORKS else [False])
def test_what_an_attempt_changes_ends_with_it(forks):
    """With and without copies of a process: macOS and Windows take a new process each time."""
    cases, one = [(torch.ones(2),)], sandbox.Sandbox(forks)
    try:
        for attempt in (body("torch.Tensor.neg = None"), lambda x: x.neg()):
            outcome = one.run(attempt, call, cases, 30)
            assert outcome.problem is None
        assert outcome.results[0].value.tolist() == [-1, -1]
        outcome = one.run(body("while True: pass"), call, cases, 0.5)
        assert (outcome.problem, outcome.results) == ("time", [])
        for status in (3, 0):
            outcome = one.run(body(f"import os; os._exit({status})"), call, cases, 30)
            assert (outcome.problem, outcome.words) == ("ended", f"exit status {status}")
    finally:
        one.close()


EVIL = """
from stn_course.checks.engine import worker
class Evil:
    def __reduce__(self): return open, ({path!r}, "w")
content = worker.pickle.dumps(Evil())
"""


@pytest.mark.parametrize(
    "way",
    [
        "real = worker.send\nworker.send = lambda pipe, message: real(pipe, content)",
        "import os, struct\n"
        "for number in range(3, 20):\n"
        "    try: os.write(number, struct.pack('<Q', len(content)) + content)\n"
        "    except OSError: pass",
        "import os\nworker.send = lambda pipe, message: os.write(pipe.fileno(), b'no length')",
    ],
)
def test_nothing_of_the_learners_runs_in_the_kernel(way, tmp_path):
    """Whatever an attempt sends in place of its result is read as plain data, or not at all."""
    path = tmp_path / "made by the kernel"
    text = refused(f"{EVIL.format(path=str(path))}{way}\nreturn 1")
    assert "The process that ran my_affine_grid ended in call 1" in text
    assert not path.exists()


def test_what_it_prints_is_shown_and_cut():
    assert "It printed:\nhello" in refused("print('hello')\nreturn 1")
    text = refused(f"print('y' * {PRINTED * 100})\nreturn 1")
    assert "y" * PRINTED + "…" in text
    assert len(text) < PRINTED + 3000


def test_a_right_attempt_may_print():
    verdict = judge(AFFINE, body("print('so far')\nreturn grids.affine_grid(*arguments)"))
    assert verdict.solved is True
    assert verdict.lines[1:] == ["It printed:", "so far"]


def test_output_below_python_and_input_do_not_mix_in():
    assert "EOFError" in refused("import os; os.write(1, b'x' * 100)\nreturn input()")


def test_a_function_from_a_file_is_sent_as_it_is_now(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "my_grids.py"
    file.write_text("def mine(*arguments): return 1\n", encoding="utf-8")
    import my_grids

    assert judge(AFFINE, my_grids.mine).solved is False
    right = "from stn_course import grids\ndef mine(*a): return grids.affine_grid(*a)\n"
    exec(compile(right, str(file), "exec"), vars(my_grids))
    assert judge(AFFINE, my_grids.mine).solved is True


def test_a_helper_of_the_learners_is_read_as_it_is_now(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "my_helper.py"
    file.write_text("def twice(x): return x + x + 1\n", encoding="utf-8")
    import my_helper

    names = {"my_helper": my_helper, "grids": grids}
    mine = eval("lambda *a: my_helper.twice(grids.affine_grid(*a)) / 2", names)
    assert judge(AFFINE, mine).solved is False
    file.write_text("def twice(x): return 2 * x\n", encoding="utf-8")
    importlib.reload(my_helper)
    assert judge(AFFINE, mine).solved is True


def test_stopping_a_check_is_an_answer(monkeypatch):
    class Stopped(queue.Queue):
        def get(self, timeout=None):
            raise KeyboardInterrupt

    sandbox.SANDBOX.close()
    with monkeypatch.context() as patch:
        patch.setattr(queue, "Queue", Stopped)
        verdict = judge(AFFINE, body("return 1"))
    sandbox.SANDBOX.close()
    assert verdict.solved is None
    assert verdict.lines == ["affine_grid: not checked.", "You stopped the check."]
    assert judge(AFFINE, grids.affine_grid).solved is True


NOT_STARTED = """
affine_grid: not checked.
The process that runs attempts did not start ({}).
That is no mistake of yours, and says nothing about my_affine_grid. Run this cell again; if that does not help, restart the kernel.
"""  # noqa: E501


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import time; time.sleep(600)", "nothing came in 0.5 s"),
        ("raise SystemExit(7)", "exit status 7"),
    ],
)
def test_a_process_that_does_not_start_is_no_mistake_of_the_learners(program, why, monkeypatch):
    sandbox.SANDBOX.close()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "PROGRAM", program)
        patch.setattr(sandbox, "START", 0.5 if "sleep" in program else 60)
        verdict = judge(AFFINE, grids.affine_grid, 0.1)
    sandbox.SANDBOX.close()
    assert verdict.solved is None
    assert verdict.text == NOT_STARTED.format(why).strip()


def test_a_process_that_has_ended_before_it_is_asked_tells_its_exit_status(monkeypatch):
    """On a busy machine the request may come late, to a pipe that nobody reads."""
    real = sandbox.send

    def late(pipe, message):
        sandbox.SANDBOX._process.wait()
        real(pipe, message)

    sandbox.SANDBOX.close()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "PROGRAM", "raise SystemExit(7)")
        patch.setattr(sandbox, "send", late)
        verdict = judge(AFFINE, grids.affine_grid, 0.1)
    sandbox.SANDBOX.close()
    assert verdict.text == NOT_STARTED.format("exit status 7").strip()


def test_the_time_limit_counts_from_the_attempts_own_start(monkeypatch):
    """The process takes longer to start than the attempt may take to run."""
    slow = "import time; time.sleep(1.5)\n" + sandbox.PROGRAM
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "PROGRAM", slow)
        sandbox.SANDBOX.close()
        verdict = judge(AFFINE, grids.affine_grid, 1.2)
    assert verdict.solved is True, verdict.text


def test_the_process_is_kept():
    judge(AFFINE, grids.affine_grid)
    before = sandbox.SANDBOX._process.pid
    judge(AFFINE, body("return 1"))
    assert sandbox.SANDBOX._process.pid == before


@linux
@pytest.mark.parametrize("end", ["while True: pass", "import os; os._exit(3)"])
def test_an_attempt_that_does_not_end_well_costs_no_new_process(end):
    """The process that is kept ends what still runs, and answers the next check."""
    judge(AFFINE, grids.affine_grid)
    before = sandbox.SANDBOX._process.pid
    refused(end, limit=0.5)
    assert sandbox.SANDBOX._process.pid == before


@linux
def test_what_an_attempt_has_started_ends_with_it(tmp_path):
    file = tmp_path / "pid"
    text = refused(
        f"""
        import subprocess, sys
        started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(started.pid, file=open({str(file)!r}, "w"), flush=True)
        while True: pass
        """,
        limit=1,
    )
    assert "was stopped after 1 s" in text
    assert ended(int(file.read_text()))


@linux
def test_a_process_that_no_longer_answers_is_replaced():
    """Its attempt has stopped it. Nothing waits for it longer than a moment."""
    before = sandbox.SANDBOX._process
    refused("import os, signal; os.kill(os.getppid(), signal.SIGSTOP)\nwhile True: pass", limit=0.5)
    assert before is None or ended(before.pid)


@linux
def test_what_torch_loads_late_is_loaded_once(monkeypatch):
    """A module that the first attempt loads is there for those after it; a quicker one, here.

    The process of an attempt is slow to end, so that the next request ends it.
    """
    other = """
from time import sleep
from stn_course.checks.engine import worker
worker.LATE, send, last = "colorsys", worker.send, worker.pack(worker.DONE)
worker.send = lambda pipe, content: (send(pipe, content), sleep(content == last))
serve("""
    monkeypatch.setattr(sandbox, "PROGRAM", sandbox.PROGRAM.replace("\nserve(", other))
    names = cell(
        """
        import sys
        def loads(x): import colorsys
        def has(x): return torch.tensor("colorsys" in sys.modules)
        """
    )
    found, one = [], sandbox.Sandbox()
    try:
        for name in ("has", "loads", "has"):
            (result,) = one.run(names[name], call, [(torch.ones(2),)], 30).results
            found.append(result.value)
    finally:
        one.close()
    assert (found[0], found[2]) == (False, True)


@pytest.mark.parametrize("forks", [True, False] if FORKS else [False])
def test_each_attempt_meets_the_same_random_numbers(forks):
    one = sandbox.Sandbox(forks)
    try:
        first, again = (one.run(torch.rand, call, [(3,)], 30).results[0].value for _ in range(2))
    finally:
        one.close()
    assert torch.equal(first, again)


@posix
@pytest.mark.parametrize(
    ("busy", "forks"),
    [
        ("return 1", FORKS),
        ("while True: pass", FORKS),
        ("re.match('(a|a)*b', 'a' * 99)", FORKS),
        *([("while True: pass", False)] if FORKS else []),
    ],
)
def test_the_process_ends_with_the_kernel(busy, forks, tmp_path):
    """The kernel is killed, so it cannot clean up; the worker sees the end of its pipe."""
    program = f"""
        import os, re
        from stn_course.checks.engine import sandbox
        def mine(*arguments):
            print(os.getpid(), os.getppid(), file=open("busy.part", "w"), flush=True)
            os.replace("busy.part", "busy")
            {busy}
        one = sandbox.Sandbox({forks})
        one.run(mine, lambda a: a(), [()], {0.2 if "re." in busy else 300})
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tmp_path) as kernel:
        while not (tmp_path / "busy").exists():
            assert kernel.poll() is None
            time.sleep(0.05)
        kernel.kill()
    attempt, server = map(int, (tmp_path / "busy").read_text().split())
    assert ended(attempt)
    assert not forks or ended(server)


def ended(pid: int) -> bool:
    """Whether a process ends within a minute."""
    deadline = time.monotonic() + 60
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if sys.platform == "linux":  # a zombie, where nobody collects orphans
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    return True
