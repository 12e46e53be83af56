"""Localization networks, the spatial transformer, the tutorial's network, readers of clutter."""

from stn_course.models.clutter import CLUTTER_NETWORKS, AdditionNet, AttentionNet, DigitReader
from stn_course.models.trained import TRAINED, WEIGHTS, load_straightener, load_trained
from stn_course.models.transformer import (
    IDENTITY,
    SpatialTransformer,
    check_start,
    count_parameters,
    find_head,
    in_float32,
    localization_cnn,
    start_at_identity,
    to_theta,
)
from stn_course.models.tutorial import PlainNet, TutorialNet, check_digits

__all__ = [
    "CLUTTER_NETWORKS",
    "IDENTITY",
    "TRAINED",
    "WEIGHTS",
    "AdditionNet",
    "AttentionNet",
    "DigitReader",
    "PlainNet",
    "SpatialTransformer",
    "TutorialNet",
    "check_digits",
    "check_start",
    "count_parameters",
    "find_head",
    "in_float32",
    "load_straightener",
    "load_trained",
    "localization_cnn",
    "start_at_identity",
    "to_theta",
]
