"""The exercises of the course: which there are, and the notebook that each belongs to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """One exercise; notebook: such as "02_grid_generation"; hints: at least three."""

    name: str
    notebook: str
    title: str
    hints: tuple[str, ...]


# A placeholder with the names alone, until the checks are merged.
NAMES = {
    "01_data": """
        accuracy_over_angle turn_then_normalise grey_of_zero
    """,
    "02_grid_generation": """
        base_grid affine_grid swapped rotation_about inverse crop_theta which_way
        left_half mirror compose_order
    """,
    "03_sampling": """
        nearest bilinear_weights bilinear gradient_x pad disagreeing frame gradient_here
        dead_zone
    """,
    "04_stn_model": """
        start_at_identity plug_in bounded_theta bypassed head_parameters
    """,
    "05_training": """
        training_step evaluation page_padding collapse_share
    """,
}
EXERCISES = {
    name: Exercise(name, notebook, name, ("one", "two", "three"))
    for notebook, names in NAMES.items()
    for name in names.split()
}
