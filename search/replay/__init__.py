"""Benchmarks search strategies without training: recorded learning curves replayed in simulated
time, baselines, scores, and the figures of a comparison. Imports terms, space, strategy and
record."""
