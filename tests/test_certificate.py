"""The certificate: what stands on it is what was solved."""

import datetime
import io

import pytest
from PIL import Image

from stn_course.checks import progress
from stn_course.cli import main
from stn_course.widgets import certificates, progress_map
from stn_course.widgets.certificates import certificate

DAY = datetime.date(2026, 1, 2)


def texts(figure) -> list[str]:
    """All that can be read on it."""
    parts = figure.findobj(lambda part: hasattr(part, "get_text"))
    return [part.get_text() for part in parts if part.get_text()]


def test_it_says_what_was_solved_and_what_is_left():
    progress.record("affine_grid")
    progress.record("quiz:zoom")
    counts = progress_map.ProgressMap().counts()["02_grid_generation"]
    found = certificate("Ada Lovelace", DAY)
    read = texts(found.figure)
    assert "Ada Lovelace" in read
    assert f"1/{counts['exercises'][1]}" in read and f"1/{counts['quizzes'][1]}" in read
    assert any("2026-01-02" in text for text in read)
    assert any(text.startswith("has solved so far 1 of ") for text in read)
    assert f"02 Grid generation, 1 of {counts['exercises'][1]} exercises" in found.words


def test_each_bar_is_as_long_as_its_share():
    counts = {"02_grid_generation": {"exercises": (3, 4), "quizzes": (0, 0)}}
    axes = certificates.drawn("", counts, "2026-01-02").axes[0]
    filled, frame = (bar.get_width() for bar in axes.patches)
    assert filled == pytest.approx(0.75 * frame)


def test_all_is_said_to_be_all_only_when_it_is():
    some = {"a": {"exercises": (2, 2), "quizzes": (0, 1)}}
    all_ = {"a": {"exercises": (2, 2), "quizzes": (1, 1)}}
    verdict = certificates.verdict
    assert verdict(some) == "has solved so far 2 of 2 exercises and 0 of 1 quizzes"
    assert verdict(all_) == "has solved all of it: 2 of 2 exercises and 1 of 1 quizzes"


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [(7, TypeError, "got int 7"), ("a\nb", ValueError, "one line"), (61 * "x", ValueError, "60")],
)
def test_a_name_is_a_line_that_fits(name, error, words):
    with pytest.raises(error, match=words):
        certificate(name)


def test_the_command_writes_a_picture_and_never_over_another(tmp_path, capsys):
    file = tmp_path / "mine.png"
    main(["certificate", "--name", "Ada", "--output", str(file)])
    assert "certificate of Ada: has solved so far 0 of" in capsys.readouterr().out
    before = file.read_bytes()
    assert Image.open(io.BytesIO(before)).size[0] > 600
    with pytest.raises(SystemExit, match="is there already"):
        main(["certificate", "--output", str(file)])
    assert file.read_bytes() == before
    with pytest.raises(SystemExit, match=r"\.png"):
        main(["certificate", "--output", str(tmp_path / "mine.gif")])
