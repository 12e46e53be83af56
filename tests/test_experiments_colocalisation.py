"""Co-localisation: its loss, its pictures, and what is found, kept and printed."""

import io
from contextlib import redirect_stdout
from dataclasses import replace

import pytest
import torch

from stn_course import cli, data
from stn_course.alignment import window_box
from stn_course.experiments import colocalisation
from stn_course.experiments.colocalisation import (
    STORED,
    Search,
    WindowScores,
    encode,
    make_pictures,
    share_right,
    triplet_loss,
    window_theta,
    windows_at,
)
from stn_course.experiments.colocalisation import __main__ as command
from stn_course.models import load_straightener

SMALL = Search("T", 0, pictures=40, starts=3, steps=40)


@pytest.fixture(scope="module")
def found() -> colocalisation.Found:
    """What a small search finds."""
    return colocalisation.colocalise(SMALL, "cpu")


# the loss


def test_the_loss_is_that_of_a_double_loop():
    generator = torch.Generator().manual_seed(0)
    found, random = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    terms = [
        max(0.0, (((found[n] - found[m]) ** 2).sum() - ((found[n] - random[n]) ** 2).sum() + 2.0))
        for n in range(5)
        for m in range(5)
        if m != n
    ]
    assert 0 < sum(term == 0 for term in terms) < len(terms)  # the hinge matters
    expected = torch.as_tensor(sum(terms) / 20, dtype=torch.float64)
    assert torch.allclose(triplet_loss(found, random, margin=2.0), expected)


def test_crops_that_are_alike_and_unlike_a_random_one_cost_nothing():
    alike, unlike = torch.ones(4, 2), torch.zeros(4, 2)
    assert triplet_loss(alike, unlike, margin=1.0) == 0  # 0 - 2 + 1 is below 0
    assert triplet_loss(alike, alike, margin=1.0) == 1  # the margin


def test_an_encoding_holds_four_layers_of_length_one(digits):
    classifier = load_straightener()
    crops = data.normalise(digits[0][:4])
    code = encode(classifier, crops)
    assert code.shape == (4, 1440 + 320 + 50 + 10)
    assert torch.allclose(code.square().sum(dim=1), torch.full((4,), 4.0))
    answers = torch.nn.functional.normalize(classifier.classify(crops), dim=1)
    logits = code[:, -10:]  # log-probabilities but for what is added to all ten, and the length
    assert torch.equal(logits.argsort(dim=1), answers.argsort(dim=1))


# pictures, windows


def cut(pictures: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """What is in the frames, (B, 28, 28)."""
    corners = frames[:, :2].tolist()
    return torch.stack(
        [p[0, y : y + 28, x : x + 28] for p, (x, y) in zip(pictures, corners, strict=True)]
    )


def test_a_frame_holds_the_28_pixels_of_a_test_digit_of_the_class():
    images, labels = data.load_digits("test")
    sevens = images[labels == 7][:, 0]
    plain, frames = make_pictures(Search("T", 7, pictures=6))
    inside = cut(plain, frames)
    assert plain.shape == (6, 1, 84, 84) and (frames[:, 2:] == 28).all()
    assert all((sevens == digit).all(dim=(1, 2)).any() for digit in inside)
    assert torch.allclose(plain.sum(dim=(1, 2, 3)), inside.sum(dim=(1, 2)))  # and nothing else

    cluttered, frames = make_pictures(Search("TC", 7, pictures=6))
    inside = cut(cluttered, frames)
    assert all((sevens <= digit).all(dim=(1, 2)).any() for digit in inside)  # under fragments
    assert (cluttered.sum(dim=(1, 2, 3)) > inside.sum(dim=(1, 2))).all()


def test_a_window_has_28_pixels_and_what_lies_askew_by_half_is_wrong():
    windows = windows_at(torch.tensor([[0.0, 0.0], [28 / 42, -28 / 42]]))
    boxes = window_box(window_theta(windows), (84, 84))
    assert torch.allclose(boxes, torch.tensor([[28.0, 28, 28, 28], [56, 0, 28, 28]]), atol=1e-4)
    frames = torch.tensor([[28 + 9, 28, 28, 28], [56 - 10, 0, 28, 28]])  # 19 of 37, 18 of 38
    assert share_right(windows, frames) == 50


@torch.no_grad()
def test_the_answer_follows_a_digit_and_scale_keeps_its_bounds():
    torch.manual_seed(0)
    localization = WindowScores(sharpness=1e4, zoom=1.5)  # all of the softmax on one window
    x = torch.full((2, 1, 84, 84), -0.4)
    x[0, 0, 20:40, 24:36], x[1, 0, 24:44, 16:28] = 2.0, 2.0  # 8 to the left and 4 down
    first, second = localization(x)
    moved = torch.tensor([0.0, -8 / 42, 4 / 42])
    assert first[0] == pytest.approx(1 / 3) and torch.allclose(second - first, moved, atol=1e-4)
    for bias, scale in ((-99.0, 1 / 4.5), (99.0, 1 / 2)):
        localization.size.bias.data.fill_(bias)
        assert localization(x)[:, 0].tolist() == pytest.approx([scale, scale])


# what is found


def test_a_small_search_finds_most_digits(found):
    _, frames = make_pictures(SMALL)
    assert found.share == share_right(torch.tensor(found.windows), frames) >= 80
    assert found.share == found.shares[found.losses.index(min(found.losses))]
    assert len(found.losses) == len(found.shares) == SMALL.starts


def test_the_same_seed_finds_the_same(found):
    once = colocalisation.colocalise(replace(SMALL, starts=1), "cpu")
    assert once.losses[0] == pytest.approx(found.losses[0], rel=0.01)


def test_what_is_kept_is_what_was_found(found, tmp_path):
    assert colocalisation.load_found(tmp_path, SMALL) is None
    colocalisation.save_found(tmp_path, found)
    assert colocalisation.load_found(tmp_path, SMALL) == found
    assert colocalisation.load_found(tmp_path, replace(SMALL, steps=50)) is None
    (tmp_path / "T_0_zoom1_seed0.json").write_text("{}")
    with pytest.raises(ValueError, match=r"T_0_zoom1_seed0\.json holds no result; move it away"):
        colocalisation.load_found(tmp_path, SMALL)


def test_the_command_runs_what_is_not_there(found, tmp_path, monkeypatch):
    ran = []

    def run(search, device):
        ran.append(search.digit)
        return replace(found, search=search)

    monkeypatch.setattr(command, "colocalise", run)
    words = ["colocalise", "--set", "TC", "--seed", "4", "--results", str(tmp_path / "new")]
    cli.main([*words, "--digit", "2"])
    said = io.StringIO()
    with redirect_stdout(said):
        cli.main(words)
    assert ran == [2, 0, 1, *range(3, 10)]
    lines = said.getvalue().splitlines()
    assert len(lines) == 10
    start = f"TC, digit 2, zoom 1, seed 4: {found.share:.0f} % of boxes right (paper 75 to 93 %), "
    assert lines[2].startswith(start)


def test_the_stored_shares_are_those_of_the_stored_boxes():
    kept = {s: colocalisation.load_found(STORED, s) for s in colocalisation.searches()}
    assert [s.name for s, found in kept.items() if found is None] == []  # or in another way
    for search, stored in list(kept.items())[::7]:
        _, frames = make_pictures(search)
        right = share_right(torch.tensor(stored.windows), frames)
        assert right == pytest.approx(stored.share, abs=1.5)  # they are rounded


def test_the_table_has_both_sets_and_ten_classes_beside_the_papers():
    lines = colocalisation.class_table(zoom=1.0).splitlines()
    assert [line[:3] for line in lines if line[0] == "T"] == ["T: ", "TC:"]
    assert lines[0].endswith("paper 100 %") and lines[4].endswith("paper 75 to 93 %")
    right = [float(word) for word in lines[5].split()[4:]]
    kept = [s for s in colocalisation.searches() if (s.set, s.zoom) == ("TC", 1.0)]
    stored = [colocalisation.load_found(STORED, s).share for s in kept]
    assert right == pytest.approx(stored, abs=0.6)
    assert lines[6].split()[4:] == ["28"] * 10  # given
