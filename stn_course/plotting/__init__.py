"""Tensors in, Figure out; nothing here shows or saves a figure but `show` and `show_picture`."""

from stn_course.plotting.architecture import architecture, trace_layers
from stn_course.plotting.charts import (
    angle_scatter,
    curves,
    history,
    pose_history,
    scatter,
    surfaces,
    theta_history,
)
from stn_course.plotting.drawing import COLOURS
from stn_course.plotting.figures import (
    arrows,
    bent_grid,
    boxes,
    image_grid,
    neighbours,
    pixel_coordinates,
    places,
    sampling_grid,
    side_by_side,
    two_warps,
)
from stn_course.plotting.lattices import lattice_history
from stn_course.plotting.showing import Described, moving_picture, rounded, show, show_picture
from stn_course.plotting.stills import Curve, Reading, recorded_step, sampled_point, steering

__all__ = [
    "COLOURS",
    "Curve",
    "Described",
    "Reading",
    "angle_scatter",
    "architecture",
    "arrows",
    "bent_grid",
    "boxes",
    "curves",
    "history",
    "image_grid",
    "lattice_history",
    "moving_picture",
    "neighbours",
    "pixel_coordinates",
    "places",
    "pose_history",
    "recorded_step",
    "rounded",
    "sampled_point",
    "sampling_grid",
    "scatter",
    "show",
    "show_picture",
    "side_by_side",
    "steering",
    "surfaces",
    "theta_history",
    "trace_layers",
    "two_warps",
]
