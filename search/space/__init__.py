"""The define-by-run search space of network designs: hyperparameter ranges, optional axes, a
prior and a portfolio of first designs, random and neighbour sampling, a design as a feature
vector or as Optuna's parameters, and constraints checked before training. Imports terms."""
