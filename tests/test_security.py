"""What comes from others runs no code here, and is not named where secrets would show."""

import ast
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from models import checkpoint
from models.design import Design, to_dict
from models.network import build
from search.run import main
from search.storage.store import Folder
from tests.test_rules import OURS, files

RUNS_CODE = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "marshal.loads", "yaml.load", "yaml.unsafe_load", "os.system"),
    *("shutil.unpack_archive", "joblib.load", "pd.read_pickle", "pandas.read_pickle"),
}
FROM_RAY = {"serve.py"}
"""Opens pickles, which came through Ray from its own driver."""


class Evil:
    """Opened by a careless pickle, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    tree = ast.parse(path.read_text())
    return [(ast.unparse(n.func), n) for n in ast.walk(tree) if isinstance(n, ast.Call)]


@pytest.mark.parametrize("path", [p for o in sorted(OURS) for p in files(o)], ids=lambda p: p.name)
def test_nothing_opens_what_may_run(path: Path) -> None:
    for name, call in calls(path):
        assert name not in RUNS_CODE, f"{path}:{call.lineno}"
        assert name != "pickle.loads" or path.name in FROM_RAY, f"{path}:{call.lineno}"
        named = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if name == "torch.load":
            assert named.get("weights_only") == "True", f"{path}:{call.lineno}"
        assert named.get("allow_pickle") != "True" and named.get("shell") != "True"


def test_a_stranger_s_checkpoint_runs_nothing(tmp_path: Path) -> None:
    left = tmp_path / "left"
    torch.save({"training": {"network": Evil(left)}}, tmp_path / "epoch.pt")
    with pytest.raises(Exception, match=r"(?i)weights.?only|unsupported|global"):
        checkpoint.unpack(Folder(str(tmp_path)).read("epoch.pt"))
    assert not left.exists()


def test_a_stranger_s_run_folder_runs_nothing(tmp_path: Path, capsys) -> None:
    """Neither its weights nor its samples, nor what Tune would have left there, when it is
    reported on and gone on with."""
    from analysis.report import main as report

    left, run = tmp_path / "left", tmp_path / "run"
    design = Design(kernels=((4,),), epochs=1)
    (run / "ledger").mkdir(parents=True)
    (run / "winner").mkdir()
    (run / "run.json").write_text(json.dumps({"name": "run", "command": "search"}))
    told = {"trial": 0, "epoch": 1, "design": to_dict(design), "shape": [1, 8, 8]}
    told |= {"classes": list("ab"), "mean": [0.5], "deviation": [0.2]}
    (run / "winner/design.json").write_text(json.dumps(told))
    network = build(design, (1, 8, 8), 2).state_dict()
    torch.save(network | {"more": Evil(left)}, run / "winner/weights.pt")
    evil = np.array([Evil(left)], dtype=object)
    np.savez(run / "winner/samples.npz", pixels=evil, labels=evil)
    torch.save(Evil(left), run / "tuner.pkl")
    assert report([str(run)]) in (0, 2)
    assert main(["--resume", str(run), "--extend", "--budget", "1min"]) == 2
    assert not left.exists()
    assert "Traceback" not in capsys.readouterr().err
