"""Co-localisation: find what pictures have in common, told neither its place nor its class.

The paper's appendix A.2: a spatial transformer crops each picture, and learns by a triplet loss
alone. Two crops should be more alike, to a classifier of digits, than a crop and a random one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.models import PlainNet

MARGIN = 1.0  # alpha, the paper's


def encode(classifier: PlainNet, crops: Tensor) -> Tensor:
    """What a classifier makes of crops (B, 1, 28, 28), normalised, layer by layer: (B, N).

    Hidden layers and answers before the softmax, as in the paper. Each layer's are scaled to length
    1, which is ours: unscaled, the first layer's 1,440 numbers say it all.
    """
    first = F.relu(classifier.pool(classifier.conv1(crops)))
    second = F.relu(classifier.pool(classifier.conv2(first)))
    third = F.relu(classifier.fc1(second.flatten(1)))
    layers = first, second, third, classifier.fc2(third)
    return torch.cat([F.normalize(layer.flatten(1), dim=1) for layer in layers], dim=1)


def triplet_loss(found: Tensor, random: Tensor, margin: float = MARGIN) -> Tensor:
    """The mean over all pairs n ≠ m of max(0, |e(n) - e(m)|² - |e(n) - e(random n)|² + margin).

    found, random: (B, N), the encodings of the transformer's crops, and of a random crop of each
    picture. The paper has the sum; the mean makes the rate independent of the batch.
    """
    pairs = (found.square().sum(1)[:, None] + found.square().sum(1) - 2 * found @ found.T).clamp(0)
    apart = (found - random).square().sum(dim=1)
    hinge = F.relu(pairs - apart[:, None] + margin)
    others = ~torch.eye(len(found), dtype=torch.bool, device=found.device)
    return hinge[others].mean()
