"""python analysis/report.py: whole runs, unfinished ones, and bad input."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import analysis
from analysis import report
from models.design import Design
from models.network import build
from models.training.scoring import classification_metrics
from models.transcript import TRANSCRIPT

COMMAND = Path(analysis.__file__).parent / "report.py"


def page_of(run, capsys):
    assert report.main([str(run)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 and printed[0] == str(run / "report" / "index.html")
    return Path(printed[0]).read_text(encoding="utf-8")


def refused(arguments, capsys):
    try:
        status = report.main(arguments)
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    assert status == 2 and captured.out == "" and captured.err.count("\n") == 1
    return captured.err


def test_a_finished_run_has_page_tables_and_figures(digits_run, capsys):
    page = page_of(digits_run, capsys)
    folder = digits_run / "report"
    for table in ("accuracy_vs_cost", "trials", "epoch_gain", "confusion", "classes", "costs"):
        assert {path.suffix for path in (folder / "tables").glob(f"{table}.*")} == {
            *(".csv", ".md", ".tex")
        }
    for figure in ("accuracy_vs_cost", "learning_curves", "structure", "first_layer", "confusion"):
        assert {path.suffix for path in (folder / "figures").glob(f"{figure}.*")} == {
            *(".png", ".svg")
        }
    assert len(list((folder / "figures").glob("activations_*.png"))) == 10
    assert not (folder / "tables" / "transcript.csv").exists()
    assert "Scored once on the 360 test images" in page
    assert "Unfinished" not in page and "worse than the median" in page
    assert len(page) < 8_000_000


def test_the_page_asks_nothing_of_a_network(digits_run, capsys):
    page = page_of(digits_run, capsys)
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert sources and all(source.startswith(("data:image/", "#")) for source in sources)
    assert "url(" not in page and "@import" not in page and "<script" not in page


def test_an_unfinished_run_says_so(make_run, capsys):
    run = make_run("unfinished")
    run.record(state="interrupted")
    run.trial(0, [0.5, 0.6, 0.7], state="running")
    page = page_of(run.folder, capsys)
    assert "Unfinished: this run is interrupted" in page and "validation figures only" in page
    assert "The leading design" in page and "no test score yet" in page
    assert (run.folder / "report" / "figures" / "structure.png").exists()


def test_a_run_that_died_early_has_a_report(tmp_path, capsys):
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "run.json").write_text('{"name": "early", "state": "failed"}')
    page = page_of(tmp_path / "early", capsys)
    assert "there is nothing to report" in page and "not recorded" in page


def test_a_run_without_results_has_a_report(make_run, capsys):
    run = make_run()
    run.record(state="running", dataset={})
    run.trial(0, [], state="running")
    run.trial(1, [None], state="failed", reason="diverged")
    assert "No design has a result yet" in page_of(run.folder, capsys)


def test_a_transcript_run_has_its_table_and_says_what_it_scores_on(make_run, capsys):
    run = make_run("transcript")
    run.record(command="transcript", evaluated_on="test", train_images=50_000)
    run.trial(0, [0.3] * 10, design=TRANSCRIPT["ann-1"], name="ann-1", parameters=30_730)
    page = page_of(run.folder, capsys)
    assert "30.0 % on the test images after 1 epoch" in page
    assert "training took all training images" in page
    assert (run.folder / "report" / "tables" / "transcript.csv").exists()


def test_a_class_called_script_is_harmless(make_run, capsys):
    names = ["<script>alert(1)</script>", "$x_1$ & 100% \\input{y} | 猫", 'a,b\n"c"']
    run = make_run("nasty")
    run.record(dataset={"name": "<b>data</b>", "shape": [3, 8, 8], "classes": names})
    design = Design(kernels=((4,),), epochs=1)
    run.trial(0, [0.5], design=design)
    winner = run.folder / "winner"
    winner.mkdir()
    told = {"trial": 0, "epoch": 1, "design": {"kernels": [[4]], "epochs": 1}, "shape": [3, 8, 8]}
    told |= {"classes": names, "mean": [0.5] * 3, "deviation": [0.2] * 3}
    (winner / "design.json").write_text(json.dumps(told))
    torch.save(build(design, (3, 8, 8), 3).state_dict(), winner / "weights.pt")
    labels = np.arange(3)
    metrics = classification_metrics(labels, labels[::-1].copy(), names)
    (winner / "metrics.json").write_text(json.dumps(metrics))
    pixels = np.random.default_rng(0).integers(0, 255, (3, 3, 8, 8)).astype(np.uint8)
    np.savez(winner / "samples.npz", pixels=pixels, labels=labels)
    page = page_of(run.folder, capsys)
    assert "<script" not in page and "<b>data" not in page
    assert "&lt;script&gt;alert(1)" in page and "猫" in page


def test_the_newest_run_is_taken_if_none_is_named(make_run, tmp_path, capsys):
    for name, created in (("a", "2026-03-01"), ("b", "2026-05-01"), ("c", "2026-04-01")):
        make_run(name).record(created=created)
    assert report.main(["--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(str(tmp_path / "b" / "report"))


def test_a_second_report_leaves_no_stale_table(make_run, capsys):
    run = make_run()
    run.trial(0, [0.5])
    page_of(run.folder, capsys)
    stale = run.folder / "report" / "tables" / "transcript.csv"
    stale.write_text("old")
    page_of(run.folder, capsys)
    assert not stale.exists()


def test_bad_input_is_one_line_and_status_2(make_run, tmp_path, capsys):
    run = make_run("good")
    run.trial(0, [0.5])
    (tmp_path / "empty").mkdir()
    out = ["--out", str(tmp_path)]
    assert "no run 'nowhere'" in refused(["nowhere", *out], capsys)
    assert "there are good" in refused(["nowhere", *out], capsys)
    assert "is not a run" in refused(["empty", *out], capsys)
    assert "no folder" in refused(["--out", str(tmp_path / "none")], capsys)
    assert "no run in" in refused(["--out", str(tmp_path / "empty")], capsys)
    assert "--bogus" in refused(["good", *out, "--bogus"], capsys)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("ledger/000000.jsonl", "{oops\n{}\n", "ledger"),
        ("ledger/000000.jsonl", '{"seq": 0, "kind": "epoch", "trial": 3}\n', "damaged"),
        ("ledger/000000.jsonl", '{"seq": 0, "kind": "trial", "trial": 0}\n', "damaged"),
        ("run.json", "{", "run.json"),
        ("run.json", "[]", "run.json"),
        ("winner/design.json", '{"trial": 0}', "winner"),
        ("winner/design.json", "x", "design.json"),
        ("winner/metrics.json", '{"accuracy": 0.5}', "metrics.json"),
    ],
)
def test_a_damaged_run_is_refused(make_run, tmp_path, capsys, file, content, words):
    run = make_run("damaged")
    run.trial(0, [0.5])
    (run.folder / "winner").mkdir()
    told = {"trial": 0, "epoch": 1, "design": {}, "shape": [3, 8, 8], "classes": ["a", "b"]}
    told |= {"mean": [0.5] * 3, "deviation": [0.2] * 3}
    (run.folder / "winner" / "design.json").write_text(json.dumps(told))
    (run.folder / file).write_text(content)
    assert words in refused(["damaged", "--out", str(tmp_path)], capsys)


def test_damaged_weights_are_refused(digits_run, tmp_path, capsys):
    import shutil

    shutil.copytree(digits_run, tmp_path / "copy")
    (tmp_path / "copy" / "winner" / "weights.pt").write_bytes(b"no weights")
    assert "winner" in refused([str(tmp_path / "copy")], capsys)


def test_the_command_itself_has_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, str(COMMAND), "nowhere", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stdout == ""
