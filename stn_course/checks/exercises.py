"""Every exercise of the course by name, in the notebooks' order."""

from stn_course.checks.base_grid_checks import BASE_GRID_EXERCISES
from stn_course.checks.crop_checks import CROP_EXERCISES
from stn_course.checks.data_checks import DATA_EXERCISES
from stn_course.checks.evidence_checks import EVIDENCE_EXERCISES
from stn_course.checks.grid_checks import GRID_EXERCISES
from stn_course.checks.grid_predictions import GRID_PREDICTIONS
from stn_course.checks.kinds import Exercise
from stn_course.checks.model_checks import MODEL_EXERCISES
from stn_course.checks.model_repairs import MODEL_REPAIRS
from stn_course.checks.outside_checks import OUTSIDE_EXERCISES
from stn_course.checks.padding_checks import PADDING_EXERCISES
from stn_course.checks.sampler_checks import SAMPLER_EXERCISES
from stn_course.checks.sampling_predictions import SAMPLING_PREDICTIONS
from stn_course.checks.slope_checks import SLOPE_EXERCISES
from stn_course.checks.start_checks import START_EXERCISES
from stn_course.checks.theta_checks import THETA_EXERCISES
from stn_course.checks.training_checks import TRAINING_EXERCISES

GROUPS = (
    DATA_EXERCISES,
    *(GRID_PREDICTIONS, BASE_GRID_EXERCISES, GRID_EXERCISES, THETA_EXERCISES, CROP_EXERCISES),
    *(SAMPLING_PREDICTIONS, SAMPLER_EXERCISES, SLOPE_EXERCISES, OUTSIDE_EXERCISES),
    *(MODEL_EXERCISES, MODEL_REPAIRS, START_EXERCISES),
    *(TRAINING_EXERCISES, PADDING_EXERCISES, EVIDENCE_EXERCISES),
)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for group in GROUPS for exercise in group}
