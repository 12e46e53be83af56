"""network.js against PyTorch in one page without a kernel: the course's networks, 100 digits."""

import base64
import json

import numpy
import pytest
import torch
from torch import nn

from stn_course import clutter, models
from stn_course.data import normalise
from stn_course.widgets.esm import joined
from stn_course.widgets.network import layers_of

# The answers of a network in the browser to many pictures, one after the other.
ANSWERS = """async ({ source, layers, pictures, shape }) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const revive = (_, value) => value?.base64 === undefined ? value : bytes(value.base64);
    const { makeNetwork } = await import(`data:text/javascript;base64,${source}`);
    const run = makeNetwork(JSON.parse(layers, revive));
    const numbers = new Float32Array(bytes(pictures).buffer);
    const size = shape.reduce((product, side) => product * side);
    const answers = [];
    for (let at = 0; at < numbers.length; at += size) {
        answers.push([...run({ values: numbers.slice(at, at + size), shape })]);
    }
    return answers;
}"""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def answers(browser):
    """A function: what the browser answers to pictures (B, C, H, W), as a tensor."""
    page = browser.new_page()
    source = encoded(joined("network.js").encode())

    def answered(model, pictures):
        layers = json.dumps(layers_of(model), default=lambda part: {"base64": encoded(part)})
        sent = {"source": source, "layers": layers, "shape": list(pictures.shape[1:])}
        sent["pictures"] = encoded(pictures.numpy().astype(numpy.float32).tobytes())
        return torch.tensor(page.evaluate(ANSWERS, sent))

    yield answered
    page.close()


def classifier() -> models.PlainNet:
    """Of the straightener: 21,840 parameters."""
    made = models.PlainNet()
    made.load_state_dict(models.load_straightener().state_dict(), strict=False)
    return made


def reader() -> models.DigitReader:
    return models.load_trained("clutter_transformer").reader


def localization() -> nn.Module:
    net = models.load_straightener()
    return nn.Sequential(net.localization, nn.Flatten(), net.fc_loc)


def clutter_localization() -> nn.Module:
    return models.load_trained("clutter_transformer").transformer.localization


@pytest.mark.parametrize("make", [classifier, reader, localization, clutter_localization])
def test_the_courses_networks_answer_as_in_pytorch(answers, digits, make):
    """Log-probabilities, and the numbers of a theta, for the first 100 test digits."""
    pictures, model = digits[0][:100], make().eval()
    if make is clutter_localization:
        pictures, _ = clutter.random_clutter()(pictures, torch.Generator().manual_seed(0))
    pictures = normalise(pictures)
    with torch.no_grad():
        expected = model(pictures)
    assert expected.std(dim=0).min() > 0.01  # another answer for another picture
    assert (answers(model, pictures) - expected).abs().max() < 1e-4


def test_other_sizes_and_options_answer_as_in_pytorch(answers):
    """An uneven picture of three channels, rows that no pooling reaches, no bias, dropout."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 2, bias=False),
        nn.AvgPool2d(2),
        nn.MaxPool2d(3),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(4 * 1 * 2, 5, bias=False),
        nn.LogSoftmax(dim=1),
    )
    pictures = torch.randn(6, 3, 8, 15)
    with torch.no_grad():
        expected = model.eval()(pictures)
    assert (answers(model, pictures) - expected).abs().max() < 1e-5


class OfALearner(models.PlainNet):
    """Might compute anything."""


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.GELU()), "cannot compute a layer of kind GELU"),
        (OfALearner(), "cannot compute a layer of kind OfALearner"),
        (nn.Conv2d(1, 2, 5, padding=2), r"Conv2d with padding \(0, 0\) alone; got \(2, 2\)"),
        (nn.Conv2d(1, 2, (3, 5)), r"with kernel_size \(3, 3\) alone; got \(3, 5\)"),
        (nn.MaxPool2d(3, stride=2), "MaxPool2d with stride 3 alone; got 2"),
        (nn.MaxPool2d(2, ceil_mode=True), "MaxPool2d with ceil_mode False alone; got True"),
        (nn.BatchNorm2d(2, affine=False), "BatchNorm2d with affine True alone; got False"),
    ],
)
def test_what_the_browser_cannot_compute_is_named(model, words):
    with pytest.raises(ValueError, match=words):
        layers_of(model)
