"""One run: python -m stn_course.comparison --digits clutter --network transformer --seed 0"""

import argparse

from stn_course.comparison.conditions import CONDITIONS
from stn_course.comparison.runs import add_run, new_row, seconds_an_epoch
from stn_course.device import choose_device
from stn_course.training import RECIPES


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m stn_course.comparison",
        description="Train one network and print its error on the test digits, and what it cost.",
    )
    networks = list(dict.fromkeys(n for c in CONDITIONS.values() for n in c.networks))
    parser.add_argument("--digits", choices=CONDITIONS, default="clutter")
    parser.add_argument("--network", choices=networks, default="transformer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu or cuda, by default the fastest")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=float, help="instead of the recipe's")
    length.add_argument(
        "--seconds", type=float, help="as many epochs as fit, at a pace measured beforehand"
    )
    asked = parser.parse_args(arguments)
    if asked.network not in (known := CONDITIONS[asked.digits].networks):
        parser.error(f"{asked.digits} digits are read by {', '.join(known)}; got {asked.network}")
    return asked


def main(arguments: list[str] | None = None) -> None:
    """Train, and print one line."""
    asked = parse(arguments)
    device = choose_device(asked.device)
    epochs = asked.epochs
    if epochs is None:
        epochs = RECIPES[CONDITIONS[asked.digits].recipe].epochs
    if asked.seconds is not None:
        (pace,) = seconds_an_epoch(asked.digits, [asked.network], device)
        epochs = asked.seconds / pace
    row = new_row(asked.digits, asked.network, epochs)
    add_run(row, asked.seed, device)
    found = [f"{name} {value:.2f}" for name, (value,) in row.measured.items()]
    numbers = f"{row.parameters} parameters, {row.multiply_adds} multiply-adds a picture"
    print(
        f"{row.digits}, {row.network}, seed {asked.seed}: error {row.errors[0]:.2f} %, "
        f"{row.seconds[0]:.0f} s ({row.cpu_seconds[0]:.0f} s of CPU time), {epochs:.2f} epochs, "
        + ", ".join([numbers, *found])
    )


if __name__ == "__main__":
    main()
