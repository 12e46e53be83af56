"""The exercises of the course: which there are, and the notebook that each belongs to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """One exercise; notebook: such as "02_grid_generation"; hints: at least three."""

    name: str
    notebook: str
    title: str
    hints: tuple[str, ...]


# A placeholder with three entries, until the checks are merged.
EXERCISES = {
    exercise.name: exercise
    for exercise in (
        Exercise("base_grid", "02_grid_generation", "The base grid", ("one", "two", "three")),
        Exercise("affine_grid", "02_grid_generation", "The affine grid", ("one", "two", "three")),
        Exercise("bilinear", "03_sampling", "The bilinear sampler", ("one", "two", "three")),
    )
}
