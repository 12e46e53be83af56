"""The Dockerfile copies what there is and installs the course; no image is built here."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line]


def stages() -> dict[str, list[list[str]]]:
    """The steps of each stage, those that it is built on first."""
    found = {}
    for step in STEPS:
        if step[0] == "FROM":
            base, _, name = step[1].split()
            steps = found[name] = list(found.get(base, []))
        else:
            steps.append(step)
    return found


def copied() -> list[str]:
    """What is copied from the repository."""
    copies = [words.split() for kind, words in STEPS if kind == "COPY"]
    return sorted(s for words in copies if "--from=" not in words[0] for s in words[:-1])


def installs(stage: str) -> list[str]:
    return [words for kind, words in stages()[stage] if kind == "RUN" and "pip install" in words]


def test_what_it_copies_is_there_and_not_ignored():
    assert all((ROOT / name).exists() for name in copied())
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert sorted(line[1:] for line in lines if line.startswith("!")) == copied()


def wheel(source: Path, folder: Path) -> dict[str, int]:
    """The files of a wheel built in that folder, with their checksums."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return {info.filename: info.CRC for info in zipfile.ZipFile(file).infolist()}


def test_what_it_copies_makes_the_projects_wheel(tmp_path):
    context = tmp_path / "context"
    context.mkdir()
    for name in copied():
        path = ROOT / name
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, context / name)
    assert wheel(context, tmp_path / "copied") == wheel(ROOT, tmp_path / "whole")


@pytest.mark.parametrize("stage", ["hub", "marking"])
def test_it_installs_the_course_as_pinned_and_no_test_tool(stage):
    first, *more = installs(stage)
    pinned = "pip install --no-cache-dir --constraint /constraints.txt"
    assert first == f"{pinned} /wheel/*.whl"
    assert more == ([f'{pinned} "jupyterhub==$JUPYTERHUB"'] if stage == "hub" else [])
    wheels = [words for kind, words in stages()["build"] if kind == "RUN"]
    assert wheels == ["pip wheel --no-cache-dir --no-deps --wheel-dir /wheel ."]


@pytest.mark.parametrize("stage", ["hub", "marking"])
def test_it_does_not_run_as_root(stage):
    steps = stages()[stage]
    (user,) = [words for kind, words in steps if kind == "USER"]
    assert any(kind == "RUN" and words.endswith(f" {user}") for kind, words in steps)
    assert [kind for kind, _ in steps[steps.index(["USER", user]) :]].count("RUN") == 0


def test_what_is_built_by_default_is_the_command():
    """The last stage; a hub's image has no entry point, so that a hub can name its command."""
    assert list(stages())[-1] == "marking"
    assert [w for kind, w in stages()["marking"] if kind == "ENTRYPOINT"] == ['["stn-course"]']
    assert not [words for kind, words in stages()["hub"] if kind == "ENTRYPOINT"]


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs sh")
@pytest.mark.parametrize(
    ("address", "machine", "expected"),
    [("", "x86_64", 1), ("ADDRESS", "x86_64", 0), ("", "aarch64", 0)],
)
def test_it_asks_which_pytorch_where_pip_would_take_cuda(address, machine, expected):
    (asks,) = [words for kind, words in stages()["course"] if words.startswith("test ")]
    program = f"uname() {{ echo {machine}; }}\n{asks}"
    environment = {"PATH": "/bin:/usr/bin", "PIP_EXTRA_INDEX_URL": address}
    done = subprocess.run(["sh", "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == expected
    assert ("say --build-arg PIP_EXTRA_INDEX_URL=" in done.stderr) == bool(expected)
