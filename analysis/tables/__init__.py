"""What is computed from a run: accuracy against cost and its knee, what further epochs and
further search buy, importances, scores by class, activation maps; each table as CSV, Markdown
and LaTeX. Imports run; terms, strategy, record and cluster of search."""
