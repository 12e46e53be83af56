"""Fit and evaluate; recipes by name; what happened, as a History."""

from stn_course.training.fitting import PROBE, Diverged, fit
from stn_course.training.history import RECORDING, History, load_recording
from stn_course.training.loop import evaluate, prepared, probe, train_epoch
from stn_course.training.recipes import (
    RECIPES,
    Recipe,
    find_recipe,
    make_optimizer,
    parameter_groups,
    prepare_model,
)

__all__ = [
    "PROBE",
    "RECIPES",
    "RECORDING",
    "Diverged",
    "History",
    "Recipe",
    "evaluate",
    "find_recipe",
    "fit",
    "load_recording",
    "make_optimizer",
    "parameter_groups",
    "prepare_model",
    "prepared",
    "probe",
    "train_epoch",
]
