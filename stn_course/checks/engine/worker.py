"""What the worker process runs: attempts, each in a process of its own, with a limit of memory.

It is started by `sandbox.py` and knows no exercise. Everything that an attempt returns, prints or
raises is turned into plain data here: strings, numbers and tensors, read in the kernel by a loader
that makes nothing else of them. So nothing that comes back from an attempt runs in the kernel.
"""

import contextlib
import copy
import faulthandler
import importlib
import io
import mmap
import os
import pickle
import re
import select
import signal
import struct
import sys
import threading
import traceback
import warnings
from dataclasses import dataclass, field
from types import CodeType
from typing import BinaryIO

import torch
from torch import Tensor

# A copy of a process that has loaded torch takes milliseconds, a new one seconds. Only on Linux
# are such copies safe: macOS has system libraries that must not be copied, Windows has no fork.
FORKS = sys.platform == "linux"
READY, STARTED, DONE = "ready", "started", "done"
MEMORY = 2 * 2**30  # bytes that an attempt may take beyond what the process needs
PRINTED = 2000  # characters of an attempt's own output that are shown
LARGEST = 1_000_000  # numbers in a result that are compared
LATE = "torch._dynamo"  # what torch loads with the first optimizer, in a second


@dataclass
class Result:
    """What one call gave: exactly one of value, other and raised is set.

    value: a tensor on the CPU. device: where it was. other: something else than a tensor, in words.
    kind: the name of the type that came. number: it, where it is one of Python's.
    raised: an exception's name and text; frames: its lines as (file, line number), outermost first.
    memory: there was too little memory.
    changed: the number of the argument that the call modified, or None. printed: what it printed.
    """

    value: Tensor | None = None
    device: str = "cpu"
    other: str | None = None
    kind: str = "Tensor"
    number: float | None = None
    raised: tuple[str, str] | None = None
    frames: list[tuple[str, int]] = field(default_factory=list)
    memory: bool = False
    changed: int | None = None
    printed: str = ""


def of_file(code: CodeType, file: str) -> CodeType:
    """Code that has come without its file's name, with it."""
    return code.replace(co_filename=file)


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
    if not isinstance(value, Tensor):
        shape = getattr(value, "shape", None)
        size = f" of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
        kind, words = type(value).__name__, describe_safely(value)
        exact = type(value) is float or (type(value) is int and abs(value) < 2**53)
        number = float(value) if exact else None
        return Result(other=f"{kind}{size}" if size else words, kind=kind, number=number)
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


def pack(message: str | int | Result) -> bytes:
    """A message of the worker's as bytes, in a form that holds plain values and tensors only."""
    buffer = io.BytesIO()
    torch.save(vars(message) if isinstance(message, Result) else message, buffer)
    return buffer.getvalue()


def unpack(content: bytes) -> str | int | Result:
    """The message again, whatever bytes came; ValueError if they are none."""
    try:
        message = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return Result(**message) if isinstance(message, dict) else message
    except Exception as error:
        raise ValueError(f"unreadable: {error}") from error


def send(pipe: BinaryIO, content: bytes) -> None:
    """One message: its length in eight bytes, then itself."""
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


def watch(requests: BinaryIO) -> None:
    """End this process and those beside it when the kernel speaks, or is gone; it runs an attempt.

    While an attempt runs the kernel says nothing but that it shall end.
    """
    requests.read(1)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def answer(content: bytes, pipe: BinaryIO) -> None:
    """Run one request, (attempt, run, cases): send that it starts, and a Result a case."""
    try:
        attempt, run, cases = pickle.loads(content)
        results = (attempt_case(attempt, run, args) for args in cases)
    except BaseException as error:
        results = [raised(error)]
    send(pipe, pack(STARTED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for result in results:
            send(pipe, pack(result))


def live_once(request: bytes, pipe: BinaryIO, seen: bytearray | mmap.mmap) -> None:
    """The whole life of a process that runs an attempt; what the attempt changed ends with it.

    It sends DONE at its end. seen: two bytes, which say then that it has come so far, and whether
    the attempt made torch load LATE.
    """
    status = 1
    try:
        sys.path[:], limit, content = pickle.loads(request)
        # Even if the kernel that would end it is gone and the attempt lets no thread run.
        faulthandler.dump_traceback_later(limit + 5, exit=True)
        answer(content, pipe)
        seen[:] = bytes(
            [True, LATE in sys.modules]
        )  # before the kernel, told so, ends this process
        send(pipe, pack(DONE))
        status = 0
    finally:
        os._exit(status)


def run_copy(
    request: bytes, requests: BinaryIO, pipe: BinaryIO, seen: bytearray | mmap.mmap
) -> int:
    """Run an attempt in a copy of this process; the exit status of the copy.

    The copy ends by itself, or when the kernel speaks or is gone; what it has started ends with it.
    """
    end, held = os.pipe()  # the copy holds it open as long as it lives
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        limit_memory()
        live_once(request, pipe, seen)
    os.close(held)
    select.select([end, requests], [], [])
    os.close(end)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_here(request: bytes, requests: BinaryIO, pipe: BinaryIO) -> None:
    """Run an attempt in this process, which ends with it."""
    threading.Thread(target=watch, args=(requests,), daemon=True).start()
    limit_memory()
    live_once(request, pipe, bytearray(2))


def serve(forks: bool) -> None:
    """Answer requests from standard input: each in a copy of this process, or one in it alone.

    An empty request asks whether the process is ready. An attempt that did not come to its end is
    answered with the exit status of its process.
    """
    requests = os.fdopen(os.dup(0), "rb")
    pipe = os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what an attempt reads or prints below Python must not mix in
        os.dup2(empty, number)
    torch.set_num_threads(1)  # a process with threads must not be copied
    torch.manual_seed(0)  # here, once: every copy begins with the same random numbers
    unpack(pack(Result(torch.zeros(1))))  # torch loads something for it, once for all copies
    seen = mmap.mmap(-1, 2)  # what a copy writes here is seen by all
    while (request := receive(requests)) is not None:
        if not request:
            send(pipe, pack(READY))
        elif not forks:
            run_here(request, requests, pipe)
        else:
            seen[0] = False
            status = run_copy(request, requests, pipe, seen)
            if not seen[0]:
                send(pipe, pack(status))
        if seen[1]:
            importlib.import_module(LATE)  # the copies after this one have it
