"""A museum of failures: how a spatial transformer fails, each with its mended twin."""

from stn_course.museum.collection import EXHIBITS, doctors_table
from stn_course.museum.exhibit import Exhibit, Seen, Visit, visit
from stn_course.museum.runs import Trial

__all__ = ["EXHIBITS", "Exhibit", "Seen", "Trial", "Visit", "doctors_table", "visit"]
