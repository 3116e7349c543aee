"""Ledger lines made by hand, with numbers whose sums are known."""

from typing import Any

from models.design import Design, to_dict

Line = dict[str, Any]


def trial(number: int, design: Design | None = None, **fields: Any) -> Line:
    """The first line of a trial, of 1,000 parameters on one core."""
    line = {
        "kind": "trial",
        "trial": number,
        "state": "running",
        "name": "",
        "design": to_dict(design or Design()),
        "seed": 0,
        "parameters": 1000,
        "flops": 5000,
        "workers": 1,
        "cpus_per_worker": 1,
        "gpus_per_worker": 0.0,
    }
    return line | fields


def epoch(number: int, epoch: int, val_accuracy: float | None, seconds: float = 10.0) -> Line:
    """One epoch's line."""
    return {
        "kind": "epoch",
        "trial": number,
        "epoch": epoch,
        "train_loss": None if val_accuracy is None else 1.0,
        "train_accuracy": val_accuracy,
        "val_loss": None if val_accuracy is None else 1.5,
        "val_accuracy": val_accuracy,
        "train_seconds": seconds,
        "eval_seconds": 1.0,
        "images_per_second": 100.0,
        "peak_memory_bytes": 1 << 20,
        "lane": 0,
        "precision": "fp32 channels_last",
        "device": "cpu",
    }


def end(number: int, state: str = "finished", reason: str = "") -> Line:
    """The last line of a trial."""
    return {"kind": "trial", "trial": number, "state": state, "reason": reason}
