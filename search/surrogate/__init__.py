"""The surrogate model: a Gaussian process over learning curves, with its kernel, the fit of its
hyperparameters, the output warping of accuracies, the observations that it learns from, and the
forecasts made with it. Imports terms and space; neither Ray nor Optuna."""
