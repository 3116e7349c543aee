"""What `ray up` leaves on the head, and what can be had by it."""

from pathlib import Path

import pytest
import yaml

from search.cluster import ray_up
from search.run import main
from search.terms.plan import make_plan

ROOT = Path(__file__).parents[3]


@pytest.fixture
def head(tmp_path: Path, monkeypatch) -> Path:
    """A machine that looks like the head of a cluster of cluster.yaml."""
    path = tmp_path / "ray_bootstrap_config.yaml"
    path.write_text((ROOT / "cluster.yaml").read_text())
    monkeypatch.setattr(ray_up, "CONFIG", path)
    return path


def test_the_aws_cluster_grows_to_eight_gpus(head: Path) -> None:
    found = ray_up.config()
    assert found is not None
    nodes = ray_up.growable_nodes(found)
    assert nodes == [{"CPU": 4, "GPU": 1}] * 8


def test_a_head_without_a_gpu_plans_a_search_on_gpus_to_come(head: Path) -> None:
    found = ray_up.config()
    assert found is not None
    options = {"parallel": None, "cpus_per_worker": None, "gpus_per_worker": None}
    head_node = [{"CPU": 0.0, "memory": 1e10}]
    growable = ray_up.growable_nodes(found)
    plan = make_plan(head_node, growable=growable, workers_per_trial=1, accelerator=True, **options)
    assert (plan.lanes, plan.gpus_per_worker) == (8, 1.0)
    with pytest.raises(ValueError, match="holds 0 such"):
        make_plan(head_node, growable=[], workers_per_trial=1, accelerator=True, **options)


def test_one_s_own_hosts_are_those_that_joined() -> None:
    found = yaml.safe_load((ROOT / "cluster-onprem.yaml").read_text())
    found["available_node_types"] = {"local.cluster.node": {"resources": {}, "max_workers": 2}}
    found["head_node_type"] = "local.cluster.node"
    assert ray_up.growable_nodes(found) == []


def test_cluster_down_wants_a_head_and_storage(head: Path, capsys) -> None:
    digits = ["--dataset", "digits", "--cluster-down"]
    assert main(digits) == 2
    assert "--storage" in capsys.readouterr().err
    head.unlink()
    assert main([*digits, "--storage", str(head.parent / "store")]) == 2
    assert "not the head" in capsys.readouterr().err
