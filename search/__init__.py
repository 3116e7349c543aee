"""Distributed hyperparameter search, with Ray and Optuna.

Two commands stand at the top: run.py searches, simulate.py replays recorded learning curves. The
rooms below import one another in one direction only: docs/architecture.md has the table.
"""
