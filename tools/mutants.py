"""Mutation testing by mutmut: does a test fail when the code is changed? Resumable: make mutants

The mutants that have no result yet are run, then a table is printed. `--seconds` stops early; the
next run goes on. What is mutated, and by which tests it is held, says pyproject.toml.
"""

import argparse
import fnmatch
import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# mutmut's exit codes. Killed: a test failed, or pytest itself, or the time was up.
KILLED = (1, 3, 24, -24, 36, 152, 255)
UNKNOWN = (None, 2)  # not run yet, or interrupted
DATA = "_cases__mutmut_"  # an exercise's cases: with other numbers it would test as well
FIRST = "stn_course.grids.x_pixel_centres__mutmut_1"


def modules() -> list[str]:
    """The files to mutate, in the order of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["mutmut"]["only_mutate"]
    return [str(p.relative_to(ROOT)) for one in patterns for p in sorted(ROOT.glob(one))]


def results(module: str) -> dict[str, int | None]:
    """A module's mutants and what became of them, data aside; empty before the first run."""
    file = ROOT / "mutants" / f"{module}.meta"
    found = json.loads(file.read_text())["exit_code_by_key"] if file.exists() else {}
    return {name: code for name, code in found.items() if DATA not in name}


def pending(module: str, again: bool) -> list[str]:
    """The mutants to run of a module whose mutants are made."""
    found = results(module)
    return [n for n, code in found.items() if code in UNKNOWN or (again and code not in KILLED)]


def run(names: list[str], seconds: float | None) -> bool:
    """Let mutmut run these mutants, one at a time; whether it came to its end."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    # One thread, for the second core is somebody's; the same examples of hypothesis every time.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CI": "true"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        if process.wait(timeout=seconds) != 0:
            sys.exit("mutmut failed; it says why above")
        return True
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGINT)  # mutmut keeps what is done
        process.wait()
        return False


def table() -> str:
    """Killed and all mutants by module, and the survivors' names."""
    lines, left = ["| module | killed | mutants | % |", "| --- | ---: | ---: | ---: |"], []
    for module in modules():
        done = {name: code for name, code in results(module).items() if code not in UNKNOWN}
        alive = [name for name, code in done.items() if code not in KILLED]
        killed = len(done) - len(alive)
        lines.append(
            f"| `{module}` | {killed} | {len(done)} | {100 * killed / max(len(done), 1):.0f} |"
        )
        left += alive
    return "\n".join([*lines, "", *left])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=["*"], help="patterns such as '*/grids.py'")
    parser.add_argument("--seconds", type=float, help="stop after this time")
    parser.add_argument("--sample", type=int, help="only so many, drawn from all of them alike")
    parser.add_argument("--again", action="store_true", help="run survivors again, too")
    parser.add_argument("--table", action="store_true", help="print the table, run nothing")
    chosen = parser.parse_args()
    end = None if chosen.seconds is None else time.monotonic() + chosen.seconds
    if not chosen.table:
        if not any(map(results, modules())):
            run([FIRST], None)  # with it mutmut makes all mutants and sees which test calls what
        meant = [m for m in modules() if any(fnmatch.fnmatch(m, p) for p in chosen.modules)]
        names = [name for module in meant for name in pending(module, chosen.again)]
        random.shuffle(names)  # for the sample; of what is given mutmut runs the quick ones first
        left = None if end is None else max(end - time.monotonic(), 1)
        if names := names[: chosen.sample]:
            run(names, left)
    print(table())


if __name__ == "__main__":
    main()
