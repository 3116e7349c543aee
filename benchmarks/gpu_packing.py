"""Benchmark: throughput of several lanes on one GPU against one lane alone."""

from benchmarks.random_images import random_images
from benchmarks.ray_session import ray_with
from models.transcript import TRANSCRIPT
from search.cluster import gpu_sharing
from search.terms.plan import Plan


def run() -> None:
    """Prints the throughput of two, four and eight lanes together as a multiple of one lane's."""
    print("Packing of one GPU: images a second of all lanes together against one lane alone.")
    dataset = random_images()
    for name in ("ann-3", "cnn-3", "final"):
        for lanes in (2, 4, 8):
            with ray_with(lanes):
                plan = Plan(lanes, 1, 1, 1 / lanes)
                found = gpu_sharing.measure(plan, TRANSCRIPT[name], dataset, lanes)
            print(f"  {name}: {found.alone:,.0f} a second alone; {found}")
