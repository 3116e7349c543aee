"""One run from its options to its winner, with Ray.

Data, cluster and plan are checked before anything is written or started.
"""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from models.dataset import Dataset, prepare
from models.design import Design
from models.images import Subset
from models.network import measure_size
from search import cluster, jobs, run_folder, winner
from search.budget import Budget
from search.command_line import checking
from search.interrupt import Interrupt
from search.jobs import Job
from search.launch import make_trainable
from search.live import LiveLine
from search.options import RunOptions
from search.plan import Plan, make_plan
from search.recorder import Recorder
from search.scalars import Scalars
from search.sources import source_of
from search.tune_adapter import Conversation
from search.tune_loop import run_trials
from search.worker import TrialSettings, training_data


def run(options: RunOptions, console: Console) -> Path:
    """Trains what `options` ask for, scores the winner, and gives the run's folder.

    BadInput, with nothing written, for what cannot be: bad options, data, or a cluster too small.
    """
    with checking():
        budget = jobs.check(options)
        dataset = _prepare_data(options, console)
        training_data(dataset, options.train_images, "validation")
    with cluster.connection(options.address):
        with checking():
            plan = _plan(options, budget)
            folder = run_folder.create(options.out, options.name)
        cluster.log_to_file(folder / "ray.log")
        job = jobs.make_job(options, folder, dataset, _accelerated(plan, options))
        subsets = training_data(dataset, options.train_images, job.validate_on)
        _write_info(folder, job, options, plan, dataset, subsets)
        _print_plan(folder, job, budget, plan, dataset, subsets, console)
        recorder = Recorder(
            folder, plan, options.price, dataset.shape, len(dataset.classes), Scalars(folder)
        )
        interrupted = _train(folder, job, options, budget, plan, dataset, recorder, console)
    _conclude(folder, job, dataset, subsets[1], recorder, interrupted, console)
    return folder


def _prepare_data(options: RunOptions, console: Console) -> Dataset:
    """The data set that `options` name, with notices printed."""
    dataset = prepare(source_of(options), lambda line: console.print(line, soft_wrap=True))
    for notice in dataset.notices:
        console.print(f"Notice: {notice}", soft_wrap=True)
    return dataset


def _plan(options: RunOptions, budget: Budget) -> Plan:
    plan = make_plan(
        cluster.node_resources(),
        growable=cluster.growable_resources(),
        parallel=options.parallel,
        workers_per_trial=options.workers_per_trial,
        cpus_per_worker=options.cpus_per_worker,
        gpus_per_worker=options.gpus_per_worker,
        accelerator=options.device in ("auto", "cuda"),
    )
    if options.device == "cuda" and not plan.gpus_per_worker:
        raise ValueError("--device cuda: the cluster has no GPU for the workers")
    if budget.gpu_hours < float("inf") and not plan.gpus_per_worker:
        raise ValueError("--budget in gpuh: this search uses no GPU; give a time, as 30min")
    if options.parallel is None and _uses_mps(options):
        return replace(plan, lanes=1)  # one device, of which Ray knows nothing
    return plan


def _uses_mps(options: RunOptions) -> bool:
    return options.device in ("auto", "mps") and torch.backends.mps.is_available()


def _accelerated(plan: Plan, options: RunOptions) -> bool:
    return plan.gpus_per_worker > 0 or _uses_mps(options)


def _write_info(
    folder: Path,
    job: Job,
    options: RunOptions,
    plan: Plan,
    dataset: Dataset,
    subsets: tuple[Subset, Subset],
) -> None:
    run_folder.write_info(
        folder,
        name=folder.name,
        created=run_folder.now(),
        command=job.command,
        state="running",
        settings=dataclasses.asdict(options),
        versions=run_folder.versions(),
        git_commit=run_folder.git_commit(),
        dataset=dataclasses.asdict(dataset),
        hardware=run_folder.hardware() | cluster.describe(),
        price=options.price,
        plan=dataclasses.asdict(plan),
        evaluated_on=job.validate_on,
        train_images=len(subsets[0]),
        validation_images=len(subsets[1]),
        ended=None,
        wall_seconds=None,
    )


def _print_plan(
    folder: Path,
    job: Job,
    budget: Budget,
    plan: Plan,
    dataset: Dataset,
    subsets: tuple[Subset, Subset],
    console: Console,
) -> None:
    size = "x".join(map(str, dataset.shape[1:]))
    lines = (
        f"Run {folder}",
        f"  data: {dataset.name}, {len(dataset.classes)} classes of {size} pixels, "
        f"{len(subsets[0]):,} images train, {len(subsets[1]):,} validate",
        *(f"  {note}" for note in job.notes),
        f"  {plan}",
        f"  budget: {budget}",
        "  Ctrl-C stops softly and keeps what is done",
    )
    console.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)


def _train(
    folder: Path,
    job: Job,
    options: RunOptions,
    budget: Budget,
    plan: Plan,
    dataset: Dataset,
    recorder: Recorder,
    console: Console,
) -> bool:
    """Whether the user interrupted it."""
    settings = TrialSettings(
        run=str(folder.resolve()),
        dataset=dataset,
        train_images=options.train_images,
        validate_on=job.validate_on,
        precision=options.precision,
        device=options.device,
        threads=plan.cpus_per_worker,
    )
    live = LiveLine(recorder, budget, console)
    with live, Interrupt(console.print) as interrupt:
        conversation = Conversation(
            job.proposer,
            recorder,
            budget,
            _refusal(job, dataset, plan),
            options.seed,
            live.trial_ended,
            lambda: interrupt.asked,
        )
        run_trials(conversation, job, plan, lambda scratch: make_trainable(settings, plan, scratch))
        conversation.end_all()
    if not interrupt.asked:
        console.print(f"The search ended: {conversation.why_ended}", highlight=False)
    recorder.close("interrupted" if interrupt.asked else "end", conversation.why_ended)
    return interrupt.asked


def _refusal(job: Job, dataset: Dataset, plan: Plan) -> Any:
    def refuse(design: Design) -> str:
        """Why `design` is not trained; empty when it is."""
        try:
            parameters, _ = measure_size(design, dataset.shape, len(dataset.classes))
        except ValueError as error:
            return str(error)
        if job.max_parameters is not None and parameters > job.max_parameters:
            return f"{parameters:,} parameters, more than --max-parameters {job.max_parameters:,}"
        if design.batch_size < plan.workers_per_trial:
            return f"a batch of {design.batch_size} for {plan.workers_per_trial} workers"
        return ""

    return refuse


def _conclude(
    folder: Path,
    job: Job,
    dataset: Dataset,
    validation: Subset,
    recorder: Recorder,
    interrupted: bool,
    console: Console,
) -> None:
    best = recorder.state.winner
    if best is None or best.best is None:
        console.print("No trial has a result: there is no winner.")
    else:
        accuracy = winner.write(folder, best, dataset, validation, job.validate_on)
        console.print(
            f"Winner: trial {best.trial} after {best.best['epoch']} epochs, "
            f"{best.best['val_accuracy']:.1%} on {len(validation):,} {job.validate_on} images; "
            f"{accuracy:.1%} on the {dataset.test_count:,} test images",
            soft_wrap=True,
            highlight=False,
        )
    run_folder.write_info(
        folder,
        state="interrupted" if interrupted else "finished",
        ended=run_folder.now(),
        wall_seconds=round(recorder.seconds(), 1),
    )
