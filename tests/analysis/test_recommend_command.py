"""python analysis/recommend.py: the design to take."""

import re

import pytest

from analysis import recommend
from models.design import Design


@pytest.fixture
def run(make_run):
    run = make_run("priced")
    run.record(price=3600.0)  # a second of a core costs 1
    run.trial(0, [0.60, 0.70], seconds=10.0, parameters=1000)
    run.trial(1, [0.80, 0.85, 0.90], seconds=100.0, parameters=5000)
    run.trial(2, [0.86], seconds=150.0, parameters=9000)
    return run


def answer(run, capsys, *options):
    status = recommend.main([str(run.folder), *options])
    return status, capsys.readouterr()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--min-accuracy", "0.85"], "Take trial 2, trained for 1 epoch."),
        (["--min-accuracy", "0.7"], "Take trial 0, trained for 2 epochs."),
        (["--min-accuracy", "0.85", "--max-parameters", "5000"], "Take trial 1, trained for 2"),
        (["--max-cost", "100"], "Take trial 1, trained for 1 epoch."),
        (["--max-cost", "99"], "Take trial 0, trained for 2 epochs."),
        (["--max-parameters", "5000"], "Take trial 1, trained for 3 epochs."),
    ],
)
def test_the_design_to_take(run, capsys, options, expected):
    status, printed = answer(run, capsys, *options)
    assert status == 0 and printed.out.startswith(expected) and printed.err == ""


def test_it_says_what_the_design_is_and_costs(run, capsys):
    _, printed = answer(run, capsys, "--min-accuracy", "0.85")
    assert "0.8600 on the validation images" in printed.out
    assert "cost 150" in printed.out and "9,000" in printed.out
    assert "kernels" in printed.out and "32|64|128" in printed.out


def test_if_none_qualifies_the_closest_is_named(run, capsys):
    status, printed = answer(run, capsys, "--min-accuracy", "0.95")
    assert status == 1 and printed.err.count("\n") == 1 and printed.out == ""
    assert "closest is trial 1 (cnn 32-64-128, adam 1e-3) after 3 epochs" in printed.err


def test_a_run_without_results_recommends_nothing(make_run, capsys):
    status, printed = answer(make_run(), capsys, "--min-accuracy", "0.5")
    assert status == 1 and printed.err == "No design has a result yet.\n"


def test_a_run_that_did_not_measure_balanced_accuracy_from_its_beginning(run, capsys):
    run.record(class_counts=[900, 10], price=3600.0)
    status, printed = answer(run, capsys, "--min-accuracy", "0.85")
    assert status == 0 and re.search(r"balanced accuracy +not measured", printed.out)


def test_an_unfinished_run_says_so(run, capsys):
    run.record(state="running", price=1.0)
    _, printed = answer(run, capsys, "--min-accuracy", "0.5")
    assert "Unfinished" in printed.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "at least one of"),
        (["--min-accuracy", "85"], "0.85 means 85 %"),
        (["--min-accuracy", "much"], "--min-accuracy cannot be 'much'"),
        (["--max-cost", "-1"], "not more than 0"),
        (["--max-parameters", "nan"], "not more than 0"),
        (["--max-parms", "3"], "Unrecognized options: --max-parms"),
    ],
)
def test_bad_options_are_one_line_and_status_2(run, capsys, options, words):
    try:
        status, printed = answer(run, capsys, *options)
    except SystemExit as stop:
        status, printed = stop.code, capsys.readouterr()
    assert status == 2 and words in printed.err and printed.err.count("\n") == 1


def test_max_cost_needs_a_price(make_run, capsys):
    run = make_run()
    run.trial(0, [0.5])
    status, printed = answer(run, capsys, "--max-cost", "3")
    assert status == 2 and "needs a price" in printed.err and printed.err.count("\n") == 1


def test_a_missing_run_is_refused(tmp_path, capsys):
    assert recommend.main(["none", "--out", str(tmp_path), "--min-accuracy", "0.5"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_number_has_more_digits_than_people_read(run, capsys):
    rate, dropout = 0.12814684610424926, (0.3333333333333333,)
    design = Design(kernels=((8,),), learning_rate=rate, block_dropout=dropout, epochs=1)
    run.trial(3, [0.99], seconds=0.00597, design=design)
    _, printed = answer(run, capsys, "--min-accuracy", "0.95")
    assert "learning_rate    0.1281\n" in printed.out and "block_dropout    0.3333\n" in printed.out
    assert "training         5.97 ms (5.97 ms of a CPU core, cost 0.00597)" in printed.out
    assert not re.search(r"\d\.\d{6}|e-0", printed.out)
