"""Localization networks, the spatial transformer, the tutorial's network, readers of clutter."""

from stn_course.models.clutter import CLUTTER_NETWORKS, AdditionNet, AttentionNet, DigitReader
from stn_course.models.deformable import DeformableNet
from stn_course.models.polar import PolarNet, around
from stn_course.models.trained import TRAINED, WEIGHTS, load_straightener, load_trained
from stn_course.models.transformations import (
    TRANSFORMATIONS,
    Affine,
    Attention,
    Projective,
    ThinPlateSpline,
    Transformation,
    check_reading,
    find_transformation,
)
from stn_course.models.transformer import (
    SpatialTransformer,
    check_start,
    count_parameters,
    find_head,
    in_float32,
    localization_cnn,
    start_at_identity,
    to_theta,
)
from stn_course.models.turns import FourTurns
from stn_course.models.tutorial import (
    PlainNet,
    TutorialNet,
    check_digits,
    straighten_first,
)

__all__ = [
    "CLUTTER_NETWORKS",
    "TRAINED",
    "TRANSFORMATIONS",
    "WEIGHTS",
    "AdditionNet",
    "Affine",
    "Attention",
    "AttentionNet",
    "DeformableNet",
    "DigitReader",
    "FourTurns",
    "PlainNet",
    "PolarNet",
    "Projective",
    "SpatialTransformer",
    "ThinPlateSpline",
    "Transformation",
    "TutorialNet",
    "around",
    "check_digits",
    "check_reading",
    "check_start",
    "count_parameters",
    "find_head",
    "find_transformation",
    "in_float32",
    "load_straightener",
    "load_trained",
    "localization_cnn",
    "start_at_identity",
    "straighten_first",
    "to_theta",
]
