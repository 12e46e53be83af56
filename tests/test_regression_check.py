"""The check on the notebooks can fail: one sign changed in a copy of the package, nbval sees it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
# (module, what stands there, what is put in its place, the notebook that must notice)
MUTATIONS = [
    (
        "transforms/theta",
        "return _theta(cos, -sin, x, sin, cos, y)",
        "return _theta(cos, sin, x, -sin, cos, y)",
        "02_grid_generation",
    ),
    (
        "samplers",
        "places = places.expand(len(input), -1, -1, -1)",
        "places = places.expand(len(input), -1, -1, -1).flip(-1)",
        "03_sampling",
    ),
    (
        "grids",
        "return torch.stack([x, y, torch.ones_like(x)], dim=-1)",
        "return torch.stack([y, x, torch.ones_like(x)], dim=-1)",
        "03_sampling",
    ),
]


def run_notebook(name: str, package_parent: Path) -> subprocess.CompletedProcess:
    """nbval over a stored notebook's first half, with the package in `package_parent`."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    notebook.cells = notebook.cells[: len(notebook.cells) // 2]
    nbformat.write(notebook, package_parent / f"{name}.ipynb")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-qx", "--nbval", "--nbval-current-env"),
            *("-o", "addopts=", "-p", "nbval_tolerance", "-p", "no:cacheprovider"),
            "--noconftest",
            "--nbval-cell-timeout=300",
            *("--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg")),
            *("-c", str(ROOT / "pyproject.toml"), str(package_parent / f"{name}.ipynb")),
        ],
        env={**os.environ, "PYTHONPATH": str(package_parent)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("module", "before", "after", "notebook"), MUTATIONS)
def test_one_wrong_sign_is_seen(tmp_path, module, before, after, notebook):
    shutil.copytree(ROOT / "stn_course", tmp_path / "stn_course")
    file = tmp_path / "stn_course" / f"{module}.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, after), encoding="utf-8")
    done = run_notebook(notebook, tmp_path)
    assert done.returncode == 1, done.stdout
    assert "Cell execution caused an exception" in done.stdout or "mismatch" in done.stdout


@pytest.mark.parametrize("notebook", sorted({mutation[3] for mutation in MUTATIONS}))
def test_an_unchanged_copy_passes(tmp_path, notebook):
    """So it is the changed sign that is seen above, and not the copying."""
    shutil.copytree(ROOT / "stn_course", tmp_path / "stn_course")
    done = run_notebook(notebook, tmp_path)
    assert done.returncode == 0, done.stdout
