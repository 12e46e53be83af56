"""The comparisons: a table is what was measured, and what is stored is what the code makes."""

import re
import statistics
import time
from dataclasses import asdict

import pytest
import torch

from stn_course import comparison, models, transforms
from stn_course.comparison import __main__ as command
from stn_course.comparison import conditions, runs, table
from stn_course.models import count_parameters

CPU = torch.device("cpu")


@pytest.fixture
def few(digits, monkeypatch):
    """So few digits that a run takes a second, also where a command asks for all."""
    images, labels = digits
    split = {
        "train": (images[:128], labels[:128]),
        "test": (images[5000:5200], labels[5000:5200]),
    }
    monkeypatch.setattr(runs, "load_digits", lambda name, device=None: split[name])
    return split


@pytest.fixture
def small(monkeypatch):
    """A table of two seeds and one epoch."""
    plan = table.Plan(("turned90", "clutter"), 1, ("plain",), ("plain",), (0, 1))
    monkeypatch.setitem(table.TABLES, "small", plan)
    monkeypatch.setattr(runs, "WARM", 1)
    monkeypatch.setattr(runs, "TIMED", 3)


def compare(path, few, **options):
    return comparison.compare("small", path, "cpu", few["train"], few["test"], **options)


def test_every_network_gets_equal_epochs_and_the_others_equal_time_too(few, small, tmp_path):
    path, made = tmp_path / "small.json", []
    found = compare(path, few, done=lambda so_far: made.append(so_far.runs))
    rows = [(row.digits, row.network, row.epochs) for row in found.rows]
    turned = [("turned90", name) for name in ("plain", "transformer", "plain")]
    clutter = [("clutter", name) for name in ("plain", "transformer", "plain")]
    assert [row[:2] for row in rows] == turned + clutter
    equal = {epochs for _, network, epochs in rows if network == "transformer"}
    assert equal == {1} and [row[2] for row in rows[:2]] == [1, 1]
    assert rows[2][2] > 1 > rows[5][2]  # a step with a transformer takes longer; in clutter less
    assert made == list(range(1, 13))
    for row in found.rows:
        assert row.seeds == [0, 1]
        assert len(row.errors) == len(row.seconds) == len(row.cpu_seconds) == 2
        assert all(0 < error < 100 for error in row.errors)
        assert all(len(values) == 2 for values in row.measured.values())
        if row.network == "transformer":
            assert len(row.measured) == 2
    assert asdict(comparison.load_comparison(path)) == asdict(found)
    text = comparison.to_markdown(found)
    assert text.count("\n| ") == len(rows) + 1
    for row in found.rows:
        assert f"| {statistics.mean(row.errors):.2f} ± " in text


def test_a_table_that_was_interrupted_goes_on(few, small, tmp_path, monkeypatch):
    """After three runs of the first seed: what is done is kept, and the paces too."""
    path = tmp_path / "small.json"

    def interrupt(so_far):
        if so_far.runs == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(path, few, done=interrupt)
    before = comparison.load_comparison(path)
    assert before.runs == 3
    trained = []

    def pretend(row, seed, device, train, test):
        trained.append((row.digits, row.network, seed))
        row.seeds.append(seed)

    monkeypatch.setattr(table, "add_run", pretend)
    after = compare(path, few)
    assert len(trained) == 9 and ("turned90", "plain", 1) in trained
    assert [row.epochs for row in after.rows] == [row.epochs for row in before.rows]
    assert [row.errors for row in after.rows[:3]] == [row.errors for row in before.rows[:3]]


def test_without_a_file_nothing_is_written(few, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(table, "add_run", lambda row, seed, *_: row.seeds.append(seed))
    assert compare(None, few).runs == 12
    assert list(tmp_path.iterdir()) == []


def test_the_seeds_differ_and_repeat(few):
    found = []
    for seed in (0, 0, 1):
        row = runs.new_row("turned30", "plain", 1)
        runs.add_run(row, seed, CPU, few["train"], few["test"])
        found.append((row.errors, row.measured))
    assert found[0] == found[1] != found[2]


def test_few_labelled_digits_are_repeated_until_an_epoch_is_as_long(few, monkeypatch):
    condition = conditions.CONDITIONS["turned90-few"]
    images, labels = condition.learned_from((torch.arange(1000.0), torch.arange(1000)))
    assert len(images) == len(labels) == 1000
    assert labels.unique().tolist() == list(range(300))
    assert labels.bincount().tolist() == 100 * [4] + 200 * [3]
    assert conditions.CONDITIONS["turned90"].learned_from(few["train"]) is few["train"]
    seen = []
    monkeypatch.setattr(runs.training, "fit", lambda *_, train, **__: seen.append(train) or 1 / 0)
    with pytest.raises(ZeroDivisionError):  # nothing is trained
        many = few["train"][0].repeat(3, 1, 1, 1), torch.arange(384)
        runs.add_run(runs.new_row("turned90-few", "plain", 1), 0, CPU, many, few["test"])
    assert seen[0][1].max() == 299 and len(seen[0][1]) == 384


def test_turned_digits_lie_further_apart(few):
    spreads = []
    for digits in ("upright", "turned30", "turned90"):
        row = runs.new_row(digits, "plain", 0.5)
        runs.add_run(row, 0, CPU, few["train"], few["test"])
        spreads += row.measured["spread of the axes"]
    assert spreads[0] < spreads[1] < spreads[2]


def test_the_larger_network_has_as_many_parameters():
    upright = conditions.UPRIGHT_NETWORKS
    counts = [count_parameters(make()) for make in upright.values()]
    assert counts == [21_840, 27_467, 27_360]
    assert count_parameters(models.PlainNet(hidden=66)) < 27_360  # the next below


def test_each_family_stands_before_the_same_classifier():
    """It differs in the numbers that its head answers: 33 parameters for each."""
    counts = {name: count_parameters(make()) for name, make in conditions.FAMILIES.items()}
    assert counts["plain"] == 21_840
    assert counts["projective"] - counts["affine"] == 2 * 33
    assert counts["tps"] - counts["affine"] == 26 * 33


def test_a_plan_names_who_sets_the_time(few, monkeypatch):
    """With seconds an epoch of 6 for the reference, 3 and 2 for the others."""
    monkeypatch.setattr(table, "seconds_an_epoch", lambda *_: [6.0, 3.0, 2.0])
    plan = table.Plan(("elastic",), 5, (), ("plain", "tps"), (0,), "affine")
    rows = table.plan_rows(plan, CPU, few["train"])
    assert [(row.network, row.epochs) for row in rows] == [
        ("affine", 5),
        ("plain", 10),
        ("tps", 15),
    ]


def test_on_a_cpu_a_step_takes_its_own_time_alone():
    """Whatever else the machine does: here it sleeps."""
    assert runs._timed(lambda: time.sleep(0.2), CPU) < 0.1


def test_multiply_adds_are_those_of_the_layers():
    """PlainNet: 24² places of 10 filters of 25, 8² of 20 of 250, and two layers."""
    expected = 24 * 24 * 10 * 25 + 8 * 8 * 20 * 250 + 320 * 50 + 50 * 10
    assert comparison.multiply_adds(models.PlainNet(), torch.rand(1, 1, 28, 28)) == expected


def test_a_window_that_finds_the_digits_is_measured_as_such(few):
    """A network that is told the boxes, and one that looks at the middle."""
    pictures, boxes = runs.pictures(conditions.CONDITIONS["clutter"], few["test"][0])
    net = models.AttentionNet().eval()
    middle = conditions.measure_attention(net, pictures, boxes)
    centres = (boxes[:, :2] + boxes[:, 2:] / 2) / 30 - 1
    told = transforms.attention(torch.tensor(0.5), centres[:, 0], centres[:, 1])

    def look(_, inputs, answer):
        net.transformer.theta = told
        return answer

    net.transformer.register_forward_hook(look)
    found = conditions.measure_attention(net, pictures, boxes)
    distance, share = "pixels between the centres", "share of the digit inside"
    assert found[distance] < 1e-4 < 5 < middle[distance] < 16
    assert 0.2 < middle[share] < 0.9 < found[share] <= 1
    plain = models.CLUTTER_NETWORKS["plain"]()
    assert conditions.measure_attention(plain, pictures, boxes) == {}


LINE = (
    r"clutter, pooled, seed 11: error (\d+\.\d\d) %, \d+ s \(\d+ s of CPU time\), "
    r"(\d\.\d\d) epochs, (\d+) parameters, (\d+) multiply-adds a picture\n"
)


def test_the_command_prints_one_line(few, capsys):
    command.main(["--digits", "clutter", "--network", "pooled", "--seed", "11", "--epochs", "1.5"])
    error, epochs, parameters, multiply_adds = re.fullmatch(LINE, capsys.readouterr().out).groups()
    row = runs.new_row("clutter", "pooled", 1.5)
    runs.add_run(row, 11, CPU, few["train"], few["test"])
    assert (float(error), float(epochs)) == (pytest.approx(row.errors[0], abs=0.005), 1.5)
    assert (int(parameters), int(multiply_adds)) == (row.parameters, row.multiply_adds)


def test_a_number_of_seconds_buys_epochs_at_the_pace_measured(few, capsys, monkeypatch):
    monkeypatch.setattr(command, "seconds_an_epoch", lambda *_: [40.0])
    command.main(["--network", "pooled", "--seed", "11", "--seconds", "30"])
    assert re.fullmatch(LINE, capsys.readouterr().out)[2] == "0.75"


def test_the_command_has_the_recipes_length(few, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "add_run", lambda row, seed, device: asked.append(row.epochs))
    with pytest.raises(IndexError):  # no run was made, so there is no error to print
        command.main(["--network", "transformer"])
    assert asked == [10]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--digits", "clutter", "--network", "larger"],
            "are read by plain, pooled, transformer; got",
        ),
        (
            ["--digits", "turned90", "--network", "pooled"],
            "are read by plain, larger, transformer",
        ),
        (["--seconds", "3", "--epochs", "1"], "not allowed with argument"),
    ],
)
def test_the_command_names_what_does_not_go_together(words, said, capsys):
    with pytest.raises(SystemExit):
        command.main(words)
    assert said in capsys.readouterr().err


def test_the_pace_of_an_epoch_is_that_of_its_steps(few, monkeypatch):
    """With a clock that ticks as many seconds as a network has thousands of parameters."""
    monkeypatch.setattr(runs, "_timed", lambda step, device: step.parameters / 1000)
    monkeypatch.setattr(runs, "_stepper", lambda condition, name, *_: Stepper(condition, name))
    found = runs.seconds_an_epoch("upright", ["plain", "larger"], CPU, few["train"])
    assert found == pytest.approx([21.84 / 2, 27.467 / 2])  # 128 images of 256


class Stepper:
    """What stands for a function that takes a step."""

    def __init__(self, condition, name):
        self.parameters = count_parameters(condition.networks[name]())


@pytest.mark.parametrize("name", comparison.TABLES)
def test_the_stored_tables_are_of_todays_plans_and_networks(name):
    stored, plan = comparison.load_comparison(name), comparison.TABLES[name]
    assert {row.digits for row in stored.rows} == set(plan.digits)
    for row in stored.rows:
        condition = conditions.CONDITIONS[row.digits]
        assert row.recipe == condition.recipe
        assert row.parameters == count_parameters(condition.networks[row.network]())
        assert row.seeds == list(plan.seeds)
        assert len(row.errors) == len(row.seconds) == len(row.seeds)
    for digits in plan.digits:
        rows = [row for row in stored.rows if row.digits == digits]
        first = [*plan.as_often, plan.reference]
        assert [row.network for row in rows] == [*first, *plan.as_long]
        assert all(row.epochs == plan.epochs for row in rows[: len(first)])


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_intervals_hold_the_mean_in_95_of_100_cases(count):
    """By trial: normal values around 0."""
    generator = torch.Generator().manual_seed(0)
    trials = torch.randn(4000, count, generator=generator, dtype=torch.float64).tolist()
    inside = [abs(mean) <= half for mean, half in map(comparison.interval, trials)]
    assert statistics.mean(inside) == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize("count", [3, 5])
def test_differences_hold_nothing_in_95_of_100_cases_where_there_is_none(count):
    """On the safe side: in at least so many, also where one spreads three times as much."""
    generator = torch.Generator().manual_seed(0)
    for spread in (1, 3):
        first = torch.randn(2000, count, generator=generator).tolist()
        second = (spread * torch.randn(2000, count, generator=generator)).tolist()
        found = map(comparison.difference_of_means, first, second)
        share = sum(abs(more) <= half for more, half in found) / 2000
        assert 0.945 < share < 0.995


def test_a_difference_may_be_clear_though_the_intervals_overlap():
    high, low = [1.0, 1.1, 1.2, 1.3, 1.4], [0.75, 0.85, 0.95, 1.05, 1.15]
    (mean, half), (other, width) = map(comparison.interval, (high, low))
    more, uncertain = comparison.difference_of_means(high, low)
    assert other + width > mean - half
    assert more == pytest.approx(0.25) and uncertain < half + width and more < uncertain
    more, uncertain = comparison.difference_of_means(high, [value - 0.1 for value in low])
    assert other - 0.1 + width > mean - half and more > uncertain


def test_an_interval_needs_more_than_one_value():
    with pytest.raises(ValueError, match="got 1"):
        comparison.interval([1.0])


@pytest.mark.parametrize("length", ["--epochs", "--seconds"])
def test_no_length_at_all_is_refused(few, length, monkeypatch):
    monkeypatch.setattr(command, "seconds_an_epoch", lambda *_: [40.0])
    with pytest.raises(ValueError, match="epochs must be a positive number; got 0"):
        command.main(["--network", "pooled", length, "0"])
