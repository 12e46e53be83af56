"""Five runs without a label, for the exercises `patient_1` to `patient_5`."""

from dataclasses import replace

from stn_course.models import TutorialNet
from stn_course.museum.runs import Trial, in_border, train
from stn_course.museum.trained import FULL_RATE, LONG, Unread
from stn_course.training import History


def of_small_numbers() -> TutorialNet:
    """Its head begins as PyTorch makes a Linear layer, without the identity."""
    model = in_border()
    model.fc_loc[-1].reset_parameters()
    return model


FAST = replace(LONG, localization_factor=FULL_RATE.localization_factor)
PATIENTS = {
    "patient_1": Trial(Unread, LONG, seed=11),
    "patient_2": Trial(recipe=FAST, seed=12),
    "patient_3": Trial(recipe=LONG, seed=13),  # healthy
    "patient_4": Trial(recipe=LONG, digits=100, once=True, seed=14),
    "patient_5": Trial(of_small_numbers, LONG, seed=15),
}


def unlabelled(name: str) -> History:
    """The history of a patient, without what would tell: findings, recipe and seed.

    Args:
        name: in PATIENTS.

    Returns:
        What happened, as all of them were trained by the same recipe.
    """
    _, history = train(PATIENTS[name])
    return replace(history, recipe=LONG, seed=0, findings={})
