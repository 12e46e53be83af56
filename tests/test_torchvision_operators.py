"""`import torchvision` works after stn_course, beside any torch; a matching pair is left alone."""

import subprocess
import sys
import textwrap

MATCHING_PAIR = """
    import torch
    # What happens when the extension of a torchvision that fits is loaded: its operators exist.
    def load(path):
        global real
        real = torch.library.Library("torchvision", "DEF")
        real.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        real.impl("nms", lambda dets, scores, iou_threshold: dets, "CPU")
    torch.ops.load_library = load
"""


def run(program: str) -> str:
    """What a program printed, run in an interpreter of its own."""
    program = textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torchvision_imports_after_stn_course():
    assert "28" in run(
        """
        import stn_course, torchvision
        from torchvision import datasets, transforms, utils
        import torch
        print(utils.make_grid(torch.zeros(4, 1, 28, 28), padding=0).shape)
        """
    )


def test_without_it_a_mismatched_pair_fails_and_only_then_something_is_declared():
    """The pair of this machine, whichever it is: declared if and only if the import fails alone."""
    alone = subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True)
    declared = run("from stn_course import torchvision_operators as o; print(len(o._declared))")
    assert (alone.returncode != 0) == (declared.strip() == "1")


def test_a_matching_pair_is_left_alone():
    printed = run(
        textwrap.dedent(MATCHING_PAIR)
        + textwrap.dedent(
            """
            from stn_course import torchvision_operators as operators
            print(operators._declared, operators.declare_missing_operators())
            print(torch.ops.torchvision.nms(torch.ones(2, 4), torch.ones(2), 0.5).shape)
            """
        )
    )
    assert printed.split("\n")[:2] == ["[] ()", "torch.Size([2, 4])"]


def test_a_mismatched_pair_gets_the_two_schemas():
    """Made on any machine by an extension that cannot be loaded."""
    printed = run(
        """
        import torch
        def load(path):
            raise OSError("libcudart.so: cannot open shared object file")
        torch.ops.load_library = load
        import stn_course
        print(torch.ops.torchvision.nms.default._schema)
        import torchvision
        print(torchvision.extension._has_ops(), stn_course.declare_missing_operators())
        """
    )
    assert "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" in printed
    assert "False ()" in printed


def test_without_torchvision_nothing_happens():
    printed = run(
        """
        import importlib.util
        find = importlib.util.find_spec
        hidden = "torchvision"
        importlib.util.find_spec = lambda name, *a: None if name == hidden else find(name, *a)
        from stn_course import torchvision_operators as operators
        print(operators._declared)
        """
    )
    assert printed.strip() == "[]"
