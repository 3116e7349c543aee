"""Tables as Markdown and LaTeX: aligned, and nothing in a cell is obeyed."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from analysis.tables import table_files
from analysis.tables.table_files import Table, cells, escape_tex, latex, markdown

NASTY = r"50|100_{\input{x}} $a$ 100% #1 & ~^ <script> \end ]["


def table(**columns):
    return Table("t", "A title", pd.DataFrame(columns), "The rule: 5 % of A_B.")


def test_markdown_is_aligned_and_its_bars_are_escaped():
    lines = markdown(table(name=["a", "64|128"], number=[1, 20])).splitlines()
    rows = lines[2:6]
    assert len({len(row) for row in rows}) == 1
    assert rows[3] == r"| 64\|128 |     20 |"
    assert rows[1] == "| ------- | -----: |"
    assert lines[-1] == "The rule: 5 % of A_B."


def test_markdown_takes_no_html():
    assert "<script>" not in markdown(table(name=["<script>"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("val_accuracy", r"val\_accuracy"),
        ("5 % & $", r"5 \% \& \$"),
        ("a\\b", r"a\textbackslash{}b"),
        ("~^{}#", r"\textasciitilde{}\textasciicircum{}\{\}\#"),
        ("two\nlines", "two lines"),
    ],
)
def test_latex_specials_are_escaped(text, expected):
    assert escape_tex(text) == expected


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_latex_compiles(tmp_path):
    frame = pd.DataFrame({NASTY: [NASTY, "[x]", ""], "n": [1.5, np.nan, 2]})
    table_files.write(Table("nasty", NASTY, frame, NASTY), tmp_path)
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}\\begin{document}\\input{nasty.tex}\\end{document}"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:]


def test_cells_are_empty_where_nothing_was_measured():
    text = cells(pd.DataFrame({"cost": [None, 0.5], "on_front": [True, False]}))
    assert text.rows == [["", "yes"], ["0.500", "no"]]
    assert text.numeric == [True, False]


def test_accuracies_have_four_digits_and_numbers_of_trials_no_comma():
    text = cells(pd.DataFrame({"trial": [1234], "val_accuracy": [0.5], "parameters": [1234]}))
    assert text.rows == [["1234", "0.5000", "1,234"]]


def test_a_table_without_rows_has_its_header():
    frame = pd.DataFrame({"a": [], "b": []})
    assert "|   a |   b |" in markdown(Table("t", "T", frame, "R"))
    assert r"\begin{tabular}{rr}" in latex(Table("t", "T", frame, "R"))
