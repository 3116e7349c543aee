"""What a strategy may and may not do, whatever it is told."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rungs import rungs_of
from search.replay.curve_table import Point, TableSpace
from search.replay.score import score, target
from search.replay.simulator import RecordedTrainer, replay
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms.actions import Resume, Start
from search.terms.time_left import TimeLeft
from tests.search.tables import smooth

TABLE = smooth()
SPACE = TableSpace(TABLE)
SEARCHERS = ("curves", "tpe", "gp", "random")


class Noted(SearchStrategy[Point]):
    """Keeps what it answered, and checks it against what it was told."""

    def __init__(self, *arguments, workers: int = 1, **named) -> None:
        super().__init__(*arguments, **named)
        self.workers = workers
        self.answers: list[Start | Resume] = []

    def next(self, *, new: bool = True, left: TimeLeft | None = None):
        assert len(self.history.running) < self.workers
        action = super().next(new=new, left=left)
        assert action == super().next(new=new, left=left)  # asked again, it answers the same
        if isinstance(action, Resume):
            seen = self.history.trials[action.trial]
            assert seen.state == "paused" and not seen.failed
            assert seen.last_epoch < action.to_epoch <= seen.epochs
            assert action.to_epoch in rungs_of(seen.epochs)
        if action is not None:
            self.answers.append(action)
        return action


@settings(deadline=None, max_examples=25)
@given(
    searcher=st.sampled_from(["curves", "random"]),
    workers=st.one_of(st.integers(1, 6), st.just(36)),
    seed=st.integers(0, 1000),
    second=st.sampled_from(["", "cost"]),
)
def test_no_worker_too_many_no_epoch_twice(searcher, workers, seed, second) -> None:
    strategy = Noted(SPACE, StrategySettings(searcher, seed=seed, second=second), workers=workers)
    trained = []
    for event in replay(strategy, RecordedTrainer(TABLE, SPACE), workers):
        trained.append((event.trial, event.epoch))
        if len(trained) == 120:
            break
    assert len(set(trained)) == len(trained)
    for trial in {trial for trial, _ in trained}:
        epochs = [epoch for number, epoch in trained if number == trial]
        assert epochs == list(range(1, len(epochs) + 1))
    promoted = [(a.trial, a.to_epoch) for a in strategy.answers if isinstance(a, Resume)]
    assert len(set(promoted)) == len(promoted)  # never twice from a rung


@pytest.mark.parametrize("searcher", SEARCHERS)
def test_the_same_seed_and_story_the_same_answers(searcher) -> None:
    def answers(seed: int) -> list:
        strategy = Noted(SPACE, StrategySettings(searcher, seed=seed))
        for event in replay(strategy, RecordedTrainer(TABLE, SPACE), 1):
            if event.trial == 14:
                break
        return strategy.answers

    first = answers(3)
    assert first == answers(3)
    assert first != answers(4)


@pytest.mark.parametrize(("workers", "resumes", "begins"), [(1, 1, 1), (16, 1, 1), (100, 3, 28)])
def test_where_many_trials_run_a_forecast_serves_several_choices(workers, resumes, begins) -> None:
    table = smooth(600)
    strategy: SearchStrategy[Point] = SearchStrategy(TableSpace(table), StrategySettings())
    forecaster = strategy._acquisition.forecaster
    now, asked = forecaster.now, strategy.next
    forecasts, answers = [], []

    def noted(*, new: bool = True):
        answers.append(asked(new=new))
        return answers[-1]

    forecaster.now = lambda: forecasts.append(1) or now()
    strategy.next = noted
    for number, _ in enumerate(replay(strategy, RecordedTrainer(table, strategy._space), workers)):
        if number == 400:
            break
    resumed = sum(isinstance(answer, Resume) for answer in answers)
    begun = sum(isinstance(answer, Start) and answer.by == "curves" for answer in answers)
    assert min(resumed, begun) > 50
    least = resumed / resumes + begun / begins
    assert 0.95 * least <= len(forecasts) <= (resumed + begun) / (1 if workers <= 16 else 2)


@pytest.mark.parametrize("searcher", SEARCHERS)
@pytest.mark.parametrize(("cut", "workers"), [(5, 2), (40, 2), (90, 2), (120, 32)])
def test_told_again_it_goes_on_as_it_would_have(searcher, cut, workers) -> None:
    """A strategy that hears a story afterwards, without ever being asked, answers as the one that
    took part in it, once that forgets what it had in mind."""
    story: list[tuple] = []

    class Told(SearchStrategy[Point]):
        def decided(self):
            story.append(("decided",))
            super().decided()

        def started(self, *told):
            story.append(("started", *told))
            super().started(*told)

        def resumed(self, *told):
            story.append(("resumed", *told))
            super().resumed(*told)

        def told(self, *told):
            story.append(("told", *told))
            super().told(*told)

    took_part = Told(SPACE, StrategySettings(searcher, seed=1))
    for number, _ in enumerate(replay(took_part, RecordedTrainer(TABLE, SPACE), workers), start=1):
        if number == cut:
            break
    took_part.went_on()
    heard: SearchStrategy[Point] = SearchStrategy(SPACE, StrategySettings(searcher, seed=1))
    for what, *told in story:
        getattr(heard, what)(*told)
    assert heard.next() == took_part.next()
    assert heard.next(new=False) == took_part.next(new=False)


def test_known_designs_first_and_a_refused_one_is_not_asked_for_again() -> None:
    known = [("good", (0.003, 70.0, 0.5)), ("better", (0.002, 71.0, 0.5))]
    strategy = SearchStrategy(SPACE, StrategySettings(), known)
    first = strategy.next()
    assert isinstance(first, Start)
    assert (first.name, first.design, first.by, first.to_epoch) == (*known[0], "known", 1)
    strategy.decided()
    strategy.refused(first.design)
    second = strategy.next()
    assert isinstance(second, Start) and second.name == "better"
    strategy.decided()
    strategy.started(0, second.design, 1, "better")
    third = strategy.next()
    assert isinstance(third, Start) and (third.name, third.by) == ("", "random")


@pytest.mark.parametrize("searcher", ["curves", "tpe", "random"])
def test_a_failed_trial_is_never_resumed(searcher) -> None:
    strategy = SearchStrategy(SPACE, StrategySettings(searcher))
    failed = set()
    for number in range(40):
        action = strategy.next()
        strategy.decided()
        if isinstance(action, Resume):
            assert action.trial not in failed
            trial = action.trial
            strategy.resumed(trial, action.to_epoch)
        else:
            assert action is not None
            trial = len(strategy.history.trials)
            strategy.started(trial, action.design, action.to_epoch)
        if number % 3 == 0:
            strategy.told(trial, strategy.history.trials[trial].last_epoch + 1, None, 1.0)
            strategy.ended(trial, failed=True)
            failed.add(trial)
            continue
        seen = strategy.history.trials[trial]
        for epoch in range(seen.last_epoch + 1, seen.to_epoch + 1):
            strategy.told(trial, epoch, 0.5 + seen.design[1] / 1000, 1.0)
    assert failed


def test_without_new_trials_it_ends_after_the_promotions_that_are_due() -> None:
    strategy: SearchStrategy[Point] = SearchStrategy(SPACE, StrategySettings())
    events = list(replay(_NoLastResort(strategy), RecordedTrainer(TABLE, SPACE), 1, most_trials=12))
    assert len(strategy.history.trials) == 12
    given = strategy.history.epochs_given
    assert len(events) == given < 12 * TABLE.epochs
    assert given - strategy.history.epochs_begun >= 0.6 * given
    assert strategy.history.finished


class _NoLastResort:
    def __init__(self, strategy) -> None:
        self._strategy = strategy

    def __getattr__(self, name):
        return (lambda: None) if name == "last_resort" else getattr(self._strategy, name)


def test_the_default_reaches_the_target_for_less_than_random_search() -> None:
    """On curves that a model can understand: with any of ten seeds, at half the median cost."""
    from search.replay.baselines import STRATEGIES

    table = smooth(120, epochs=27, seed=1)
    aim = target(table)
    make = {name: STRATEGIES[name][0][1] for name in ("random", "default")}
    random = sorted(score(table, make["random"], seed, 1, aim).cost for seed in range(101))[50]
    ours = [score(table, make["default"], seed, 1, aim).cost for seed in range(10)]
    assert max(ours) < 0.5 * random and math.isfinite(max(ours))


@given(st.integers(1, 1000))
def test_rungs_rise_by_the_reduction_to_the_end(epochs: int) -> None:
    rungs = rungs_of(epochs)
    assert rungs[-1] == epochs and list(rungs) == sorted(set(rungs))
    for low, high in pairwise(rungs[:-1]):
        assert high == 3 * low
    if len(rungs) > 1:
        assert rungs[0] == 1 and rungs[-1] >= 1.5 * rungs[-2]


@pytest.mark.parametrize(
    ("epochs", "rungs"),
    [(1, (1,)), (2, (1, 2)), (8, (1, 3, 8)), (10, (1, 3, 10)), (30, (1, 3, 9, 30))],
)
def test_rungs_that_are_known(epochs, rungs) -> None:
    assert rungs_of(epochs) == rungs


def test_two_objectives_may_grow_at_the_dear_end() -> None:
    """A design that is dearer than all that were seen, and better, adds to the front."""
    import numpy as np

    from search.strategy.candidates import Candidates

    strategy: SearchStrategy[Point] = SearchStrategy(SPACE, StrategySettings(second="cost"))
    for _ in replay(strategy, RecordedTrainer(TABLE, SPACE), 1, most_trials=10):
        pass
    curves = strategy._acquisition
    assert curves is not None
    forecast = curves.forecaster.now()
    places = curves.forecaster.places([(0.003, 70.0, 0.7), (0.003, 70.0, 0.7)])
    dearest = max(s.seconds for s in strategy.history.trials.values()) / 9
    rates = np.array([dearest * 1.05, dearest * 100])
    candidates = Candidates([], [], np.zeros(2), np.full(2, 9.0), np.full(2, 9.0), places, rates)
    object.__setattr__(candidates, "designs", [(0.003, 70.0, 0.7)] * 2)
    gains = curves._area_gains(forecast, candidates)
    assert gains[0] > 0


def test_of_two_alike_one_is_begun_and_then_another_kind() -> None:
    """Each choice of a forecast is made as if those before it were running."""
    import numpy as np

    from search.strategy.candidates import Candidates
    from search.surrogate.curve_kernel import Hyperparameters
    from search.surrogate.forecast import Forecast
    from search.surrogate.gaussian_process import Covariance, GaussianProcess
    from search.surrogate.output_warping import OutputWarping

    curves = SearchStrategy(SPACE, StrategySettings())._acquisition
    assert curves is not None
    places = np.array([[0.0, 0.0, 0.0], [0.01, 0.0, 0.0], [1.0, 1.0, 1.0]])
    known = Covariance.of(
        Hyperparameters(np.log(np.full(3, 0.4)), np.log([1.0, 1.0, 0.5, 0.5, 0.02])),
        np.array([[0.0, 0.3, 0.0], [1.0, 1.0, 0.6]]),
        np.zeros(2),
    )
    forecast = Forecast(
        GaussianProcess(known, np.array([0.6, 0.0])), OutputWarping(np.linspace(0.1, 0.9, 9))
    )
    candidates: Candidates = Candidates(
        [(0.0,), (0.1,), (1.0,)],
        [],
        np.zeros(3),
        np.full(3, 9.0),
        np.full(3, 9.0),
        places,
        np.ones(3),
    )
    alone = [curves._best(forecast, candidates, 1)[0][0]]
    assert alone == [0] or alone == [1]
    both = [index for index, _ in curves._best(forecast, candidates, 2)]
    assert both == [*alone, 2]
    all_of_them = curves._best(forecast, candidates, 9)
    assert sorted(index for index, _ in all_of_them) == [0, 1, 2]
    likely = forecast.curves.predict(places, np.ones(3))
    assert likely.mean[:2].min() > likely.mean[2]  # by themselves the two would be chosen


@pytest.mark.parametrize("workers", [64, 100])
def test_one_forecast_chooses_no_design_twice(workers) -> None:
    """Also where forecasts are sure."""
    table = smooth(600)
    strategy: SearchStrategy[Point] = SearchStrategy(TableSpace(table), StrategySettings())
    curves = strategy._acquisition
    assert curves is not None
    best, chosen = curves._best, []

    def noted(*arguments):
        chosen.append([index for index, _ in best(*arguments)])
        return best(*arguments)

    curves._best = noted
    for number, _ in enumerate(replay(strategy, RecordedTrainer(table, strategy._space), workers)):
        if number == 500:
            break
    assert max(map(len, chosen)) > 10
    assert all(len(set(indices)) == len(indices) for indices in chosen)


class Three:
    """A space of three designs."""

    max_epochs = 1

    def sample(self, suggest) -> int:
        return suggest.suggest_categorical("which", (0, 1, 2))

    def answers(self, design: int) -> dict:
        return {"which": design}

    def coordinates(self, design: int):
        import numpy as np

        return np.array([design / 2])

    def epochs(self, design: int) -> int:
        return 1

    def is_result(self, design: int, epoch: int) -> bool:
        return True

    def work(self, design: int):
        import numpy as np

        return np.empty(0)


@pytest.mark.parametrize("searcher", SEARCHERS)
@pytest.mark.parametrize("seed", range(5))
def test_what_was_refused_is_never_proposed_again(searcher, seed) -> None:
    strategy: SearchStrategy[int] = SearchStrategy(
        Three(), StrategySettings(searcher, seed=seed, startup=2)
    )
    for trial in range(6):  # further seeds of the three
        strategy.decided()
        strategy.started(trial, trial % 3, 1)
        strategy.told(trial, 1, 0.5 + trial / 100, 1.0)
    for design in (0, 2):
        strategy.decided()
        strategy.refused(design)
    for _ in range(8):
        action = strategy.next()
        assert isinstance(action, Start) and action.design == 1
        strategy.decided()
