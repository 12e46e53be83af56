"""`import torchvision` works after stn_course, beside any torch; a matching pair is left alone.

Each test runs in a process of its own: against the installed pair, and against small stand-ins
laid out as torchvision 0.26, 0.28 and 0.29 are, whose operators load or do not. The first one is an
interpreter that loads all of it itself.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import warm_python

ROOT = Path(__file__).resolve().parent.parent
# Where the compiled operators lie in the folder of each release, as its wheel for Linux has it.
LAYOUTS = {"0.26.0+cu130": "_C.so", "0.28.0+cu130": "_C.so", "0.29.1+cu130": "_C_stable.so"}
# What torchvision does while it is imported: load its operators, then describe them to torch.
STAND_IN = {
    "__init__.py": "from torchvision import extension, _meta_registrations",
    "version.py": "__version__ = {version!r}",
    "extension.py": """
        import pathlib
        import torch
        try:
            torch.ops.load_library(str(pathlib.Path(__file__).with_name({library!r})))
        except OSError:
            pass
    """,
    "_meta_registrations.py": """
        import torch
        for name in ("nms", "qnms"):
            torch.library.register_fake(f"torchvision::{{name}}")(lambda *arguments: None)
    """,
}
# The operators' library, as torch loads it: it defines them, or can't be loaded.
LOADS = """
    import torch
    def load(path):
        assert path.endswith({library!r}), path
        global real
        real = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            real.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        real.impl("nms", lambda dets, scores, iou_threshold: dets, "CPU")
    torch.ops.load_library = load
"""
DOES_NOT_LOAD = """
    import torch
    def load(path):
        raise OSError("libtorch_cuda.so: cannot open shared object file")
    torch.ops.load_library = load
"""


def interpreter(program: str, folder: Path = ROOT) -> subprocess.CompletedProcess:
    """Run a program in a process of its own that finds packages in `folder` first."""
    prelude = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]\n"
    return warm_python.run(prelude + textwrap.dedent(program))


def run(program: str, folder: Path = ROOT) -> list[str]:
    """The lines that a program printed."""
    done = interpreter(program, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(params=LAYOUTS)
def layout(request, tmp_path) -> tuple[Path, str]:
    """A folder with a stand-in of one release of torchvision, and its library's name."""
    library = LAYOUTS[request.param]
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / library).touch()
    for name, text in STAND_IN.items():
        text = textwrap.dedent(text).format(version=request.param, library=library)
        (tmp_path / "torchvision" / name).write_text(text, encoding="utf-8")
    return tmp_path, library


def test_torchvision_imports_after_stn_course():
    program = """if True:
        import stn_course, torchvision
        from torchvision import datasets, transforms, utils
        import torch
        print(tuple(utils.make_grid(torch.zeros(4, 1, 28, 28), padding=0).shape))
        """
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "(3, 28, 112)\n", done.stderr


def test_something_is_declared_only_where_the_installed_pair_does_not_fit():
    """The pair of this machine, whichever it is: declared if and only if the import fails alone."""
    alone = interpreter("import torchvision")
    printed = run(
        """
        import stn_course, torchvision
        from stn_course import torchvision_operators as operators
        print(len(operators._declared), torchvision.extension._has_ops())
        """
    )
    assert printed == (["0 True"] if alone.returncode == 0 else ["1 False"])


def test_without_torchvision_imported_nothing_is_loaded_or_declared():
    assert run(
        """
        import stn_course, sys, torch
        print(hasattr(torch.ops.torchvision, "nms"), "torchvision" in sys.modules)
        """
    ) == ["False False"]


def test_a_pair_that_fits_is_left_alone(layout):
    folder, library = layout
    assert run(
        textwrap.dedent(LOADS.format(library=library))
        + textwrap.dedent(
            """
            import stn_course, torchvision
            from stn_course import torchvision_operators as operators
            print(operators._declared, operators.declare_missing_operators())
            print(tuple(torch.ops.torchvision.nms(torch.ones(2, 4), torch.ones(2), 0.5).shape))
            """
        ),
        folder,
    ) == ["[] ()", "(2, 4)"]


def test_a_pair_that_does_not_fit_gets_the_two_schemas(layout):
    folder, _ = layout
    alone = interpreter(textwrap.dedent(DOES_NOT_LOAD) + "import torchvision", folder)
    assert "operator torchvision::nms does not exist" in alone.stderr
    assert run(
        textwrap.dedent(DOES_NOT_LOAD)
        + textwrap.dedent(
            """
            import stn_course, torchvision
            print(torch.ops.torchvision.nms.default._schema)
            print(torch.ops.torchvision.qnms.default._schema)
            print(stn_course.torchvision_operators.declare_missing_operators())
            """
        ),
        folder,
    ) == [
        "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "torchvision::qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "()",
    ]


def test_before_torchvision_nothing_is_declared(layout):
    """Declared twice, by us and by torchvision, an operator ends the interpreter."""
    folder, library = layout
    assert run(
        textwrap.dedent(LOADS.format(library=library))
        + "import stn_course\n"
        + "print(stn_course.torchvision_operators.declare_missing_operators())\n"
        + "import torchvision\n"
        + "print(stn_course.torchvision_operators._declared)",
        folder,
    ) == ["()", "[]"]


def test_after_an_import_that_failed_the_next_one_succeeds(layout):
    folder, _ = layout
    assert run(
        textwrap.dedent(DOES_NOT_LOAD)
        + textwrap.dedent(
            """
            try:
                import torchvision
            except RuntimeError:
                print("failed")
            import stn_course, torchvision
            print("there")
            """
        ),
        folder,
    ) == ["failed", "there"]


def test_it_stands_ready_once():
    assert run(
        """
        import sys, stn_course
        from stn_course import torchvision_operators as operators
        operators.prepare_torchvision()
        print(sum(isinstance(f, operators.AfterExtension) for f in sys.meta_path))
        """
    ) == ["1"]
