"""The progress file: nothing is lost, whatever happens to it, and nothing is raised."""

import json
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stn_course.checks import progress

WRITER = """
import sys
from stn_course.checks import progress
print("ready", flush=True)
sys.stdin.readline()
for n in range(15):
    progress.record(f"{sys.argv[1]}-{n}")
"""
KILLED = """
import os
from stn_course.checks import progress
os.replace = lambda *_: os._exit(9)  # the moment before the new file takes the old one's place
progress.record("second")
"""


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch):
    monkeypatch.setattr(progress, "_said", set())


@pytest.fixture
def file():
    path = progress.progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def python(program: str, *arguments: str, **options) -> subprocess.Popen:
    """Another process with the same progress file."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, text=True, **options)


def test_at_first_nothing_is_solved_and_nothing_is_written():
    assert progress.solved() == set()
    assert not progress.progress_file().exists()


def test_what_is_recorded_is_solved_also_in_another_kernel(file):
    progress.record("affine_grid")
    progress.record("quiz:which_way")
    assert progress.solved() == {"affine_grid", "quiz:which_way"}
    program = "from stn_course.checks import progress; print(sorted(progress.solved()))"
    other, _ = python(program, stdout=subprocess.PIPE).communicate()
    assert other.strip() == "['affine_grid', 'quiz:which_way']"


def test_the_folder_is_the_users_own_unless_another_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("STN_COURSE_HOME", str(tmp_path / "here"))
    assert progress.progress_file() == tmp_path / "here" / "progress.json"
    monkeypatch.setenv("STN_COURSE_HOME", "~/there")
    assert "~" not in str(progress.progress_file())
    monkeypatch.delenv("STN_COURSE_HOME")
    monkeypatch.setattr(progress.platformdirs, "user_data_path", lambda name: tmp_path / name)
    assert progress.progress_file() == tmp_path / "stn_course" / "progress.json"


def test_names_and_entries_of_another_version_stay(file):
    file.write_text('{"solved": ["of_tomorrow"], "colour": "blue"}', encoding="utf-8")
    progress.record("inverse")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content == {"solved": ["inverse", "of_tomorrow"], "colour": "blue"}


def test_what_is_solved_already_writes_nothing(file):
    progress.record("inverse")
    before = file.stat().st_ino, file.stat().st_mtime_ns
    progress.record("inverse")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_killed_half_way_the_old_file_stays(file):
    progress.record("first")
    assert python(KILLED).wait() == 9
    assert progress.solved() == {"first"}
    progress.record("third")  # the dead process holds no lock
    assert progress.solved() == {"first", "third"}


def test_kernels_that_write_at_once_lose_nothing():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writers = [python(WRITER, str(i), **pipes) for i in range(3)]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 3
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [(writer.communicate(), writer.returncode)[1] for writer in writers] == [0, 0, 0]
    assert progress.solved() == {f"{i}-{n}" for i in range(3) for n in range(15)}


def test_threads_that_write_at_once_lose_nothing():
    threads = [threading.Thread(target=progress.record, args=(str(i),)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert progress.solved() == {str(i) for i in range(16)}


DAMAGED = [
    *(b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b'{"solved": "base_grid"}'),
    *(b'{"solved": [1]}', b'{"solved": {"base_grid": 1}}', b"[" * 100_000),
]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content[:20]))
@pytest.mark.parametrize("first", [progress.solved, lambda: progress.record("x") or {"x"}])
def test_a_damaged_file_is_set_aside_with_a_message(file, content, first, capsys):
    file.write_bytes(content)
    assert first() == progress.solved()
    aside = file.with_name("progress.damaged-1.json")
    assert aside.read_bytes() == content
    said = capsys.readouterr()
    assert said.out == ""
    assert str(file) in said.err and aside.name in said.err
    assert said.err.count("damaged (") == 1


def test_a_second_damaged_file_does_not_overwrite_the_first(file):
    for content in ("one", "two", "three"):
        file.write_text(content, encoding="utf-8")
        progress.record("x")
    kept = sorted(file.parent.glob("progress.damaged-*.json"))
    assert [path.read_text(encoding="utf-8") for path in kept] == ["one", "two", "three"]
    assert progress.solved() == {"x"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(max_size=40).map(lambda t: json.dumps(t).encode()))
def test_whatever_the_file_holds_nothing_is_raised_and_nothing_lost(file, content):
    for old in file.parent.glob("progress*"):
        old.unlink()
    file.write_bytes(content)
    progress.record("x")
    assert progress.solved() == {"x"}
    assert file.with_name("progress.damaged-1.json").read_bytes() == content


def test_a_name_that_no_file_can_hold_as_it_is(file):
    progress.record("half a \ud800 character")
    assert progress.solved() == {"half a \ud800 character"}


def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_a_folder_that_cannot_be_written_is_said_once(file, monkeypatch, capsys):
    progress.record("before")
    monkeypatch.setattr(progress, "write_atomically", refuse)
    for name in ("affine_grid", "base_grid"):
        progress.record(name)
    said = capsys.readouterr().err
    assert said.count("cannot be saved") == 1
    assert str(file.parent) in said and "Permission denied" in said
    assert progress.solved() == {"before"}


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_without_permission_raises_nothing(monkeypatch, tmp_path, capsys):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write anywhere")
    monkeypatch.setenv("STN_COURSE_HOME", str(locked / "deeper"))
    progress.record("x")
    assert "cannot be saved" in capsys.readouterr().err


def test_a_file_where_the_folder_should_be_raises_nothing(monkeypatch, tmp_path, capsys):
    (tmp_path / "occupied").write_text("", encoding="utf-8")
    monkeypatch.setenv("STN_COURSE_HOME", str(tmp_path / "occupied"))
    progress.record("x")
    assert progress.solved() == set()
    assert "cannot be saved" in capsys.readouterr().err


def test_a_damaged_file_that_cannot_be_moved_stays(file, monkeypatch, capsys):
    file.write_text("damaged", encoding="utf-8")
    monkeypatch.setattr(type(file), "rename", refuse)
    assert progress.solved() == set()
    assert progress.solved() == set()
    progress.record("x")
    assert file.read_text(encoding="utf-8") == "damaged"
    assert capsys.readouterr().err.count("cannot be set aside") == 1


def test_an_unreadable_file_is_said_and_kept(file, capsys):
    file.mkdir()  # a folder under the file's name
    assert progress.solved() == set()
    progress.record("x")
    assert file.is_dir()
    said = capsys.readouterr().err
    assert "cannot be read" in said and "cannot be saved" in said


def test_a_kernel_that_never_lets_go_of_the_lock_is_not_waited_for(file, monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with progress.filelock.FileLock(file.with_suffix(".lock")):
        writer = threading.Thread(target=progress.record, args=("x",))
        writer.start()
        writer.join(20)
    assert not writer.is_alive()
    assert "cannot be saved" in capsys.readouterr().err
    assert progress.solved() == set()


@pytest.mark.parametrize(("name", "error"), [(3, TypeError), (None, TypeError), ("", ValueError)])
def test_bad_input_is_named(name, error):
    with pytest.raises(error, match="name must"):
        progress.record(name)
