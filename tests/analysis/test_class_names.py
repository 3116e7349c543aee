"""Classes called anything: right in every file, and no boxes in figures."""

import csv
import io
import json
import sys
from pathlib import Path

import matplotlib.font_manager as manager
import numpy as np
import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from analysis import recommend, report
from analysis.figures import class_labels, fonts
from analysis.figures.class_labels import FILE, labels_of
from analysis.run.labels import shorten
from analysis.sections.report_folder import ReportFolder
from analysis.tables import table_files
from analysis.tables.prediction_quality import class_table, confusion_table
from models.design import Design
from models.network import build
from models.training.scoring import classification_metrics

CUNEIFORM, YI = "\U00012000\U0001202d", "ꀀꀁ"
NASTY = ("caf\udce9", 'q"u,o\nte', "<script>x", "a|b&c_%#{\\y}$x$", "кот", "γάτα", "\x1b[31m")


@pytest.fixture(autouse=True)
def only_fonts_that_come_with_matplotlib(monkeypatch: pytest.MonkeyPatch):
    """Whatever this machine has; what a test adds is gone after it."""
    own = [each for each in manager.fontManager.ttflist if "mpl-data" in each.fname]
    monkeypatch.setattr(manager.fontManager, "ttflist", own)
    monkeypatch.setattr(manager, "findSystemFonts", lambda: [])
    forget()
    yield
    forget()


def forget() -> None:
    fonts._fonts_for.cache_clear()
    class_labels._labels_of.cache_clear()
    manager.fontManager._findfont_cached.cache_clear()


def make_font(path: Path, letters: str, blank: bool = False) -> None:
    """A font with a square for each of `letters`, or with nothing for it."""
    names = [".notdef", *(f"u{ord(letter):x}" for letter in letters)]
    pen = TTGlyphPen(None)
    if not blank:
        pen.moveTo((0, 0))
        for corner in ((0, 700), (600, 700), (600, 0)):
            pen.lineTo(corner)
        pen.closePath()
    glyph = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, letters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (700, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(path)


def run_with(make_run, names):
    """A finished run with a winner of these classes, each image of which is taken for another."""
    run = make_run()
    run.record(dataset={"name": names[0], "shape": [3, 8, 8], "classes": names})
    design = Design(kernels=((4,),), epochs=1)
    run.trial(0, [0.5], design=design, reason=names[0])
    winner = run.folder / "winner"
    winner.mkdir()
    told = {"trial": 0, "epoch": 1, "design": {"kernels": [[4]], "epochs": 1}, "shape": [3, 8, 8]}
    told |= {"classes": names, "mean": [0.5] * 3, "deviation": [0.2] * 3}
    (winner / "design.json").write_text(json.dumps(told))
    count = len(names)
    torch.save(build(design, (3, 8, 8), count).state_dict(), winner / "weights.pt")
    labels = np.arange(count)
    metrics = classification_metrics(labels, labels[::-1].copy(), names)
    (winner / "metrics.json").write_text(json.dumps(metrics))
    pixels = np.random.default_rng(0).integers(0, 255, (count, 3, 8, 8)).astype(np.uint8)
    np.savez(winner / "samples.npz", pixels=pixels, labels=labels)
    return run.folder


def test_every_file_of_a_report_has_the_names_and_obeys_none(make_run, capsys):
    folder = run_with(make_run, list(NASTY))
    assert report.main([str(folder)]) == 0
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    for shown in (
        "café",
        "&lt;script&gt;x",
        "a|b&amp;c_%#{\\y}$x$",
        "кот",
        "γάτα",
        "_[31m",
    ):
        assert f"<td>{shown}</td>" in page
    assert "<script" not in page and "\x1b" not in page
    tables = folder / "report" / "tables"
    with (tables / "classes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    plain = ["café", 'q"u,o_te', *NASTY[2:-1], "_[31m"]
    assert [row["class"] for row in rows] == [*plain, "macro mean", "weighted mean"]
    assert [row["number"] for row in rows] == [*"0123456", "", ""]
    markdown = (tables / "classes.md").read_text(encoding="utf-8")
    assert r"| a\|b&amp;c\_%#{\\y}\$x\$ " in markdown and "| &lt;script>x " in markdown
    latex = (tables / "classes.tex").read_text(encoding="utf-8")
    assert r"a\textbar{}b\&c\_\%\#\{\textbackslash{}y\}\$x\$ & " in latex
    assert "café & " in latex and "\x1b" not in latex
    trials = (tables / "trials.csv").read_text(encoding="utf-8")
    assert "café" in trials


def test_a_class_may_be_called_like_a_column_or_like_another():
    names = ["actual \\ predicted", "class", "class", "trial"]
    metrics = classification_metrics(np.arange(4), np.arange(4), names)
    text = table_files.cells(confusion_table(metrics).frame)
    assert text.header == ["actual \\ predicted", *names]
    assert [row[0] for row in text.rows] == names
    assert len(class_table(metrics).frame) == 6


@pytest.mark.filterwarnings("error")
def test_scripts_of_the_first_font_are_drawn_and_others_numbered_with_a_legend(make_run, capsys):
    folder = run_with(make_run, ["кот", CUNEIFORM, "γάτα", YI, "cat"])
    assert report.main([str(folder)]) == 0
    labels = labels_of(["кот", CUNEIFORM, "γάτα", YI, "cat"])
    assert labels.labels(14) == ["кот", "#1", "γάτα", "#3", "cat"]
    assert labels.families == (fonts.FIRST,)
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    legend = f"#1 = {CUNEIFORM}, #3 = {YI}."
    assert page.count(f"{legend}</figcaption>") == 2  # of the confusion matrix and the scores
    assert "In the figure the class is #1." in page and f"<td>{YI}</td>" in page
    listing = (folder / "report" / "figures" / FILE).read_text(encoding="utf-8")
    assert listing == f"#1\t{CUNEIFORM}\n#3\t{YI}\n"
    ReportFolder(folder / "report", labels_of(["cat"]))  # a later one needs no legend
    assert not (folder / "report" / "figures" / FILE).exists()


@pytest.mark.filterwarnings("error")
def test_a_font_that_has_the_letters_is_found_and_drawn_with(
    make_run, monkeypatch, tmp_path, capsys
):
    """Also one that was installed since matplotlib looked; not one with blanks for them."""
    for name, letters, blank in (("Blank", YI, True), ("Half", YI[0], False), ("Yi", YI, False)):
        make_font(tmp_path / f"{name}.ttf", letters, blank)
    paths = [str(tmp_path / f"{name}.ttf") for name in ("Blank", "Half", "Yi")]
    monkeypatch.setattr(manager, "findSystemFonts", lambda: [*paths, str(tmp_path / "no.ttf")])
    labels = labels_of(["cat", YI])
    assert labels.numbered == () and labels.label(1, 14) == YI
    assert set(labels.families) <= {fonts.FIRST, "Half", "Yi"} and "Yi" in labels.families
    folder = run_with(make_run, ["cat", YI])
    assert report.main([str(folder)]) == 0
    assert not (folder / "report" / "figures" / FILE).exists()


def test_long_names_are_shortened_and_stay_apart():
    names = ["Staphylococcus aureus", "Staphylococcus epidermidis", "猫" * 30, "a" * 14]
    labels = labels_of([*names[:2], names[3]]).labels(14)
    assert labels == ["#0 Staphyloco…", "#1 Staphyloco…", "a" * 14]
    assert shorten("猫" * 30, 7) == "猫猫猫…"  # an ideograph takes the room of two letters


def test_a_name_without_letters_is_a_number():
    assert labels_of([" ", "a"]).labels(10) == ["#0", "a"]


@pytest.mark.parametrize(
    ("command", "words"), [(report, []), (recommend, ["--min-accuracy", "0.1"])]
)
def test_a_console_of_plain_ascii_is_printed_to(make_run, monkeypatch, command, words):
    run = make_run("ascii")
    run.trial(0, [0.5], name="котик")
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    assert command.main([str(run.folder), *words]) == 0
    console.flush()
    assert rb"\u043a\u043e\u0442\u0438\u043a" in console.buffer.getvalue()
