"""Let `import torchvision` succeed beside a torch that was built for another device.

A CPU build of torch cannot load the compiled operators of a torchvision built for CUDA. While it is
imported, torchvision describes two of these operators to torch all the same, and torch refuses:
"operator torchvision::nms does not exist". Declaring the two schemas first is enough for data sets,
transforms and `make_grid`, which is all that the course uses; calling a compiled operator such as
`nms` still fails, with torch's own message.

Whether the operators load is torchvision's to find out: it tries while it imports its submodule
`extension`, wherever its compiled files lie. Only then, and only if it failed, are the schemas
declared. Where the two builds fit, nothing is loaded or declared here.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder

import torch

SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# A declaration lives as long as the library object that made it.
_declared: list[torch.library.Library] = []


class AfterExtension(MetaPathFinder):
    """Finds `torchvision.extension` as Python does, and has what is missing declared after it."""

    def find_spec(self, fullname, path, target=None) -> ModuleSpec | None:
        if fullname != "torchvision.extension":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        execute = spec.loader.exec_module

        def execute_and_declare(module) -> None:
            execute(module)
            declare_missing_operators()

        spec.loader.exec_module = execute_and_declare
        return spec


def declare_missing_operators() -> tuple[str, ...]:
    """Declare the operator schemas that torchvision failed to bring; returns their names.

    Where its compiled operators are there, at a second call, and before torchvision has tried to
    load them, nothing is declared.
    """
    if "torchvision.extension" not in sys.modules:
        return ()
    if _declared or hasattr(torch.ops.torchvision, "nms"):
        return ()
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        library.define(name + schema)
    _declared.append(library)
    return tuple(SCHEMAS)


def prepare_torchvision() -> None:
    """Stand ready for `import torchvision`, once; a torchvision that is imported is left alone.

    Where that has failed before, its submodule is there already, and the schemas are declared now.
    """
    if not any(isinstance(finder, AfterExtension) for finder in sys.meta_path):
        sys.meta_path.insert(0, AfterExtension())
    declare_missing_operators()
