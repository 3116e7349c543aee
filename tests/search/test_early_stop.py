from search.early_stop import Asha, never
from search.state import Trial
from tests.search.hand_made import epoch


def trial(number: int, *accuracies: float) -> Trial:
    from models.design import Design

    lines = [epoch(number, n, accuracy) for n, accuracy in enumerate(accuracies, 1)]
    return Trial(number, Design(epochs=10), seed=0, parameters=1, flops=1, epochs=lines)


def test_asha_keeps_the_best_quarter_of_a_rung() -> None:
    rule = Asha(max_epochs=10, reduction=4)
    assert [rule.goes_on(trial(n, a)) for n, a in enumerate((0.1, 0.5, 0.3, 0.6))] == [
        True,  # the first has no rival
        True,
        False,
        True,
    ]


def test_asha_asks_once_a_rung_whatever_lane_the_trial_is_in() -> None:
    rule = Asha(max_epochs=10, reduction=4)
    assert rule.goes_on(trial(0, 0.9))
    assert rule.goes_on(trial(1, 0.95))
    assert rule.goes_on(trial(0, 0.9, 0.1))  # epoch 2 is no rung, though it fell
    assert rule.goes_on(trial(0, 0.9, 0.1, 0.2))
    assert rule.goes_on(trial(0, 0.9, 0.1, 0.2, 0.3))  # the first at rung 4
    assert not rule.goes_on(trial(1, 0.95, 0.1, 0.1, 0.1))


def test_never_ends_none() -> None:
    assert never(trial(0, 0.0))
