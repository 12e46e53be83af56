"""What runs in the worker process, looked at here, in this one."""

import faulthandler
import io
import os
import pickle
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from stn_course.checks.engine import worker
from stn_course.checks.engine.types import call
from stn_course.checks.engine.worker import (
    Result,
    answer,
    attempt_case,
    pack,
    plain,
    raised,
    receive,
    unpack,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a limit")


class Loud:
    def __repr__(self):
        raise OSError


class Numbered:
    def __repr__(self):
        return 5


class Silent(Exception):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "int 3"),
        ("x", "str 'x'"),
        (Loud(), "Loud (its repr raises OSError)"),
        (Numbered(), "Numbered (its repr raises TypeError)"),
        ("a" * 98, f"str '{'a' * 98}'"),
        ("a" * 99, f"str '{'a' * 99}…"),
    ],
)
def test_any_object_has_a_short_name(value, text):
    assert worker.describe_safely(value) == text


def test_a_tensor_comes_as_plain_numbers():
    weight = nn.Parameter(torch.arange(6.0).reshape(2, 3).mT)
    result = plain(weight)
    assert type(result.value) is torch.Tensor
    assert result.value.is_contiguous()
    assert result.value.requires_grad is False
    assert torch.equal(result.value, weight.detach())
    weight.data.zero_()
    assert result.value.sum() == 15  # a copy
    assert (result.device, result.kind, result.other) == ("cpu", "Tensor", None)
    turned = plain(torch.tensor([1 + 2j]).conj()).value
    assert turned.is_conj() is False
    assert turned.tolist() == [1 - 2j]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "NoneType", "NoneType None"),
        (..., "ellipsis", "ellipsis Ellipsis"),
        ([1], "list", "list [1]"),
        (torch.ones(2).numpy(), "ndarray", "ndarray of shape (2,)"),
        (
            torch.zeros(1001, 1000),
            "Tensor",
            "a torch.float32 tensor of shape (1001, 1000), too large to compare",
        ),
        (
            torch.zeros(2, device="meta"),
            "Tensor",
            "a torch.float32 tensor of shape (2,) that holds no plain numbers (meta, "
            "torch.strided)",
        ),
        (
            torch.eye(2).to_sparse(),
            "Tensor",
            "a torch.float32 tensor of shape (2, 2) that holds no plain numbers (cpu, "
            "torch.sparse_coo)",
        ),
    ],
)
def test_anything_else_comes_in_words(value, kind, text):
    result = plain(value)
    assert result.value is None
    assert (result.kind, result.other) == (kind, text)


def test_the_largest_result_is_compared_still():
    assert plain(torch.zeros(1000, 1000)).value is not None


def test_an_exception_comes_as_names_and_lines():
    def deep(n):
        return deep(n - 1) if n else [][1]

    for depth, lines in ((1, 3), (100, 60)):
        try:
            deep(depth)
        except IndexError as error:
            result = raised(error)
        assert result.raised == ("IndexError", "list index out of range")
        assert result.memory is False
        assert len(result.frames) == lines
        assert result.frames[-1] == (__file__, deep.__code__.co_firstlineno + 1)
    assert raised(ValueError("a" * 600)).raised == ("ValueError", "a" * 500)
    assert raised(Silent()).raised == ("Silent", "(its text raises ValueError)")


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 4 bytes"), True),
        (RuntimeError("can't"), False),
    ],
)
def test_too_little_memory_is_known(error, memory):
    assert raised(error).memory is memory


def test_the_argument_that_changed_is_found():
    def change(one, two, three):
        print("busy")
        two.add_(1)
        return three

    result = attempt_case(change, call, (1, torch.zeros(2), torch.ones(2)))
    assert result.changed == 1
    assert result.printed == "busy\n"
    assert result.value.tolist() == [1, 1]
    for after in (torch.zeros(2), torch.zeros(3), torch.zeros(2).double()):
        found = worker.changed_argument((torch.zeros(2),), (after,))
        assert found == (None if after.shape == (2,) and after.dtype == torch.float32 else 0)
    assert attempt_case(lambda x: sys.exit(3), call, (1,)).raised == ("SystemExit", "3")


def test_of_what_is_printed_the_beginning_is_kept():
    printed = worker.Printed()
    assert [printed.write("a" * 1500) for _ in range(3)] == [1500] * 3
    assert printed.kept == "a" * (worker.PRINTED + 1)


def test_messages_are_read_one_by_one():
    pipe = io.BytesIO()
    worker.send(pipe, b"one")
    worker.send(pipe, b"two")
    whole = pipe.getvalue()
    pipe.seek(0)
    assert receive(pipe) == b"one"
    assert receive(pipe) == b"two"
    assert receive(pipe) is None
    assert receive(io.BytesIO(whole[:7])) is None
    assert receive(io.BytesIO(whole[:10])) is None


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int64", "bool", "complex64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_a_result_is_sent_whole(dtype, shape):
    value = torch.ones(shape, dtype=getattr(torch, dtype))
    sent = Result(value, "meta", "é", "kind", ("Error", "why"), [("file", 3)], True, 2, "p")
    came = unpack(pack(sent))
    assert torch.equal(came.value, value)
    assert came.value.dtype == value.dtype
    came.value = sent.value = None  # the tensors were compared above
    assert came == sent
    for message in (worker.READY, worker.STARTED, 0, -11):
        assert unpack(pack(message)) == message


def test_a_result_comes_on_the_cpu_whatever_the_kernels_default():
    with torch.device("meta"):
        assert unpack(pack(Result(torch.ones(2, device="cpu")))).value.tolist() == [1, 1]


@pytest.mark.parametrize(
    "content",
    [b"", b"no message", pickle.dumps(print), pack(3)[:-9], pack({"value": 1, "more": 2})],
)
def test_bytes_that_are_no_message_are_refused(content):
    with pytest.raises(ValueError, match=r"^unreadable: "):
        unpack(content)


def sent(pipe: io.BytesIO) -> list:
    """The messages that were written to a pipe."""
    pipe.seek(0)
    return [unpack(content) for content in iter(lambda: receive(pipe), None)]


def answers(content: bytes) -> list:
    """What the worker sends for a request."""
    pipe = io.BytesIO()
    answer(content, pipe)
    return sent(pipe)


def test_a_request_is_answered_case_by_case():
    request = pickle.dumps((torch.neg, call, [(torch.ones(2),), (torch.zeros(1),)]))
    start, one, two = answers(request)
    assert start == worker.STARTED
    assert (one.value.tolist(), two.value.tolist()) == ([-1, -1], [0])


def test_a_request_that_cannot_be_read_is_an_exception():
    start, first = answers(b"no pickle")
    assert start == worker.STARTED
    assert first.raised[0] == "UnpicklingError"


@pytest.fixture
def ends(monkeypatch) -> list:
    """What was set going, and how the process would have ended: not at all, here."""
    given = []

    def recorded(target, args, daemon):
        given.append((target, args, daemon))
        return SimpleNamespace(start=lambda: None)

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda *a, **k: given.append((a, k)))
    monkeypatch.setattr(os, "_exit", given.append)
    monkeypatch.setattr(worker, "threading", SimpleNamespace(Thread=recorded))
    monkeypatch.setattr(worker, "limit_memory", lambda: given.append("memory"))
    return given


CLOCK = ((8,), {"exit": True})  # a little longer than the limit, in case that the kernel is gone


def test_a_process_runs_an_attempt_on_its_own_path_and_then_ends(ends):
    content, pipe = pickle.dumps((torch.neg, call, [(torch.ones(2),)])), io.BytesIO()
    worker.live_once(pickle.dumps((["here"], 3, content)), pipe, bytearray(2))
    assert sys.path == ["here"]
    assert sent(pipe)[0] == worker.STARTED and sent(pipe)[2] == worker.DONE
    assert ends == [CLOCK, 0]
    with pytest.raises(pickle.UnpicklingError):
        worker.live_once(b"no pickle", io.BytesIO(), bytearray(2))
    assert ends[-1] == 1


def test_a_process_without_copies_watches_for_the_kernels_end(ends):
    content = pickle.dumps((torch.neg, call, [(torch.ones(2),)]))
    worker.run_here(pickle.dumps((["here"], 3, content)), "requests", io.BytesIO())
    assert ends == [(worker.watch, ("requests",), True), "memory", CLOCK, 0]


@pytest.mark.parametrize("loaded", [True, False])
def test_an_attempt_says_whether_torch_loaded_what_is_slow(ends, monkeypatch, loaded):
    monkeypatch.setattr(worker, "LATE", "torch" if loaded else "no module")
    seen = bytearray(2)
    content = pickle.dumps((torch.neg, call, [(torch.ones(2),)]))
    worker.live_once(pickle.dumps((["here"], 3, content)), io.BytesIO(), seen)
    assert list(seen) == [True, loaded]


@linux
def test_the_limit_of_memory_is_two_gibibytes_more_than_is_used(monkeypatch):
    import resource

    given = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (7, 9))
    monkeypatch.setattr(resource, "setrlimit", lambda *arguments: given.append(arguments))
    worker.limit_memory()
    ((which, (soft, hard)),) = given
    assert which == resource.RLIMIT_DATA
    assert 2 * 2**30 < soft < 100 * 2**30
    assert soft % 1024 == 0
    assert hard == 9
    monkeypatch.setattr(resource, "setrlimit", None)
    with pytest.raises(TypeError):
        worker.limit_memory()  # only what is expected is let pass
