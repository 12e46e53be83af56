"""Experiments of the paper that take seconds, and what would come of one."""

from dataclasses import replace

from stn_course import experiments
from stn_course.experiments import paper
from stn_course.experiments.whole import __main__ as whole

QUICK = [whole.quick(e) for e in paper.experiments(seeds=(0,))]
NAMED = {e.name: e for e in QUICK}
R_AFFINE = NAMED["R_st-fcn_affine_seed0"]


def result(experiment=R_AFFINE, error=1.25, **changed) -> experiments.Finding:
    """As a run would give it."""
    values = (error, 90.0, 80.0, 1234, 5678, {"correlation": -0.9}, {})
    made = experiments.Finding(experiment, *values, {"python": "3.11", "torch": "2.13"}, "a CPU")
    return replace(made, **changed)
