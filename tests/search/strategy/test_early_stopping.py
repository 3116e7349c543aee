"""Rules that end trials early, by the epochs that they have shown."""

from search.strategy.early_stopping import Asha


def test_asha_keeps_the_best_quarter_of_a_rung() -> None:
    rule = Asha(max_epochs=10, reduction=4)
    assert [rule.goes_on(trial, 1, a) for trial, a in enumerate((0.1, 0.5, 0.3, 0.6))] == [
        True,  # the first has no rival
        True,
        False,
        True,
    ]


def test_asha_asks_once_a_rung_whatever_lane_the_trial_is_in() -> None:
    rule = Asha(max_epochs=10, reduction=4)
    assert rule.goes_on(0, 1, 0.9)
    assert rule.goes_on(1, 1, 0.95)
    assert rule.goes_on(0, 2, 0.1)  # epoch 2 is no rung, though it fell
    assert rule.goes_on(0, 3, 0.2)
    assert rule.goes_on(0, 4, 0.3)  # the first at rung 4
    assert rule.goes_on(1, 2, 0.1) and rule.goes_on(1, 3, 0.1)
    assert not rule.goes_on(1, 4, 0.1)


def test_asha_spares_the_first_epochs_by_its_grace() -> None:
    rule = Asha(max_epochs=10, reduction=4, grace=3)
    assert all(rule.goes_on(trial, 1, a) for trial, a in enumerate((0.9, 0.1, 0.5)))
    assert rule.goes_on(0, 3, 0.9)
    assert not rule.goes_on(1, 3, 0.1)
