"""Builds the job of a run from its options: strategy, search space, limits of designs, budget and
stopping rule, for a search or for the transcript's designs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from models import rungs
from models.data.dataset import Dataset
from models.data.selection import ValidateOn
from models.design import Design
from models.quantities import count
from models.transcript import TRANSCRIPT
from search.cli.options import RunOptions, SearchOptions, TranscriptOptions
from search.session.data_source import check_data_options, require_positive
from search.session.warm_start import designs_of
from search.space.constraints import Limits, smallest
from search.space.design_space import NetworkSpace
from search.space.portfolio import first_designs, startup
from search.space.prior import PriorSuggest
from search.space.random_sampling import RandomSuggest
from search.strategy.fixed_designs import FixedDesigns
from search.strategy.objectives import second_of
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import EarlyStop, StrategySettings
from search.strategy.stopping_rule import NEVER, Stopping, can_pause
from search.strategy.stopping_rule import parse as parse_stopping
from search.terms import budget as budgets
from search.terms.actions import Strategy, Suggest
from search.terms.budget import Budget
from search.terms.metric import Metric
from search.terms.plan import Plan

ON_CPU = ("ann-1", "ann-3", "cnn-1", "cnn-3", "cnn-5-dropout")
"""The transcript's designs that are trained by default without an accelerator: the last one is 300
epochs."""
ASHA_REDUCTION = 4
"""The reduction factor (eta) of Ray's ASHA, where the learning rate is constant."""
EPOCHS, EPOCHS_ON_CPU = 30, 10
"""Of the longest training: on a CPU more than 10 only as far as a limit of time allows."""


@dataclass(frozen=True)
class Job:
    """What a session trains: the strategy, with the space, limits and objectives of its designs."""

    command: Literal["search", "transcript"]
    strategy: Strategy[Design]
    space: NetworkSpace | None
    """The search space; None for the transcript."""
    second: str
    """The objective beside accuracy, as search/strategy/objectives.py has it; empty without one."""
    limits: Limits
    warm: tuple[tuple[str, Design], ...]
    """Designs of an earlier run with which a search begins, by name."""
    notes: tuple[str, ...]
    """Lines for the printed plan."""
    metric: Metric = "accuracy"
    """The metric on the validation images that is maximised."""

    @property
    def validate_on(self) -> ValidateOn:
        """The images that validate: held-out training images, but the test images for the
        transcript, which used those."""
        return "test" if self.command == "transcript" else "validation"


def check(options: RunOptions) -> Budget:
    """The budget of `options`; ValueError for an invalid option."""
    for name in ("max_epochs", "max_parameters", "trials"):
        require_positive(name, getattr(options, name, None))
    check_data_options(options)
    if options.price is not None and not 0 <= options.price < float("inf"):
        raise ValueError(f"--price {options.price}: 0 or more")
    if isinstance(options, TranscriptOptions):
        unknown = [name for name in options.names if name not in TRANSCRIPT]
        if unknown:
            raise ValueError(f"unknown design {unknown[0]!r}: one of {', '.join(TRANSCRIPT)}")
    if not isinstance(options, SearchOptions):
        return Budget()
    _check_search(options)
    budget = budgets.parse(options.budget)
    if budget.money < float("inf") and not options.price:
        raise ValueError("--budget in money needs --price, the price of a GPU- or core-hour")
    return replace(budget, trials=min(budget.trials, options.trials or budget.trials))


def _check_search(options: SearchOptions) -> None:
    second_of(options.objectives)
    if options.take_over and options.resume is None:
        raise ValueError("--take-over needs --resume NAME, the run to take over")
    for name in ("stop_when_gain_below", "gain_per_cost"):
        if getattr(options, name) and not options.promotes_by_forecast:
            option = name.replace("_", "-")
            raise ValueError(f"--{option} needs --searcher curves and --scheduler promote")
    if options.stop_when_gain_below:
        _, unit = parse_stopping(options.stop_when_gain_below)
        if unit == "money" and not options.price:
            raise ValueError("--stop-when-gain-below in money needs --price")


def resolved(options: RunOptions, accelerated: bool) -> RunOptions:
    """Options with the defaults that depend on the machine filled in: a resume elsewhere keeps
    them."""
    if isinstance(options, TranscriptOptions):
        return replace(
            options, names=options.names or (tuple(TRANSCRIPT) if accelerated else ON_CPU)
        )
    assert isinstance(options, SearchOptions)
    limited = budgets.parse(options.budget).limits_time
    epochs = EPOCHS if accelerated or (limited and options.plans_time) else EPOCHS_ON_CPU
    return replace(options, max_epochs=options.max_epochs or epochs)


def stopping_of(options: RunOptions, plan: Plan) -> Stopping:
    """The stopping rule of resolved `options`; ValueError for one per GPU-hour where `plan` has no
    GPU."""
    if not isinstance(options, SearchOptions) or options.stop_when_gain_below is None:
        return NEVER
    points, unit = parse_stopping(options.stop_when_gain_below)
    if unit == "gpuh" and not plan.gpus_per_worker:
        raise ValueError("--stop-when-gain-below per gpuh: this search uses no GPU; say per coreh")
    return Stopping(
        points,
        unit,
        plan.cpus_per_worker,
        plan.gpus_per_worker,
        options.price,
        can_pause(options.max_epochs),
    )


def limits_of(
    options: RunOptions, dataset: Dataset, plan: Plan, images: int | None = None
) -> Limits:
    """The limits of designs where `images` training images are used; ValueError where no design of
    a search's space keeps to them."""
    most = options.max_parameters if isinstance(options, SearchOptions) else None
    limits = Limits(dataset.shape, len(dataset.classes), most, plan.workers_per_trial, images)
    if isinstance(options, SearchOptions):
        limits.check(_space(options, dataset, images))
    return limits


def warm_designs(
    options: RunOptions, dataset: Dataset, limits: Limits
) -> tuple[tuple[str, Design], ...]:
    """The designs of the run that --warm-start names, within `limits`, by name; ValueError where
    there is no such run, or none of its designs can be used."""
    if not isinstance(options, SearchOptions) or options.warm_start is None:
        return ()
    return tuple(
        designs_of(options.out, options.warm_start, _space(options, dataset, limits.images), limits)
    )


def make_job(
    options: RunOptions,
    dataset: Dataset,
    limits: Limits,
    warm: Sequence[tuple[str, Design]] = (),
) -> Job:
    """The job of resolved `options`; a search begins with the `warm` designs too."""
    if isinstance(options, TranscriptOptions):
        return _transcript_job(options, limits)
    assert isinstance(options, SearchOptions)
    return _search_job(options, dataset, limits, tuple(warm))


def _space(options: SearchOptions, dataset: Dataset, images: int | None) -> NetworkSpace:
    assert options.max_epochs
    channels, height, width = dataset.shape
    return NetworkSpace(
        options.max_epochs,
        height,
        width,
        frozenset(options.axes),
        channels,
        len(dataset.classes),
        images or dataset.train_count,
    )


def _search_job(
    options: SearchOptions,
    dataset: Dataset,
    limits: Limits,
    warm: tuple[tuple[str, Design], ...],
) -> Job:
    space = _space(options, dataset, limits.images)
    known = first_designs(space, limits.allow, with_transcript=options.with_transcript)
    second = second_of(options.objectives)
    settings = StrategySettings(
        searcher=options.searcher,
        scheduler=options.scheduler,
        seed=options.seed,
        second=second,
        per_cost=options.gain_per_cost,
    )
    if space.has_recipe:
        begun = startup(len({each for _, each in [*known, *warm]}))
        settings = replace(settings, startup=begun, plans_time=options.plans_time)
    return Job(
        command="search",
        strategy=SearchStrategy(
            space,
            settings,
            [*known, *warm],
            _early(options, space),
            allows=limits.allow,
            least=smallest(space),
            draw=_draw(options, space),
        ),
        space=space,
        second=second,
        limits=limits,
        warm=warm,
        notes=_notes(options, space, [name for name, each in known if limits.allow(each)], warm),
        metric=options.objective_metric,
    )


def _draw(options: SearchOptions, space: NetworkSpace) -> Callable[[Random], Suggest]:
    """How new designs are sampled: from the prior, which is one of how networks are trained too."""
    with_prior = options.searcher != "random" and space.has_recipe
    return PriorSuggest if with_prior else RandomSuggest


def _early(options: SearchOptions, space: NetworkSpace) -> EarlyStop | None:
    if options.scheduler != "asha":
        return None
    from search.strategy.early_stopping import Asha  # Ray's, which takes its time to import

    return Asha(space.max_epochs, _asha_reduction(space))


def _asha_reduction(space: NetworkSpace) -> int:
    """The reduction factor of ASHA: with a rate in cycles it compares at their ends."""
    return rungs.REDUCTION if space.has_recipe else ASHA_REDUCTION


def _notes(
    options: SearchOptions, space: NetworkSpace, known: list[str], warm: Sequence[object]
) -> tuple[str, ...]:
    epochs = space.max_epochs
    *first_rungs, last_rung = rungs.rungs_of(epochs)
    pauses = ", ".join([*map(str, first_rungs), count(last_rung, "epoch")])
    eta = _asha_reduction(space)
    how = {
        "promote": f"trials pause after {pauses}; the promising ones go on",
        "asha": f"after 1, {eta}, {eta**2}, ... epochs ASHA ends the worse trials",
        "none": "no trial is ended early",
    }
    by = {"curves": "forecasts of learning curves propose"}
    first = " and ".join([*known, *([f"{len(warm)} of {options.warm_start}"] if warm else [])])
    begin = f"{first} first, then what" if first else "what"
    proposed = by.get(options.searcher, f"{options.searcher} proposes")
    objectives = () if options.objectives == "accuracy" else (f"objectives: {options.objectives}",)
    balanced = options.objective_metric == "balanced_accuracy"
    return (
        f"designs: {begin} {proposed}, at most {count(epochs, 'epoch')} each",
        how[options.scheduler],
        *objectives,
        *(("chosen by balanced accuracy, the mean of the classes' recalls",) if balanced else ()),
    )


def _transcript_job(options: TranscriptOptions, limits: Limits) -> Job:
    designs = [(name, _shortened(TRANSCRIPT[name], options.max_epochs)) for name in options.names]
    return Job(
        command="transcript",
        strategy=FixedDesigns(designs),
        space=None,
        second="",
        limits=limits,
        warm=(),
        notes=(
            "designs: "
            + ", ".join(f"{name} ({count(design.epochs, 'epoch')})" for name, design in designs),
            "as in the transcript: trained on all training images, scored on the test images",
        ),
    )


def _shortened(design: Design, max_epochs: int | None) -> Design:
    return replace(design, epochs=min(design.epochs, max_epochs or design.epochs))
