"""The one-theta test."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from stn_course import data, models, training
from stn_course.checks.engine.networks import IDENTITY, seeded, shares
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception
from stn_course.samplers import warp

ZOOM_OUT = torch.tensor([0.5, 0.0, 0.0, 0.0, 0.5, 0.0])  # so that the padding is seen


@functools.cache
def turned_digits() -> tuple[Tensor, Tensor]:
    """300 test digits turned by up to 90 degrees, normalised, and their labels."""
    images, labels = data.load_digits("test")
    turned, _ = data.random_rotation(90)(images[:300], torch.Generator().manual_seed(3))
    return data.normalise(turned), labels[:300]


def reader(training_mode: bool) -> models.TutorialNet:
    """The straightener, but that it zooms out, so that its mean theta reaches outside."""
    model = models.load_straightener()
    with torch.no_grad():
        model.fc_loc[-1].bias += ZOOM_OUT
    return model.train(training_mode)


def run_error(attempt, training_mode: bool, n: int):
    """Give the attempt the reader and n digits; its answer as a tensor (1,)."""
    images, labels = (part[:n] for part in turned_digits())
    result = seeded(lambda: attempt(reader(training_mode), images, labels))
    return shares([result]) if isinstance(result, float | int | Tensor) else result


def with_theta(
    choose: Callable[[Tensor], Tensor], finish=lambda wrong: wrong.float().mean().item(), **options
) -> Callable:
    """A program that reads all images through `choose` of their thetas (N, 2, 3).

    finish: makes the answer of which images are misread, bool (N,). options: training, the mode
    that the model is put into; padding_mode; again, whether it reads through its own theta after;
    before, whether it did so before.
    """

    def program(model, images, labels):
        model.train(options.get("training", False))
        with torch.no_grad():
            transformed = model.stn(images)
            given = transformed if options.get("before") else images
            padding_mode = options.get("padding_mode", model.padding_mode)
            seen = warp(given, choose(model.theta), padding_mode=padding_mode)
            read = model if options.get("again") else model.classify
            return finish(read(seen).argmax(dim=1) != labels)

    return program


def _mean(theta: Tensor) -> Tensor:
    return theta.mean(dim=0, keepdim=True)


@functools.cache  # it takes half a second, and is the same for every attempt
def error_by_hand(training_mode: bool, n: int) -> Tensor:
    """A loop over the digits, each read through the mean of all thetas, the wrong ones counted."""

    def count(model, images, labels):
        thetas = []
        for image in images:
            model.eval().stn(image[None])
            thetas.append(model.theta)
        theta = torch.stack(thetas).sum(dim=0) / len(thetas)
        seen = [warp(image[None], theta, padding_mode="border") for image in images]
        pairs = zip(map(model.classify, seen), labels, strict=True)
        return sum(int(scores.argmax() != truth) for scores, truth in pairs) / len(labels)

    with torch.no_grad():
        return run_error(count, training_mode, n)


EXERCISE = FunctionExercise(
    attempt="my_error_with_one_theta",
    solution=training.error_with_one_theta,
    run=run_error,
    returns="a number",
    oracle=error_by_hand,
    against="a count of the misread digits, one by one",
    cases=lambda: [
        Case((mode, n), f"a network in {'training' if mode else 'evaluation'} mode, {n} digits")
        for mode, n in [(False, 60), (True, 60), (False, 300)]
    ],
    hints=(
        "Two passes. The first one only finds out which theta the network chooses for each image; "
        "model.stn(images) leaves them in model.theta.",
        "The second reads every image through the mean theta, and that needs no localization "
        "network: warp(images, theta, padding_mode=model.padding_mode), then model.classify.",
        "model.theta is (N, 2, 3). theta.mean(dim=0, keepdim=True) is (1, 2, 3), and warp takes it "
        "for the whole batch. Put the model into eval mode first.",
    ),
    misconceptions=(
        Misconception(
            "a theta each",
            "this is the error with a theta of its own for each image, so the test has not begun. "
            "Read all images through the mean of these thetas.",
            with_theta(lambda theta: theta),
            typed="""
                model.eval()
                return (model(images).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "the identity",
            "this is the error without any transformer: the identity in place of theta. The mean "
            "theta may zoom or shift, as all the network's thetas do.",
            with_theta(lambda theta: theta.new_tensor(IDENTITY).view(1, 2, 3)),
            typed="""
                model.eval()
                return (model.classify(images).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "the first theta",
            "all images are read through the theta of the first one. Take the mean over dim=0.",
            with_theta(lambda theta: theta[:1]),
            typed="""
                model.eval()
                model.stn(images)
                read = samplers.warp(images, model.theta[0:1], padding_mode=model.padding_mode)
                return (model.classify(read).argmax(1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "through the network",
            "the images go through the transformer twice: first with the mean theta, then again "
            "with their own, which undoes the test. model(…) calls stn; model.classify does not.",
            with_theta(_mean, again=True),
            typed="""
                model.eval()
                model.stn(images)
                alike = samplers.warp(
                    images, model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return (model(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "transformed already",
            "what is read through the mean theta was transformed already, each image by its own "
            "theta. Keep model.theta, drop what stn returns, and warp the images themselves.",
            with_theta(_mean, before=True),
            typed="""
                model.eval()
                alike = samplers.warp(
                    model.stn(images), model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return (model.classify(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "one number",
            "theta.mean() is the mean of all the numbers in all the thetas: a single number. Take "
            "the mean over the images alone, dim=0; keepdim=True leaves (1, 2, 3).",
            with_theta(lambda theta: theta.mean()),
            typed="""
                model.eval()
                model.stn(images)
                alike = samplers.warp(images, model.theta.mean(), padding_mode="border")
                return (model.classify(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "padded with zeros",
            "outside the picture it reads 0, which is grey after normalising. Read as the network "
            "does: padding_mode=model.padding_mode.",
            with_theta(_mean, padding_mode="zeros"),
            typed="""
                model.eval()
                model.stn(images)
                grid = F.affine_grid(model.theta.mean(0).expand(len(images), 2, 3), images.shape)
                alike = F.grid_sample(images, grid)
                return (model.classify(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "training mode",
            "the network answers in training mode, with dropout. Call model.eval() first.",
            with_theta(_mean, training=True),
            typed="""
                model.train()
                model.stn(images)
                alike = samplers.warp(
                    images, model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return (model.classify(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "mode as it is",
            "the network answers in the mode in which it came, and after training that may be "
            "training mode, with dropout. Call model.eval() first.",
            lambda model, *digits: with_theta(_mean, training=model.training)(model, *digits),
            typed="""
                model.stn(images)
                alike = samplers.warp(
                    images, model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return (model.classify(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
        Misconception(
            "accuracy",
            "this is the share of digits that are read correctly. Return the error.",
            with_theta(_mean, lambda wrong: 1 - wrong.float().mean().item()),
            typed="""
                model.eval()
                model.stn(images)
                alike = samplers.warp(
                    images, model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return (model.classify(alike).argmax(dim=1) == labels).float().mean().item()
            """,
        ),
        Misconception(
            "counted",
            "this is how many digits are misread. Divide by how many there are.",
            with_theta(_mean, lambda wrong: wrong.sum().item()),
            typed="""
                model.eval()
                model.stn(images)
                alike = samplers.warp(
                    images, model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return (model.classify(alike).argmax(dim=1) != labels).sum().item()
            """,
        ),
        Misconception(
            "percent",
            "this is a percentage. Return a share, from 0 to 1.",
            with_theta(_mean, lambda wrong: 100 * wrong.float().mean().item()),
            typed="""
                model.eval()
                model.stn(images)
                alike = samplers.warp(
                    images, model.theta.mean(0, keepdim=True), padding_mode="border"
                )
                return 100 * (model.classify(alike).argmax(dim=1) != labels).float().mean().item()
            """,
        ),
    ),
)
