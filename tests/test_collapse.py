"""The collapse detector: it names what broke a run, and is silent on a healthy one."""

import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

from stn_course import data, grids, models, training, transforms
from stn_course.training.collapse import CollapseDetector

# With batches of 64, as on the page, as many steps take half the time or less; they are noisier.
QUICK = {"batch_size": 64, "channels_last": True}
RECIPES = {name: replace(recipe, **QUICK) for name, recipe in training.RECIPES.items()}
ROTATED = RECIPES["rotated"]


@pytest.fixture(scope="module")
def some(digits):
    """1,920 digits to learn, 30 steps; 500 others as a test."""
    images, labels = digits
    return {"train": (images[:1920], labels[:1920]), "test": (images[5000:5500], labels[5000:5500])}


def run(some, recipe=ROTATED, padding_mode="border", prepare=None, **options):
    """The findings of a run, which was warned of each of them."""
    torch.manual_seed(0)
    model = models.TutorialNet(padding_mode=padding_mode)
    if prepare is not None:
        prepare(model.fc_loc[-1])
    options = {"epochs": 1, "device": "cpu", "progress": False, **some, **options}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = training.fit(model, recipe, **options)
    told = [str(w.message) for w in caught if w.category is training.CollapseWarning]
    assert told == list(history.findings.values())
    return history.findings


@pytest.mark.parametrize("padding_mode", ["border", "zeros"])
@pytest.mark.parametrize("recipe", ["tutorial", "course", "rotated"])
@pytest.mark.parametrize("limit", [0, 90])
def test_a_healthy_run_is_not_warned_of(some, recipe, padding_mode, limit):
    distort = data.random_rotation(limit) if limit else None
    assert run(some, RECIPES[recipe], padding_mode, distort=distort, epochs=4) == {}


def test_a_plain_network_is_not_warned_of(some):
    torch.manual_seed(0)
    history = training.fit(
        models.PlainNet(), ROTATED, epochs=4, device="cpu", progress=False, **some
    )
    assert history.findings == {}  # and a warning would have been an error


@pytest.mark.parametrize("padding_mode", ["border", "zeros"])
def test_too_high_a_learning_rate_throws_theta_out(some, padding_mode):
    hasty = replace(ROTATED, learning_rate=0.3, localization_factor=1.0)
    found = run(some, hasty, padding_mode, epochs=2)
    assert "learning rate of the localization network, 0.3" in found["learning rate"]
    assert "initialisation" not in found
    assert ("padding" in found) == (padding_mode == "zeros")


def far_outside(head: nn.Linear) -> None:
    """The grid beside the picture, as a bad start or a large step leaves it."""
    with torch.no_grad():
        head.bias.copy_(torch.tensor([1.0, 0, 2.5, 0, 1, 0]))


def test_zero_padding_is_named_where_the_grid_lies_outside(some):
    found = run(some, RECIPES["tutorial"], "zeros", far_outside)
    assert "no gradient" in found["padding"]
    assert "Pad with 'border'" in found["padding"]
    assert "padding" not in run(some, RECIPES["tutorial"], "border", far_outside)


def zoomed_into_a_point(head: nn.Linear) -> None:
    """What a head without the identity as bias begins with."""
    head.reset_parameters()


def thrown_about(head: nn.Linear) -> None:
    nn.init.normal_(head.weight, std=1.0)


@pytest.mark.parametrize("prepare", [zoomed_into_a_point, thrown_about])
def test_a_start_that_is_not_the_identity_is_named(some, prepare):
    found = run(some, prepare=prepare)
    assert "models.start_at_identity" in found["initialisation"]
    assert "At step 0" in found["initialisation"]
    assert "learning rate" not in found


def test_a_transformer_that_no_longer_looks_is_named(some):
    """As when its units die of large steps, but by hand; the classifier learns all the same."""
    head = []

    def kill(recorder) -> None:
        if recorder.step >= 60:
            with torch.no_grad():
                head[0].weight.zero_()

    found = run(some, prepare=head.append, watch=kill, epochs=4)
    assert list(found) == ["spread"]
    assert "the same for every digit" in found["spread"]
    assert run(some, epochs=4) == {}


def test_one_answer_to_everything_is_named(some):
    broken = replace(ROTATED, optimizer="sgd", learning_rate=1.0, localization_factor=0.0)
    found = run(some, broken, epochs=5)
    assert set(found) == {"answers"}
    assert "learning rate" in found["answers"]


def detector(**options):
    history = training.History(ROTATED, 0, probe_images=torch.zeros(12, 1, 28, 28))
    return CollapseDetector(history, "border", 0.001, **options)


def test_the_same_answer_early_on_is_no_collapse():
    answers, labels = torch.ones(500, dtype=torch.long), torch.arange(500) % 10
    assert detector().look_at_answers(99, answers, labels) == {}
    (words,) = detector().look_at_answers(100, answers, labels).values()
    assert "answers 1 to 100 %" in words
    assert "right for 10.00 %" in words


def test_one_answer_is_right_where_all_digits_are_the_same():
    ones = torch.ones(500, dtype=torch.long)
    assert detector().look_at_answers(1000, ones, ones) == {}


def test_a_kind_is_told_once():
    guard, theta = detector(), transforms.scale(4.0).expand(12, 2, 3)
    assert set(guard.look_at_theta(5, theta)) == {"learning rate"}
    assert guard.look_at_theta(6, theta) == {}


def after(steps: int, start, now, rate=0.001) -> set[str]:
    """What is found when theta was `start`, and is `now` after so many steps."""
    history = training.History(ROTATED, 0, probe_images=torch.zeros(12, 1, 28, 28))
    history.probe_thetas.append(start)
    return set(CollapseDetector(history, "border", rate).look_at_theta(steps, now))


def test_a_theta_that_does_not_move_by_a_bit_is_named():
    start = transforms.identity(12)
    assert after(10, start, start.clone()) == {"bypassed"}
    assert after(9, start, start.clone()) == set()
    assert after(10, start, start + 1e-7) == set()
    assert after(10, start, start.clone(), rate=0.0) == set()  # it is not to learn


def test_a_theta_without_gradient_outside_is_not_called_bypassed():
    start = transforms.translation(x=2.5).expand(12, 2, 3)
    assert "bypassed" not in after(10, start, start.clone())


def test_what_is_frozen_is_not_called_bypassed(some):
    torch.manual_seed(0)
    model = models.TutorialNet(padding_mode="border")
    for module in (model.localization, model.fc_loc):
        module.requires_grad_(False)
    history = training.fit(model, ROTATED, epochs=0.5, device="cpu", progress=False, **some)
    assert history.findings == {}


def test_twins_are_named():
    theta = transforms.rotation(degrees=torch.arange(12.0))
    guard = detector()
    assert guard.look_at_twins(5, [theta, theta + 0.1]) == {}
    assert guard.look_at_twins(5, [theta]) == {}
    assert guard.look_at_twins(5, 2 * [transforms.identity(12)]) == {}  # as two in a row begin
    assert guard.look_at_twins(5, [theta, torch.zeros(12, 16, 2)]) == {}  # of another family
    assert set(guard.look_at_twins(5, [theta + 0.1, theta, theta.clone()])) == {"twins"}
    assert guard.look_at_twins(6, [theta, theta]) == {}


@pytest.mark.parametrize(
    ("step", "loss", "error", "found"),
    [
        (100, 0.01, 0.4, {"memorised"}),
        (99, 0.01, 0.4, set()),
        (100, 0.3, 0.4, set()),
        (100, 0.001, 0.03, set()),  # a good network, trained for long
    ],
)
def test_digits_known_by_heart_are_named(step, loss, error, found):
    assert set(detector().look_at_gap(step, loss, error)) == found


def test_the_spread_is_remembered_over_a_checkpoint():
    guard = detector()
    guard.history.probe_thetas.append(transforms.rotation(degrees=torch.arange(12.0)))
    again = CollapseDetector(guard.history, "border", 0.001)
    assert set(again.look_at_theta(5, transforms.rotation(degrees=torch.zeros(12)))) == {"spread"}


@pytest.mark.parametrize(
    ("theta", "outside", "determinant", "spread"),
    [
        (transforms.identity(4), 0.0, 1.0, 0.0),
        (transforms.translation(x=1.0), 0.5, 1.0, 0.0),  # the right half of the grid
        (transforms.scale(2.0), 0.75, 4.0, 0.0),
        (transforms.scale(-0.5, 0.5), 0.0, 0.25, 0.0),  # a mirror image
        (transforms.translation(x=torch.tensor([-0.5, 0.5])), 0.25, 1.0, 0.5),
        (2 * torch.eye(3)[None], 0.0, 1.0, 0.0),  # a homography
        (2 * grids.control_lattice(3).expand(2, 9, 2), 0.75, 4.0, 0.0),
    ],
)
def test_the_signs_of_known_thetas(theta, outside, determinant, spread):
    assert training.signs(theta) == pytest.approx((outside, determinant, spread), abs=1e-6)


def test_what_is_no_theta_is_named():
    with pytest.raises(ValueError, match=r"\(2, 3, 4\)"):
        training.signs(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match="NaN"):
        training.signs(torch.full((2, 2, 3), torch.nan))
