"""Train from a terminal: `stn-course train --help`; on several processes by this module's name:

torchrun --nproc-per-node=2 -m stn_course.training --epochs 1 --history run.pt
"""

import argparse

import torch

from stn_course import models
from stn_course.data import load_digits, random_rotation
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.training import processes
from stn_course.training.fitting import fit
from stn_course.training.recipes import RECIPES

MODELS = {
    "transformer": lambda: models.TutorialNet(padding_mode="border"),
    "plain": models.PlainNet,
}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="stn-course train", description="Train one of the course's networks."
    )
    parser.add_argument("--model", choices=MODELS, default="transformer")
    parser.add_argument("--recipe", choices=RECIPES, default="course")
    parser.add_argument("--epochs", type=float, help="instead of the recipe's")
    parser.add_argument("--rotate", type=float, metavar="DEGREES", help="turn digits by up to this")
    parser.add_argument("--images", type=int, help="only so many digits, in training and test")
    parser.add_argument(
        "--double",
        action="store_true",
        help="double precision: rounding then no longer tells several processes from one",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu or cuda, by default the fastest")
    parser.add_argument("--checkpoint", help="a file: written each epoch, gone on from if there")
    parser.add_argument("--history", help="a file for what happened")
    parser.add_argument("--weights", help="a file for the trained model's state_dict")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train, print the outcome, and write the files asked for, from the first process only."""
    asked = parse(arguments)
    with processes.started(choose_device(asked.device)) as device:
        seed_everything(asked.seed)
        model = MODELS[asked.model]().to(torch.double if asked.double else torch.float)
        history = fit(model, **options(asked, device))
        if processes.rank() > 0:
            return
        print(f"{describe_device(device)}, processes: {processes.world_size()}")
        print(f"{history.seconds[-1]:.1f} s, test accuracy {100 * history.accuracy:.2f} %")
        if asked.history:
            history.save(asked.history)
        if asked.weights:
            torch.save({k: v.contiguous() for k, v in model.state_dict().items()}, asked.weights)


def options(asked: argparse.Namespace, device: torch.device) -> dict:
    """The arguments of `fit`; the test digits are turned once, the same in every run."""
    test = load_digits("test")
    images, labels = load_digits("train")
    distort = None if asked.rotate is None else random_rotation(asked.rotate)
    if distort is not None:
        test = distort(test[0], torch.Generator().manual_seed(1))[0], test[1]
    images, labels = images[: asked.images], labels[: asked.images]
    test = test[0][: asked.images], test[1][: asked.images]
    if asked.double:
        images, test = images.double(), (test[0].double(), test[1])
    return {
        "recipe": asked.recipe,
        "train": (images, labels),
        "test": test,
        "distort": distort,
        "epochs": asked.epochs,
        "seed": asked.seed,
        "device": device,
        "checkpoint": asked.checkpoint,
    }


if __name__ == "__main__":
    main()
