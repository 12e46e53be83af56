"""The comparison: its table is what was measured, and what is stored is what the code makes."""

import statistics
from dataclasses import asdict

import pytest
import torch

from stn_course import comparison, models
from stn_course.models import count_parameters


@pytest.fixture(scope="module")
def made(digits):
    """A comparison on few digits, with two seeds."""
    images, labels = digits
    few = (images[:512], labels[:512]), (images[5000:5200], labels[5000:5200])
    runs = []
    budgets = [("upright", "course", 1), ("turned", "rotated", 1)]
    found = comparison.compare(budgets, (0, 1), *few, "cpu", lambda: runs.append(1))
    return found, len(runs)


def test_every_network_meets_every_budget(made):
    found, runs = made
    assert runs == 2 * 3 * 2
    assert [(row.digits, row.network) for row in found.rows] == [
        (digits, network) for digits in ("upright", "turned") for network in comparison.NETWORKS
    ]
    for row in found.rows:
        assert len(row.errors) == len(row.seconds) == len(row.angle_spreads) == 2
        assert all(0 < error < 100 for error in row.errors)
        turned_back = (row.digits, row.network) == ("turned", "with transformer")
        assert len(row.correlations) == (2 if turned_back else 0)


def test_turned_digits_lie_further_apart(made):
    plain = [row for row in made[0].rows if row.network == "plain"]
    assert plain[1].angle_spreads[0] > 1.5 * plain[0].angle_spreads[0]


def test_the_seeds_differ_and_repeat(made, digits):
    images, labels = digits
    few = (images[:512], labels[:512]), (images[5000:5200], labels[5000:5200])
    again = comparison.compare([("upright", "course", 1)], (1,), *few, "cpu")
    assert [row.errors[0] for row in again.rows] == [row.errors[1] for row in made[0].rows[:3]]
    assert any(row.errors[0] != row.errors[1] for row in made[0].rows)


def test_the_plain_network_is_given_as_many_parameters():
    counts = [count_parameters(make()) for make in comparison.NETWORKS.values()]
    assert counts == [21_840, 27_467, 27_360]
    assert count_parameters(models.PlainNet(hidden=66)) < 27_360  # the next below


def test_the_file_gives_back_what_was_written(made, tmp_path):
    path = tmp_path / "results" / "comparison.json"
    comparison.save_comparison(made[0], path)
    assert asdict(comparison.load_comparison(path)) == asdict(made[0])


def test_the_stored_table_is_of_todays_budgets_and_networks():
    stored = comparison.load_comparison()
    assert stored.seeds == list(comparison.SEEDS)
    expected = [(*budget, name) for budget in comparison.BUDGETS for name in comparison.NETWORKS]
    found = [(row.digits, row.recipe, row.epochs, row.network) for row in stored.rows]
    assert found == expected
    for row in stored.rows:
        assert row.parameters == count_parameters(comparison.NETWORKS[row.network]())
        assert len(row.errors) == len(stored.seeds)
    text = comparison.to_markdown(stored)
    assert text.count("\n| ") == len(stored.rows) + 1
    for row in stored.rows:
        assert f"{statistics.mean(row.errors):.2f} ±" in text


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_intervals_hold_the_mean_in_95_of_100_cases(count):
    """By trial: normal values around 0."""
    generator = torch.Generator().manual_seed(0)
    trials = torch.randn(4000, count, generator=generator, dtype=torch.float64).tolist()
    inside = [abs(mean) <= half for mean, half in map(comparison.interval, trials)]
    assert statistics.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_an_interval_needs_more_than_one_value():
    with pytest.raises(ValueError, match="got 1"):
        comparison.interval([1.0])
