"""Let `import torchvision` succeed beside a torch that was built for another device.

A CPU build of torch cannot load the compiled operators of a torchvision built for CUDA. While it is
imported, torchvision describes two of these operators to torch all the same, and torch refuses:
"operator torchvision::nms does not exist". Declaring the two schemas first is enough for data sets,
transforms and `make_grid`, which is all that the course uses; calling a compiled operator such as
`nms` still fails, with torch's own message.
"""

import importlib.machinery
import importlib.util

import torch

SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# A declaration lives as long as the library object that made it.
_declared: list[torch.library.Library] = []


def compiled_operators_load() -> bool:
    """Whether torchvision's compiled operators load here; also True without a torchvision."""
    package = importlib.util.find_spec("torchvision")
    if package is None or hasattr(torch.ops.torchvision, "nms"):
        return True
    extension = importlib.machinery.PathFinder.find_spec(
        "_C", list(package.submodule_search_locations)
    )
    try:
        torch.ops.load_library(extension.origin)
    except (AttributeError, OSError):  # no such file, or one built against another torch
        return False
    return True


def declare_missing_operators() -> tuple[str, ...]:
    """Declare the operator schemas that torchvision needs to be imported; returns their names.

    Where the compiled operators load, and at a second call, nothing is declared.
    """
    if _declared or compiled_operators_load():
        return ()
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        library.define(name + schema)
    _declared.append(library)
    return tuple(SCHEMAS)
