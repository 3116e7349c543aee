"""Finds a run's folder, and reads its run.json and its ledger."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.run.accuracies import Accuracies
from models.data.class_counts import is_uneven
from models.data.names import readable
from search.cli.credentials import without_secrets
from search.record import state
from search.record.ledger import LedgerError
from search.record.state import SearchState
from search.terms.accounts import Held
from search.terms.price import Bill, bill_of


class RunError(ValueError):
    """A run cannot be read; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Run:
    """A run as it stands on disk. Whatever run.json lacks reads as None."""

    folder: Path
    record: dict[str, Any]
    """run.json; empty where there is none."""
    state: SearchState

    @property
    def name(self) -> str:
        """The run's name: run.json's, else its folder's."""
        return str(self.record.get("name") or self.folder.resolve().name)

    @property
    def finished(self) -> bool:
        """Whether run.json has the run as finished."""
        return self.record.get("state") == "finished"

    @property
    def is_transcript(self) -> bool:
        """Whether it trained the transcript's designs."""
        return self.record.get("command") == "transcript"

    @property
    def price(self) -> float | None:
        """Per GPU-hour where workers have GPUs, else per CPU-core-hour."""
        price = self.record.get("price")
        return None if price is None else float(price)

    @property
    def held_out(self) -> str:
        """The images on which epochs were evaluated: validation, or test (the transcript's)."""
        return str(self.record.get("evaluated_on") or "validation")

    @property
    def accuracies(self) -> Accuracies:
        """Which accuracies the run's report shows."""
        return Accuracies(self.state.metric, is_uneven(self.record.get("class_counts") or ()))

    @property
    def uses_gpus(self) -> bool:
        """Whether any trial held a GPU."""
        return any(trial.gpus_per_worker for trial in self.state.trials.values())

    def bill(self, held: Held) -> Bill:
        """The bill of worker-seconds: hours, and cost if there is a price."""
        return bill_of(held, self.price)


def find(name: str | None, out: Path) -> Path:
    """The folder of run `name`: one in `out`, or a path; the newest in `out` without a name."""
    try:
        out, name = out.expanduser(), None if name is None else str(Path(name).expanduser())
    except RuntimeError as error:
        raise RunError(f"{name or out}: {error}") from error
    if name is None:
        return _newest(out)
    for folder in (out / name, Path(name)):
        if _is_run(folder):
            return folder
    if (out / name).is_dir() or Path(name).is_dir():
        raise RunError(f"{name} is not a run: it holds neither run.json nor a ledger")
    raise RunError(f"no run {name!r} in {out}{_known(out)}")


def read(folder: Path) -> Run:
    """The run in `folder`; RunError where its record or its ledger is damaged."""
    try:
        return Run(folder, _record(folder / "run.json"), state.load(folder))
    except (LedgerError, OSError) as error:
        raise RunError(f"the ledger of {folder} cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, RunError):
            raise
        reason = f"{type(error).__name__} {error}".splitlines()[0]
        raise RunError(f"the ledger of {folder} is damaged: {reason}") from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty where there is no file; RunError where it is damaged."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} cannot be read: it holds no object")
    return _writable(content)


def _writable(content: Any) -> Any:
    """The content with all text printable: a class may be named in bytes that are no UTF-8."""
    if isinstance(content, dict):
        return {readable(key): _writable(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_writable(value) for value in content]
    return readable(content) if isinstance(content, str) else content


def _record(path: Path) -> dict[str, Any]:
    record = read_json(path)
    for key in ("settings", "versions", "dataset", "hardware", "plan"):
        if not isinstance(record.get(key), dict):
            record[key] = {}
    for name, value in record["settings"].items():
        if isinstance(value, str):  # of a run from before such were refused
            record["settings"][name] = without_secrets(value)
    price = record.get("price")
    if price is not None and not isinstance(price, int | float):
        raise RunError(f"{path} cannot be read: price is {price!r}, not a number")
    return record


def _newest(out: Path) -> Path:
    if not out.is_dir():
        raise RunError(f"no folder {out}: name a run, or give the folder of runs with --out")
    runs = [folder for folder in sorted(out.iterdir()) if _is_run(folder) and folder.name[0] != "."]
    if not runs:
        raise RunError(f"no run in {out}: name a run, or give the folder of runs with --out")
    if len(runs) == 1:
        return runs[0]
    return max(runs, key=lambda folder: str(read_json(folder / "run.json").get("created") or ""))


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").is_file() or (folder / "ledger").is_dir()


def _known(out: Path) -> str:
    names = [path.name for path in sorted(out.iterdir()) if _is_run(path)] if out.is_dir() else []
    return f"; there are {', '.join(names[:8])}" if names else ""
