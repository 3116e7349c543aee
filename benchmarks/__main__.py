"""Command `python -m benchmarks [--gpu] [NAME...]`: runs benchmarks and prints their ratios.

Both figures of a ratio come from one run.
"""

import argparse
import datetime
import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import ray
import torch

from benchmarks import (
    first_epoch,
    gpu_packing,
    lane_memory,
    many_lanes,
    training_speed,
    trial_overhead,
)

ON_CPU = {
    "overhead": trial_overhead.run,
    "speed": training_speed.run,
    "first-epoch": first_epoch.run,
    "memory": lane_memory.run,
    "many-lanes": many_lanes.run,
}
ON_GPU = {
    "overhead": lambda: trial_overhead.run(gpus=0.5),
    "speed": lambda: training_speed.run(gpus=1.0),
    "packing": gpu_packing.run,
}
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def main() -> int:
    """Runs the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures kneepoint against other ways to do the same, on this machine.",
    )
    parser.add_argument("--gpu", action="store_true", help="on the first GPU (default: CPU)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ON_CPU)}; with --gpu "
                        f"{', '.join(ON_GPU)} (default: all)")  # fmt: skip
    options = parser.parse_args()
    known = ON_GPU if options.gpu else ON_CPU
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}: one of {', '.join(known)}")
    if options.gpu and not torch.cuda.is_available():
        parser.error("--gpu: torch finds no CUDA device on this machine")
    print(_conditions())
    with tempfile.TemporaryDirectory() as cache:
        os.environ["KNEEPOINT_CACHE"] = cache  # what is made for the benchmarks goes with them
        for name in options.names or known:
            print(flush=True)
            known[name]()
    return 0


def _conditions() -> str:
    """Date, hardware and versions, without which a figure means nothing."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    model = re.search(r"model name\s*: (.*)", text)
    flags = [flag for flag in FLAGS if re.search(rf"\b{flag}\b", text)]
    parts = [
        f"{datetime.date.today()}, seed 0",
        f"{model[1] if model else platform.processor()}, {text.count('processor')} cores "
        f"({' '.join(flags)})",
        f"Python {platform.python_version()}, torch {torch.__version__}, Ray {ray.__version__}",
    ]
    if torch.cuda.is_available():
        parts.insert(2, torch.cuda.get_device_name())
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
