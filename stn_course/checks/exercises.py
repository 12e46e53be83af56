"""Every exercise of the course by name, in the notebooks' order."""

from stn_course.checks.data_checks import DATA_EXERCISES
from stn_course.checks.grid_checks import GRID_EXERCISES
from stn_course.checks.kinds import Exercise
from stn_course.checks.model_checks import MODEL_EXERCISES
from stn_course.checks.outside_checks import OUTSIDE_EXERCISES
from stn_course.checks.sampler_checks import SAMPLER_EXERCISES
from stn_course.checks.theta_checks import THETA_EXERCISES
from stn_course.checks.training_checks import TRAINING_EXERCISES

GROUPS = (
    *(DATA_EXERCISES, GRID_EXERCISES, THETA_EXERCISES, SAMPLER_EXERCISES),
    *(OUTSIDE_EXERCISES, MODEL_EXERCISES, TRAINING_EXERCISES),
)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for group in GROUPS for exercise in group}
