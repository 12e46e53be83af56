"""The museum: each exhibit fails as it says, its twin does not, and the detector names it."""

import pytest
import torch
import torch.nn.functional as F

from stn_course import museum, training
from stn_course.museum import computed, detector
from stn_course.museum.patients import PATIENTS
from stn_course.training.collapse import ALIKE

TRAINED = detector.runs_of_exhibits()
CHEAP = "outside", "bypassed"  # trained again here; `tools/museum.py` trains all


@pytest.fixture(scope="module")
def seen():
    """Those that take no training, or little."""
    names = [name for name in museum.EXHIBITS if name not in TRAINED or name in CHEAP]
    return {name: museum.visit(museum.EXHIBITS[name]) for name in [*names, "grey_frame"]}


def test_there_are_at_least_ten_and_each_says_what_to_do():
    assert len(museum.EXHIBITS) >= 10
    for exhibit in museum.EXHIBITS.values():
        assert exhibit.symptom and exhibit.check and exhibit.remedy
        assert set(exhibit.finds) <= set(detector.KINDS)


@pytest.mark.parametrize("name", [*CHEAP, "grey_frame"])
def test_the_detector_names_a_run_and_not_its_mended_twin(seen, name):
    exhibit, broken, mended = seen[name]
    assert set(exhibit.finds) & set(broken.history.findings)
    assert mended.found == "nothing"


def test_what_is_exactly_nothing(seen):
    def number(name, which):
        return [run.numbers[which] for run in seen[name][1:]]

    broken, mended = number("outside", "gradient for theta at the start")
    assert broken == 0 and mended > 0
    broken, mended = number("bypassed", "theta moved by")
    assert broken == 0 and mended > 0


def test_maps_cannot_be_turned_back(seen):
    _, maps, pictures = seen["feature_maps"]
    (deep,), (shallow,) = maps.numbers.values(), pictures.numbers.values()
    assert deep > 50 and shallow < 5
    untouched = computed.turned_back(0, "nothing")
    assert computed.turned_back(0, "maps") == computed.turned_back(0, "pictures") == untouched
    assert computed.turned_back(15, "maps") < computed.turned_back(15, "nothing")
    assert computed.turned_back(90, "maps") > computed.turned_back(90, "nothing") > 50
    with pytest.raises(ValueError, match="what must be"):
        computed.turned_back(0, "deep")


def test_fine_stripes_become_bands(seen):
    _, direct, averaged = seen["aliasing"]
    bands = "contrast of the bands"
    assert direct.numbers[bands] > 3 * averaged.numbers[bands]


def test_corners_that_disagree_move_a_ruler_by_the_powers_of_28_27ths(seen):
    _, broken, mended = seen["align_corners"]
    name = next(iter(broken.numbers))
    moved = (computed.COLUMN - 13.5) * ((28 / 27) ** 3 - 1)
    assert broken.numbers[name] == pytest.approx(moved, abs=1e-3)
    assert mended.numbers[name] == pytest.approx(0, abs=1e-4)


def test_swapped_sizes_are_seen_on_wide_pictures_alone(seen):
    _, broken, mended = seen["swapped"]
    square, wide = broken.numbers
    assert broken.numbers[square] == mended.numbers[square]
    assert broken.numbers[wide] > 50 > 5 > mended.numbers[wide]


@pytest.mark.parametrize("size", [(28, 28), (20, 40)])
def test_the_right_sampler_is_pytorchs(size):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 1, *size, generator=generator)
    grid = 2.4 * torch.rand(2, 5, 6, 2, generator=generator) - 1.2
    expected = F.grid_sample(image, grid, align_corners=False)
    torch.testing.assert_close(computed.sample_pixels(image, grid, size), expected)
    wrong = computed.sample_pixels(image, grid, size[::-1])
    assert torch.allclose(wrong, expected, atol=1e-5) == (size[0] == size[1])


def test_a_snapshot_brings_a_run_back():
    _, broken, mended = museum.visit(museum.EXHIBITS["thrown_out"])
    lost, back = (training.signs(r.history.probe_thetas[-1]) for r in (broken, mended))
    assert lost.outside > museum.trained.IN_SIGHT > back.outside
    assert back.spread > ALIKE  # and it still looks at its input
    error = "test digits misread, %"
    assert mended.numbers[error] < 50 < broken.numbers[error]
    assert broken.history.findings and not mended.history.findings


def test_the_table_shows_both():
    trial = museum.EXHIBITS["bypassed"].broken
    lines = museum.Visit(museum.EXHIBITS["bypassed"], trial(), trial()).table().splitlines()
    assert lines[0].split() == ["broken", "mended"]
    assert lines[-1].split()[-2:] == ["bypassed", "bypassed"]
    assert len(set(map(len, lines))) == 1


def test_the_doctors_table_has_a_row_for_each_exhibit():
    assert len(museum.doctors_table().splitlines()) == 2 + len(museum.EXHIBITS)


def test_the_detector_names_the_exhibits_and_is_silent_on_healthy_runs():
    """In the table that comes with the package; a few of its runs are made again below."""
    table = museum.load_confusion()
    assert len(museum.HEALTHY_RUNS) == 20
    assert table.false_alarms == 0
    for name, trial in TRAINED.items():
        if museum.EXHIBITS[name].finds:
            assert table.named[name] == table.runs[name], name
        else:
            assert table.found[name] == {}, f"{name}: {trial}"
    assert set(table.runs) == {*TRAINED, *museum.HEALTHY_RUNS}


@pytest.mark.parametrize("name", ["bypassed", "frozen transformer", "no transformer"])
def test_a_row_of_the_table_comes_out_again(name):
    table, again = museum.load_confusion(), detector.tally([name], [1])
    expected = {kind for kind, count in table.found[name].items() if count == table.runs[name]}
    assert set(again.found[name]) == expected


@pytest.mark.parametrize("name", PATIENTS)
def test_a_patient_bears_no_label(name):
    history = training.load_recording(name)
    assert history.findings == {}
    assert (history.recipe.name, history.seed) == ("long", 0)
