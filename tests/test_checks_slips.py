"""Attempts as learners write them, and the words that each must get."""

import numpy as np
import pytest
import torch
from learner import attempted

from stn_course import checks
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine import slips
from stn_course.checks.engine.diagnosis import LATER
from stn_course.checks.engine.worker import Result

GRID = "g = grids.base_grid(height, width, align_corners)\n"
TURNED = "data.normalise(data.rotate(images, a))"
ANGLES = f"[training.evaluate(model, {TURNED}, labels) for a in angles]"
BASE = "base = grids.base_grid(*size[2:], align_corners)\n"
SLOPE = "(samplers.bilinear(input, x + 1e-4, y) - samplers.bilinear(input, x, y)) / 1e-4"
START = "head.weight.data.zero_()\nhead.bias.data = torch.tensor([1., 0, 0, 0, 1, 0])\n"

TWINS_BUT_FOR_THEIR_STARTS = """
import copy
localization = nn.Sequential(*models.localization_cnn(in_channels=1)[:-1], nn.Linear(32, 3))
one = models.SpatialTransformer(localization, (28, 28), transformation="attention")
pair = one, copy.deepcopy(one)
for transformer, (left, top, side, _) in zip(pair, (first, second)):
    start = side / 60, (left + side / 2) / 30 - 1, (top + side / 2) / 30 - 1
    transformer.localization[-1].bias.data = torch.tensor(start)
return pair
"""


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("affine_grid", BASE + "return base.to(theta) @ theta[0].T", "NO_BATCH"),
        ("affine_grid", BASE + "return base[None] @ theta.mT[:, None]", "DTYPES"),
        ("affine_grid", "return grids.affine_grid(theta, size, align_corners).float()", "DTYPE"),
        (
            "affine_grid",
            "return grids.affine_grid(theta.float(), size, align_corners).to(theta)",
            "SINGLE",
        ),
        ("affine_grid", "return grids.affine_grid(theta, size, align_corners).mT", "AXES"),
        ("affine_grid", "return grids.affine_grid(theta, size, align_corners).flatten(1)", "SHAPE"),
        ("affine_grid", "return -grids.affine_grid(theta, size, align_corners)", "SIGN"),
        ("affine_grid", "return grids.affine_grid(theta, size, align_corners).tolist()", "list"),
        ("affine_grid", "return grids.affine_grid(theta, size, align_corners).numpy()", "ndarray"),
        (
            "affine_grid",
            "return grids.affine_grid(theta, size, align_corners).round(decimals=3)",
            "NEARLY",
        ),
        ("base_grid", GRID + "return torch.stack([g[..., 0], g[..., 1], g[..., 2]])", "AXES"),
        ("base_grid", GRID + "return g.unbind(-1)", "tuple"),
        ("crop_theta", "return [[width / size[1], 0, 0], [0, height / size[0], 0]]", "list"),
        ("bilinear", "return samplers.bilinear(input, x + 0.001, y)", "NEARLY"),
        ("gradient_x", f"return {SLOPE}", "NEARLY"),
        ("nearest", "return input[0, :, y.round(), x.round()][None]", "INDICES"),
    ],
)
def test_a_slip_is_named(name, source, words):
    verdict = attempted(name, source)
    assert verdict.solved is False
    expected = slips.KINDS.get(words) or getattr(slips, words)
    assert verdict.lines[-1] == f"Diagnosis: {expected}", verdict.text


def test_a_missing_batch_axis_hides_no_other_mistake():
    verdict = attempted("inverse", "return theta[0]")
    assert verdict.lines[-1] == f"Diagnosis: {slips.NO_BATCH} And this is theta itself."


def test_a_dtype_that_raises_later_hides_no_other_mistake():
    source = BASE + "return base[None, ..., [1, 0, 2]] @ theta.mT[:, None]"
    verdict = attempted("affine_grid", source)
    assert "Diagnosis: x and y are swapped in the points" in verdict.text


TARGET = "target = grids.base_grid(size[2], size[3], dtype=theta.dtype)"
ROWS = "(target.reshape(-1, 3) @ theta.mT).reshape(size[0], size[2], size[3], 2)"
TURNED_BACK = """
import math
H, W = size
x, y = (2 * x + 1) / W - 1, (2 * y + 1) / H - 1
c, s = math.cos(math.radians(degrees)), -math.sin(math.radians(degrees))
b, d = s * W / H, s * H / W
return torch.tensor([[[c, -b, x - c * x + b * y], [d, c, y - d * x - c * y]]])
"""


@pytest.mark.parametrize(
    ("name", "source", "first"),
    [
        ("rotation_about", TURNED_BACK, "the other way"),
        ("affine_grid", f"{TARGET}[..., [1, 0, 2]]\nreturn {ROWS}", "x and y swapped"),
        (
            "affine_grid",
            f"{TARGET}\nreturn (target @ theta[0].T).repeat(size[0], 1, 1, 1)",
            "align_corners ignored",
        ),
        (
            "training_step",
            "model.eval()\nF.nll_loss(model(images), labels).backward()\noptimizer.step()",
            "evaluation mode",
        ),
        ("turn_then_normalise", "return data.rotate(data.normalise(images), -degrees)", "normali"),
    ],
)
def test_of_two_slips_the_one_that_is_met_first_is_named(name, source, first):
    verdict = attempted(name, source)
    assert verdict.solved is False
    mistakes = EXERCISES[name].misconceptions
    words = next(m.words for m in mistakes if m.name.startswith(first))
    assert verdict.lines[-1] == f"Diagnosis: {words} {LATER}", verdict.text


def test_a_number_that_agrees_by_chance_is_no_diagnosis():
    """The second case, 1 for 3, is what rounding down gives; but so do many programs."""
    verdict = attempted("nearest", "return samplers.read_pixels(input, y.floor(), x.floor())")
    assert verdict.lines[1] == "The smallest case that is wrong (2 of 12):"
    assert verdict.lines[-1].startswith("No known mistake explains it.")


def test_nearly_right_is_measured_by_how_far_the_numbers_lie_apart():
    scores = torch.tensor([[-2.30, -2.27, -2.33]])
    assert slips.slip(scores, Result(value=scores.flip(-1))) is None
    assert slips.slip(scores, Result(value=scores + 0.0010)) == slips.NEARLY
    assert slips.slip(scores, Result(value=scores + 0.0014)) is None
    alike = torch.tensor([2.0, 2.0])
    assert slips.slip(alike, Result(value=alike + 0.039)) == slips.NEARLY
    assert slips.slip(alike, Result(value=alike + 0.041)) is None
    assert slips.slip(alike * 0, Result(value=alike * 0 + 0.001)) is None


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("accuracy_over_angle", f"from stn_course import training\nreturn torch.tensor({ANGLES})"),
        ("accuracy_over_angle", f"from stn_course import training\nreturn tuple({ANGLES})"),
        (
            "accuracy_over_angle",
            f"model.eval()\nright = [model({TURNED}).argmax(1) == labels for a in angles]\n"
            "return [r.float().mean().item() for r in right]",
        ),
        (
            "page_padding",
            "black = data.normalise(torch.zeros(()))\n"
            "return samplers.warp(data.normalise(images) - black, theta) + black",
        ),
        ("page_padding", "return data.normalise(samplers.warp(images, theta))"),
        ("evaluation", "model.eval()\nreturn (model(images).argmax(1) == labels).double().mean()"),
        ("start_at_identity", START),
        ("start_at_identity", START + "return head"),
        (
            "theta_of_box",
            "H, W = size\nmove = 2 * (left + width / 2) / W - 1, 2 * (top + height / 2) / H - 1\n"
            "zoom = transforms.scale(max(width / W, height / H))\n"
            "return transforms.compose(transforms.translation(*move), zoom)",
        ),
        (
            "box_of_theta",
            "ends = torch.tensor([-1, 1]).to(theta)\ncorners = torch.cartesian_prod(ends, ends)\n"
            "places = F.pad(corners, (0, 1), value=1) @ theta.mT\n"
            "pixels = (places + 1) / 2 * theta.new_tensor(size).flip(0)\n"
            "return torch.cat([pixels.amin(1), pixels.amax(1) - pixels.amin(1)], dim=1)",
        ),
        ("attention_theta", "return transforms.attention(*answer.unbind(1))"),
        (
            "attention_theta",
            "theta = answer.new_zeros(len(answer), 2, 3)\n"
            "theta[:, 0, 0] = theta[:, 1, 1] = answer[:, 0]\n"
            "theta[:, :, 2] = answer[:, 1:]\nreturn theta",
        ),
        (
            "antialiased_crop",
            "step = theta[0, 1, 1] * image.shape[2] / output_size[0]\nwhile step > 1:\n"
            "    image, step = F.avg_pool2d(image, 2), step / 2\n"
            "grid = F.affine_grid(theta, (1, 1, *output_size), align_corners=False)\n"
            "grid = grid.expand(len(image), -1, -1, -1)\n"
            "return F.grid_sample(image, grid, align_corners=False)",
        ),
        ("different_starts", TWINS_BUT_FOR_THEIR_STARTS),
    ],
)
def test_every_right_way_is_right(name, source):
    verdict = attempted(name, source)
    assert verdict.solved is True, verdict.text


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("plug_in", "return lambda x: cnn(x)", "expected an nn.Module"),
        (
            "plug_in",
            "net = models.localization_cnn(in_channels=1)\n"
            "return nn.Sequential(models.SpatialTransformer(net, output_size=20), cnn)",
            "output_size must be two positive whole numbers (H', W'); got int 20",
        ),
        ("accuracy_over_angle", "return 'high'", "expected a list of numbers"),
        ("evaluation", "return 'high'", "expected a number"),
        ("evaluation", "return (model.eval()(images).argmax(1) == labels).sum() // 8", "//"),
        ("evaluation", "return 0.0", "//"),
        ("start_at_identity", "head.bias = nn.Parameter(torch.eye(2, 3))", "six numbers in a row"),
        ("start_at_identity", "head.bias = nn.Parameter(torch.eye(2, 3))", "in no line of yours"),
        (
            "bypassed",
            "with torch.no_grad():\n    t = net.stn(x)\nreturn net.classify(t)",
            "detach or no_grad",
        ),
        (
            "base_grid",
            "y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), "
            "indexing='ij')\nreturn torch.stack([x, y, torch.ones_like(x)], -1)",
            "torch.linspace(-1, 1, n) puts",
        ),
        (
            "rotation_about",
            "return transforms.rotation(degrees=float(degrees))",
            "transforms.rotation",
        ),
    ],
)
def test_what_newcomers_wrote_is_answered(name, source, words):
    verdict = attempted(name, source)
    assert verdict.solved is False
    assert words in verdict.text


@pytest.mark.parametrize(
    ("guess", "word"),
    [
        ("Anti-clockwise.", "anticlockwise"),
        ("counterclockwise", "anticlockwise"),
        (" CCW ", "anticlockwise"),
        ("to the left", "left"),
    ],
)
def test_words_are_known_in_other_spellings(guess, word):
    assert checks.which_way(guess).lines[0].endswith(f"You predicted {word}.")
    assert checks.which_way(guess).lines[1].startswith("Diagnosis: ")
    assert checks.which_way("clockwise!").solved is True
    assert checks.frame("Gray").lines == checks.frame("grey").lines
    assert checks.frame(0).lines == checks.frame(0.0).lines == checks.frame("zero").lines


@pytest.mark.parametrize(
    ("name", "guess"),
    [("patient_1", "bypassed"), ("patient_2", "Learning rate"), ("patient_4", "memorised")],
)
def test_a_diagnosis_is_known_by_its_exhibits_name(name, guess):
    assert getattr(checks, name)(guess).solved is True


@pytest.mark.parametrize("guess", ["light grey", "Light gray.", "dark grey", 0, 0.0])
def test_a_colour_of_two_words_and_its_number_are_answered(guess):
    assert checks.frame(guess).lines[1].startswith("Diagnosis: ")


@pytest.mark.parametrize("guess", ["a dark grey frame", 3, True, float("nan")])
def test_what_is_no_word_is_named(guess):
    assert checks.frame(guess).lines[1].startswith("expected a word, in quotes; got ")


def test_a_large_number_is_shown_whole():
    assert checks.digits_needed(29_774).lines[0].endswith("You predicted 29,774.")
    assert checks.digits_needed(1e12).lines[0].endswith("You predicted 1e+12.")


def test_a_small_number_is_not_shown_as_zero():
    assert checks.dead_zone(1e-9).lines[0].endswith("You predicted 1e-09.")
    assert checks.dead_zone(-0.0).solved is True
    assert checks.gradient_here(-0.1).lines[0].endswith("You predicted -0.1.")


@pytest.mark.parametrize(
    "guess",
    [np.array([[[0.5, 0, -0.5], [0, 1, 0]]]), np.array([[0.5, 0, -0.5], [0, 1, 0]], np.float32)],
)
def test_numbers_of_numpy_are_taken(guess):
    assert checks.left_half(guess).solved is True
    assert checks.gradient_here(np.float32(0.45)).solved is True
    for odd in (np.array(["a"]), np.array([True]), np.array([1j]), np.array(object())):
        assert checks.left_half(odd).solved is False
        assert checks.gradient_here(odd).solved is False


def test_what_is_no_slip_gets_no_words():
    expected = torch.arange(6.0).reshape(1, 2, 3)
    for value in (expected, expected + 1, torch.zeros(4), expected.flatten(1) + 1, expected * 1j):
        assert slips.slip(expected, Result(value=value)) is None
    assert slips.slip(expected, Result(raised=("ValueError", "no"))) is None
    assert slips.slip(expected, Result(other="str 'x'", kind="str")) is None
