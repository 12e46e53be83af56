"""A museum of failures: how a spatial transformer fails, each with its mended twin."""

from stn_course.museum.collection import EXHIBITS, doctors_table
from stn_course.museum.computed import IN_A_ROW, seen_on_wide, striped, turned_back
from stn_course.museum.detector import HEALTHY_RUNS, load_confusion
from stn_course.museum.exhibit import Exhibit, Seen, Visit, visit
from stn_course.museum.runs import Trial, moments
from stn_course.museum.trained import Snapshot, far_outside

__all__ = [
    "EXHIBITS",
    "HEALTHY_RUNS",
    "IN_A_ROW",
    "Exhibit",
    "Seen",
    "Snapshot",
    "Trial",
    "Visit",
    "doctors_table",
    "far_outside",
    "load_confusion",
    "moments",
    "seen_on_wide",
    "striped",
    "turned_back",
    "visit",
]
