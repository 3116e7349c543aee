"""The transcript's claims: which hold, which do not, which were not tried and why."""

import dataclasses

import pytest

from analysis.claims import claim_checks
from analysis.claims.claim_checks import Finding
from analysis.claims.claim_evidence import NotTried, gather
from analysis.claims.transcript_claims import CLAIMS
from analysis.claims.verdicts import transcript_table, verdict
from models.transcript import TRANSCRIPT
from tests.analysis.conftest import CIFAR


@pytest.fixture
def transcript(make_run):
    run = make_run("transcript")
    run.record(command="transcript", evaluated_on="test", train_images=50_000)
    return run


A100 = "NVIDIA A100-SXM4-40GB"


def add(run, number, name, accuracies, training, parameters, seconds=1.0, changed=None, **on):
    design = dataclasses.replace(TRANSCRIPT[name], **(changed or {}))
    if len(accuracies) > design.epochs:
        design = dataclasses.replace(design, epochs=len(accuracies))
    run.trial(
        number,
        accuracies,
        training=training,
        design=design,
        name=name,
        parameters=parameters,
        seconds=seconds,
        **on,
    )


def verdicts(run, metrics=None):
    found = run.findings()
    evidence = gather(found.run, found.best.trial if found.best else None, metrics or {})
    frame = transcript_table(evidence).frame
    return {(row.design, row.claim): row for row in frame.itertuples()}


def by_words(rows, design, words):
    (row,) = (row for (name, claim), row in rows.items() if name == design and words in claim)
    return row


def test_every_design_has_claims_and_each_has_a_criterion():
    assert {claim.design for claim in CLAIMS} == {*TRANSCRIPT, "all"}
    assert all(claim.criterion and claim.claim for claim in CLAIMS)


def test_the_single_layer(transcript):
    add(transcript, 0, "ann-1", [0.25] + [0.29] * 9, [0.3] * 9 + [0.4], 30_730)
    rows = verdicts(transcript)
    assert by_words(rows, "ann-1", "30k").verdict == "holds"
    assert by_words(rows, "ann-1", "30k").measured == "30,730 parameters"
    assert by_words(rows, "ann-1", "about 37 %").verdict == "holds"  # 40 is within 3 points
    assert by_words(rows, "ann-1", "less than 30 %").verdict == "holds"
    assert by_words(rows, "ann-1", "doesn't improve").verdict == "does not hold"


def test_exactly_thirty_percent_is_not_less(transcript):
    add(transcript, 0, "ann-1", [0.30] * 10, [0.3] * 10, 31_501)
    rows = verdicts(transcript)
    assert by_words(rows, "ann-1", "less than 30 %").verdict == "does not hold"
    assert by_words(rows, "ann-1", "30k").verdict == "does not hold"  # more than 5 % off
    assert by_words(rows, "ann-1", "doesn't improve").verdict == "holds"


def test_two_designs_are_compared_at_the_last_common_epoch(transcript):
    add(transcript, 0, "cnn-3", [0.5, 0.6, 0.66, 0.7, 0.7, 0.7, 0.7], [0.9] * 7, 350_000)
    add(transcript, 1, "cnn-5-dropout", [0.6] * 6 + [0.71] + [0.5] * 3, [0.8] * 10, 800_000)
    rows = verdicts(transcript)
    assert by_words(rows, "cnn-3", "around 65 %").verdict == "holds"
    assert by_words(rows, "cnn-5-dropout", "approached 70 %").verdict == "holds"
    gap = by_words(rows, "cnn-5-dropout", "narrowed the gap")
    assert gap.verdict == "holds" and "after epoch 7" in gap.measured
    assert by_words(rows, "cnn-5-dropout", "previous network").verdict == "holds"
    assert by_words(rows, "cnn-3", "performance was improved").measured == "cnn-1: not run"


def test_what_was_not_trained_long_enough_is_not_tried(transcript):
    add(transcript, 0, "final", [0.5] * 10, [0.5] * 10, 550_570)
    rows = verdicts(transcript)
    flat = by_words(rows, "final", "flatten")
    assert (flat.verdict, flat.measured) == ("not tried", "10 of 300 epochs")
    assert by_words(rows, "cnn-1", "500k").measured == "not run"


def test_three_hundred_epochs_and_a_hundred_more(transcript):
    curve = [min(0.80, 0.5 + 0.001 * epoch) for epoch in range(300)]
    curve += [0.80 + 0.0003 * epoch for epoch in range(100)]
    training = [a + 0.02 for a in curve]
    add(transcript, 0, "final", curve, training, 550_570, seconds=108.0, device=A100, gpus=1.0)
    rows = verdicts(transcript)
    further = by_words(rows, "final", "another 50 to 100")
    assert further.verdict == "holds" and "by epoch 400" in further.measured
    hours = by_words(rows, "final", "9 hours")
    assert hours.verdict == "holds" and hours.measured.startswith("9.0 h")
    assert by_words(rows, "final", "no overfitting").verdict == "holds"
    assert by_words(rows, "final", "flatten").verdict == "does not hold"  # 2 points in 20 epochs


@pytest.mark.parametrize(
    ("on", "seconds", "verdict", "measured"),
    [
        ({"device": A100, "gpus": 1.0}, 10.0, "does not hold", "0.8 h of training on NVIDIA A100"),
        ({"device": "CPU, 2 threads"}, 10.0, "not tried", "0.8 h of training on CPU, 2 threads, n"),
        ({"device": "CPU, 2 threads"}, 108.0, "not tried", "9.0 h of training on CPU, 2 threads"),
        ({"device": "NVIDIA H100 80GB HBM3", "gpus": 1.0}, 108.0, "not tried", "9.0 h"),
        ({"device": A100, "gpus": 0.5}, 108.0, "not tried", "9.0 h of training on 1 x 0.5 NVIDIA"),
        ({"device": A100, "gpus": 1.0, "workers": 2}, 108.0, "not tried", "9.0 h of training on 2"),
        ({"device": f"{A100} MIG 3g.20gb", "gpus": 1.0}, 108.0, "not tried", "9.0 h"),
        ({"device": "", "gpus": 1.0}, 108.0, "not tried", "9.0 h of training on an unknown"),
    ],
)
def test_hours_on_other_hardware_are_no_verdict(transcript, on, seconds, verdict, measured):
    add(transcript, 0, "final", [0.5] * 300, [0.5] * 300, 550_570, seconds=seconds, **on)
    row = by_words(verdicts(transcript), "final", "9 hours")
    assert row.verdict == verdict and row.measured.startswith(measured)
    assert row.measured.endswith(", not on one GPU of 40 GB") == (verdict == "not tried")


@pytest.mark.parametrize(
    ("epochs", "gain", "verdict", "measured"),
    [
        (350, 0.03, "holds", "+3.0 points by epoch 350"),
        (350, 0.01, "not tried", "350 of 400 epochs"),  # fifty more may bear it out
        (400, 0.01, "does not hold", "+1.0 points by epoch 350, +1.0 points by epoch 400"),
    ],
)
def test_epochs_that_are_not_there_yet_refute_nothing(transcript, epochs, gain, verdict, measured):
    curve = [0.5] * 310 + [0.5 + gain] * (epochs - 310)
    add(transcript, 0, "final", curve, curve, 550_570)
    row = by_words(verdicts(transcript), "final", "another 50 to 100")
    assert (row.verdict, row.measured.replace("1.0 point ", "1.0 points ")) == (verdict, measured)


def test_another_design_of_the_same_name_is_not_the_transcript_s(transcript):
    add(transcript, 0, "cnn-1", [0.5] * 10, [0.9] * 10, 513_410, changed={"batch_size": 256})
    add(transcript, 1, "ann-1", [0.3] * 10, [0.3] * 10, 30_730)
    rows = verdicts(transcript)
    for words in ("90 %", "500k", "around 40-50 %"):
        row = by_words(rows, "cnn-1", words)
        assert (row.verdict, row.measured) == (
            "not tried",
            "trained with batch_size 256, not 32",
        )
    assert by_words(rows, "ann-1", "30k").verdict == "holds"
    assert by_words(rows, "all", "CNN").verdict == "not tried"


def test_a_shorter_training_is_the_same_where_each_epoch_is_a_result(transcript):
    add(transcript, 0, "final", [0.5] * 3, [0.5] * 3, 550_570, changed={"epochs": 3})
    assert by_words(verdicts(transcript), "final", "9 hours").measured == "3 of 300 epochs"
    cosine = {"epochs": 3, "schedule": "cosine"}
    add(transcript, 1, "cnn-1", [0.5] * 3, [0.5] * 3, 513_410, changed=cosine)
    row = by_words(verdicts(transcript), "cnn-1", "500k")
    assert row.measured == "trained with schedule cosine, not constant"


def test_what_diverged_later_than_a_claim_asks_does_not_refute_it(transcript):
    add(transcript, 0, "cnn-5-dropout", [0.7] * 7 + [None], [0.7] * 7 + [None], 800_000)
    row = by_words(verdicts(transcript), "cnn-5-dropout", "approached 70 %")
    assert (row.verdict, row.measured) == ("holds", "70.0 % after epoch 7")


def test_a_curve_that_flattens_at_the_end(transcript):
    curve = [0.5 + 0.001 * min(epoch, 280) for epoch in range(1, 301)]
    curve = [a if n < 265 else curve[264] for n, a in enumerate(curve)]
    add(transcript, 0, "final", curve, curve, 550_570)
    assert by_words(verdicts(transcript), "final", "flatten").verdict == "holds"


def test_the_confusions_of_the_final_network(transcript):
    names = ["bird", "cat", "dog", "frog"]
    counts = [[900, 10, 5, 60], [20, 700, 150, 9], [5, 120, 800, 2], [50, 4, 4, 950]]
    metrics = {"classes": [{"class": name} for name in names], "confusion": counts}
    add(transcript, 0, "final", [0.8] * 300, [0.8] * 300, 550_570)
    rows = verdicts(transcript, metrics)
    assert by_words(rows, "final", "cat and dog").verdict == "holds"
    assert by_words(rows, "final", "bird and frog").verdict == "holds"
    counts[0][3] = 101
    rows = verdicts(transcript, metrics)
    assert by_words(rows, "final", "cat and dog").verdict == "does not hold"


def test_convolutions_win(transcript):
    add(transcript, 0, "ann-1", [0.3] * 10, [0.3] * 10, 30_730)
    assert by_words(verdicts(transcript), "all", "CNN").verdict == "not tried"
    add(transcript, 1, "cnn-1", [0.5] * 10, [0.9] * 10, 513_410)
    row = by_words(verdicts(transcript), "all", "CNN")
    assert row.verdict == "holds" and row.measured == "50.0 % of cnn-1 against 30.0 % of ann-1"


def test_a_diverged_design_does_not_bear_its_claims_out(transcript):
    add(transcript, 0, "cnn-1", [0.4, None], [0.4, None], 513_410)
    row = by_words(verdicts(transcript), "cnn-1", "90 %")
    assert (row.verdict, row.measured) == ("does not hold", "diverged in epoch 2")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"train_images": 5000}, "trained on 5,000 of 50,000 images"),
        ({"dataset": {"name": "digits", "shape": [1, 8, 8], "classes": ["0"] * 10}}, "on digits"),
        ({"dataset": CIFAR | {"name": "ours", "classes": list("abcdefghij")}}, "on ours, not on"),
        ({"dataset": CIFAR | {"test_count": 500}}, "scored on 500 images, not on 10,000"),
        ({"dataset": {}}, "on images that are not recorded"),
        ({"train_images": None}, "how many images were trained on is not recorded"),
        ({"evaluated_on": "validation"}, "scored on the validation images"),
    ],
)
def test_other_or_fewer_images_are_not_the_transcripts_experiment(transcript, change, reason):
    fields = {"train_images": 50_000, "evaluated_on": "test"} | change
    transcript.record(command="transcript", **fields)
    add(transcript, 0, "ann-1", [0.3] * 10, [0.3] * 10, 30_730)
    row = by_words(verdicts(transcript), "ann-1", "about 37 %")
    assert row.verdict == "not tried" and row.measured.startswith(reason)


def test_of_two_trials_of_a_design_the_longer_one_counts(transcript):
    add(transcript, 0, "ann-1", [0.2], [0.2], 1)
    add(transcript, 1, "ann-1", [0.2] * 10, [0.2] * 10, 30_730)
    assert by_words(verdicts(transcript), "ann-1", "30k").verdict == "holds"


def test_a_check_that_was_not_tried_says_why(transcript):
    def check(evidence) -> Finding:
        raise NotTried("no")

    claim = dataclasses.replace(CLAIMS[0], check=check)
    assert verdict(claim, gather(transcript.findings().run, None, {})) == ("no", "not tried")
    assert claim_checks.ABOUT == 0.03
