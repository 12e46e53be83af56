"""Fit and evaluate; recipes by name; what happened, as a History."""

from stn_course.training.collapse import CollapseWarning, Signs, signs
from stn_course.training.fitting import PROBE, fit
from stn_course.training.history import History, load_recording
from stn_course.training.loop import (
    error_with_one_theta,
    evaluate,
    prepared,
    probe,
    train_epoch,
)
from stn_course.training.recipes import (
    RECIPES,
    Recipe,
    find_recipe,
    make_criterion,
    make_optimizer,
    parameter_groups,
    prepare_model,
)
from stn_course.training.recording import Diverged, Recorder, Stop

__all__ = [
    "PROBE",
    "RECIPES",
    "CollapseWarning",
    "Diverged",
    "History",
    "Recipe",
    "Recorder",
    "Signs",
    "Stop",
    "error_with_one_theta",
    "evaluate",
    "find_recipe",
    "fit",
    "load_recording",
    "make_criterion",
    "make_optimizer",
    "parameter_groups",
    "prepare_model",
    "prepared",
    "probe",
    "signs",
    "train_epoch",
]
