"""What the worker process runs: attempts, one case after the other, under a limit of memory.

It is started by `worker.py` and knows no exercise. Everything that an attempt returns, prints or
raises is turned into plain data here, so that nothing of the learner's runs in the kernel.
"""

import builtins
import contextlib
import copy
import io
import os
import pickle
import queue
import re
import signal
import struct
import sys
import threading
import traceback
import warnings
from dataclasses import dataclass, field
from typing import BinaryIO

import torch
import torch.nn.functional as F
from torch import Tensor

MEMORY = 2 * 2**30  # bytes that an attempt may take beyond what the process needs
PRINTED = 2000  # characters of an attempt's own output that are shown
LARGEST = 1_000_000  # numbers in a result that are compared
GUARDED = (builtins, torch, torch.nn, F, torch.Tensor)  # put right again after each request


@dataclass
class Result:
    """What one call gave: exactly one of value, other and raised is set.

    value: a tensor on the CPU. device: where it was. other: something else than a tensor, in words.
    kind: the name of the type that came.
    raised: an exception's name and text; frames: its lines as (file, line number), outermost first.
    nothing: None or Ellipsis came. memory: there was too little memory.
    changed: the number of the argument that the call modified, or None. printed: what it printed.
    """

    value: Tensor | None = None
    device: str = "cpu"
    other: str | None = None
    kind: str = "Tensor"
    raised: tuple[str, str] | None = None
    frames: list[tuple[str, int]] = field(default_factory=list)
    nothing: bool = False
    memory: bool = False
    changed: int | None = None
    printed: str = ""


def describe_safely(value) -> str:
    """A short name of any object, whatever its own methods do."""
    name = type(value).__name__
    try:
        text = repr(value)
        text = text if type(text) is str else "?"
    except BaseException as error:
        return f"{name} (its repr raises {type(error).__name__})"
    return f"{name} {text[:100]}{'…' if len(text) > 100 else ''}"


def plain(value) -> Result:
    """A returned value as a Result."""
    if value is None or value is Ellipsis:
        return Result(other=describe_safely(value), nothing=True)
    if not isinstance(value, Tensor):
        shape = getattr(value, "shape", None)
        size = f" of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
        kind = type(value).__name__
        return Result(other=f"{kind}{size}" if size else describe_safely(value), kind=kind)
    device = str(value.device)
    shape = f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    if value.numel() > LARGEST:
        return Result(other=f"{shape}, too large to compare")
    if device == "meta" or value.layout != torch.strided or value.is_quantized:
        return Result(other=f"{shape} that holds no plain numbers ({device}, {value.layout})")
    copied = value.detach().as_subclass(Tensor).cpu().resolve_conj().resolve_neg()
    return Result(value=copied.clone(memory_format=torch.contiguous_format), device=device)


def raised(error: BaseException) -> Result:
    """An exception as a Result; its text may itself raise."""
    try:
        text = str(error)[:500]
    except BaseException as worse:
        text = f"(its text raises {type(worse).__name__})"
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)[-60:]]
    memory = isinstance(error, MemoryError) or bool(re.search("can't allocate memory", text))
    return Result(raised=(type(error).__name__, text), frames=frames, memory=memory)


def changed_argument(before: tuple, after: tuple) -> int | None:
    """Which tensor among the arguments is not what it was."""
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        if isinstance(old, Tensor):
            same = old.shape == new.shape and old.dtype == new.dtype
            if not same or not torch.equal(old.detach(), new.detach()):
                return i
    return None


def attempt_case(attempt, run, args: tuple) -> Result:
    """Run the attempt on one case; whatever it does is a Result."""
    before, printed = copy.deepcopy(args), Printed()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            result = plain(run(attempt, *args))
        result.changed = changed_argument(before, args)
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too
        result = raised(error)
    result.printed = printed.kept
    return result


class Printed(io.TextIOBase):
    """Keeps the first characters that are written, drops the rest."""

    def __init__(self):
        self.kept = ""

    def write(self, text: str) -> int:
        if len(self.kept) <= PRINTED:
            self.kept += text[: PRINTED + 1 - len(self.kept)]
        return len(text)


def send(pipe: BinaryIO, message) -> None:
    """One message: its length in eight bytes, then its pickle."""
    content = message if isinstance(message, bytes) else pickle.dumps(message)
    pipe.write(struct.pack("<Q", len(content)) + content)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes | None:
    """One message as bytes; None at the end of the pipe."""
    head = pipe.read(8)
    if len(head) < 8:
        return None
    content = pipe.read(struct.unpack("<Q", head)[0])
    return content if len(content) == struct.unpack("<Q", head)[0] else None


def limit_memory() -> None:
    """Let the process take MEMORY more than it has; on Linux, whose kernel can hold it to that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/status", encoding="ascii") as status:
            used = int(re.search(r"VmData:\s+(\d+) kB", status.read())[1]) * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, hard))


def limit_time(seconds: float) -> None:
    """End this process even if the kernel that would is gone; POSIX only, 0 stops the clock."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def restore(names: list[dict]) -> None:
    """Undo what an attempt changed for all: names of builtins and torch, dtype, gradient mode."""
    for place, before in zip(GUARDED, names, strict=True):
        now = dict(vars(place))
        for name in before:
            if name not in now or now[name] is not before[name]:
                setattr(place, name, before[name])
        if isinstance(place, type):  # a module may have loaded more of itself
            for name in now.keys() - before.keys():
                delattr(place, name)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


def answer(request: bytes, pipe: BinaryIO) -> None:
    """Run one request, (attempt, run, cases, limit); send a Result a case, then None."""
    torch.manual_seed(0)
    try:
        sys.path[:], content = pickle.loads(request)
        attempt, run, cases, limit = pickle.loads(content)
    except BaseException as error:
        send(pipe, raised(error))
        cases, limit = [], 0
    limit_time(limit + 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for args in cases:
            send(pipe, attempt_case(attempt, run, args))
    limit_time(0)
    send(pipe, None)


def serve() -> None:
    """Answer requests from standard input until it ends; this is the worker's whole life."""
    requests = os.fdopen(os.dup(0), "rb")
    pipe = os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what an attempt reads or prints below Python must not mix in
        os.dup2(empty, number)
    waiting: queue.Queue[bytes] = queue.Queue()

    def listen():
        while (request := receive(requests)) is not None:
            waiting.put(request)
        os._exit(0)  # the kernel is gone; an attempt may still run

    torch.set_num_threads(1)
    threading.Thread(target=listen, daemon=True).start()
    torch.zeros(1) + 1  # load what is loaded late, before memory is limited
    limit_memory()
    names = [dict(vars(place)) for place in GUARDED]
    while True:
        answer(waiting.get(), pipe)
        restore(names)
