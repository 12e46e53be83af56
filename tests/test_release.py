"""One version, said alike by the package, the changelog and the citation."""

import re
import tomllib
from datetime import date
from pathlib import Path

import yaml
from packaging.version import Version

import stn_course

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
HEADINGS = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
RELEASES = [heading.split(" · ") for heading in HEADINGS]


def test_the_newest_entry_is_the_packages_version():
    assert RELEASES[0][0] == stn_course.__version__


def test_versions_and_their_days_go_down():
    versions = [Version(version) for version, _ in RELEASES]
    assert versions == sorted(set(versions), reverse=True)
    assert all(len(version.release) == 3 for version in versions)
    days = [date.fromisoformat(day) for _, day in RELEASES]
    assert days == sorted(days, reverse=True)


def test_each_version_says_in_points_what_is_new():
    for section in CHANGELOG.split("\n## ")[1:]:
        _, body = section.split("\n\n", maxsplit=1)
        assert all(re.match(r"- [A-Z`\d]|  \S", line) for line in body.strip().splitlines())


def test_the_changelog_says_what_a_version_means():
    head = CHANGELOG.split("\n## ")[0]
    assert re.findall(r"^- the \*\*(\w+)\*\* moves when", head, re.M) == [
        "first",
        "second",
        "third",
    ]


def test_the_citation_is_of_this_version():
    assert [CITATION["version"], CITATION["date-released"].isoformat()] == RELEASES[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CITATION["license"] == project["license"]


def test_the_citation_has_what_the_format_asks_for():
    """Citation File Format 1.2.0: what must stand there, and nothing that it does not know."""
    required = {"cff-version", "message", "title", "authors"}
    optional = {"abstract", "type", "version", "date-released", "license", "keywords", "references"}
    assert required <= set(CITATION) <= required | optional | {"repository-code"}
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    for reference in CITATION["references"]:
        assert {"type", "title", "authors"} <= set(reference)


def test_the_citation_names_the_licences_authors():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    (holder,) = re.findall(r"Copyright \(c\) \d+, (.+)", licence)
    assert [author["name"].lower() for author in CITATION["authors"]] == [holder.lower()]


def test_the_paper_and_the_tutorial_are_cited_as_the_course_links_them():
    start = (ROOT / "notebooks" / "src" / "00_start_here.py").read_text(encoding="utf-8")
    kinds = {reference["type"]: reference for reference in CITATION["references"]}
    assert set(kinds) == {"conference-paper", "website"}
    assert all(f"({reference['url']})" in start for reference in kinds.values())
    paper = [author["family-names"] for author in kinds["conference-paper"]["authors"]]
    assert paper == ["Jaderberg", "Simonyan", "Zisserman", "Kavukcuoglu"]
