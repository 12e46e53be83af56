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

# What would be seen if it were so: of each diagnosis, the words that speak against a wrong one.
AGAINST = {
    "healthy": "then theta would begin at the identity, move, differ from digit to digit, and "
    "stay in the picture; and the test error would go with the training loss. Which of these "
    "fails?",
    "rate": "then theta would end the same for every digit, or far outside, after it had moved. "
    "Look at its move and its spread.",
    "start": "then theta would not be the identity before the first step: look at the area and the "
    "share outside at the start.",
    "bypass": 'then theta would not have moved by one bit. Look at "moved by".',
    "padding": "then most of the grid would lie outside at the end. Look at the share.",
    "few": "then the training loss would be near 0 beside a large test error. Compare the two.",
}

# Other names for the same, from the exhibits and from what `fit` finds.
SPELLINGS = {
    "bypassed": "bypass",
    "full rate": "rate",
    "learning rate": "rate",
    "random start": "start",
    "initialisation": "start",
    "grey frame": "padding",
    "learned by heart": "few",
    "memorised": "few",
}


def other_diagnoses(answer: str) -> tuple[tuple[str, str], ...]:
    """Each diagnosis but the right one, with what speaks against it."""
    return tuple((name, words) for name, words in AGAINST.items() if name != answer)


def unlabelled(name: str) -> History:
    """The history of a patient, without what would tell: findings, recipe and seed.

    Args:
        name: in PATIENTS.

    Returns:
        What happened, as all of them were trained by the same recipe.
    """
    _, history = train(PATIENTS[name])
    return replace(history, recipe=LONG, seed=0, findings={})
