"""The learner's copy of the notebooks: brought up to date, and nobody's work overwritten."""

import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stn_course
from stn_course import working_copy as tool

ROOT = Path(__file__).resolve().parent.parent
ONE = "02_grid.ipynb"
NEW = "02_grid.new.ipynb"


@pytest.fixture(autouse=True)
def changelog(tmp_path, monkeypatch) -> Path:
    """Where the course's changelog lies; at first it has none."""
    file = tmp_path / "the course" / "CHANGELOG.md"
    monkeypatch.setattr(tool, "changelog_file", lambda: file)
    return file


@pytest.fixture
def course(tmp_path) -> Path:
    """The course's own notebooks."""
    folder = tmp_path / "notebooks"
    (folder / "images").mkdir(parents=True)
    (folder / "src").mkdir()
    for name in (ONE, "03_sampling.ipynb", "images/lab.png", "src/02_grid.py"):
        (folder / name).write_text(f"{name}, version 1", encoding="utf-8")
    return folder


@pytest.fixture
def mine(tmp_path) -> Path:
    """Where the learner works; not there at first."""
    return tmp_path / "my notebooks"


def files(folder: Path) -> dict[str, str]:
    """What lies in the folder, the record aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (tool.RECORD, ".gitignore")
    }


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_the_first_time_all_is_copied_but_the_sources(course, mine):
    assert tool.update(course, mine) == []
    expected = files(course)
    del expected["src/02_grid.py"]
    assert files(mine) == expected


def test_a_second_time_changes_nothing(course, mine):
    tool.update(course, mine)
    before = {path: path.stat().st_mtime_ns for path in mine.rglob("*.ipynb")}
    assert tool.update(course, mine) == []
    assert {path: path.stat().st_mtime_ns for path in mine.rglob("*.ipynb")} == before


def test_what_the_learner_left_alone_is_updated(course, mine):
    tool.update(course, mine)
    write(course, ONE, "version 2")
    write(course, "images/lab.png", "version 2")
    assert tool.update(course, mine) == []
    assert files(mine)[ONE] == files(mine)["images/lab.png"] == "version 2"
    assert NEW not in files(mine)


def test_what_the_learner_changed_stays_without_a_word_while_the_course_stays(course, mine):
    tool.update(course, mine)
    write(mine, ONE, "my work")
    assert tool.update(course, mine) == []
    assert files(mine)[ONE] == "my work"
    assert NEW not in files(mine)


def test_where_both_changed_the_new_version_stands_beside_once(course, mine):
    tool.update(course, mine)
    write(mine, ONE, "my work")
    write(course, ONE, "version 2")
    (said,) = tool.update(course, mine)
    assert ONE in said and NEW in said
    assert files(mine)[ONE] == "my work"
    assert files(mine)[NEW] == "version 2"
    assert tool.update(course, mine) == []
    (mine / NEW).unlink()  # seen, and not wanted
    assert tool.update(course, mine) == []
    assert NEW not in files(mine)


def test_a_newer_version_replaces_the_one_beside_unless_that_is_changed_too(course, mine):
    tool.update(course, mine)
    write(mine, ONE, "my work")
    for version, changed in ((2, False), (3, True), (4, False)):
        write(course, ONE, f"version {version}")
        said = tool.update(course, mine)
        assert len(said) == (1 if version < 4 else 2)
        if changed:
            write(mine, NEW, "my work in the new one")
    assert said[1] == (
        "02_grid.ipynb, 02_grid.new.ipynb, 02_grid.new2.ipynb: keep the one you work in, and "
        "delete those you don't need."
    )
    assert files(mine)[ONE] == "my work"
    assert files(mine)[NEW] == "my work in the new one"
    assert files(mine)["02_grid.new2.ipynb"] == "version 4"


def test_whoever_deletes_a_notebook_gets_a_fresh_one(course, mine):
    tool.update(course, mine)
    (mine / ONE).unlink()
    tool.update(course, mine)
    assert files(mine)[ONE] == files(course)[ONE]


def test_back_to_the_courses_version_is_updated_again(course, mine):
    tool.update(course, mine)
    write(mine, ONE, "my work")
    write(course, ONE, "version 2")
    tool.update(course, mine)
    write(mine, ONE, "version 2")
    write(course, ONE, "version 3")
    assert tool.update(course, mine) == []
    assert files(mine)[ONE] == "version 3"


def test_files_of_the_learners_own_are_left_alone(course, mine):
    mine.mkdir()
    write(mine, "notes.ipynb", "mine alone")
    tool.update(course, mine)
    (course / "03_sampling.ipynb").unlink()  # the course drops a notebook
    tool.update(course, mine)
    assert files(mine)["notes.ipynb"] == "mine alone"
    assert "03_sampling.ipynb" in files(mine)


@pytest.mark.parametrize(
    "record",
    [
        *(None, "", "{", "[]", '{"02_grid.ipynb": 3}', "\x00"),
        *('{"version": "0.2.0", "copied": []}', '{"copied": {"02_grid.ipynb": []}}'),
    ],
)
def test_without_its_record_what_differs_counts_as_the_learners(course, mine, record):
    tool.update(course, mine)
    write(mine, ONE, "my work")
    (mine / tool.RECORD).unlink()
    if record is not None:
        write(mine, tool.RECORD, record)
    assert len(tool.update(course, mine)) == 1
    assert files(mine)[ONE] == "my work"
    assert files(mine)[NEW] == files(course)[ONE]
    assert set(tool.read_record(mine).copied) >= {ONE, NEW}


@pytest.mark.parametrize("stop_at", range(1, 10))
def test_stopped_at_any_write_nothing_is_lost_and_the_next_run_ends_it(
    course, mine, monkeypatch, stop_at
):
    tool.update(course, mine)
    write(mine, ONE, "my work")
    for name in (ONE, "03_sampling.ipynb"):
        write(course, name, "version 2")
    writes, whole = [], tool.write

    def stopping(path, content):
        writes.append(path)
        if len(writes) == stop_at:
            raise KeyboardInterrupt
        whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(tool, "write", stopping)
        try:
            tool.update(course, mine)
        except KeyboardInterrupt:
            assert len(writes) == stop_at
    tool.update(course, mine)
    assert files(mine) == {
        ONE: "my work",
        NEW: "version 2",
        "03_sampling.ipynb": "version 2",
        "images/lab.png": "images/lab.png, version 1",
    }


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("course"), st.sampled_from("ab"), st.integers(0, 3)),
        st.tuples(
            st.just("learner"), st.sampled_from(["a", "b", "a.new", "b.new"]), st.integers(0, 3)
        ),
        st.tuples(st.just("delete"), st.sampled_from(["a", "b", "a.new"]), st.none()),
        st.tuples(st.just("lose the record"), st.none(), st.none()),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_happens_no_work_is_overwritten_and_each_version_arrives(steps):
    with tempfile.TemporaryDirectory() as folder:
        course, mine = Path(folder, "course"), Path(folder, "mine")
        course.mkdir()
        for name in "ab":
            write(course, f"{name}.ipynb", "course 0")
        tool.update(course, mine)
        work = {}  # what the learner wrote, and did not delete
        for kind, name, number in steps:
            if kind == "course":
                write(course, f"{name}.ipynb", f"course {number}")
            elif kind == "learner":
                work[f"{name}.ipynb"] = f"learner {number}"
                write(mine, f"{name}.ipynb", f"learner {number}")
            elif kind == "delete":
                work.pop(f"{name}.ipynb", None)
                (mine / f"{name}.ipynb").unlink(missing_ok=True)
            else:
                (mine / tool.RECORD).unlink()
            before = files(course)
            said = tool.update(course, mine)
            now = files(mine)
            assert {name: now[name] for name in work} == work
            for name, text in before.items():
                offered = [line.rsplit(": ")[-1] for line in said if line.startswith(f"{name} ")]
                assert name in work or now[name] == text
                assert all(now[beside] == text for beside in offered)
        assert tool.update(course, mine) == []


def test_the_courses_own_folder_is_refused(course):
    with pytest.raises(ValueError, match="must be another folder"):
        tool.update(course, course / ".." / "notebooks")


def test_the_links_of_the_notebooks_lead_somewhere_in_the_copy_too(mine):
    tool.update(ROOT / "notebooks", mine)
    for path in mine.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^):\s]+\.(?:ipynb|png|gif))\)", text):
            assert (mine / target).exists(), f"{path.name}: {target}"


def notebook(text: str, **metadata) -> str:
    """A notebook of one cell with one output, as JupyterLab writes it."""
    cell = nbformat.v4.new_code_cell(text, execution_count=metadata.pop("count", 1))
    cell.metadata.update(metadata)
    cell.outputs = [nbformat.v4.new_output("stream", text="28\n")]
    made = nbformat.v4.new_notebook(cells=[cell], metadata=metadata)
    return nbformat.writes(made)


def test_a_notebook_that_was_opened_and_saved_is_not_changed(course, mine):
    write(course, ONE, notebook("print(28)"))
    tool.update(course, mine)
    write(mine, ONE, notebook("print(28)", count=7, trusted=True, scrolled=False))
    write(course, ONE, notebook("print(29)"))
    assert tool.update(course, mine) == []
    assert files(mine)[ONE] == files(course)[ONE]


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"nbformat": 4, "nbformat_minor": 5}'])
def test_a_file_that_is_no_notebook_any_more_is_the_learners_too(course, mine, text):
    tool.update(course, mine)
    write(mine, ONE, text)
    write(course, ONE, notebook("print(29)"))
    assert len(tool.update(course, mine)) == 1
    assert files(mine)[ONE] == text


@pytest.mark.parametrize("what", ["source", "outputs"])
def test_a_notebook_with_another_cell_or_output_is_the_learners(course, mine, what):
    write(course, ONE, notebook("print(28)"))
    tool.update(course, mine)
    changed = nbformat.reads(files(mine)[ONE], as_version=4)
    changed.cells[0][what] = "..." if what == "source" else []
    write(mine, ONE, nbformat.writes(changed))
    write(course, ONE, notebook("print(29)"))
    assert len(tool.update(course, mine)) == 1
    assert files(mine)[ONE] == nbformat.writes(changed)


def test_a_record_of_the_bytes_from_an_earlier_release_still_counts(course, mine, monkeypatch):
    write(course, ONE, notebook("print(28)"))
    tool.update(course, mine)
    by_bytes = {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in files(mine).items()
    }
    write(mine, tool.RECORD, json.dumps(by_bytes))
    monkeypatch.setattr(tool, "whats_new", lambda since: "")
    assert tool.update(course, mine) == []
    write(course, ONE, notebook("print(29)"))
    assert tool.update(course, mine) == []
    assert files(mine)[ONE] == files(course)[ONE]


def test_a_notebook_that_the_course_renames_is_told_of_once_and_stays(course, mine):
    tool.update(course, mine)
    (course / ONE).rename(course / "02_where_to_look.ipynb")
    assert tool.update(course, mine) == [
        "02_grid.ipynb is no longer part of the course; "
        "02_where_to_look.ipynb has taken its place. Delete it if you like."
    ]
    assert {ONE, "02_where_to_look.ipynb"} <= set(files(mine))
    assert tool.update(course, mine) == []


@pytest.fixture
def later(monkeypatch):
    """The course is at version 0.9.0, and its changelog is short."""
    entries = {"0.9.0": "## 0.9.0\n\n- A lab.", "0.8.0": "## 0.8.0\n\n- A quiz."}

    def whats_new(since: str) -> str:
        return "\n\n".join(text for version, text in entries.items() if version > since)

    monkeypatch.setattr(stn_course, "__version__", "0.9.0")
    monkeypatch.setattr(tool, "whats_new", whats_new)


def test_a_copy_says_which_version_of_the_course_made_it(course, mine):
    tool.update(course, mine)
    record = json.loads((mine / tool.RECORD).read_text(encoding="utf-8"))
    assert record["version"] == stn_course.__version__


def test_a_new_copy_has_no_news(course, mine, later):
    assert tool.update(course, mine) == []


@pytest.mark.parametrize(
    ("record", "made_by", "entries"),
    [
        ({"version": "0.8.0", "copied": {}}, "0.8.0", ["## 0.9.0"]),
        ({"version": "0.7.3", "copied": {}}, "0.7.3", ["## 0.9.0", "## 0.8.0"]),
        ({}, "0.1.0", ["## 0.9.0", "## 0.8.0"]),  # the records of 0.1.0 did not say it
    ],
)
def test_an_update_tells_once_what_is_new_since_then(course, mine, later, record, made_by, entries):
    mine.mkdir()
    write(mine, tool.RECORD, json.dumps(record))
    (said,) = tool.update(course, mine)
    assert said.startswith(f"Your copy was made by version {made_by}. New since")
    assert re.findall("^## .*", said, re.MULTILINE) == entries
    assert tool.update(course, mine) == []


def stop(*_):
    raise KeyboardInterrupt


def test_the_copy_has_the_changelog_and_each_update_brings_it_up_to_date(course, mine, changelog):
    changelog.parent.mkdir()
    for text in ("# What is new: a lab", "# What is new: a lab, a quiz"):
        changelog.write_text(text, encoding="utf-8")
        assert tool.update(course, mine) == []
        assert files(mine)["CHANGELOG.md"] == text


def test_an_update_that_was_stopped_tells_the_news_the_next_time(course, mine, later, monkeypatch):
    mine.mkdir()
    write(mine, tool.RECORD, json.dumps({"version": "0.8.0", "copied": {}}))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tool, "tell_of_dropped", stop)
        tool.update(course, mine)
    (said,) = tool.update(course, mine)
    assert "- A lab." in said


def test_back_to_an_earlier_version_has_no_news(course, mine, later):
    mine.mkdir()
    write(mine, tool.RECORD, json.dumps({"version": "1.0.0", "copied": {}}))
    assert tool.update(course, mine) == []


def test_here_is_where_a_learner_works_if_here_is_a_copy(course, mine, monkeypatch):
    monkeypatch.chdir(course)
    assert tool.default_folder() == Path("my_notebooks")
    tool.update(course, mine)
    monkeypatch.chdir(mine)
    assert tool.default_folder() == Path(".")


def test_git_ignores_a_copy_wherever_it_lies(course, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "empty").mkdir()
    for name in ("elsewhere", "empty"):
        tool.update(course, tmp_path / name)
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? notebooks/\n"


def test_a_folder_that_holds_something_keeps_its_own_rules_for_git(course, mine):
    mine.mkdir()
    (mine / "thesis.tex").touch()
    tool.update(course, mine)
    assert not (mine / ".gitignore").exists()


def test_git_does_not_see_the_copy():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "my_notebooks/" in ignored
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^FOLDER \?= my_notebooks$", makefile, re.MULTILINE)
