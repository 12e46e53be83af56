"""The paper's experiments: `paper` says which, `running` runs one."""

from stn_course.experiments.paper import NETWORKS, RECIPES, SETS, Experiment, experiments, printed
from stn_course.experiments.running import Finding, run

__all__ = [
    "NETWORKS",
    "RECIPES",
    "SETS",
    "Experiment",
    "Finding",
    "experiments",
    "printed",
    "run",
]
