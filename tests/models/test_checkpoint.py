import os
import pickle
from pathlib import Path

import pytest
import torch

from models import checkpoint


class Attack:
    def __reduce__(self):
        return (os.system, ("touch /tmp/kneepoint-was-here",))


def test_round_trip(tmp_path: Path) -> None:
    content = {"a": torch.arange(3), "b": {"c": 1.5, "d": ["x", None, True]}}
    checkpoint.save(content, tmp_path / "deep/er/last.pt")
    loaded = checkpoint.load(tmp_path / "deep/er/last.pt")
    assert torch.equal(loaded["a"], content["a"]) and loaded["b"] == content["b"]
    assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["last.pt"]


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    checkpoint.save({"a": 1}, tmp_path / "last.pt")
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        checkpoint.save({"a": lambda: 0}, tmp_path / "last.pt")
    assert checkpoint.load(tmp_path / "last.pt") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_stranger_s_checkpoint_runs_nothing(tmp_path: Path) -> None:
    torch.save({"a": Attack()}, tmp_path / "evil.pt")
    with pytest.raises(pickle.UnpicklingError):
        checkpoint.load(tmp_path / "evil.pt")
    assert not Path("/tmp/kneepoint-was-here").exists()
