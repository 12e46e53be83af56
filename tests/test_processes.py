"""Training from a terminal, on one process and on two."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import warm_python

from stn_course import models, training
from stn_course.training import processes
from stn_course.training.__main__ import main

SMALL = ["--images", "1282", "--epochs", "2", "--device", "cpu"]  # 6 steps an epoch


OPTIONS = [*SMALL, "--double", "--rotate", "90"]  # so that the distortion is shared out, too
ONE = "import sys; from stn_course.training.__main__ import main; main(sys.argv[1:])"


def train_on_two(folder: Path) -> training.History:
    """The command on two processes, with a checkpoint in that folder; its history."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    files = ["--checkpoint", str(folder / "run.ckpt"), "--history", str(folder / "two.pt")]
    subprocess.run(
        [*torchrun, "--nproc-per-node=2", "-m", "stn_course.training", *OPTIONS, *files],
        check=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return training.History.load(folder / "two.pt")


@pytest.fixture(scope="module")
def on_two(tmp_path_factory) -> tuple[Path, training.History]:
    """Where two processes have left their checkpoint, and their history."""
    folder = tmp_path_factory.mktemp("two processes")
    return folder, train_on_two(folder)


def test_two_processes_give_the_loss_curve_of_one(tmp_path, on_two):
    done = warm_python.run(ONE, *OPTIONS, "--history", str(tmp_path / "one.pt"))
    assert done.returncode == 0, done.stderr
    one, two = training.History.load(tmp_path / "one.pt"), on_two[1]
    assert len(one.losses) == len(two.losses) == 12
    assert one.losses[0] - min(one.losses) > 0.2  # it learns
    for a, b in zip(one.losses, two.losses, strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    assert torch.allclose(one.probe_thetas[-1], two.probe_thetas[-1], atol=1e-4)
    assert one.accuracies == pytest.approx(two.accuracies, abs=1e-3)


def test_two_processes_go_on_from_a_checkpoint(on_two):
    folder, first = on_two
    again = train_on_two(folder)
    assert again.losses == first.losses
    assert again.seconds == first.seconds  # it did not train once more


def test_the_command_trains_and_writes_what_it_is_asked_for(tmp_path, capsys):
    files = ["--history", str(tmp_path / "h.pt"), "--weights", str(tmp_path / "w.pt")]
    main([*SMALL, *files, "--model", "plain", "--rotate", "30", "--recipe", "rotated"])
    said = capsys.readouterr().out
    history = training.History.load(tmp_path / "h.pt")
    assert f"test accuracy {100 * history.accuracy:.2f} %" in said
    assert history.recipe.name == "rotated"
    weights = torch.load(tmp_path / "w.pt", weights_only=True)
    models.PlainNet().load_state_dict(weights)


def test_an_unknown_recipe_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["--recipe", "fast"])
    assert "'fast'" in capsys.readouterr().err


def test_alone_nothing_is_shared_out():
    batch, loss, model = torch.arange(5), torch.tensor(2.0), torch.nn.Linear(1, 1)
    assert torch.equal(processes.share(batch), batch)
    assert processes.mean(loss) is loss
    assert processes.together(model) is model
    assert (processes.world_size(), processes.rank()) == (1, 0)


def test_a_batch_is_shared_out_evenly(monkeypatch):
    monkeypatch.setattr(processes, "world_size", lambda: 2)
    shares = []
    for rank in (0, 1):
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        shares.append(processes.share(torch.arange(7)).tolist())
    assert shares == [[0, 2, 4], [1, 3, 5]]
