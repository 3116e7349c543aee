"""The start of a run: writes its settings, versions and plan to run.json, and prints the plan."""

import dataclasses
from typing import Any

from ray.exceptions import RayError

from models.data import class_counts
from models.design import to_dict
from models.quantities import count
from models.transcript import TRANSCRIPT
from search.cluster import gpu_sharing, ray_connection
from search.record import run_folder
from search.record.state import SearchState
from search.session.earlier_run import Earlier
from search.session.jobs import Job
from search.session.session import Session


def announce(session: Session, earlier: Earlier | None) -> None:
    """Writes run.json, prints the plan, and measures whether lanes that share a GPU are faster."""
    _write_info(session, earlier)
    _print_plan(session, earlier)
    _measure_packing(session)


def _write_info(session: Session, earlier: Earlier | None) -> None:
    begun: dict[str, Any] = {"created": run_folder.now()}
    if earlier:
        before = run_folder.read_info(earlier.folder)
        begun = {"resumed": [*before.get("resumed", []), run_folder.now()]}
    run_folder.write_info(
        session.folder,
        **begun,
        name=session.folder.name,
        command=session.job.command,
        state="running",
        settings=dataclasses.asdict(session.options) | {"out": session.options.out.resolve()},
        versions=run_folder.versions(),
        git_commit=run_folder.git_commit(),
        dataset=dataclasses.asdict(session.dataset),
        hardware=run_folder.hardware() | ray_connection.describe(),
        price=session.options.price,
        plan=dataclasses.asdict(session.plan),
        warm_designs=[[name, to_dict(design)] for name, design in session.job.warm],
        evaluated_on=session.job.validate_on,
        train_images=len(session.selection.train),
        validation_images=len(session.selection.validation),
        class_counts=class_counts.count_selected(session.dataset, session.selection),
        ended=None,
        wall_seconds=None,
    )


def _print_plan(session: Session, earlier: Earlier | None) -> None:
    dataset = session.dataset
    counts = class_counts.count_selected(dataset, session.selection)
    uneven = class_counts.notice(dataset.classes, counts)
    size = "x".join(map(str, dataset.shape[1:]))
    lines = (
        f"Run {session.folder}" + (f", {_known(earlier.known)}" if earlier else ""),
        f"  data: {dataset.name}, {count(len(dataset.classes), 'class', 'classes')} of {size} "
        f"pixels, {count(len(session.selection.train), 'image')} to train on, "
        f"{len(session.selection.validation):,} to validate",
        *(f"  {note}" for note in session.job.notes),
        f"  {session.plan}",
        f"  budget: {session.budget}",
        *((f"  ends when {session.stopping}",) if session.stopping.points else ()),
        "  Ctrl-C stops softly and keeps what is done",
        *((f"Notice: {uneven}{_way_out(session.job)}",) if uneven else ()),
    )
    session.console.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)


def _way_out(job: Job) -> str:
    if job.command != "search" or job.metric == "balanced_accuracy":
        return ""
    return "; --objective-metric balanced_accuracy chooses by it"


def _known(state: SearchState) -> str:
    epochs = sum(len(trial.epochs) for trial in state.trials.values())
    done = f"{count(len(state.trials), 'trial')} and {count(epochs, 'epoch')}"
    return f"goes on after {done}"


def _measure_packing(session: Session) -> None:
    """Measures and prints, where lanes share a GPU, whether that is faster than one lane."""
    lanes = gpu_sharing.lanes_on_a_device(session.plan, ray_connection.node_resources())
    if lanes < 2:
        return
    try:
        found = gpu_sharing.measure(session.plan, TRANSCRIPT["cnn-3"], session.dataset, lanes)
    except RayError as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        session.console.print(f"  sharing a GPU could not be measured ({said})", soft_wrap=True)
        return
    run_folder.write_info(session.folder, packing=dataclasses.asdict(found))
    session.console.print(f"  {found} (cnn-3, measured now)", highlight=False, soft_wrap=True)
