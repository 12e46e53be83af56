"""The paper's experiments: `paper` says which, `running` runs one."""

from stn_course.experiments.paper import NETWORKS, RECIPES, SETS, Experiment, experiments, printed
from stn_course.experiments.results import STORED, by_cell, load_results
from stn_course.experiments.running import Finding, run

__all__ = [
    "NETWORKS",
    "RECIPES",
    "SETS",
    "STORED",
    "Experiment",
    "Finding",
    "by_cell",
    "experiments",
    "load_results",
    "printed",
    "run",
]
