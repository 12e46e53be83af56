"""Notebooks of earlier releases, in learners' copies, find what they import and call."""

import pkgutil

import released_names


def found(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_every_name_that_a_released_notebook_uses_is_there():
    names = released_names.released()
    assert {"stn_course.checks.nearest", "stn_course.widgets.ThetaLab"} <= names
    assert [name for name in sorted(names) if not found(name)] == []


def test_a_name_that_is_gone_is_noticed():
    assert not found("stn_course.checks.nearst")
    assert not found("stn_course.sampler.nearest")


def test_names_are_found_where_a_notebook_uses_them():
    source = """
import torch
from stn_course import data as d, grids
from stn_course.plotting import show
def build(theta):
    return torch.cat([grids.affine_grid(theta), d.load_digits("test")[0]])
other.attribute
"""
    assert released_names.names_used(source) == {
        *("stn_course.data", "stn_course.data.load_digits", "stn_course.plotting.show"),
        *("stn_course.grids", "stn_course.grids.affine_grid"),
    }


def test_a_release_adds_the_names_of_its_notebooks(tmp_path, monkeypatch):
    (tmp_path / "names.txt").write_text("stn_course.old\n", encoding="utf-8")
    (tmp_path / "02.py").write_text("from stn_course import new", encoding="utf-8")
    monkeypatch.setattr(released_names, "STORED", tmp_path / "names.txt")
    monkeypatch.setattr(released_names, "SOURCES", tmp_path)
    released_names.main()
    assert released_names.released() == {"stn_course.old", "stn_course.new"}
