"""A file is written whole or not at all, and keeps its mode."""

import os

import pytest

from stn_course import files
from stn_course.files import write_atomically


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_new_file_has_the_mode_that_the_user_chose(tmp_path, umask):
    ours, plain = tmp_path / "ours.json", tmp_path / "plain.json"
    write_atomically(ours, b"one")
    plain.write_bytes(b"one")
    assert ours.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_that_is_written_again_keeps_its_mode(tmp_path, umask, mode):
    target = tmp_path / "old.json"
    target.write_bytes(b"one")
    target.chmod(mode)
    before = target.stat().st_mode
    write_atomically(target, b"two")
    assert target.stat().st_mode == before
    assert target.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [target]


def refuse(monkeypatch, times):
    """`os.replace` as Windows has it while a reader has the target open, and no waiting."""
    really, calls, waited = os.replace, [], []

    def replace(temporary, target):
        calls.append(target)
        if calls.count(target) <= times and target.suffix != ".new":
            raise PermissionError(13, "Access is denied")
        really(temporary, target)

    monkeypatch.setattr(files.os, "replace", replace)
    monkeypatch.setattr(files.time, "sleep", waited.append)
    return calls, waited


def test_a_reader_who_soon_closes_the_file_is_waited_for(tmp_path, monkeypatch):
    target = tmp_path / "history.pt"
    target.write_bytes(b"one")
    calls, waited = refuse(monkeypatch, times=3)
    write_atomically(target, b"two")
    assert calls == [target] * 4
    assert waited == [0.01, 0.03, 0.1]
    assert target.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_stays_open_is_named_and_nothing_is_lost(tmp_path, monkeypatch):
    target = tmp_path / "history.pt"
    target.write_bytes(b"one")
    _, waited = refuse(monkeypatch, times=99)
    for content in (b"two", b"three"):
        with pytest.raises(PermissionError) as caught:
            write_atomically(target, content)
        assert str(caught.value) == (
            f"{target} cannot be replaced: it is protected, or another program has it open. It is "
            "as it was; what should be in it is in history.pt.new beside it"
        )
        kept = tmp_path / "history.pt.new"
        assert (target.read_bytes(), kept.read_bytes()) == (b"one", content)
        assert set(tmp_path.iterdir()) == {target, kept}
    assert sum(waited) < 2
