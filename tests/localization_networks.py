"""Localization networks as small as can be, for tests of the transformer around them."""

import torch
from torch import nn

from stn_course import transforms

PICTURES = torch.rand(4, 1, 9, 14)


def is_identity(theta, batch, dtype=torch.float32):
    return theta.dtype == dtype and torch.equal(
        theta.cpu(), transforms.identity(batch, dtype=dtype)
    )


class Mean(nn.Module):
    """A head alone: theta from the mean of a picture, by way of what comes after the head."""

    def __init__(self, after=None):
        super().__init__()
        self.head = nn.Linear(1, 6)
        self.after = nn.Identity() if after is None else after

    def forward(self, input):
        return self.after(self.head(input.mean(dim=(1, 2, 3))[:, None]))


class HeadFirst(nn.Module):
    """Its head is registered first, after it a layer that is none."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 6)
        self.features = nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9, 8))

    def forward(self, input):
        return self.head(self.features(input))


class TwoOfSix(HeadFirst):
    """Another layer with six outputs is registered last, and theta is not its answer."""

    def __init__(self):
        super().__init__()
        self.other = nn.Linear(8, 6)


class Answers(Mean):
    """A localization network that ends in a head and then answers something else."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, input):
        return self.answer(super().forward(input))


class Told(nn.Module):
    """A transformer that has been told what to choose."""

    def __init__(self, thetas):
        super().__init__()
        self.told, self.theta = thetas, None

    def forward(self, pictures):
        self.theta = self.told.clone()
        return pictures
