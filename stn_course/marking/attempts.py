"""An attempt's way from a notebook's kernel to the marker, and the verdict on it there.

In the kernel a check judges nothing: it sends what it was given. The marker judges that with the
course's own check. A function stays packed in the marker; it is unpacked in the worker process
alone, where attempts run. So no verdict passes through anything that a notebook could change.
"""

import base64
import json
import pickle
import sys
import threading
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType

import torch
from IPython import get_ipython
from torch import Tensor

from stn_course.checks.api import Check
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.judging import run_and_judge, untouched
from stn_course.checks.engine.predicting import judge_prediction
from stn_course.checks.engine.sandbox import LIMIT, SANDBOX, packed
from stn_course.checks.engine.types import Exercise, FunctionExercise, call
from stn_course.checks.engine.verdict import Verdict

KIND = "application/x-stn-course-attempt"  # of the output that carries an attempt
START_SENDING = "from stn_course.marking import attempts; attempts.start_sending(); del attempts"
_judging = threading.Lock()  # there is one worker process


@dataclass(frozen=True)
class Attempt:
    """What a check was given.

    attempted: False where a function is still as it stood in the notebook. function: packed, for
    an exercise that asks for one; None if it could not be. guess: the value, for a prediction.
    """

    name: str
    attempted: bool = True
    function: bytes | None = None
    guess: str = "null"


def start_sending() -> None:
    """In a kernel: checks send their attempts from now on; the folder's modules come last."""
    Check.__call__ = send_attempt
    sys.path.append("")


def send_attempt(check: Check, attempt=None) -> Verdict:
    """In a kernel, in place of a check's answer: the attempt goes to the marker as an output."""
    kernel = get_ipython().kernel
    content = {"data": {KIND: to_text(check.exercise, attempt)}, "metadata": {}}
    # Not by `display`, which %%capture would keep from the marker.
    kernel.send_response(kernel.iopub_socket, "display_data", content)
    return Verdict(check.exercise.name, None, [f"{check.exercise.name}: handed over."])


def to_text(exercise: Exercise, attempt) -> str:
    """An attempt in a form that can be sent and read without running anything."""
    fields = {"name": exercise.name}
    if not isinstance(exercise, FunctionExercise):
        return json.dumps(fields | {"guess": json.dumps(plain_guess(attempt), default=repr)})
    fields["attempted"] = untouched(exercise, attempt) is None
    try:
        content = pickle.loads(packed(attempt, call, [], 0))[2]
        fields["function"] = base64.b64encode(content).decode()
    except Exception:  # it holds an open file, a lab …: wrong, as in the notebook
        fields["function"] = None
    return json.dumps(fields)


def plain_guess(guess):
    """A predicted value as JSON has it: arrays and tensors become lists, dots nothing."""
    if isinstance(guess, list | tuple):
        return [plain_guess(value) for value in guess]
    return None if guess is Ellipsis else guess.tolist() if hasattr(guess, "tolist") else guess


def from_text(text: str) -> Attempt | None:
    """The attempt that was sent; None if it is none. A notebook may have sent anything."""
    try:
        fields = json.loads(text)
        function = fields.get("function")
        content = None if function is None else base64.b64decode(function, validate=True)
        attempted, guess = fields.get("attempted") is not False, fields.get("guess", "null")
        json.loads(guess)
        known = fields["name"] in EXERCISES
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Attempt(fields["name"], attempted, content, guess) if known else None


class Sealed:
    """Stands for a packed function here, and becomes that function where it is unpacked."""

    def __init__(self, content: bytes):
        self._content = content

    def __reduce__(self):
        return unsealed, (self._content,)


def unsealed(content: bytes):
    """In the worker process: the function."""
    return pickle.loads(content)[0]


def judge_attempt(attempt: Attempt) -> Verdict:
    """The verdict of the course's own check; never raises."""
    exercise = EXERCISES[attempt.name]
    try:
        if not isinstance(exercise, FunctionExercise):
            return judge_prediction(exercise, json.loads(attempt.guess))
        if attempt.attempted and attempt.function is not None:
            with _judging:
                return run_and_judge(exercise, Sealed(attempt.function), LIMIT)
    except Exception as error:
        return Verdict(attempt.name, None, [f"{attempt.name}: not checked ({error!r})."])
    solved = False if attempt.attempted else None
    return Verdict(attempt.name, solved, [f"{attempt.name}: no function."])


def is_the_courses(attempt: Attempt) -> bool:
    """Whether a function is the course's own solution under another name, or calls it."""
    exercise = EXERCISES[attempt.name]
    if attempt.function is None or not isinstance(exercise, FunctionExercise):
        return False
    with _judging:
        arguments = [(exercise.solution,)]
        outcome = SANDBOX.run(Sealed(attempt.function), leads_to, arguments, LIMIT)
    values = [result.value for result in outcome.results]
    return any(value is not None and bool(value) for value in values)


def leads_to(attempt, solution) -> Tensor:
    """In the worker process: whether a function is `solution`, or names it; a tensor, to be sent.

    It follows functions that are the learner's own, not the package's.
    """
    seen, waiting = [], [attempt]
    while waiting:
        value = waiting.pop()
        if value is solution:
            return torch.tensor(True)
        own = isinstance(value, FunctionType) and not is_of_course(value.__module__)
        if own and value not in seen:
            seen.append(value)
            waiting += named_values(value)
    return torch.tensor(False)


def is_of_course(module: str | None) -> bool:
    """Whether a module is the package, or in it."""
    return (module or "").split(".")[0] == "stn_course"


def named_values(function: FunctionType) -> list:
    """What the names in a function's text stand for, those in the package's modules included."""
    names = names_in(function.__code__)
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    values += [cell.cell_contents for cell in function.__closure__ or ()]
    modules = [v for v in values if isinstance(v, ModuleType) and is_of_course(v.__name__)]
    inside = [getattr(module, name, None) for module in modules for name in names]
    modules = [v for v in inside if isinstance(v, ModuleType) and is_of_course(v.__name__)]
    return values + inside + [getattr(module, name, None) for module in modules for name in names]


def names_in(code: CodeType) -> set[str]:
    """The names that a piece of code uses, and the functions inside it."""
    inner = [names_in(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*inner)
