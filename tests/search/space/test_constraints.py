"""Limits that are known before training: no design beyond them is proposed, nor learned as bad."""

import math
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import Design
from models.network import measure_size
from models.transcript import TRANSCRIPT
from search.cli.options import SearchOptions, TranscriptOptions
from search.record import ledger
from search.record.recorder import Recorder
from search.record.strategy_follower import Follower
from search.record.tensorboard_events import Scalars
from search.scheduling.leg_scheduler import LegScheduler
from search.session import jobs
from search.session.warm_start import designs_of
from search.space.constraints import Limits, smallest
from search.space.design_space import NetworkSpace
from search.space.optuna_parameters import _KnownAnswers
from search.space.random_sampling import RandomSuggest
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms.actions import Resume
from search.terms.budget import Budget
from search.terms.plan import Plan
from tests.analysis.conftest import RunMaker

SHAPE = (3, 32, 32)
SPACE = NetworkSpace(9, *SHAPE[1:])
HALF = 220_000
"""Parameters: half of the space has fewer."""


def size(design: Design) -> int:
    return measure_size(design, SHAPE, 10)[0]


@settings(deadline=None)
@given(
    height=st.integers(1, 64),
    width=st.integers(1, 64),
    classes=st.integers(2, 300),
    seed=st.integers(0, 10_000),
)
def test_no_network_of_a_space_is_smaller_than_the_smallest(height, width, classes, seed) -> None:
    space, shape = NetworkSpace(9, height, width, frozenset(["all"])), (3, height, width)
    least = min(measure_size(design, shape, classes)[0] for design in smallest(space))
    chance = RandomSuggest(Random(seed))
    assert measure_size(space.sample(chance), shape, classes)[0] >= least
    limits = Limits(shape, classes, least)
    limits.check(space)
    with pytest.raises(ValueError, match=f"the smallest network for these images has {least:,}"):
        Limits(shape, classes, least - 1).check(space)


def test_the_smallest_networks_are_of_the_space() -> None:
    for design in smallest(SPACE):
        found = SPACE.sample(_KnownAnswers(SPACE.answers(design)))
        assert (found.kernels, found.dense, size(found)) == (
            design.kernels,
            design.dense,
            size(design),
        )


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(SHAPE, 10), ""),
        (Limits((3, 4, 4), 10), "at most 2 blocks with pooling on images of 4x4"),
        (Limits(SHAPE, 10, 1000), "parameters, more than --max-parameters 1,000"),
        (Limits(SHAPE, 10, workers=65), "a batch of 64 cannot be shared by 65 workers"),
        (
            Limits(SHAPE, 10, workers=33),
            "batch norm needs two images a worker, and 33 share a batch of 64",
        ),
        (Limits(SHAPE, 10, workers=32), ""),
        (
            Limits(SHAPE, 10, workers=20, images=18),
            "a batch of 18 cannot be shared by 20 workers",
        ),
        (Limits(SHAPE, 10, workers=16, images=18), "16 share a batch of 18"),
        (Limits(SHAPE, 10, workers=9, images=18), ""),
    ],
)
def test_why_a_design_is_not_trained(limits, why) -> None:
    design = Design(kernels=((8,), (8,), (8,)), batch_norm=True, dense=(16,), batch_size=64)
    assert why in limits.refusal(design) and limits.allow(design) == (not why)


def test_more_workers_than_any_batch_has_images() -> None:
    with pytest.raises(ValueError, match="--workers-per-trial 257: a batch has 256 images at most"):
        Limits(SHAPE, 10, workers=257).check(SPACE)


def accuracy(design: Design, epoch: int) -> float:
    """The larger the network, the better."""
    return min(0.99, 0.15 * math.log10(size(design)) * (1 - math.exp(-epoch)))


def trained(strategy: SearchStrategy[Design], trials: int) -> list[Design]:
    """Runs a search of one lane until so many trials have begun; their designs."""
    while len(strategy.history.trials) < trials:
        action = strategy.next()
        assert action is not None
        strategy.decided()
        if isinstance(action, Resume):
            number = action.trial
            strategy.resumed(number, action.to_epoch)
        else:
            number = len(strategy.history.trials)
            strategy.started(number, action.design, action.to_epoch, action.name)
        seen = strategy.history.trials[number]
        for epoch in range(seen.last_epoch + 1, seen.to_epoch + 1):
            strategy.told(number, epoch, accuracy(seen.design, epoch), 1.0)
    return [seen.design for seen in strategy.history.trials.values()]


def share_below(designs: list[Design], limit: int) -> float:
    return sum(limit / 2 < size(design) <= limit for design in designs) / len(designs)


def test_the_best_designs_lie_just_below_the_limit_and_are_found_there() -> None:
    limits = Limits(SHAPE, 10, HALF)
    chance = RandomSuggest(Random(0))
    any_at_all = [SPACE.sample(chance) for _ in range(1000)]
    allowed = [design for design in any_at_all if limits.allow(design)]
    assert 0.45 < len(allowed) / len(any_at_all) < 0.55
    by_rejection = share_below(allowed, HALF)
    for searcher, trials in (("random", 300), ("curves", 40), ("tpe", 24), ("gp", 24)):
        strategy = SearchStrategy(SPACE, StrategySettings(searcher, seed=1), allows=limits.allow)
        designs = trained(strategy, trials)
        assert all(map(limits.allow, designs))
        assert share_below(designs, HALF) > by_rejection - 0.1
        if searcher == "curves":
            assert share_below(designs[8:], HALF) > 1.5 * by_rejection


@settings(max_examples=15, deadline=None)
@given(searcher=st.sampled_from(["curves", "random"]), seed=st.integers(0, 1000))
def test_a_limit_that_cuts_nothing_changes_nothing(searcher, seed) -> None:
    settled = StrategySettings(searcher, seed=seed)
    free, limited = (
        SearchStrategy(SPACE, settled),
        SearchStrategy(SPACE, settled, allows=Limits(SHAPE, 10).allow),
    )
    assert trained(free, 12) == trained(limited, 12)


def job(**given) -> jobs.Job:
    options = SearchOptions(max_epochs=9, **given)
    plan = Plan(lanes=1, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)
    dataset = SimpleNamespace(shape=SHAPE, classes=tuple("abcdefghij"), train_count=1000)
    return jobs.make_job(options, dataset, jobs.limits_of(options, dataset, plan))


@pytest.mark.parametrize("searcher", ["curves", "tpe", "gp", "random"])
def test_a_limit_just_above_the_smallest_network_leaves_designs_to_train(
    tmp_path: Path, searcher: str
) -> None:
    """Of designs by chance next to none are so small."""
    least = min(size(design) for design in smallest(SPACE))
    found = job(max_parameters=int(1.3 * least), searcher=searcher, with_transcript=True)
    lines = decided(tmp_path, found, trials=10)
    assert [line["action"] for line in lines if line.get("by") != "known"].count("start") == 10
    refused = [line for line in lines if line["action"] == "refuse"]
    assert len(refused) <= 2  # cnn-1 and cnn-3


def decided(run: Path, found: jobs.Job, trials: int = 25) -> list[dict]:
    """The decisions of a search of one lane that trains nothing."""
    follow = Follower(found.strategy)
    plan = Plan(lanes=1, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)
    recorder = Recorder(run, plan, None, SHAPE, 10, Scalars(run), [follow])
    scheduler = LegScheduler(
        found.strategy,
        recorder,
        Budget(trials=trials),
        refuse=found.limits.refusal,
        lanes=lambda: trials,
        seed=0,
        say=lambda trial: None,
        interrupted=lambda: False,
    )
    while scheduler.next_leg() is not None:
        pass
    return [line for line in ledger.read(run / "ledger") if line["kind"] == "decision"]


@pytest.mark.parametrize("searcher", ["curves", "tpe", "random"])
def test_only_known_designs_are_refused_and_each_once(tmp_path: Path, searcher) -> None:
    found = job(max_parameters=HALF, searcher=searcher, axes=("transcript",))
    decisions = decided(tmp_path, found)
    refused = [line for line in decisions if line["action"] == "refuse"]
    assert decisions[:2] == refused and len(decisions) == 27
    sizes = [size(TRANSCRIPT[name]) for name in ("cnn-1", "cnn-3")]
    assert [line["reason"] for line in refused] == [
        f"{count:,} parameters, more than --max-parameters {HALF:,}" for count in sizes
    ]
    assert found.strategy.history.observations == []


@pytest.mark.parametrize(
    ("given", "begin"),
    [
        ({}, "designs: cnn-1 and cnn-3 first, then what forecasts"),
        ({"max_parameters": 400_000}, "designs: cnn-3 first, then what forecasts"),
        ({"max_parameters": HALF}, "designs: what forecasts"),
        (
            {"axes": ("recipe",), "max_parameters": 35_000},
            "designs: recipe-16-32-64 and recipe-16-32-64-plain first, then what",
        ),
        (
            {"axes": ("recipe",), "max_parameters": 35_000, "with_transcript": True},
            "designs: recipe-16-32-64 and recipe-16-32-64-plain first, then what",
        ),
    ],
)
def test_the_plan_names_the_known_designs_that_are_trained(given, begin) -> None:
    assert job(**{"axes": ("transcript",)} | given).notes[0].startswith(begin)


@pytest.mark.parametrize("axes", [(), ("schedule",), ("all",), ("transcript", "augmentation")])
def test_without_the_recipe_a_search_begins_with_the_transcript(axes) -> None:
    """So does an older run that is resumed, whatever axes it has."""
    assert job(axes=axes).notes[0].startswith("designs: cnn-1 and cnn-3 first")
    settings = job(axes=axes).strategy._settings
    assert settings.startup == StrategySettings().startup


@pytest.mark.parametrize(("most", "startup"), [(None, 8), (20_000, 6), (3_000, 6)])
def test_so_many_are_begun_before_there_is_a_model(most, startup) -> None:
    assert job(max_parameters=most).strategy._settings.startup == startup


def test_asha_compares_where_cycles_end() -> None:
    def note(**given) -> str:
        return job(scheduler="asha", searcher="random", **given).notes[1]

    assert note() == "after 1, 3, 9, ... epochs ASHA ends the worse trials"
    assert note(axes=()) == "after 1, 4, 16, ... epochs ASHA ends the worse trials"


def test_where_next_to_nothing_may_begin_designs_are_refused_in_the_end(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("search.strategy.rejection_sampling.MOST_DRAWS", 5)
    monkeypatch.setattr("search.session.jobs.smallest", lambda space: [])  # near which are some
    decisions = decided(tmp_path, job(max_parameters=2_400, searcher="random"))
    assert len(decisions) >= 200 and {line["action"] for line in decisions} == {"refuse"}


def test_a_limit_below_the_smallest_network_is_named_before_the_start() -> None:
    with pytest.raises(ValueError, match="--max-parameters 2,000: the smallest network"):
        job(max_parameters=2_000)


def test_the_transcript_s_designs_are_held_against_the_images() -> None:
    dataset = SimpleNamespace(shape=(1, 4, 4), classes=tuple("ab"), train_count=1000)
    plan = Plan(lanes=1, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)
    options = TranscriptOptions(names=("cnn-3",))
    found = jobs.make_job(options, dataset, jobs.limits_of(options, dataset, plan))
    assert "at most 2 blocks" in found.limits.refusal(Design(kernels=((8,),) * 3))


def test_a_warm_start_takes_designs_within_the_limits(tmp_path: Path) -> None:
    run = RunMaker(tmp_path / "old")
    run.record()
    for number in range(20):  # the more kernels, the better
        design = Design(kernels=((8 + number,),), epochs=4)
        run.trial(number, [0.3 + number / 100], design=design, seconds=1.0 + number)
    most = size(Design(kernels=((15,),)))
    found = designs_of(tmp_path, "old", SPACE, Limits(SHAPE, 10, most))
    assert [name for name, _ in found[:4]] == ["old#7", "old#6", "old#5", "old#4"]
    assert all(size(design) <= most for _, design in found)
    with pytest.raises(ValueError, match=r"none of its designs may be trained here: .* parameters"):
        designs_of(tmp_path, "old", SPACE, Limits(SHAPE, 10, 1000))
