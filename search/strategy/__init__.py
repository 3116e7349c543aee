"""Search strategies, which decide what is trained next: expected improvement over learning-curve
forecasts, promotion by successive halving, Optuna's samplers, early stopping of trials, and the
stopping rule of the search. Imports terms, space, surrogate and planning; Ray only in
early_stopping.py, which wraps its ASHA."""
