"""Training: the loop, the recipes, the record; behaviour, never seconds."""

import pickle
from dataclasses import fields, replace

import pretrain
import pytest
import torch
import torch.nn.functional as F
from small_run import fitted
from torch import nn

from stn_course import alignment, data, models, training, transforms
from stn_course.samplers import warp
from stn_course.training import fitting, recording
from stn_course.training.recipes import steps_by_epoch

ROTATED = training.RECIPES["rotated"]


@pytest.fixture(scope="module")
def small(digits):
    """A small problem: 1280 digits to learn, 500 others to be tested on."""
    images, labels = digits
    return {"train": (images[:1280], labels[:1280]), "test": (images[5000:5500], labels[5000:5500])}


@pytest.fixture(scope="module")
def usual(small) -> tuple[models.TutorialNet, training.History]:
    """A model and what happened to it, for tests that only look at them."""
    return fitted(small)


def test_the_tutorials_recipe_is_the_pages():
    recipe = training.RECIPES["tutorial"]
    assert (recipe.batch_size, recipe.optimizer, recipe.learning_rate) == (64, "sgd", 0.01)
    assert (recipe.epochs, recipe.localization_factor, recipe.one_cycle) == (20, 1.0, False)
    optimizer, scheduler = training.make_optimizer(models.TutorialNet(), recipe, 10)
    assert isinstance(optimizer, torch.optim.SGD)
    assert scheduler is None
    assert {group["lr"] for group in optimizer.param_groups} == {0.01}
    assert optimizer.defaults["momentum"] == 0


def test_the_courses_recipe_slows_the_localization_network_down():
    net, recipe = models.TutorialNet(), training.RECIPES["course"]
    optimizer, scheduler = training.make_optimizer(net, recipe, 100)
    slow, fast = optimizer.param_groups
    of_transformer = [*net.localization.parameters(), *net.fc_loc.parameters()]
    assert {id(p) for p in slow["params"]} == {id(p) for p in of_transformer}
    assert slow["max_lr"] == pytest.approx(0.1 * fast["max_lr"])
    assert isinstance(optimizer, torch.optim.AdamW)
    rates = []
    for _ in range(100):
        rates.append(fast["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[0] < max(rates) == pytest.approx(recipe.learning_rate)
    assert rates[-1] < 1e-5


@pytest.mark.parametrize("name", ["course", "sprint"])
def test_the_quick_recipes_keep_their_betas_through_the_cycle(name):
    """OneCycleLR moves AdamW's first beta where it is not told to leave it alone."""
    recipe = training.RECIPES[name]
    optimizer, scheduler = training.make_optimizer(models.TutorialNet(), recipe, 10)
    for _ in range(10):
        assert {group["betas"] for group in optimizer.param_groups} == {recipe.betas}
        optimizer.step()
        scheduler.step()


def test_the_recipe_for_turned_digits_trains_as_the_stored_table_was_made():
    optimizer, scheduler = training.make_optimizer(models.TutorialNet(), ROTATED, 10)
    betas = []
    for _ in range(10):
        betas.append(optimizer.param_groups[0]["betas"])
        optimizer.step()
        scheduler.step()
    assert betas[0] == (0.95, 0.999)
    assert min(betas)[0] == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("epochs", "steps"),
    [
        (2, [5, 5]),
        (2.0, [5, 5]),
        (0.6, [3]),
        (1.6, [5, 3]),
        (2.01, [5, 5]),
        (0.001, [1]),
    ],
)
def test_the_last_epoch_may_be_cut_short(epochs, steps):
    assert steps_by_epoch(replace(ROTATED, epochs=epochs), images=600) == steps


def test_a_fraction_of_an_epoch_is_trained_measured_and_shown(small, capsys):
    """Ten steps are an epoch of 1,280 digits, the last run takes 14."""
    _, history = fitted(small, epochs=1.4, progress=True)
    assert len(history.losses) == 14
    assert len(history.accuracies) == len(history.seconds) == 2
    assert history.probe_steps == list(range(15))
    assert history.recipe.epochs == 1.4
    assert "1.79k/1.79k" in capsys.readouterr().err
    _, whole = fitted(small, recipe=replace(ROTATED, one_cycle=False), epochs=2)
    _, part = fitted(small, recipe=replace(ROTATED, one_cycle=False), epochs=1.4)
    assert part.losses == whole.losses[:14]


def test_every_parameter_is_in_one_group():
    net = nn.Sequential(models.SpatialTransformer(models.localization_cnn(1)), nn.Flatten())
    net.append(nn.Linear(784, 10))
    groups = training.parameter_groups(net, training.RECIPES["course"])
    assert [len(group["params"]) for group in groups] == [8, 2]


@pytest.mark.parametrize("recipe", ["tutorial", "course"])
def test_fit_learns(small, recipe):
    _, history = fitted(small, recipe=recipe, epochs=15 if recipe == "tutorial" else 4)
    assert history.accuracy > 0.5
    assert history.losses[-1] < history.losses[0] - 0.4


def test_the_history_tells_what_happened(small, usual):
    model, history = usual
    assert len(history.losses) == 2 * 10
    assert len(history.accuracies) == len(history.seconds) == 2
    assert history.seconds == sorted(history.seconds)
    assert history.probe_steps == list(range(21))
    n = training.PROBE
    assert all(theta.shape == (n, 2, 3) for theta in history.probe_thetas)
    assert torch.equal(history.probe_thetas[0], torch.eye(2, 3).expand(n, 2, 3))
    images, labels = small["test"]
    assert torch.equal(history.probe_images, images[:n])
    assert history.accuracy == training.evaluate(model, data.normalise(images), labels)
    loss, right, theta = training.probe(model, data.normalise(images[:n]), labels[:n])
    assert torch.equal(history.probe_thetas[-1], theta)
    assert torch.equal(history.probe_right[-1], right) and len(history.probe_right) == 21
    assert history.probe_losses[-1] == loss.item()
    loss = loss.item()
    with torch.no_grad():
        scores = model.eval()(data.normalise(images[:n]))
    assert loss == pytest.approx(F.nll_loss(scores, labels[:n]).item())
    assert torch.equal(right, scores.argmax(dim=1) == labels[:n]) and 0 < right.sum() < n
    assert history.versions["torch"] == torch.__version__
    assert history.hardware


def test_a_model_without_a_transformer_has_no_theta(small):
    _, history = fitted(small, models.PlainNet, epochs=1)
    assert history.probe_thetas == []
    assert len(history.probe_losses) == len(history.probe_steps) == 11


def test_a_history_comes_back_from_its_file_whole(usual, tmp_path):
    _, history = usual
    history.save(tmp_path / "run.pt")
    loaded = training.History.load(tmp_path / "run.pt")
    for field in fields(history):
        one, two = getattr(history, field.name), getattr(loaded, field.name)
        if field.name in ("probe_right", "probe_thetas"):
            assert torch.equal(torch.stack(one), torch.stack(two))
        elif field.name == "probe_images":
            assert torch.equal(one, two)
        else:
            assert one == two
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_a_history_without_theta_can_be_saved_too(small, tmp_path):
    _, history = fitted(small, models.PlainNet, epochs=1)
    history.save(tmp_path / "run.pt")
    assert training.History.load(tmp_path / "run.pt").probe_thetas == []


@pytest.mark.parametrize("kind", ["damaged", "empty", "text", "other", "pickle"])
def test_a_file_that_is_no_history_is_named_and_left_alone(usual, tmp_path, kind):
    path = tmp_path / "run.pt"
    _, history = usual
    history.save(path)
    content = {
        "damaged": path.read_bytes()[:-3000],
        "empty": b"",
        "text": b"not a history",
        "pickle": pickle.dumps(print),  # would run code if it were unpickled in full
    }
    if kind == "other":
        torch.save({"weight": torch.zeros(3)}, path)
    else:
        path.write_bytes(content[kind])
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.pt"):
        training.History.load(path)
    assert path.read_bytes() == before


@torch.no_grad()
@pytest.mark.parametrize("name", models.TRAINED)
def test_a_bundled_recording_ends_as_the_bundled_weights_do(name):
    """The replay shows the network that the course carries."""
    recording, model = training.load_recording(name), models.load_trained(name)
    model = model.to(memory_format=torch.channels_last)  # only speed depends on it
    pictures, labels = pretrain.pictures_to_test(pretrain.RUNS[name])
    assert torch.allclose(pictures[: training.PROBE], recording.probe_images, atol=1e-4)
    accuracy = training.evaluate(model, data.normalise(pictures), labels)
    assert accuracy == pytest.approx(recording.accuracy, abs=0.0005)
    _, _, theta = training.probe(
        model, data.normalise(pictures[: training.PROBE]), labels[: training.PROBE]
    )
    for recorded in recording.probe_thetas[-1:]:
        assert torch.allclose(recorded, theta, atol=1e-4)


def test_every_network_and_recording_has_its_run():
    assert set(models.TRAINED) < set(pretrain.RUNS)
    for name in pretrain.RUNS:
        recorded = training.load_recording(name).recipe  # the first had another name for theirs
        assert replace(recorded, name="") == replace(pretrain.RUNS[name].recipe, name="")


def test_a_recording_begins_at_the_identity_and_the_patient_does_not():
    for name in ("straightener", "turned_transformer", "turned_hasty"):
        first = training.load_recording(name).probe_thetas[0]
        assert torch.equal(first, torch.eye(2, 3).expand(training.PROBE, 2, 3))
    patient = training.load_recording("patient")
    theta = torch.stack(patient.probe_thetas)
    assert torch.allclose(theta[0], (1.5 * torch.eye(2, 3)).tanh().expand(training.PROBE, 2, 3))
    assert theta.max() < 1 and theta[-1].std(dim=0).max() > 0.05  # squeezed, neither idle nor alike
    assert max(training.signs(t).outside for t in theta) < 0.1  # nor outside
    assert not patient.findings


@torch.no_grad()
def test_the_straighteners_recording_says_what_its_frozen_classifier_reads(digits):
    """Its classifier never changed, so that each look can be repeated from its theta."""
    recording, model = training.load_recording("straightener"), models.load_straightener()
    labels, images = digits[1][: training.PROBE], data.normalise(recording.probe_images)
    for right, theta in zip(recording.probe_right, recording.probe_thetas, strict=True):
        answers = model.classify(warp(images, theta, padding_mode="border")).argmax(dim=1)
        assert torch.equal(right, answers == labels)


@torch.no_grad()
@pytest.mark.parametrize("name", ["unprojected", "unbent"])
def test_a_classifier_that_never_changed_reads_what_its_transformer_straightens(name):
    """It is the straightener's, and reads far more than it does of the pictures as they are."""
    model, first = models.load_trained(name), models.load_straightener().state_dict()
    assert all(torch.equal(value, first[key]) for key, value in model[1].state_dict().items())
    images, labels = pretrain.pictures_to_test(pretrain.RUNS[name])
    shown = data.normalise(images)
    before, after = (1 - training.evaluate(net, shown, labels) for net in (model[1], model))
    assert after < before / 2
    recording = training.load_recording(name)
    for right, theta in zip(recording.probe_right, recording.probe_thetas, strict=True):
        answers = model[1](warp(shown[: training.PROBE], theta, padding_mode="border"))
        assert torch.equal(right, answers.argmax(dim=1) == labels[: training.PROBE])
    start = torch.tensor(model[0].transformation.identity).expand(training.PROBE, -1)
    assert torch.equal(recording.probe_thetas[0], model[0].transformation.to_theta(start))


@torch.no_grad()
def test_learning_on_together_keeps_the_grid_turning(digits):
    """From the straightener on, all parts at once: fewer errors, and the turn is still undone."""
    before, after = (training.load_recording(name) for name in ("straightener", "together"))
    assert after.recipe == training.RECIPES["together"]
    assert torch.allclose(after.probe_thetas[0], before.probe_thetas[-1], atol=1e-4)
    assert before.accuracy < 0.97 and after.accuracy > 0.981
    model = models.load_trained("together")
    turned, degrees = data.random_rotation(90)(digits[0], torch.Generator().manual_seed(1))
    model.stn(data.normalise(turned))
    found = alignment.undoing(degrees, transforms.to_pose(model.theta).rotation)
    assert found.correlation < -0.85


def test_an_unknown_recording_or_network_is_answered_with_the_known():
    with pytest.raises(ValueError, match=r"'patient'.*'turned_plain'"):
        training.load_recording("turned")
    with pytest.raises(ValueError, match=r"'straightener'.*'turned_plain'"):
        models.load_trained("patient")


@torch.no_grad()
def test_the_one_theta_test_tells_whether_theta_is_used(digits):
    images, labels = digits[0][:2000], digits[1][:2000]
    turned, _ = data.random_rotation(90)(images, torch.Generator().manual_seed(1))
    turned = data.normalise(turned)

    def errors(name):
        model = models.load_trained(name).train()
        alike = training.error_with_one_theta(model, turned, labels)
        assert not model.training
        return 1 - training.evaluate(model, turned, labels), alike

    own, alike = errors("turned_transformer")
    assert alike > own + 0.01
    own, alike = errors("turned_hasty")
    assert alike == pytest.approx(own, abs=0.001)


def test_the_same_seed_gives_the_same_weights(small):
    distort = data.random_rotation(30)
    (one, first), (two, second) = (fitted(small, seed=4, distort=distort) for _ in range(2))
    assert first.losses == second.losses
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    _, other = fitted(small, seed=5, distort=distort)
    assert other.losses != first.losses


def test_the_probe_does_not_change_the_training(small, usual, monkeypatch):
    _, with_probe = usual
    monkeypatch.setattr(recording, "probe", lambda *_: (torch.zeros(()), torch.zeros(()), None))
    _, without = fitted(small)
    assert with_probe.losses == without.losses


def test_a_distortion_is_applied_to_training_batches_only(small):
    seen = []

    def distort(images, generator):
        seen.append(len(images))
        assert images.min() >= 0  # not yet normalised
        return images, None

    fitted(small, distort=distort, epochs=1)
    assert seen == [128] * 10


def test_fit_takes_all_of_mnist_by_default(monkeypatch, small):
    asked = []

    def load(split, device):
        asked.append(split)
        return small[split]

    monkeypatch.setattr(fitting, "load_digits", load)
    fitted({"train": None, "test": None}, epochs=1)
    assert asked == ["train", "test"]


def test_a_recipe_of_ones_own(small):
    own = replace(
        training.RECIPES["course"], batch_size=640, feature_dropout=0.2, dropout=0.3, epochs=1
    )
    shares = []

    def watch(recorder):
        model = recorder.run.model
        shares.append((model.conv2_drop.p, model.fc1_drop.p))

    _, history = fitted(small, recipe=own, epochs=None, watch=watch)
    assert len(history.losses) == 2
    assert set(shares) == {(0.2, 0.3)}
    assert history.recipe is own


def gentle() -> nn.Module:
    model = models.PlainNet()
    model.conv2_drop.p, model.fc1_drop.p = 0.15, 0.25
    return model


def test_the_models_own_dropouts_are_given_back(small):
    model, _ = fitted(small, gentle, recipe="course", epochs=1)
    assert (model.conv2_drop.p, model.fc1_drop.p) == (0.15, 0.25)
    model = gentle()
    broken = small["train"][0].clone(), small["train"][1]

    def lose(images, generator):
        return images * float("nan"), None

    with pytest.raises(training.Diverged):
        fitted({**small, "train": broken}, lambda: model, distort=lose)
    assert (model.conv2_drop.p, model.fc1_drop.p) == (0.15, 0.25)


def test_a_trained_model_is_ready_to_answer(small, tmp_path):
    options = {"epochs": 1, "checkpoint": tmp_path / "run.ckpt"}
    for _ in ("trained", "read from its checkpoint"):
        model, _ = fitted(small, **options)
        assert not any(module.training for module in model.modules())


def test_evaluate_counts_and_leaves_the_mode_alone(digits):
    class Constant(nn.Module):
        def forward(self, x):
            assert not self.training
            return nn.functional.one_hot(torch.ones(len(x), dtype=torch.long), 10).float()

    model = Constant().train()
    images, labels = digits
    assert training.evaluate(model, images, labels, batch_size=333) == 0.1135
    assert model.training


def test_the_progress_bar_can_be_seen(small, capsys):
    fitted(small, epochs=1, progress=True)
    assert "1.28k/1.28k" in capsys.readouterr().err


def test_the_progress_bar_is_drawn_once_a_second_at_most(small, capsys):
    """Else a long training floods whoever reads the notebook's messages."""
    _, history = fitted(small, epochs=4, progress=True)
    drawn = capsys.readouterr().err.count("images/s")
    assert drawn <= 3 + 2 * history.seconds[-1]


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_label_smoothing_is_pytorchs_of_logits(share):
    logits, labels = torch.randn(6, 10, dtype=torch.float64), torch.arange(6)
    criterion = training.make_criterion(training.Recipe("x", label_smoothing=share))
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=share)
    torch.testing.assert_close(criterion(logits.log_softmax(dim=1), labels), expected)


def test_fit_smooths_labels_as_its_recipe_says(small):
    """A network that is never asked to be certain: the loss cannot come near 0."""
    losses = {}
    for share in (0.0, 0.5):
        recipe = training.Recipe("x", epochs=1, label_smoothing=share)
        losses[share] = fitted(small, recipe=recipe)[1].losses
    assert losses[0.0][0] != losses[0.5][0]
    assert min(losses[0.5]) > 1.67  # the entropy of 0.55 for one class and 0.05 for nine is 1.68


def test_fit_trains_in_its_recipes_precision(small):
    """Layers compute in bfloat16 in training alone; the weights stay in float32."""
    for precision in ("float32", "bfloat16"):
        model, seen = models.PlainNet(), set()
        model.fc2.register_forward_hook(
            lambda layer, given, found, seen=seen: seen.add((layer.training, found.dtype))
        )
        recipe = replace(training.RECIPES["sprint"], epochs=3, precision=precision)
        history = training.fit(model, recipe, **small, progress=False)
        assert seen == {(True, getattr(torch, precision)), (False, torch.float32)}
        assert {weight.dtype for weight in model.parameters()} == {torch.float32}
        assert history.losses[-1] < history.losses[0]


def test_train_epoch_tells_each_loss_without_its_graph(digits):
    model, losses = models.PlainNet(), []
    some = data.batches(digits[0][:256], digits[1][:256], 64)
    training.train_epoch(
        model, some, torch.optim.SGD(model.parameters(), 0.1), after_step=losses.append
    )
    assert len(losses) == 4
    assert not any(loss.requires_grad for loss in losses)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"recipe": "fast"},
            ValueError,
            "'course', 'sprint', 'rotated', 'clutter', 'bent', 'together'; got 'fast'",
        ),
        ({"epochs": 0}, ValueError, "got 0"),
        ({"device": "tpu"}, ValueError, "'tpu'"),
        ({"train": (torch.zeros(4, 28, 28), torch.zeros(4))}, ValueError, r"\(4, 28, 28\)"),
        ({"train": (torch.zeros(4, 1, 28, 28).byte(), torch.zeros(4))}, TypeError, "torch.uint8"),
        ({"recipe": training.Recipe("x", optimizer="adam")}, ValueError, "'adam'"),
        ({"recipe": training.Recipe("x", label_smoothing=1.5)}, ValueError, "1.5"),
        ({"recipe": training.Recipe("x", precision="half")}, ValueError, "'bfloat16'; got 'half'"),
    ],
)
def test_bad_input_is_named(small, options, error, words):
    with pytest.raises(error, match=words):
        fitted(small, **options)
