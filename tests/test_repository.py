"""The repository's promises: agreeing versions, two commands, CI, nothing named that may not be."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {
    "torch": "pytorch",
    "jupyter-client": "jupyter_client",
    "jupyter-core": "jupyter_core",
    "jupyter-server": "jupyter_server",
}


def requirements(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for: the course's packages, and those of the extras."""
    optional = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]
    return [Requirement(line) for line in lines]


def constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): Version(version) for name, version in pairs}


def test_conda_and_pip_ask_for_the_same():
    """Binder builds its image from environment.yml: it holds what a learner needs, no test tool."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    packages = [f"{CONDA_NAMES.get(r.name, r.name)}{r.specifier}" for r in requirements()]
    learners = [f"python{PROJECT['requires-python']}", "pip", *packages]
    assert environment["dependencies"] == [*learners, {"pip": ["-e ."]}]


def test_what_is_pinned_is_what_is_allowed():
    pinned = constraints()
    for requirement in requirements("test"):
        assert pinned[requirement.name] in requirement.specifier


def test_torch_and_torchvision_are_pinned_as_a_pair():
    pinned = constraints()
    torch, torchvision = pinned["torch"], pinned["torchvision"]
    # torchvision 0.(n + 15) belongs to torch 2.n.
    assert (torch.major, torchvision.major) == (2, 0)
    assert torchvision.minor == torch.minor + 15
    lowest = {r.name: str(r.specifier) for r in requirements()}
    assert (lowest["torch"], lowest["torchvision"]) == (">=2.11", ">=0.26")
    assert PROJECT["requires-python"] == ">=3.11"


def test_what_is_installed_is_what_is_pinned(root):
    """On a machine that followed the README; a maintainer trying other versions sees which."""
    from importlib.metadata import version

    if not Path(sys.prefix, "installed-tests").exists():
        pytest.skip("not installed by make")
    for requirement in requirements("test"):
        assert Version(version(requirement.name)).public == str(constraints()[requirement.name])


def test_ci_is_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_every_address_is_a_known_one_and_no_path_is_a_machines():
    """PyTorch's pages and the paper are linked; no package registry is named or configured."""
    known = {"docs.pytorch.org", "pytorch.org", "arxiv.org", "127.0.0.1"}
    known |= {
        "github.com",
        "colab.research.google.com",
        "mybinder.org",
    }  # tools/repository_links.py
    known |= {"www.w3.org"}  # the name of SVG's namespace, which nothing fetches
    for path in tracked():
        if path.suffix in {".gz", ".png", ".gif", ".pt"}:
            continue
        text = path.read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([\w.-]+\w)", text.replace("\\", ""))) - known
        assert not hosts, f"{path}: {hosts}"
        if path.name != Path(__file__).name:
            assert not re.search(r"index-url|find-links", text), path
            assert not re.search(r"(?<![\w.])/(root|home|work|Users)/\w", text), path


def test_top_level_holds_what_a_newcomer_expects():
    for name in (
        *("README.md", "LICENSE", "pyproject.toml", "constraints.txt", "environment.yml"),
        *("Makefile", "notebooks", "stn_course", "tests", "benchmarks"),
        *("CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "Dockerfile"),
    ):
        assert (ROOT / name).exists(), name


def test_every_module_has_its_tests():
    for module in (ROOT / "stn_course").glob("*.py"):
        if module.stem not in {"__init__", "validation"}:  # validation: test_bad_input_is_named
            assert (ROOT / "tests" / f"test_{module.stem}.py").exists(), module.stem


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target
