"""The bundled MNIST: raw tensors, torchvision's root, batches, and distorted digits.

Nothing here touches a network: the four gzip files are part of the package.
"""

from stn_course.data.bundled import FILES, SPLITS, load_mnist, mnist_root
from stn_course.data.digits import (
    MEAN,
    STD,
    batches,
    denormalise,
    load_digits,
    normalise,
    to_float,
)
from stn_course.data.distortions import (
    random_elastic,
    random_projection,
    random_rotation,
    random_similarity,
    random_translation,
    rescale,
    rotate,
)

__all__ = [
    "FILES",
    "MEAN",
    "SPLITS",
    "STD",
    "batches",
    "denormalise",
    "load_digits",
    "load_mnist",
    "mnist_root",
    "normalise",
    "random_elastic",
    "random_projection",
    "random_rotation",
    "random_similarity",
    "random_translation",
    "rescale",
    "rotate",
    "to_float",
]
