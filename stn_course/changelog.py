"""What each version of the course brought, as CHANGELOG.md tells it."""

import re
from pathlib import Path

from stn_course.lessons import shipped


def changelog_file() -> Path:
    """Where the changelog lies; an installed package may lack it."""
    return shipped("CHANGELOG.md")


def whats_new(since: str) -> str:
    """The changelog's entries for all versions after `since`, as they stand there, newest first.

    since: a version such as "0.1.0". Empty if there is nothing newer, or no changelog.
    """
    try:
        text = changelog_file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    entries = re.split(r"^(?=## \d)", text, flags=re.MULTILINE)[1:]
    newer = [entry for entry in entries if numbers(entry.split()[1]) > numbers(since)]
    return "".join(newer).strip()


def numbers(version: str) -> tuple[int, ...]:
    """What tells which of two versions is the later one."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
