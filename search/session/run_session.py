"""Runs one session of a run with Ray, from its options to its winner: sets up data, cluster, plan,
lease, recorder and leg scheduler, and trains.

Data, cluster and plan are checked before anything is written or started.
"""

import contextlib
import dataclasses
import functools
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

from ray.exceptions import RayError
from ray.tune import TuneError
from rich.console import Console

from models.data.selection import select, trained_on
from models.error_text import first_line
from search.cli import credentials
from search.cli.command_line import BadInput, checking
from search.cli.interrupt import Interrupt
from search.cli.options import RunOptions, SearchOptions, TranscriptOptions
from search.cluster import lane_plan, node_check, ray_connection, ray_up
from search.cluster.lane_count import LaneCount
from search.cluster.node_times import FILE as NODE_TIMES
from search.cluster.node_times import NodeTimes, Watch
from search.cluster.node_versions import versions
from search.lanes.lane_actor import make_lane
from search.lanes.worker import TrialSettings
from search.record import ledger, run_folder
from search.record.checkpoint_retention import delete_unrecorded
from search.record.recorder import Follow, Recorder, RecordError
from search.record.state import SearchState, load
from search.record.strategy_follower import Follower
from search.record.study_log import StudyLog
from search.record.tensorboard_events import Scalars
from search.scheduling.leg_scheduler import LegScheduler
from search.scheduling.tune_loop import of_surroundings, run_legs
from search.session import announcement, jobs, resuming, run_storage
from search.session.conclusion import Outcome, conclude
from search.session.data_source import prepared, print_notices
from search.session.earlier_run import Earlier
from search.session.live_line import LiveLine
from search.session.run_storage import LastCopy
from search.session.session import Session
from search.storage.checkpoint_files import MARKER
from search.storage.store import Store, check_writable
from search.terms.budget import Budget

Named = Collection[str] | None

CONCLUSION_SECONDS = 10.0
"""What writing and scoring the winner usually takes, for which the budget keeps time."""


def run(
    options: RunOptions,
    console: Console,
    named: Named = None,
    last_copy: LastCopy | None = None,
) -> tuple[Path, bool]:
    """Trains what `options` ask for; returns the run's folder, and whether it went well: it has a
    winner, and no fault stopped it. `named` are the fields of the options that were given, for a
    resume. `last_copy` gets the folder, storage and lease, for --cluster-down afterwards.

    Raises BadInput, with nothing written, for bad options, bad data, or a cluster too small.
    """
    with ExitStack() as held:
        return _run(options, console, named, last_copy or LastCopy(), held)


def _run(
    options: RunOptions, console: Console, named: Named, last_copy: LastCopy, held: ExitStack
) -> tuple[Path, bool]:
    earlier, began = None, time.monotonic()
    with checking():
        credentials.check_options(options)
        options = run_storage.with_whole_paths(options)
        if isinstance(options, SearchOptions) and options.resume is not None:
            earlier = resuming.find(options, named)
            options = earlier.options
        budget = jobs.check(options)
        if options.cluster_down:
            ray_up.check_take_down(options.storage)
        dataset = prepared(options, console)
        on_test = isinstance(options, TranscriptOptions)
        selection = select(dataset, options.train_images, "test" if on_test else "validation")
        dataset = trained_on(dataset, selection)
        print_notices(dataset, console)
        if earlier and earlier.fingerprint != dataset.fingerprint:
            raise ValueError(
                f"the images are not those that {earlier.folder} was trained on, or were decoded "
                "then by another version of kneepoint"
            )
        if earlier:
            dataset = earlier.normalised(dataset)
    ray_connection.check(options.address)
    with _failure_noted() as begun, ray_connection.connection(options.address):
        with checking():
            plan = lane_plan.plan_of(options, budget)
            options = jobs.resolved(options, lane_plan.is_accelerated(plan, options))
            limits = jobs.limits_of(options, dataset, plan, len(selection.train))
            warm = earlier.warm if earlier else jobs.warm_designs(options, dataset, limits)
            job = jobs.make_job(options, dataset, limits, warm)
            if earlier:
                resuming.check_paused(earlier.known, limits)
            stopping = jobs.stopping_of(options, plan)
            storage = run_storage.open_storage(options)
            folder = earlier.folder if earlier else run_storage.new_folder(options, storage)
            held.enter_context(resuming.RunLock(folder))
            storage = run_storage.apart(folder, storage)
            _check_nodes(folder, storage, new=earlier is None)
            lease = held.enter_context(run_storage.take_lease(folder, storage, earlier, console))
            if earlier:  # another process may have written its last lines only now
                earlier = dataclasses.replace(earlier, known=load(folder))
        last_copy.folder, last_copy.storage, last_copy.lease = folder, storage, lease
        ray_connection.log_to_file(folder / "ray.log")
        session = Session(
            folder,
            storage,
            options,
            budget,
            plan,
            dataset,
            job,
            selection,
            stopping,
            console,
            lease,
        )
        begun.append(folder)
        with _writable(folder):
            announcement.announce(session, earlier)
        if earlier:
            delete_unrecorded(session.checkpoints, earlier.known)
        with session.kept() as store, _failure_noted(folder):
            with _writable(folder):
                recorder = _recorder(session, earlier, store)
            beside = time.monotonic() - began + CONCLUSION_SECONDS
            outcome = _train(session, recorder, session.budget.without(beside))
    if lease.lost:
        if storage is not None:
            run_folder.write_info(folder, state="interrupted", ended=run_folder.now())
        return folder, False
    with session.kept() as store, _failure_noted(folder):
        went_well = conclude(session, recorder, store, outcome)
    return folder, went_well and not lease.lost


def _check_nodes(folder: Path, storage: Store | None, *, new: bool) -> None:
    """Raises ValueError for a node that cannot train for this run; deletes the folder of a `new`
    one."""
    store = run_storage.checkpoints(folder, storage)
    try:
        node_check.check_nodes(store, ray_connection.own_node())
    except (ValueError, OSError) as error:
        if new:
            store.delete_folder("")
            shutil.rmtree(folder, ignore_errors=True)
        raise ValueError(str(error)) from error


def _recorder(session: Session, earlier: Earlier | None, store: Store) -> Recorder:
    """The recorder with its followers, the strategy's and the study log, after they have caught up
    with the ledger of earlier sessions."""
    job, folder = session.job, session.folder
    known = earlier.known if earlier else SearchState()
    follow = Follower(job.strategy, job.second)
    for line in ledger.read(folder / "ledger") if earlier else ():
        follow(line, known)
    followers: list[Follow] = [follow]
    if job.space is not None:
        study = StudyLog(folder / "study.log", job.space, job.second, job.metric)
        study.catch_up(known)
        followers.append(study)
    dataset, price = session.dataset, session.options.price
    classes = len(dataset.classes)
    return Recorder(
        folder,
        session.plan,
        price,
        dataset.shape,
        classes,
        Scalars(folder),
        followers,
        known,
        store,
        generation=session.lease.generation,
        metric=job.metric,
    )


@contextlib.contextmanager
def _failure_noted(*folders: Path) -> Iterator[list[Path]]:
    """On an exception sets the state in run.json to failed or interrupted, for each of `folders`
    and of those that the caller appends to the list."""
    begun = list(folders)
    try:
        yield begun
    except BaseException as error:
        cut = isinstance(error, KeyboardInterrupt | SystemExit)
        state = "interrupted" if cut else "failed"
        for folder in begun:
            with contextlib.suppress(OSError):  # which may be the cause of the exception
                run_folder.write_info(folder, state=state, ended=run_folder.now())
        raise


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """While entered, a run's folder that cannot be written raises BadInput."""
    try:
        yield
    except (OSError, RecordError) as error:
        raise BadInput(f"run {folder} cannot be written: {first_line(error)}") from error


def _train(session: Session, recorder: Recorder, budget: Budget) -> Outcome:
    """Trains all trials, until the search ends, also by what `budget` leaves for it, the user
    interrupts it, or a fault stops it."""
    options, plan, job, console = session.options, session.plan, session.job, session.console
    settings = TrialSettings(
        store=session.checkpoints,
        dataset=session.dataset,
        selection=session.selection,
        precision=options.precision,
        device=options.device,
        gpus_per_worker=plan.gpus_per_worker,
        threads=plan.cpus_per_worker,
        versions=versions(),
    )
    live = LiveLine(recorder, budget, console, both=session.is_uneven)
    say = functools.partial(console.print, soft_wrap=True)
    times = Watch(NodeTimes(session.folder / NODE_TIMES), ray_connection.node_use, say)
    with live, times, Interrupt(lambda line: _stopping(session, line)) as interrupt:
        lanes = LaneCount(plan, options.parallel, fixed=lane_plan.uses_mps(options))
        with _writable(session.folder):
            scheduler = LegScheduler(
                job.strategy,
                recorder,
                budget,
                refuse=job.limits.refusal,
                lanes=lanes,
                seed=options.seed,
                say=live.trial_ended,
                interrupted=lambda: interrupt.asked or bool(session.lease.lost),
                stopping=session.stopping,
                storage_fault=lambda: _storage_fault(session.checkpoints),
                warn=lambda line: console.print(f"Notice: {line}", soft_wrap=True, highlight=False),
                has_left=lanes.has_left,
            )
        ending = scheduler.ending
        try:
            run_legs(scheduler, lambda scratch: make_lane(settings, plan, scratch))
        except (OSError, RayError, TuneError) as error:
            ending.stop(f"Ray has failed: {of_surroundings(error)}")
        if session.lease.lost and session.storage is None:  # the folder is another process's
            return Outcome(interrupt.asked, ending.fault)
        scheduler.end_all()
    cut = interrupt.asked or bool(ending.fault or session.lease.lost)
    if not cut:
        console.print(f"The search ended: {ending.why}", highlight=False)
    with ending.recording():
        recorder.close("interrupted" if cut else "end", ending.why)
    return Outcome(interrupt.asked, ending.fault)


def _stopping(session: Session, line: str) -> None:
    """Notes the user's interrupt in run.json at once: SIGTERM to a whole process group, as timeout
    and systemd send it, ends Ray's own processes too, and these this one."""
    with contextlib.suppress(OSError, ValueError):
        run_folder.write_info(session.folder, state="interrupted", ended=run_folder.now())
    session.console.print(line)


def _storage_fault(store: Store) -> str:
    """Why the storage does not work from this machine, in a line; empty where it does."""
    try:
        store.read(MARKER)  # first, for the probe would create the folder of an unmounted disk
    except OSError as error:
        return f"{store} cannot be read: {first_line(error)}"
    try:
        check_writable(store, "this machine")
    except OSError as error:
        return str(error)
    return ""
