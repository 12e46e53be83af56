"""All of the paper's table: its errors as a table, the board of a run, and the command for it."""

import io
from contextlib import nullcontext
from dataclasses import replace

import pytest
from findings import NAMED, QUICK, R_AFFINE, result

from stn_course import cli
from stn_course.comparison import interval
from stn_course.experiments import paper, results
from stn_course.experiments.whole import __main__ as whole
from stn_course.experiments.whole import board, table

# table


@pytest.mark.parametrize(
    ("errors", "standing"),
    [
        ([1.1, 1.3], ""),
        ([1.2049], ""),
        ([1.3], "above"),
        ([1.0, 1.5, 1.7], "within"),
        ([1.4, 1.5, 1.6], "above"),
    ],
)
def test_how_errors_stand_to_the_papers(errors, standing):
    assert table.standing(errors, 1.2) == standing


def test_the_table_has_means_intervals_and_says_what_is_above():
    three = [result(replace(R_AFFINE, seed=s), e) for s, e in enumerate((1.0, 1.5, 1.7))]
    one = result(NAMED["R_st-cnn_affine_seed0"], 0.7049)
    text = table.to_table([*three, one])
    mean, half = interval([1.0, 1.5, 1.7])
    assert f"| st-fcn | affine | {mean:.2f} ± {half:.2f} (1.2, within) | not run (0.8) |" in text
    assert "| st-cnn | affine | 0.70 (0.7) |" in text
    assert "| fcn | none | not run (2.1) | not run (5.2) |" in text
    assert "not run (47.7) | not run (-) |" in text
    assert "| st-cnn | projective | not run (0.8) | not run (0.6) | not run (0.8) |" in text
    assert "4 runs, 0.1 hours. a CPU; torch 2.13" in text
    assert all(f"- {words}" in text for words in paper.OURS)
    assert all(f"**{name}**: {digits.says}." in text for name, digits in paper.SETS.items())


# board


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_board_says_what_is_done_runs_and_is_left_and_when_it_is_over():
    names = list(NAMED)[:5]
    shown = board.Board([NAMED[name] for name in names], workers=2, stream=io.StringIO())
    assert shown.lines() == ["0 done, 0 running, 5 left, 0 failed, nobody knows yet when"]
    shown.done(result(NAMED[names[0]], 1.5, seconds=100.0))
    shown.runs_on(names[1], 0.75, 50.0)  # 200 seconds in all
    shown.failed(names[2], "the loss is nan")
    lines = shown.lines()
    # 50 left of it, and twice 150, the mean of 100 and 200: by two workers
    assert lines[0] == "1 done, 1 running, 2 left, 1 failed, over in about 2 min 55 s"
    assert lines[1] == f"  {names[2]}: failed, the loss is nan"
    assert lines[2] == f"  {names[0]}: 1.50 % (paper 1.2 %), 1 min 40 s"
    assert lines[3] == f"  {names[1]}: 75 %, 0 min 50 s left"
    assert board.clock(3 * 3600 + 61) == "3 h 01 min" and board.clock(float("inf")) == "?"


def test_the_board_is_no_higher_than_a_terminal():
    shown = board.Board(QUICK, 1, io.StringIO())
    for experiment in reversed(QUICK):
        shown.done(result(experiment))
    assert len(shown.lines()) == 11
    assert shown.lines()[-1].startswith(f"  {QUICK[0].name}:")  # the last that was done


def test_in_a_terminal_a_table_takes_the_place_of_the_one_before():
    terminal = Terminal()
    shown = board.Board(QUICK[:2], 1, terminal)
    shown.runs_on(QUICK[0].name, 0.5, 1.0)
    shown.show()
    shown.show()
    assert terminal.getvalue().count("\x1b[2A\x1b[J") == 1


def test_in_a_file_tables_are_few(monkeypatch):
    file, now = io.StringIO(), 1000.0
    monkeypatch.setattr(board.time, "monotonic", lambda: now)
    shown = board.Board(QUICK[:1], 1, file)
    for now in (1000.0, 1059.0, 1060.0, 1061.0):  # noqa: B007 - the clock reads it
        shown.show()
    shown.show(last=True)
    assert file.getvalue().count("\n") == 3


# command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "-1"], "--workers must be 0 or more; got -1"),
        (["--workers", "2", "--scheduler", "tcp://x"], "not allowed with"),
    ],
)
def test_the_command_names_what_is_wrong(words, said, capsys):
    with pytest.raises(SystemExit):
        whole.main(words)
    assert said in capsys.readouterr().err


def test_every_cell_is_run_for_a_few_steps(tmp_path, monkeypatch, capsys):
    """`make paper ARGS=--quick`; in a folder that stays nothing is left to run a second time."""
    asked = ["paper", "--quick", "--results", "ignored"]
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setattr(whole.tempfile, "TemporaryDirectory", lambda: nullcontext(folder))
    monkeypatch.chdir(tmp_path)
    assert cli.main(asked) == 0
    found = results.load_results(folder, QUICK)
    assert len(found) == 51 and len(list(folder.iterdir())) == 51
    assert all(0 < r.error <= 100 and r.seconds > 0 for r in found)
    out = capsys.readouterr().out
    assert "51 done, 0 running, 0 left, 0 failed, over in about 0 min 00 s" in out
    assert "not run" not in out.partition("| network")[2]
    assert cli.main(asked) == 0
    assert results.load_results(folder, QUICK) == found
    assert list(tmp_path.iterdir()) == [folder]


def test_what_is_there_is_shown_and_nothing_run(tmp_path, capsys):
    experiment = paper.experiments()[0]
    results.save_result(tmp_path, result(experiment, 1.119))
    assert whole.main(["--show", "--results", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "| cnn | none | 1.12 (1.2) | not run (0.8) |" in out and "running" not in out


def test_a_run_that_fails_is_told_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    bad = replace(R_AFFINE, recipe=replace(R_AFFINE.recipe, optimizer="adam"))
    monkeypatch.setattr(whole, "experiments", lambda: [bad, NAMED["R_fcn_none_seed0"]])
    assert whole.main(["--workers", "0", "--results", str(tmp_path / "new")]) == 1
    out = capsys.readouterr().out
    said = (
        "R_st-fcn_affine_seed0: failed, ValueError(\"optimizer must be one of 'sgd', 'adamw'; got"
    )
    assert said in out
    assert "1 done, 0 running, 0 left, 1 failed" in out and "not run (1.2)" in out
    assert (tmp_path / "new" / "R_fcn_none_seed0.json").exists()


def test_an_interrupted_run_says_how_it_goes_on(tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(whole, "one_by_one", interrupt)
    assert whole.main(["--workers", "0", "--results", str(tmp_path)]) == 130
    assert "the same command goes on" in capsys.readouterr().err
