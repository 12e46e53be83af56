"""Labs, quizzes, progress. The only part that imports ipywidgets and anywidget."""

from stn_course.widgets.certificates import certificate
from stn_course.widgets.find_lab import FindLab
from stn_course.widgets.monitor import Monitor
from stn_course.widgets.page import page_photograph
from stn_course.widgets.pilot_lab import PilotLab
from stn_course.widgets.progress_map import ProgressMap
from stn_course.widgets.quiz import Quiz
from stn_course.widgets.replay_lab import ReplayLab
from stn_course.widgets.sampler_lab import SamplerLab
from stn_course.widgets.theta_lab import ThetaLab
from stn_course.widgets.warp_lab import WarpLab

__all__ = [
    "FindLab",
    "Monitor",
    "PilotLab",
    "ProgressMap",
    "Quiz",
    "ReplayLab",
    "SamplerLab",
    "ThetaLab",
    "WarpLab",
    "certificate",
    "page_photograph",
]
