"""Facts of a run for its report: data, machines, versions and settings, as label and value."""

from typing import Any

from analysis.run.quantities import UNKNOWN, amount, count, duration, memory
from analysis.run.run_folder import Run

Fact = tuple[str, str]


def run_facts(run: Run) -> list[Fact]:
    """Hardware, data, seed and versions; whatever run.json lacks is said to be not recorded."""
    record = run.record
    dataset, versions = record["dataset"], record["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [
        ("Started", _text(record.get("created"))),
        ("Ended", _text(record.get("ended"))),
        ("Wall time", duration(record.get("wall_seconds"))),
        ("Hardware", hardware(run)),
        ("Lanes", _plan(record["plan"])),
        ("Seed", _text(record["settings"].get("seed"))),
        ("Data", _text(dataset.get("name"))),
        ("Data fingerprint (SHA-256)", _text(dataset.get("fingerprint"))),
        ("Images", _images(run)),
        ("Price", _price(run)),
        ("Versions", listed or UNKNOWN),
        ("Git commit", _text(record.get("git_commit"))),
    ]


def summary(run: Run) -> str:
    """Data, seed, day and hardware in one line."""
    record = run.record
    dataset = record["dataset"]
    parts = [
        f"Data {_text(dataset.get('name'))}",
        f"{count(record.get('train_images'), 'image')} to train on and "
        f"{count(record.get('validation_images'), f'{run.held_out} image')}",
        f"fingerprint {_text(dataset.get('fingerprint'))[:12]}",
        f"seed {_text(record['settings'].get('seed'))}",
        f"started {_text(record.get('created'))[:16].replace('T', ' ')}",
    ]
    return f"{'; '.join(parts)}. On {hardware(run)}."


def settings(run: Run) -> list[Fact]:
    """The options that the run was started with, those left alone too."""
    return [(str(name), _text(value)) for name, value in run.record["settings"].items()]


def hardware(run: Run) -> str:
    """Processor, cores, memory and GPUs in one line."""
    told = run.record["hardware"]
    if not told:
        return UNKNOWN
    gpus = told.get("gpus") or {}
    accelerators = ", ".join(f"{number} × {name}" for name, number in gpus.items())
    parts = [
        _text(told.get("cpu")),
        count(told.get("cores"), "core"),
        f"{memory(told.get('memory_bytes'))} of memory",
        accelerators or "no GPU",
    ]
    return ", ".join(parts)


def _plan(plan: dict[str, Any]) -> str:
    if not plan:
        return UNKNOWN
    return (
        f"{count(plan.get('lanes'), 'trial')} at a time, "
        f"{count(plan.get('workers_per_trial'), 'worker')} each, a worker with "
        f"{count(plan.get('cpus_per_worker'), 'CPU core')} and "
        f"{count(plan.get('gpus_per_worker'), 'GPU')}"
    )


def _images(run: Run) -> str:
    record = run.record
    test = record["dataset"].get("test_count")
    return (
        f"{count(record.get('train_images'))} to train on, "
        f"{count(record.get('validation_images'))} to evaluate epochs on ({run.held_out}), "
        f"{count(test)} in the test part; shape {_shape(record['dataset'].get('shape'))}"
    )


def _price(run: Run) -> str:
    if run.price is None:
        return "none given"
    return f"{amount(run.price)} per {'GPU' if run.uses_gpus else 'CPU-core'}-hour"


def _shape(shape: Any) -> str:
    return " × ".join(map(str, shape)) if shape else UNKNOWN


def _text(value: Any) -> str:
    if value is None or value == "":
        return UNKNOWN
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
