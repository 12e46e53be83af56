"""`stn-course`: what each command hands on, and how it says that something cannot be done."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyterlab.labapp import LabApp

import stn_course
from stn_course import cli, comparison
from stn_course.lessons import load_lessons

COMMANDS = ["lab", "copy", "reset", "table", "paper", "colocalise", "check", "train"]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch) -> Path:
    """Where the commands run; with a space in its name."""
    folder = tmp_path / "an empty folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def flags(monkeypatch) -> list[str]:
    """What JupyterLab would have been started with."""
    given: list[str] = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: given.extend(argv))
    return given


def refused(*words: str) -> str:
    """What a command says that ends with exit status 1."""
    with pytest.raises(SystemExit) as caught:
        cli.main([*words])
    assert isinstance(caught.value.code, str)
    return caught.value.code


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert [c for c in COMMANDS if not re.search(rf"\n    {c}\s", said)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert command in capsys.readouterr().out.partition("options:")[0]


@pytest.mark.parametrize("words", [[], ["labs"], ["reset", "03"], ["lab", "--port", "x"]])
def test_what_it_does_not_know_is_told(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: stn-course ")


def test_it_says_its_version(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"stn-course {stn_course.__version__}\n"


@pytest.mark.parametrize("command", ["check", "train"])
def test_a_command_with_a_command_line_of_its_own_gets_all_words(command, monkeypatch):
    words, _ = cli.HANDED_ON[command]
    monkeypatch.setitem(cli.HANDED_ON, command, (words, "stand_in"))
    stand_in = SimpleNamespace(main=lambda words: ("status", words))
    monkeypatch.setitem(sys.modules, "stand_in", stand_in)
    given = ["--epochs", "1", "--", "a b.ipynb", "-h"]
    assert cli.main([command, *given]) == ("status", given)


def test_lab_makes_the_copy_and_opens_its_first_notebook(empty_folder, flags, capsys):
    assert cli.main(["lab"]) is None
    copy = empty_folder / "my_notebooks"
    assert sorted(file.stem for file in copy.glob("*.ipynb")) == list(load_lessons())
    assert (copy / "images" / "straightener.gif").exists()
    assert (copy / "CHANGELOG.md").exists()
    assert f"--ServerApp.root_dir={copy}" in flags
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in flags
    assert {"--ServerApp.ip=127.0.0.1", "--ServerApp.port=8888"} <= set(flags)
    assert "--no-browser" not in flags
    said = capsys.readouterr().out
    assert said == f"Your copy of version {stn_course.__version__}: {copy}\n"


def test_lab_takes_a_port_a_folder_and_no_browser(empty_folder, flags):
    cli.main(["lab", "--port", "8899", "--folder", "else where", "--no-browser"])
    assert f"--ServerApp.root_dir={empty_folder / 'else where'}" in flags
    assert {"--ServerApp.port=8899", "--no-browser"} <= set(flags)
    assert (empty_folder / "else where" / "00_start_here.ipynb").exists()


def test_in_a_copy_the_copy_is_meant(empty_folder, flags, monkeypatch):
    cli.main(["copy"])
    monkeypatch.chdir(empty_folder / "my_notebooks")
    cli.main(["lab"])
    assert f"--ServerApp.root_dir={empty_folder / 'my_notebooks'}" in flags
    assert not (empty_folder / "my_notebooks" / "my_notebooks").exists()


def test_a_folder_that_cannot_be_one_opens_nothing(empty_folder, flags):
    Path("file").touch()
    assert refused("lab", "--folder", "file").startswith("stn-course lab: ")
    assert flags == []


def test_copy_says_what_is_the_learners_and_stays(empty_folder, capsys):
    cli.main(["copy", "--folder", "mine"])
    for file in (Path("mine", "02_grid_generation.ipynb"), Path("mine", ".copied.json")):
        file.write_text("{}", encoding="utf-8")
    cli.main(["copy", "--folder", "mine"])
    assert "02_grid_generation.ipynb is yours and stays as it is" in capsys.readouterr().out
    assert Path("mine", "02_grid_generation.ipynb").read_text(encoding="utf-8") == "{}"


def test_reset_puts_a_cell_back_or_says_why_not(empty_folder, capsys):
    cli.main(["copy"])
    cli.main(["reset", "03", "nearest"])
    assert "kept in 03_sampling.before_reset.ipynb" in capsys.readouterr().out
    assert refused("reset", "03", "inverse").startswith(
        "stn-course reset: no exercise of 03_sampling is called 'inverse'; there are: frame, "
    )
    assert "there is no" in refused("reset", "03", "nearest", "--folder", "elsewhere")


def test_the_table_asked_for_is_printed_and_its_file_handed_on(monkeypatch, capsys):
    stored, asked = comparison.load_comparison("turned"), []

    def pretend(name, path, done):
        asked.append((name, path))
        return stored

    monkeypatch.setattr(comparison, "compare", pretend)
    cli.main(["table", "turned"])
    assert capsys.readouterr().out == f"{comparison.to_markdown(stored)}\n"
    cli.main(["table", "clutter", "--output", "figures.json"])
    assert asked == [("turned", None), ("clutter", Path("figures.json"))]
