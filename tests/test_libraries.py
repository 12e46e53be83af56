"""What npm brings for the site, and what is said where it cannot."""

import make_site
import pytest
from website import libraries

NPM = """#!/bin/sh
echo 'the registry is not to be reached' >&2
exit 1
"""


@pytest.fixture(autouse=True)
def nothing_here_yet(tmp_path, monkeypatch):
    monkeypatch.setattr(libraries, "CACHE", tmp_path / "cache")


def test_without_npm_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(make_site, "SITE", tmp_path / "site")
    with pytest.raises(SystemExit, match=r"^`make site` needs npm, which comes with Node\.js, and"):
        make_site.main([])
    assert not (tmp_path / "site").exists()


def test_what_npm_says_is_said(tmp_path):
    npm = tmp_path / "npm"
    npm.write_text(NPM, encoding="utf-8")
    npm.chmod(0o755)
    libraries.CACHE.mkdir()
    words = r"npm could not bring requirejs 2\.3\.7: the registry is not to be reached$"
    with pytest.raises(libraries.NotBrought, match=words):
        libraries.fetch(str(npm), libraries.REQUIREJS)


def test_another_archive_is_not_unpacked():
    libraries.CACHE.mkdir()
    (libraries.CACHE / libraries.REQUIREJS.archive).write_bytes(b"something else")
    with pytest.raises(libraries.NotBrought, match=r"^requirejs-2\.3\.7\.tgz is not what it was"):
        libraries.unpack(libraries.REQUIREJS)
    assert not libraries.REQUIREJS.folder.exists()


def test_versions_are_exact():
    for library in libraries.LIBRARIES:
        assert all(part.isdigit() for part in library.version.split("."))
        assert len(library.sha256) == 64
