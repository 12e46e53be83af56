"""The labs: sliders that take hold of the sampling grid. The only part that imports ipywidgets."""

from stn_course.widgets.theta_lab import ThetaLab

__all__ = ["ThetaLab"]
