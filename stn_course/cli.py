"""The course on spatial transformers, from a terminal.

Each command hands on to the module that does the work.
"""

import importlib
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tqdm import tqdm

import stn_course
from stn_course import comparison, exercise_cells, working_copy
from stn_course.lessons import load_lessons, notebooks_folder

# What has a command line of its own: the module whose `main` takes the words after the command.
HANDED_ON = {
    "paper": (
        "Run the paper's table, and print ours beside it",
        "stn_course.experiments.whole.__main__",
    ),
    "colocalise": (
        "Find digits in pictures of one class, told neither the class nor a place",
        "stn_course.experiments.colocalisation.__main__",
    ),
    "check": ("Say which exercises a class's notebooks solve", "stn_course.marking.__main__"),
    "train": ("Train one of the course's networks", "stn_course.training.__main__"),
}


def main(arguments: list[str] | None = None) -> int | None:
    """Run one command; the exit status, None for 0. SystemExit where it cannot be run."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in HANDED_ON:
        _, module = HANDED_ON[words[0]]
        return importlib.import_module(module).main(words[1:])
    chosen = command_line().parse_args(words)
    try:
        return chosen.run(chosen)
    except (OSError, ValueError) as error:
        sys.exit(f"stn-course {chosen.command}: {error}")


def command_line() -> ArgumentParser:
    """All commands with their options."""
    made = ArgumentParser(prog="stn-course", description=__doc__.splitlines()[0])
    made.add_argument("--version", action="version", version=f"stn-course {stn_course.__version__}")
    commands = made.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for add_options in (add_lab, add_copy, add_reset, add_table, add_certificate):
        add_options(commands)
    for name, (words, _) in HANDED_ON.items():
        commands.add_parser(name, help=words, add_help=False)
    return made


def add_command(commands, name: str, run, words: str) -> ArgumentParser:
    """A command that calls `run` with what was chosen."""
    command = commands.add_parser(name, help=words, description=words)
    command.set_defaults(run=run)
    return command


def add_folder(command: ArgumentParser) -> None:
    """Where the learner's copy lies."""
    command.add_argument(
        "--folder",
        type=Path,
        default=working_copy.default_folder(),
        help="where your copy lies: my_notebooks, unless you are in a copy",
    )


def add_lab(commands) -> None:
    """What `lab` takes."""
    lab = add_command(commands, "lab", open_lab, "Make or update your copy, open it in JupyterLab")
    lab.add_argument("--port", type=int, default=8888, help="the first one to try (8888)")
    lab.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    add_folder(lab)


def add_certificate(commands) -> None:
    """What `certificate` takes."""
    words = "Draw what you have solved, as a picture"
    command = add_command(commands, "certificate", save_certificate, words)
    command.add_argument("--name", default="", help="whose it is (none)")
    command.add_argument(
        "--output", type=Path, default=Path("certificate.png"), help="a file (certificate.png)"
    )


def save_certificate(chosen: Namespace) -> None:
    """Write the picture, and say what is on it."""
    from stn_course.widgets.certificates import write_certificate  # matplotlib takes its time

    print(write_certificate(chosen.name, chosen.output))
    print(f"written to {chosen.output}")


def add_copy(commands) -> None:
    """What `copy` takes."""
    add_folder(add_command(commands, "copy", make_copy, "Make or update your copy, open nothing"))


def add_reset(commands) -> None:
    """What `reset` takes."""
    words = "Put one exercise's cell in your copy back to how the course has it"
    reset = add_command(commands, "reset", reset_exercise, words)
    reset.add_argument("notebook", help="its number, such as 03, or its file's name")
    reset.add_argument("exercise", help="the name of its check, such as nearest")
    add_folder(reset)


def add_table(commands) -> None:
    """What `table` takes."""
    words = "Train with and without a transformer, and print how well each did"
    table = add_command(commands, "table", print_table, words)
    table.add_argument(
        "name",
        choices=comparison.TABLES,
        help="which digits: turned, in half an hour; in clutter, in two hours; projected or "
        "elastic, by families of transformations, in ten minutes; or turned: by a polar network, "
        "by all that know of turns (symmetry), from few labels, or by a deformable network",
    )
    table.add_argument(
        "--output",
        type=Path,
        help="a file for the figures: written run by run, gone on with if there",
    )


def make_copy(chosen: Namespace) -> None:
    """Bring the learner's copy up to date, and say what is new."""
    said = working_copy.update(notebooks_folder(), chosen.folder)
    where = chosen.folder.resolve()
    print(*said, f"Your copy of version {stn_course.__version__}: {where}", sep="\n", flush=True)


def open_lab(chosen: Namespace) -> None:
    """The copy, then JupyterLab at its first notebook, on this machine's own address only."""
    from jupyterlab.labapp import LabApp  # takes a second, and no other command needs it

    make_copy(chosen)
    flags = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={chosen.port}",
        f"--ServerApp.root_dir={chosen.folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{next(iter(load_lessons()))}.ipynb",
        "--AsyncMappingKernelManager.kernel_manager_class=stn_course.kernels.YieldingKernel",
        "--allow-root",  # matters to root alone: in a container
    ]
    LabApp.launch_instance([*flags, *["--no-browser"] * chosen.no_browser])


def reset_exercise(chosen: Namespace) -> None:
    """One exercise's cell as the course has it."""
    print(exercise_cells.reset_cell(chosen.folder, chosen.notebook, chosen.exercise))


def print_table(chosen: Namespace) -> None:
    """One of the course's comparisons, made anew."""
    with tqdm(unit="run") as bar:
        found = comparison.compare(chosen.name, chosen.output, done=lambda _: bar.update())
    print(comparison.to_markdown(found))


if __name__ == "__main__":
    sys.exit(main())
