"""Judge a prediction: a number, a word or a tensor, held against the answer, here in the kernel."""

import numpy as np
import torch
from torch import Tensor

from stn_course.checks.engine.formatting import nested, short
from stn_course.checks.engine.types import PredictionExercise
from stn_course.checks.engine.verdict import Verdict
from stn_course.checks.engine.worker import describe_safely

PLAIN = (int, float, list, tuple, Tensor)


def as_word(guess, exercise: PredictionExercise) -> str | None:
    """A guess as the course writes it, case, blanks and full stops aside; None if it is no word.

    A number, or several words, count only where the exercise knows them.
    """
    if type(guess) in (int, float):
        return exercise.spellings.get(guess)
    if type(guess) is not str:
        return None
    word = guess.strip(" .!\n").lower()
    word = exercise.spellings.get(word, word)
    known = word == exercise.answer or word in dict(exercise.wrong)
    return word if known or " " not in word else None


def as_numbers(guess, answer: float | Tensor) -> Tensor | None:
    """Guessed numbers in the answer's shape, float64; None if these are no such numbers."""
    if isinstance(guess, np.ndarray | np.generic):
        guess = guess.tolist()
    if type(guess) not in PLAIN:
        return None
    if isinstance(guess, Tensor) and (guess.dtype == torch.bool or guess.is_complex()):
        return None
    try:
        value = torch.as_tensor(guess, dtype=torch.float64).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        return None
    shape = answer.shape if isinstance(answer, Tensor) else torch.Size()
    # A number may come in brackets, a theta without its batch axis; any other shape is a mistake.
    as_meant = value.numel() == 1 or value.shape in (shape, shape[1:])
    return value.reshape(shape) if as_meant and value.numel() == shape.numel() else None


def equals(guess, answer: float | str | Tensor, tolerance: float) -> bool:
    """Whether a guess of the answer's kind is that answer."""
    if isinstance(answer, str):
        return guess == answer
    answer = torch.as_tensor(answer, dtype=torch.float64)
    return bool(((guess - answer).abs() <= tolerance).all())


def wanted(answer: float | str | Tensor) -> str:
    """What kind of thing an answer is, in words."""
    if isinstance(answer, Tensor):
        return f"a tensor of shape {tuple(answer.shape)}"
    return "a word, in quotes" if isinstance(answer, str) else "a number"


def judge_prediction(exercise: PredictionExercise, guess) -> Verdict:
    """The verdict on a guess; a wrong one that a misconception leads to is explained."""
    name = exercise.name
    if guess is None or guess is Ellipsis:
        words = f"Write {exercise.attempt} in place of the dots, then run this cell."
        return Verdict(name, None, [f"{name}: not attempted yet. {words} {exercise.push}"])
    value = (
        as_word(guess, exercise)
        if isinstance(exercise.answer, str)
        else as_numbers(guess, exercise.answer)
    )
    if value is None:
        words = f"expected {wanted(exercise.answer)}; got {describe_safely(guess)}."
        return Verdict(name, False, [f"{name}: not yet.", words])
    if equals(value, exercise.answer, exercise.tolerance):
        return Verdict(name, True, [f"{name}: right. {exercise.reason}"])
    shown = value if isinstance(value, str) else nested(value.tolist(), short)
    lines = [f"{name}: not yet. You predicted {shown}."]
    words = [w for v, w in exercise.wrong if equals(value, v, exercise.tolerance)]
    return Verdict(name, False, [*lines, f"Diagnosis: {words[0]}" if words else exercise.push])
