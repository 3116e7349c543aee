"""Comparisons of what a search finds with what the same time gives without one: a recipe typed by
hand, and Optuna alone. Each is a command: `python -m benchmarks.quality.hand_recipe --help`."""
