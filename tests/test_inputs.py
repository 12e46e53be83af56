"""What `fit` makes sure of before the first step, and transformers that take no part."""

from dataclasses import replace

import pytest
import torch
from small_run import fitted
from torch import nn

from stn_course import data, models, training
from stn_course.samplers import warp

MEAN, STD = data.MEAN, data.STD


class Logits(models.TutorialNet):
    def classify(self, x):
        return 3 * super().classify(x)  # its exp adds up to less than 1


class Probabilities(models.TutorialNet):
    def classify(self, x):
        return super().classify(x).exp()


class Pairs(models.TutorialNet):
    def classify(self, x):
        return super().classify(x), self.theta


@pytest.mark.parametrize("make", [Logits, Probabilities])
def test_answers_that_are_no_log_probabilities_are_refused(small, make):
    def watch(recorder):
        pytest.fail("a step was taken")

    with pytest.raises(ValueError, match=r"must answer with log-probabilities.*log_softmax"):
        fitted(small, make, watch=watch)


def test_answers_of_another_shape_are_refused(small):
    with pytest.raises(ValueError, match=r"must answer with shape \(12, classes\).*tuple"):
        fitted(small, Pairs)


def test_logits_whose_softmax_was_forgotten_are_refused(small):
    """A plain stack of layers, as people write it."""
    with pytest.raises(ValueError, match="log_softmax"):
        fitted(small, lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)))
    stack = [nn.Flatten(), nn.Linear(784, 10), nn.LogSoftmax(dim=1)]
    _, history = fitted(small, lambda: nn.Sequential(*stack), epochs=1)
    assert history.accuracy > 0.2


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_that_hold_nan_are_refused(small, split):
    images, labels = small[split]
    holed = images.masked_fill(images > 0.9, float("nan"))
    with pytest.raises(ValueError, match=f"^{split} images must be finite; got NaN"):
        fitted(small, **{split: (holed, labels)})


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x * 255, "from 0 to 255"),
        (data.normalise, r"from -0\.4242 to 2\.82"),
        (lambda x: 2 * x - 1, "from -1 to 1"),
    ],
)
def test_images_of_another_range_are_refused(small, split, change, words):
    images, labels = small[split]
    with pytest.raises(ValueError, match=f"{split} images must have values from 0 to 1.*{words}"):
        fitted({**small, split: (change(images), labels)})


def test_images_that_overshoot_a_little_are_taken(small):
    images, labels = small["train"]
    fitted({**small, "train": (1.2 * images - 0.1, labels)}, epochs=1)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda y: y + 1, ValueError, "from 0 to 9.*got labels from 1 to 10"),
        (lambda y: y - 1, ValueError, "from 0 to 9.*got labels from -1 to 8"),
        (lambda y: y.float(), TypeError, "torch.int64.*torch.float32"),
        (lambda y: y.int(), TypeError, "torch.int64.*torch.int32"),
        (lambda y: y.tolist(), TypeError, "torch.int64.*list"),
        (lambda y: y[:, None], ValueError, r"shape \([0-9]+,\); got .*, 1\)"),
        (lambda y: y[:-1], ValueError, r"shape \([0-9]+,\); got "),
        (lambda y: nn.functional.one_hot(y), ValueError, r"shape \([0-9]+,\); got .*, 10\)"),
    ],
)
def test_labels_of_another_kind_are_named(small, split, change, error, words):
    images, labels = small[split]
    with pytest.raises(error, match=f"{split} labels must be .*{words}"):
        fitted({**small, split: (images, change(labels))})


class Forgetful(models.TutorialNet):
    """Holds a transformer as its own part, and goes past it."""

    def forward(self, x):
        return self.classify(x)


class Beside(models.PlainNet):
    """Holds two transformers, and calls one of them, before a deeper layer."""

    def __init__(self):
        super().__init__()
        self.first = models.SpatialTransformer(models.localization_cnn(1))
        self.deeper = models.SpatialTransformer(models.localization_cnn(10), padding_mode="border")

    def classify(self, x):
        x = nn.functional.relu(self.pool(self.conv1(x)))
        x = nn.functional.relu(self.pool(self.conv2(self.deeper(x))))
        return nn.functional.log_softmax(self.fc2(self.fc1(x.flatten(1)).relu()), dim=1)


class Thermostat(models.PlainNet):
    """Its theta is a temperature, in degrees."""

    def __init__(self):
        super().__init__()
        self.theta = 30.0
        self.buffered = nn.Module()
        self.buffered.register_buffer("theta", torch.zeros(3))


def test_something_else_of_that_name_is_no_transformer(small):
    _, history = fitted(small, Thermostat, recipe="course", epochs=1)
    assert history.findings == {}


def test_a_transformer_that_is_not_called_is_told_of(small):
    model = Forgetful()
    model.stn(data.normalise(small["test"][0]))  # an old theta, of another batch
    with pytest.warns(training.CollapseWarning, match="does not call: Forgetful.*Call it in"):
        _, history = fitted(small, lambda: model, recipe="course", epochs=4)
    assert list(history.findings) == ["idle"]
    assert history.probe_thetas == []
    assert history.theta_input is None
    assert history.losses[-1] < history.losses[0]


def test_the_one_that_is_called_is_recorded(small, tmp_path):
    with pytest.warns(training.CollapseWarning, match="does not call: first"):
        model, history = fitted(small, Beside)
    assert torch.equal(history.probe_thetas[-1], model.deeper.theta[: training.PROBE])
    assert history.theta_input == (10, 12, 12)
    assert not history.reads_pictures
    history.save(tmp_path / "run.pt")
    assert not training.History.load(tmp_path / "run.pt").reads_pictures


def test_the_tutorials_transformer_reads_the_pictures(small):
    _, history = fitted(small, epochs=1)
    assert history.theta_input == (1, 28, 28)
    assert history.reads_pictures
    assert replace(history, theta_input=None).reads_pictures  # older recordings do not say
    assert training.load_recording().reads_pictures


class OneForAll(models.PlainNet):
    """A theta that is learned, the same for all; no transformer."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.eye(2, 3)[None])

    def forward(self, x):
        return super().forward(warp(x, self.theta))


def test_a_learned_theta_is_left_alone(small):
    model, history = fitted(small, OneForAll, epochs=1)
    assert isinstance(model.theta, nn.Parameter)
    assert history.probe_thetas == []
    assert history.findings == {}


def test_a_transformer_that_does_not_say_how_it_pads_is_trained(small):
    def make():
        model = models.TutorialNet()
        inner = models.SpatialTransformer(models.localization_cnn(1))
        del inner.padding_mode
        inner.forward = lambda x: setattr(inner, "theta", torch.eye(2, 3).repeat(len(x), 1, 1)) or x
        return nn.Sequential(inner, model)

    _, history = fitted(small, make, epochs=1)
    assert history.findings == {}
