"""Predict: a theta for the left half."""

import torch

from stn_course.checks.engine.types import PredictionExercise

EXERCISE = PredictionExercise(
    answer=torch.tensor([[[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]]]),
    reason="The x arrow is half as long, and the centre reads at x = -0.5.",
    wrong=(
        (
            torch.tensor([[[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]),
            "this is the way forward, input to output. Theta says where to read, and it reads "
            "half of the width.",
        ),
        (
            torch.tensor([[[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]]),
            "this reads the right half: x grows to the right, and the last column is where the "
            "centre reads.",
        ),
        (
            torch.tensor([[[0.5, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
            "this reads the half in the middle. Where does the centre of the left half lie?",
        ),
        (
            torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.5, -0.5]]]),
            "this reads the upper half: the first row of theta makes x, the second y.",
        ),
        (
            torch.tensor([[[0.5, 0.0, -0.5], [0.0, 0.5, 0.0]]]),
            "this reads half of the height, too. The left half is as high as the whole.",
        ),
        (
            torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
            "this reads twice the width: theta is where the output reads, and half the width is "
            "0.5.",
        ),
        (
            torch.tensor([[[1.0, 0.0, -0.5], [0.0, 1.0, 0.0]]]),
            "this only moves: the width is still the whole one.",
        ),
        (
            torch.tensor([[[0.5, 0.0, -1.0], [0.0, 1.0, 0.0]]]),
            "the last column is where the output's centre reads, not its edge.",
        ),
        (
            torch.tensor([[[0.5, 0.0, -0.25], [0.0, 1.0, 0.0]]]),
            "the middle of the left half is a quarter of the width from the centre, and the whole "
            "width is 2, from -1 to 1: a quarter of it is 0.5.",
        ),
    ),
    hints=(
        "Which part of the x axis, from -1 to 1, is the left half? How long is it, beside the "
        "whole?",
        "The first column is the x arrow: half as long. y stays as it is.",
        "The last column is where the output's centre reads: the middle of the left half.",
    ),
)
