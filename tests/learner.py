"""Functions as a learner writes them: from the text of a notebook's cell."""

import inspect
import itertools
import linecache
import textwrap
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from stn_course import checks, data, grids, models, samplers, transforms
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine.types import FunctionExercise
from stn_course.checks.engine.verdict import Verdict

NAMES = {"torch": torch, "F": F, "nn": nn, "data": data, "grids": grids, "models": models}
NAMES |= {"samplers": samplers, "transforms": transforms}
_numbers = itertools.count(1)


def cell(source: str) -> dict:
    """Run a cell's text as a notebook does, its lines known to tracebacks; its names."""
    source = textwrap.dedent(source)
    file = f"<cell {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {"__name__": "__main__", **NAMES}
    exec(compile(source, file, "exec"), names)
    return names


def body(source: str) -> Callable:
    """A function of any arguments with this body, written in a cell."""
    lines = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    return cell(f"def mine(*arguments):\n{lines}\n")["mine"]


def typed(exercise: FunctionExercise, source: str) -> Callable:
    """A function with the solution's arguments, defaults too, and this body, written in a cell."""
    arguments = inspect.signature(exercise.solution).parameters.values()
    bare = [a.replace(annotation=a.empty) for a in arguments if a.name != "options"]
    lines = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    return cell(f"def mine{inspect.Signature(bare)}:\n{lines}\n")["mine"]


def attempted(name: str, source: str) -> Verdict:
    """What the check of that name answers to a function with this body."""
    return getattr(checks, name)(typed(EXERCISES[name], source))
