"""Every exercise of the course by name."""

from stn_course.checks.grid_checks import GRID_EXERCISES
from stn_course.checks.kinds import Exercise
from stn_course.checks.theta_checks import THETA_EXERCISES

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for exercise in (*GRID_EXERCISES, *THETA_EXERCISES)
}
