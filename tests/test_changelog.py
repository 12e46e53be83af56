"""What is new since a version, from a changelog as it stands in the repository."""

import re

import pytest

import stn_course
from stn_course import changelog

TEXT = """# What is new

Words before the first version.

## What a number means

## 0.10.0 · 2026-12-02

- A lab.
- A quiz, which
  takes two lines.

## 0.9.1 · 2026-11-30

- A mistake is mended.

## 0.9.0 · 2026-11-24

- The beginning.
"""


@pytest.fixture
def written(monkeypatch, tmp_path):
    """A changelog in place of the course's."""
    file = tmp_path / "CHANGELOG.md"
    file.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(changelog, "shipped", lambda name: tmp_path / name)
    return file


@pytest.mark.parametrize(
    ("since", "versions"),
    [
        ("0.10.0", []),
        ("0.9.1", ["0.10.0"]),
        ("0.9.0", ["0.10.0", "0.9.1"]),
        ("0.9.0.dev3", ["0.10.0", "0.9.1"]),
        ("0.8.7", ["0.10.0", "0.9.1", "0.9.0"]),
        ("1.0.0", []),
    ],
)
def test_what_is_new_are_the_later_versions_entries(written, since, versions):
    assert re.findall(r"^## ([\d.]+)", changelog.whats_new(since), re.MULTILINE) == versions


def test_an_entry_is_told_as_it_stands(written):
    assert changelog.whats_new("0.9.1") == (
        "## 0.10.0 · 2026-12-02\n\n- A lab.\n- A quiz, which\n  takes two lines."
    )


def test_without_a_changelog_there_is_nothing_to_tell(written):
    written.unlink()
    assert changelog.whats_new("0.1.0") == ""


def test_the_courses_own_changelog_tells_of_this_version():
    assert changelog.whats_new("0.0.0").startswith(f"## {stn_course.__version__} ")
    assert changelog.whats_new(stn_course.__version__) == ""
