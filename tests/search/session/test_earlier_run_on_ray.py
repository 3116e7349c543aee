"""A run folder made before the modules were moved into rooms: it is reported on, and resumed."""

import shutil
from pathlib import Path

import pytest

from analysis import report
from search.record import ledger, state
from search.record.run_folder import read_info
from search.run import main
from tests.search.session.test_resume_on_ray import check_epochs

EARLIER = Path(__file__).parent / "earlier_run"
"""`run.py --dataset digits --trials 8 --max-epochs 6 --max-parameters 8000 --seed 1`, made on
30 November 2026 at commit ac95a21, on two cores with avx512_bf16; without what is made from the
ledger anew."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EARLIER, tmp_path / "earlier"))


@pytest.mark.slow
def test_an_earlier_run_is_reported_on(run: Path) -> None:
    assert report.main([str(run)]) == 0
    page = (run / "report/index.html").read_text()
    assert "95.3 %" in page  # the winner, on the test images


@pytest.mark.slow
def test_an_earlier_run_is_resumed(ray_cluster: str, run: Path) -> None:
    before = state.load(run)
    lines = list(ledger.read(run / "ledger"))
    words = ["--resume", run.name, "--out", str(run.parent), "--extend", "--trials", "2"]
    assert main(words) == 0
    after = state.load(run)
    assert list(ledger.read(run / "ledger"))[: len(lines)] == lines
    assert len(after.trials) == 10 and read_info(run)["state"] == "finished"
    for number, trial in before.trials.items():
        epochs = len(trial.epochs)
        assert after.trials[number].epochs[:epochs] == trial.epochs
    for trial in (after.trials[8], after.trials[9]):  # in the space that it was begun with
        design = trial.design
        assert (design.schedule, design.normalisation) == ("constant", "scale")
        assert (design.augmentation, design.weight_decay, trial.name) == ("none", 0, "")
    check_epochs(run)
    assert (run / "winner/weights.pt").exists()
