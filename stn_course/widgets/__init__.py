"""The labs: hands on the sampling grid. The only part that imports ipywidgets and anywidget."""

from stn_course.widgets.theta_lab import ThetaLab

__all__ = ["ThetaLab"]
