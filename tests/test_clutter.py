"""Digits among clutter: where each lies, what lies beside it, and what is refused."""

import pytest
import torch

from stn_course.clutter import pair_up, random_clutter, scattered_pairs


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def some(digits):
    return digits[0][:64]


def test_the_box_is_close_around_the_digit(some):
    pictures, boxes = random_clutter(fragments=0)(some, generator())
    assert pictures.shape == (64, 1, 60, 60)
    for (picture,), (digit,), (left, top, width, height) in zip(pictures, some, boxes, strict=True):
        inside = picture[top : top + height, left : left + width]
        assert inside.count_nonzero() == picture.count_nonzero() == digit.count_nonzero()
        for border in inside[0], inside[-1], inside[:, 0], inside[:, -1]:
            assert border.any()
        assert inside.sum().item() == pytest.approx(digit.sum().item())


def test_a_black_digits_box_is_its_whole_image():
    _, boxes = random_clutter(fragments=0)(torch.zeros(2, 1, 28, 20), generator())
    assert boxes[:, 2:].tolist() == [[20, 28]] * 2


def test_every_place_in_the_picture_is_used():
    _, boxes = random_clutter(size=31, fragments=0)(torch.ones(400, 1, 28, 28), generator())
    for corner in boxes[:, 0], boxes[:, 1]:
        assert corner.unique().tolist() == [0, 1, 2, 3]


def test_fragments_are_bright_pixels_of_others_and_darken_nothing(some):
    """The same places are drawn with and without fragments."""
    bare, boxes = random_clutter(fragments=0)(some, generator())
    among, same = random_clutter(fragments=6)(some, generator())
    assert torch.equal(boxes, same)
    assert (among >= bare).all()
    added = (among > bare).flatten(1).sum(1)
    assert added.any() and added.max() <= 6 * 36


def test_a_fragment_is_never_cut_from_its_own_digit():
    """Of two images, one is black: its picture alone gets fragments of the other."""
    white, black = torch.ones(1, 1, 28, 28), torch.zeros(1, 1, 28, 28)
    pictures, _ = random_clutter(fragments=3)(torch.cat([white, black]), generator())
    assert pictures[0].sum() == 28 * 28
    assert 36 <= pictures[1].sum() <= 3 * 36


def test_uneven_images_and_boxes_are_width_before_height():
    pictures, boxes = random_clutter(40, 0)(torch.ones(3, 1, 10, 30), generator())
    assert boxes[:, 2:].tolist() == [[30, 10]] * 3
    left, top, *_ = boxes[0]
    assert pictures[0, 0, top : top + 10, left : left + 30].min() == 1


def test_the_same_seed_gives_the_same_pictures_and_others_do_not(some):
    first, again, other = (random_clutter()(some, generator(seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(2, 1, 61, 28), r"h and w at most 60; got .*\(2, 1, 61, 28\)"),
        (torch.zeros(2, 3, 28, 28), r"\(B, 1, h, w\)"),
        (torch.zeros(1, 1, 28, 28), "one digit alone"),
    ],
)
def test_what_does_not_fit_is_named(images, words):
    with pytest.raises(ValueError, match=words):
        random_clutter()(images, generator())


def test_sizes_are_positive():
    with pytest.raises(ValueError, match="fragment_size"):
        random_clutter(fragment_size=0)


def pairs_of(some):
    return pair_up(some, torch.arange(len(some)) % 10, generator())


def test_a_pair_is_a_digit_and_another_with_their_sum(some):
    labels = torch.arange(64)
    pairs, sums = pair_up(some, labels, generator())
    assert torch.equal(pairs[:, :1], some)
    others = (sums - labels).tolist()
    assert sorted(others) == labels.tolist()
    assert torch.equal(pairs[:, 1:], some[others])
    assert not torch.equal(sums, pair_up(some, labels, generator(1))[1])


@pytest.mark.parametrize("channels", [1, 2])
def test_both_digits_lie_whole_in_their_boxes(some, channels):
    pairs, _ = pairs_of(some)
    pictures, boxes = scattered_pairs(channels=channels)(pairs, generator())
    assert pictures.shape == (64, channels, 60, 60)
    for picture, pair, both in zip(pictures, pairs, boxes, strict=True):
        for which, (left, top, width, height) in enumerate(both.tolist()):
            inside = picture[which % channels, top : top + height, left : left + width]
            assert (inside > 0).sum() >= pair[which].count_nonzero()
            assert inside.sum() >= pair[which].sum() - 1e-3


def test_in_one_picture_the_digits_keep_apart_and_use_all_places():
    pairs = torch.ones(2000, 2, 28, 28)
    _, boxes = scattered_pairs()(pairs, generator())
    first, second = boxes[:, 0, :2], boxes[:, 1, :2]
    away = (first - second).abs()
    assert (away.amax(1) >= 20).all()
    assert (away.amin(1) < 5).any()  # along the other axis they may lie alike
    for digit in (first, second):
        for axis in (0, 1):
            assert digit[:, axis].unique().tolist() == list(range(33))
    assert 0.4 < (first[:, 0] < second[:, 0]).float().mean() < 0.6


@pytest.mark.parametrize("channels", [1, 2])
def test_the_largest_random_number_places_a_digit_at_the_edge(monkeypatch, channels):
    """It is rare, one draw in 17 million, and an epoch of pairs draws 240,000."""
    largest = 1 - 2**-24
    monkeypatch.setattr(torch, "rand", lambda *size, generator: torch.full(size, largest))
    _, boxes = scattered_pairs(channels=channels)(torch.ones(8, 2, 28, 28), generator())
    assert boxes[:, :, :2].max() == 32


def test_in_channels_of_their_own_they_may_lie_anywhere():
    _, boxes = scattered_pairs(channels=2)(torch.ones(2000, 2, 28, 28), generator())
    away = (boxes[:, 0, :2] - boxes[:, 1, :2]).abs().amax(1)
    assert (away < 3).any() and boxes[:, :, :2].amax() == 32 and boxes[:, :, :2].amin() == 0


def test_pairs_that_do_not_fit_are_refused(some):
    with pytest.raises(ValueError, match=r"\(B, 2, h, w\), .* at most 40; got .*\(64, 1"):
        scattered_pairs()(some, generator())
    with pytest.raises(ValueError, match="at most 20"):
        scattered_pairs(size=40)(pairs_of(some)[0], generator())
    with pytest.raises(ValueError, match="channels must be one of 1, 2; got 3"):
        scattered_pairs(channels=3)
