"""The paper's experiments: what is described is what is run and kept."""

import json
import re
from dataclasses import replace

import pytest
import torch
from findings import NAMED, R_AFFINE, result
from torch import nn

from stn_course import experiments, grids, transforms
from stn_course.experiments import __main__ as command
from stn_course.experiments import measures, networks, paper, results, running
from stn_course.experiments.whole import __main__ as whole

# paper


def test_the_cells_are_those_of_the_papers_table():
    cells = experiments.printed()
    assert len(cells) == 32 + 4 + 6 + 5 + 4
    assert cells["R", "fcn", "none"] == 2.1 and cells["E", "st-cnn", "tps"] == 1.1
    assert cells["RTS", "st-fcn", "projective"] == 0.9 and cells["TC", "st-cnn", "affine"] == 1.7
    assert cells["addition", "2x-st-fcn", "tps"] == 5.8
    assert cells["canvas", "cnn", "none"] is None and cells["corners", "cnn", "none"] is None
    assert all(c[0] in paper.SETS and c[1] in paper.NETWORKS for c in cells)
    has = {name: network.transformers > 0 for name, network in paper.NETWORKS.items()}
    assert all((c[2] != "none") == has[c[1]] for c in cells)


def test_what_matters_most_comes_first_and_three_times():
    planned = paper.experiments()
    assert len({e.name for e in planned}) == len(planned) == 51 + 2 * 11
    main = [e.cell for e in planned[:10]]
    assert {cell[1:] for cell in main} == {("cnn", "none"), ("st-cnn", "affine")}
    assert [e.seed for e in planned] == 51 * [0] + 11 * [1] + 11 * [2]
    often = {*main, ("addition", "cnn", "none")}
    assert {e.cell for e in planned[51:62]} == {e.cell for e in planned[62:]} == often
    assert {e.set for e in planned[10:20]} == {"addition", "canvas"}
    assert all(e.recipe == paper.recipe_of(e.set, e.network) and not e.held_out for e in planned)


def test_who_is_quick_learns_longer_and_a_transformer_changes_nothing():
    cells = ("R", "cnn"), ("R", "2x-st-fcn"), ("TC", "fcn")
    assert [paper.recipe_of(*cell).epochs for cell in cells] == [20, 100, 100]
    for digits in paper.SETS:
        for reader in ("cnn", "fcn"):
            assert paper.recipe_of(digits, reader) == paper.recipe_of(digits, f"st-{reader}")
    assert paper.recipe_of("RTS", "fcn").learning_rate == 0.004


def test_every_set_makes_pictures_of_the_size_it_says(digits):
    for chosen in paper.SETS.values():
        images, labels = running.paired(chosen, *2 * [(digits[0][:8], digits[1][:8])], seed=0)[0]
        pictures, told = running.distorted(chosen, images)
        assert pictures.shape == (8, chosen.channels, chosen.size, chosen.size)
        assert len(told) == 8 and labels.max() < chosen.classes


def test_each_channel_is_distorted_by_itself(digits):
    """As if it were a picture of its own."""
    pairs = digits[0][:6].view(3, 2, 28, 28)
    distort = paper.random_similarity()
    seen, told = paper.in_each_channel(distort)(pairs, torch.Generator().manual_seed(3))
    alone, poses = distort(digits[0][:6], torch.Generator().manual_seed(3))
    assert torch.equal(seen, alone.view(3, 2, 42, 42)) and torch.equal(told, poses.view(3, 2, 4))


# networks


@pytest.mark.parametrize("cell", sorted(experiments.printed()), ids="-".join)
def test_each_network_reads_its_pictures_and_starts_at_the_identity(cell):
    chosen, net = paper.SETS[cell[0]], networks.build(*cell).eval()
    pictures = torch.rand(2, chosen.channels, chosen.size, chosen.size)
    answers = net(pictures)
    assert answers.shape == (2, chosen.classes)
    assert torch.allclose(answers.exp().sum(dim=1), torch.ones(2))
    seen = pictures
    if net.transformers:
        seen = torch.cat(len(net.transformers) * [pictures], dim=1)
        seen = nn.functional.avg_pool2d(seen, 2) if chosen.pooled else seen
    assert torch.allclose(net.look(pictures), seen, atol=1e-4)
    assert [t.theta.shape[1:] for t in net.transformers] == paper.NETWORKS[cell[1]].transformers * [
        {"affine": (2, 3), "projective": (3, 3), "tps": (16, 2)}.get(cell[2])
    ]


def parameters(*layers: tuple[int, int]) -> int:
    """Of layers with so many inputs a unit, and so many units, each with a bias."""
    return sum((inputs + 1) * units for inputs, units in layers)


def test_the_sizes_are_those_that_are_said():
    """Batch normalisation has two parameters for each map or unit."""
    count = networks.count_parameters
    cnn = parameters((25, 32), (32 * 25, 64), (64 * 16, 10)) + 2 * (32 + 64)
    assert count(networks.build("R", "cnn", "none")) == cnn
    sums = parameters((2 * 25, 32), (32 * 25, 64), (64 * 49, 127), (127, 19)) + 2 * (32 + 64 + 127)
    assert count(networks.build("addition", "cnn", "none")) == sums  # 64 · 49 · 127 < 400,000
    looks = parameters((25, 20), (20 * 25, 20), (20, 20), (20, 6)) + 2 * (20 + 20 + 20)
    assert count(networks.build("R", "st-cnn", "affine")) == cnn + looks
    fcn = parameters((784, 256), (256, 256), (256, 10)) + 2 * (256 + 256)
    assert count(networks.build("R", "fcn", "none")) == fcn
    looks = parameters((784, 32), (32, 32), (32, 32), (32, 8)) + 2 * 3 * 32
    assert count(networks.build("R", "st-fcn", "projective")) == fcn + looks


def test_an_fcn_has_as_many_units_as_are_allowed():
    """Its layers' own weights; 42² · 203 + 203² is the last below 400,000."""
    units = {
        (1, 28, 10**6): 256,  # never more
        (1, 42, 400_000): 203,
        (1, 60, 400_000): 128,  # never fewer
    }
    for (channels, size, allowed), expected in units.items():
        reader = networks.connected_reader(channels, size, 10, allowed)
        assert reader[1].out_features == expected
    two = networks.build("addition", "2x-st-fcn", "affine")
    assert two.reader[1].out_features == 128  # what the two transformers leave


def test_a_localization_cnn_looks_at_half_the_resolution():
    """A chequered picture is grey to it."""
    look = networks.convolved_localization(1, 28, 6).eval()
    chequered = (torch.arange(28)[:, None] + torch.arange(28)).remainder(2.0)[None, None]
    assert torch.allclose(look(chequered), look(torch.full_like(chequered, 0.5)), atol=1e-5)
    assert not torch.allclose(look(chequered), look(torch.ones_like(chequered)), atol=1e-3)


def test_outside_of_the_picture_a_transformer_goes_on_with_its_border():
    net, picture = networks.build("R", "st-fcn", "affine").eval(), torch.zeros(1, 1, 28, 28)
    picture[..., -1] = 1
    (head,) = net.transformers[0].head
    net(picture)  # the identity at first, which the transformer checks
    head.bias.data[2] = 2.0  # a width to the right
    assert torch.allclose(net.look(picture), torch.ones(1, 1, 28, 28))


@pytest.mark.parametrize(("network", "dropouts"), [("fcn", 2), ("cnn", 1), ("st-fcn", 2)])
def test_dropout_is_where_it_is_said(network, dropouts):
    layers = networks.build("R", network, "affine").modules()
    assert sum(isinstance(layer, nn.Dropout) for layer in layers) == dropouts


# measures


def test_a_turn_that_is_undone_is_measured_as_such_by_every_family():
    degrees = torch.linspace(-80, 80, 9)
    theta = transforms.rotation(degrees=-degrees)
    homography = transforms.to_matrix(theta)
    points = (grids.control_lattice(4) @ theta[:, :, :2].transpose(1, 2)) + theta[:, None, :, 2]
    pose = torch.stack([degrees, *3 * [torch.zeros(9)]], dim=1)
    for grid, told in ((theta, degrees), (homography, pose), (points, degrees)):
        found = measures.undone_turn(grid, told, 28)
        assert list(found.values()) == pytest.approx([-1, -1, 0], abs=1e-3)


def test_a_window_is_measured_in_pixels_of_the_picture():
    found = measures.found_window(torch.eye(2, 3)[None], torch.tensor([[33, 34, 0, 0]]), 60)
    assert found["pixels between the centres"] == pytest.approx(5)


# running


def test_a_run_repeats_and_another_seed_does_not():
    first, again = experiments.run(R_AFFINE, "cpu"), experiments.run(R_AFFINE, "cpu")
    assert (first.error, first.alignment) == (again.error, again.alignment)
    other = experiments.run(replace(R_AFFINE, seed=1), "cpu")
    assert first.alignment != other.alignment
    assert list(first.alignment) == ["correlation", "slope", "degrees left over"]
    assert first.parameters == networks.count_parameters(networks.build(*R_AFFINE.cell))
    assert first.seconds > 0 and first.cpu_seconds > 0 and "torch" in first.versions
    assert experiments.run(NAMED["R_cnn_none_seed0"], "cpu").alignment == {}


def test_error_and_alignment_are_those_of_the_trained_network(digits, monkeypatch):
    """Read anew, by hand; it has learned enough that its grids and answers differ."""
    fit, kept = running.fit, []

    def keep(model, *arguments, **options):
        kept.append(model)
        return fit(model, *arguments, **options)

    monkeypatch.setattr(running, "fit", keep)
    longer = replace(R_AFFINE, recipe=replace(R_AFFINE.recipe, epochs=20))
    found = experiments.run(longer, "cpu")
    turned, told = paper.random_rotation(90)(digits[0][:64], torch.Generator().manual_seed(1))
    wrong = kept[0]((turned - 0.1307) / 0.3081).argmax(dim=1) != digits[1][:64]
    assert found.error == pytest.approx(100 * wrong.float().mean().item()) and found.error != 50
    turn = transforms.to_pose(kept[0].transformers[0].theta).rotation
    expected = torch.corrcoef(torch.stack([told, turn]))[0, 1].item()
    assert found.alignment["correlation"] == pytest.approx(expected, abs=1e-4)


def test_weights_and_batches_follow_the_seed(monkeypatch):
    begun = []

    def fit(model, recipe, seed, **options):
        begun.append((model.reader[-1].weight.detach().clone(), seed))
        raise InterruptedError

    monkeypatch.setattr(running, "fit", fit)
    for seed in (0, 5):
        with pytest.raises(InterruptedError):
            experiments.run(replace(R_AFFINE, seed=seed), "cpu")
    (first, zero), (second, five) = begun
    assert (zero, five) == (0, 5) and not torch.equal(first, second)


def test_a_held_out_run_looks_at_no_test_digit(monkeypatch):
    asked = []
    labels = torch.arange(60_000) % 10
    images = torch.arange(60_000.0).view(-1, 1, 1, 1)

    def load(name, device):
        asked.append(name)
        return images, labels

    monkeypatch.setattr(running, "load_once", load)
    held_out = replace(R_AFFINE, held_out=True, few=None)
    train, test = running.split(held_out, torch.device("cpu"))
    assert asked == ["train"]
    assert (train[0].max(), len(train[1])) == (49_999, 50_000)
    assert (test[0].min(), test[0].max(), len(test[1])) == (50_000, 59_999, 10_000)
    train, _ = running.split(replace(held_out, held_out=False), torch.device("cpu"))
    assert asked == ["train", "train", "test"] and len(train[1]) == 60_000


def test_test_digits_are_paired_alike_for_every_seed(digits):
    some = digits[0][:50], digits[1][:50]
    runs = [running.paired(paper.SETS["canvas"], some, some, seed) for seed in (0, 5)]
    (learned, tested), (others, same) = runs
    assert torch.equal(tested[1], same[1]) and torch.equal(tested[0], same[0])
    assert not torch.equal(learned[1], others[1])


def test_an_interrupted_run_goes_on_to_the_same_result(tmp_path):
    def interrupt(share, seconds_left):
        if share > 0.5:
            raise MemoryError  # as good as a kill: nothing is tidied up

    checkpoint = tmp_path / "run"
    with pytest.raises(MemoryError):
        experiments.run(R_AFFINE, "cpu", checkpoint, interrupt)
    shares = []
    found = experiments.run(R_AFFINE, "cpu", checkpoint, lambda share, _: shares.append(share))
    assert min(shares) == 1  # the first epoch was not run again
    whole_run = experiments.run(R_AFFINE, "cpu")
    assert (found.error, found.alignment) == (whole_run.error, whole_run.alignment)
    assert found.cpu_seconds is None


def test_a_run_that_was_stopped_is_no_result(tmp_path):
    """Ctrl-C: `fit` ends with what was learned so far."""

    def stop(share, seconds_left):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        experiments.run(R_AFFINE, "cpu", tmp_path / "run", stop)


# results


def test_a_result_is_kept_and_found_by_what_it_is_of(tmp_path):
    kept = result()
    results.checkpoint_path(tmp_path, R_AFFINE).write_bytes(b"")
    results.save_result(tmp_path, kept)
    assert [p.name for p in tmp_path.iterdir()] == ["R_st-fcn_affine_seed0.json"]
    assert results.load_result(tmp_path, R_AFFINE) == kept
    others = [
        replace(R_AFFINE, seed=1),
        replace(R_AFFINE, few=None),
        replace(R_AFFINE, recipe=replace(R_AFFINE.recipe, dropout=0.1)),
    ]
    assert results.load_results(tmp_path, [*others, R_AFFINE]) == [kept]
    assert len({results.full_name(e) for e in [*others, R_AFFINE]}) == 4
    assert results.full_name(R_AFFINE) == results.full_name(replace(R_AFFINE))


@pytest.mark.parametrize("text", ["", "{}", '{"error": 1}', "[]"])
def test_a_file_that_is_no_result_is_named(tmp_path, text):
    path = results.result_path(tmp_path, R_AFFINE)
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"{path.name} holds no result; move it away"):
        results.load_result(tmp_path, R_AFFINE)
    assert path.read_text() == text


def test_what_comes_with_the_package_can_be_read():
    for path in results.STORED.glob("*.json"):
        found = experiments.Finding.from_content(json.loads(path.read_text(encoding="utf-8")))
        assert path.name == f"{found.experiment.name}.json"
        assert found.experiment.cell in experiments.printed() and found.experiment.few is None
        assert not found.experiment.held_out


# command

LINE = (
    r"R st-cnn affine, seed 11: (\d+\.\d\d) % of test digits \(paper 0\.7 %\), 2 epochs in \d+ s, "
    r"\d+ s of CPU time, 73,744 parameters, correlation \S+, slope \S+, degrees left over \S+, "
    r"torch .*\n"
)
ASKED = ["--set", "R", "--network", "st-cnn", "--transformation", "affine", "--seed", "11"]


@pytest.fixture
def few(monkeypatch):
    """Each run on few digits, also where a command asks for all."""
    real = command.described
    monkeypatch.setattr(command, "described", lambda asked: whole.quick(real(asked)))


def test_the_command_prints_one_line_and_keeps_the_result(few, capsys, tmp_path):
    command.main(ASKED)
    (error,) = re.fullmatch(LINE, capsys.readouterr().out).groups()
    command.main([*ASKED, "--results", str(tmp_path / "kept")])
    kept = capsys.readouterr().out
    assert re.fullmatch(LINE, kept)[1] == error
    command.main([*ASKED, "--results", str(tmp_path / "kept")])
    assert capsys.readouterr().out == kept  # to the second: it was not run again


def test_a_recipe_can_be_tried_on_held_out_digits():
    options = ["--epochs", "3", "--learning-rate", "0.1", "--dropout", "0", "--held-out"]
    options += ["--localization-factor", "0.2", "--precision", "float32"]
    found = command.described(command.parse([*ASKED, *options]))
    changed = {"epochs": 3, "learning_rate": 0.1, "dropout": 0, "localization_factor": 0.2}
    changed["precision"] = "float32"
    assert found.held_out and found.recipe == replace(paper.BASE, **changed)
    assert found.name == "R_st-cnn_affine_seed11_held-out"
    plain = command.described(command.parse(["--network", "cnn", "--set", "TC"]))
    assert plain == paper.Experiment(
        "TC", "cnn", "none", 0, replace(paper.RECIPES["TC"], epochs=20)
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "X"], "--set: invalid choice: 'X'"),
        (["--network", "vit"], "--network: invalid choice: 'vit'"),
        (["--network", "cnn", "--transformation", "tps"], "cnn has no transformer"),
        (["--transformation", "none"], "invalid choice: 'none'"),
    ],
)
def test_the_command_names_what_is_wrong(words, said, capsys):
    with pytest.raises(SystemExit):
        command.main(words)
    assert said in capsys.readouterr().err
