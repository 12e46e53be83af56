"""A training run of a second or two, the same wherever a test needs one."""

import torch

from stn_course import models, training


def fitted(small, make=models.TutorialNet, **options):
    """Train on the few digits of the fixture `small`: the model and its history."""
    torch.manual_seed(0)
    model = make()
    usual = {"recipe": "rotated", "epochs": 2, "progress": False, "device": "cpu"}
    return model, training.fit(model, **{**usual, **small, **options})
