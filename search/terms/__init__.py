"""Shared value types and interfaces, free of Ray, torch and file access: strategy actions,
Pareto front, metric, worker-second accounts, prices, budgets, and the lane plan of a cluster.
Imports no other package of search."""
