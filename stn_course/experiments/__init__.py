"""The paper's experiments: `paper` says which, `running` runs one."""

from stn_course.experiments.paper import NETWORKS, RECIPES, SETS, Experiment, experiments, printed
from stn_course.experiments.running import Result, run

__all__ = [
    "NETWORKS",
    "RECIPES",
    "SETS",
    "Experiment",
    "Result",
    "experiments",
    "printed",
    "run",
]
