"""What a lesson holds: functions to write or to repair, predictions, quiz questions."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Misconception:
    """A known mistake: the words that explain it, and a program that makes it.

    An attempt that does the same as `variant` on every case gets these words. typed: the body of
    the function as a learner types it, written independently of `variant`, for the tests. sign,
    where given, is another way to know the mistake: from (expected, received) of the case that is
    shown.
    """

    name: str
    words: str
    variant: Callable
    typed: str
    sign: Callable[[Tensor, Tensor], bool] | None = None


@dataclass(frozen=True)
class Case:
    """One call of the learner's function: its arguments, and words where these say too little."""

    args: tuple
    words: str = ""


def call(attempt: Callable, *args):
    """The usual way to run an attempt."""
    return attempt(*args)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What every exercise has.

    attempt: what the learner's function or value is called. hints: from the first push to nearly
    the answer. The catalogue fills in the rest: name, as in `checks.affine_grid`, is that of the
    exercise's file; notebook, "02_grid_generation", that of its folder; title the file's first
    line.
    """

    attempt: str
    hints: tuple[str, ...]
    name: str = ""
    notebook: str = ""
    title: str = ""

    @property
    def push(self) -> str:
        """The last line of an answer that explains nothing."""
        return f"Need a push? checks.hint({self.name!r})"


@dataclass(frozen=True, kw_only=True)
class FunctionExercise(Exercise):
    """A function to write, or (with `broken`) to repair.

    solution: the function that the package itself uses, or one that stands in the exercise's file.
    oracle: what is right, on the arguments of a case; `against` names it.
    cases: makes them, the smallest first. run: how an attempt is run on a case, (attempt, *args) ->
    tensor; it belongs to this package and runs beside the attempt. broken: the program as it stands
    in the notebook, to be repaired. returns: what an attempt is to return, in words, where `run`
    makes the tensor of it. picture: what a result is drawn as, "images" (B, C, H, W) or "grids"
    (…, H, W, 2); None if a picture would not help.
    """

    solution: Callable
    oracle: Callable
    against: str
    cases: Callable[[], list[Case]]
    misconceptions: tuple[Misconception, ...]
    run: Callable = call
    broken: Callable | None = None
    returns: str | None = None
    picture: str | None = None

    @property
    def parameters(self) -> list[str]:
        """The names of the arguments, in order."""
        return list(inspect.signature(self.solution).parameters)


@dataclass(frozen=True, kw_only=True)
class PredictionExercise(Exercise):
    """A value to predict before running.

    attempt: the learner's value; a notebook calls it guess.
    answer: a number, a word or a tensor. reason: why it is so, shown with the right answer.
    wrong: values that a misconception leads to, each with the words that explain it.
    spellings: other ways to write a word, each with the word it stands for; a number, too.
    tolerance: how far off a number may be.
    """

    attempt: str = "guess"
    answer: float | str | Tensor
    reason: str
    wrong: tuple[tuple[float | str | Tensor, str], ...] = field(default=())
    spellings: dict[str | float, str] = field(default_factory=dict)
    tolerance: float = 0.005


@dataclass(frozen=True)
class Option:
    """One answer to choose: its text, the reason why it is right or wrong, and which it is."""

    text: str
    reason: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One quiz question; try_it: the cell to try it in. Exactly one of the options is right.

    Texts know two marks, `code` and **bold**.
    """

    name: str
    notebook: str
    question: str
    try_it: str
    options: tuple[Option, ...]
