"""One experiment: python -m stn_course.experiments --set R --network st-cnn --seed 11"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from stn_course.device import available_devices
from stn_course.experiments.paper import NETWORKS, SETS, Experiment, printed, recipe_of
from stn_course.experiments.results import checkpoint_path, load_result, save_result
from stn_course.experiments.running import Finding, run
from stn_course.models import TRANSFORMATIONS
from stn_course.training.recipes import PRECISIONS


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m stn_course.experiments",
        description="Run one experiment of the paper's table, and print its error in one line.",
    )
    parser.add_argument("--set", choices=SETS, default="R", help="which digits (R)")
    parser.add_argument("--network", choices=NETWORKS, default="st-cnn", help="(st-cnn)")
    parser.add_argument(
        "--transformation",
        choices=TRANSFORMATIONS,
        help="of the transformer, where the network has one (affine)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, help="instead of the recipe's")
    parser.add_argument("--learning-rate", type=float, help="instead of the recipe's")
    parser.add_argument("--localization-factor", type=float, help="instead of the recipe's")
    parser.add_argument("--dropout", type=float, help="instead of the recipe's")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="float32 for a processor that does not multiply bfloat16",
    )
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="learn from 50,000 training digits, be tested on the other 10,000: to choose recipes",
    )
    parser.add_argument("--device", choices=available_devices(), help="by default the fastest")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="keep the result there; a run that was interrupted goes on, one that is done is shown",
    )
    asked = parser.parse_args(arguments)
    has = NETWORKS[asked.network].transformers > 0
    if asked.transformation and not has:
        parser.error(f"{asked.network} has no transformer; got --transformation")
    asked.transformation = (asked.transformation or "affine") if has else "none"
    return asked


def described(asked: argparse.Namespace) -> Experiment:
    """The experiment that was asked for."""
    changed = ("epochs", "learning_rate", "localization_factor", "dropout", "precision")
    values = {name: getattr(asked, name) for name in changed if getattr(asked, name) is not None}
    recipe = replace(recipe_of(asked.set, asked.network), **values)
    cell = asked.set, asked.network, asked.transformation
    return Experiment(*cell, asked.seed, recipe, asked.held_out)


def line(result: Finding) -> str:
    """What came of it, for people."""
    experiment, paper = result.experiment, printed().get(result.experiment.cell)
    on = "held-out digits" if experiment.held_out else "test digits"
    parts = [f"{result.error:.2f} % of {on}" + (f" (paper {paper:.1f} %)" if paper else "")]
    parts.append(f"{experiment.recipe.epochs:g} epochs in {result.seconds:.0f} s")
    if result.cpu_seconds is not None:
        parts.append(f"{result.cpu_seconds:.0f} s of CPU time")
    parts.append(f"{result.parameters:,} parameters")
    parts += [f"{name} {value:.2f}" for name, value in result.alignment.items()]
    parts.append(f"torch {result.versions['torch']}, {result.hardware}")
    return f"{' '.join(experiment.cell)}, seed {experiment.seed}: {', '.join(parts)}"


def main(arguments: list[str] | None = None) -> None:
    """Run it, and print one line."""
    asked = parse(arguments)
    experiment, folder = described(asked), asked.results
    if folder is None:
        print(line(run(experiment, asked.device)))
        return
    folder.mkdir(parents=True, exist_ok=True)
    result = load_result(folder, experiment)
    if result is None:
        result = run(experiment, asked.device, checkpoint_path(folder, experiment))
        save_result(folder, result)
    print(line(result))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"python -m stn_course.experiments: {error}")
