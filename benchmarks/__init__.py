"""Benchmarks: overhead, speed and memory of the search against baselines, on this machine."""
