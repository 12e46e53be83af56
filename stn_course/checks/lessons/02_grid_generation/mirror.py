"""Predict: a theta for a mirror image."""

import torch

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
    reason="The x arrow points to the left. (As a pose it reads as half a turn with a negative "
    "scale y: the same thing said differently.)",
    wrong=(
        (
            torch.tensor([[[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]]),
            "this swaps top and bottom: the second row makes y.",
        ),
        (
            torch.tensor([[[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]]),
            "this is half a turn: both arrows are reversed.",
        ),
        (
            torch.tensor([[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]]),
            "this swaps x and y, a mirror along the diagonal.",
        ),
        (
            torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
            "this is the identity: nothing changes.",
        ),
        (
            torch.tensor([[[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]),
            "mirrored, and moved, too: the centre would read at the right edge. It stays.",
        ),
    ),
    hints=(
        "What stands at x = 0.3 must be read at x = -0.3. And y?",
        "No move is needed: the centre stays at the centre.",
        "The x arrow points to the left: its first number is -1.",
    ),
)
