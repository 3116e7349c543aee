import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.terms.plan import Plan, make_plan


def plan(nodes: list[dict[str, float]], **options) -> Plan:
    defaults = {
        "growable": (),
        "parallel": None,
        "workers_per_trial": 1,
        "cpus_per_worker": None,
        "gpus_per_worker": None,
        "accelerator": True,
    }
    return make_plan(nodes, **(defaults | options))


@pytest.mark.parametrize(
    ("nodes", "options", "expected"),
    [
        ([{"CPU": 2}], {}, Plan(2, 1, 1, 0)),
        ([{"CPU": 64}], {}, Plan(8, 1, 8, 0)),
        ([{"CPU": 2}], {"workers_per_trial": 2}, Plan(1, 2, 1, 0)),
        ([{"CPU": 16, "GPU": 4}], {}, Plan(4, 1, 1, 1)),
        ([{"CPU": 16, "GPU": 4}], {"accelerator": False}, Plan(8, 1, 2, 0)),
        ([{"CPU": 16, "GPU": 1}], {"gpus_per_worker": 0.25}, Plan(4, 1, 1, 0.25)),
        ([{"CPU": 16, "GPU": 1}], {"gpus_per_worker": 0.3}, Plan(3, 1, 1, 0.3)),
        ([{"CPU": 4}, {"CPU": 8, "GPU": 2}, {"CPU": 8, "GPU": 2}], {}, Plan(4, 1, 1, 1)),
        ([{"CPU": 8, "GPU": 8}], {"parallel": 3}, Plan(3, 1, 1, 1)),
        ([{"CPU": 4}], {"growable": [{"CPU": 4}, *[{"CPU": 8, "GPU": 1}] * 4]}, Plan(4, 1, 1, 1)),
    ],
)
def test_lanes(nodes, options, expected: Plan) -> None:
    assert plan(nodes, **options) == expected


@pytest.mark.parametrize(
    ("nodes", "options", "said"),
    [
        ([{"CPU": 2}], {"workers_per_trial": 3}, "holds 2 such: it has 2 CPUs and 0 GPUs"),
        ([{"CPU": 2}], {"gpus_per_worker": 1.0}, "1 GPU"),
        ([{"CPU": 2}, {"CPU": 2}], {"cpus_per_worker": 3}, "on 2 node"),
        (
            [{"CPU": 4}],
            {"cpus_per_worker": 16, "growable": [{"CPU": 8}] * 4},
            "can grow to 32 CPUs and 0 GPUs on 4 node",
        ),
        ([{"CPU": 4, "GPU": 1}], {"gpus_per_worker": 1.0, "accelerator": False}, "another device"),
        ([{"CPU": 4, "GPU": 1}], {"gpus_per_worker": 0.5, "workers_per_trial": 2}, "a whole GPU"),
        ([{"CPU": 2}], {"parallel": 0}, "--parallel 0: at least 1"),
        ([{"CPU": 2}], {"workers_per_trial": 0}, "--workers-per-trial 0"),
        ([{"CPU": 16, "GPU": 4}], {"gpus_per_worker": 1.5}, "--gpus-per-worker 1.5: a worker uses"),
        ([{"CPU": 16, "GPU": 4}], {"gpus_per_worker": 2.0}, "with --workers-per-trial$"),
        ([{"CPU": 16, "GPU": 4}], {"gpus_per_worker": -1.0}, "0 to 1"),
        ([{"CPU": 16, "GPU": 4}], {"gpus_per_worker": float("nan")}, "0 to 1"),
    ],
)
def test_what_can_never_be_scheduled(nodes, options, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plan(nodes, **options)


@given(
    st.lists(
        st.fixed_dictionaries({"CPU": st.integers(0, 64), "GPU": st.integers(0, 8)}), min_size=1
    ),
    st.integers(1, 4),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.2, 0.25, 0.5, 1.0]),
)
def test_never_more_than_there_is(nodes, workers: int, cpus: int, gpus: float) -> None:
    options = {"workers_per_trial": workers, "cpus_per_worker": cpus, "gpus_per_worker": gpus}
    try:
        found = plan(nodes, **options)
    except ValueError:
        return
    assert found.lanes >= 1
    held = found.lanes * workers
    assert held * cpus <= sum(node["CPU"] for node in nodes)
    assert held * gpus <= sum(node["GPU"] for node in nodes) + 1e-6
