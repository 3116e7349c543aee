"""The command-line options of search/run.py, one frozen dataclass for each of its three commands.

The docstring under an option is its text in --help.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from search.space.axes import Axis
from search.terms.metric import Metric

# An option that is not given is None; what happens then stands in its help.
Count = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Amount = Annotated[float | None, arg(metavar="X", help_behavior_hint="")]
Folder = Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")]
Word = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]


@dataclass(frozen=True)
class DataOptions:
    """Which images, where they are trained on, and from which seed."""

    dataset: Literal["cifar10", "cifar100", "digits"] = "cifar10"
    """Images by name: CIFAR is downloaded once (170 MB), the digits (8x8 pixels) never."""

    data_dir: Folder = None
    """Images of your own instead: a folder DIR/{train,test}/<class>/*, of any classes; also with
    DIR/validation/<class>/*, else a tenth of train validates."""

    image_size: Count = None
    """Side to which the images of --data-dir are brought in proportion, pixels (default: as they
    are where nearly all have one size, else the median of their longer sides, at most 64)."""

    alpha: Literal["white", "black"] = "white"
    """What is seen through transparent pixels of the images of --data-dir."""

    train_images: Count = None
    """Use this many of the training images, drawn class by class (default: all)."""

    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """What trains; auto takes an accelerator where there is one."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto measures the fastest for each design; the others also fix channels_last."""

    seed: int = 0
    """Of weights, shuffling, augmentation and the searcher."""


@dataclass(frozen=True)
class RunOptions(DataOptions):
    """What a search and the transcript's trials have in common."""

    out: Path = Path("runs")
    """Folder that holds runs."""

    name: Word = None
    """The run's name, a new one (default: the date and time)."""

    parallel: Count = None
    """The most trials at a time, each in a lane of its own (default: what the cluster holds)."""

    workers_per_trial: int = 1
    """Processes that share each batch of one trial (DistributedDataParallel)."""

    gpus_per_worker: Amount = None
    """The part of a GPU that each process has, 0 to 1; for several GPUs a trial there is
    --workers-per-trial (default: 1 where the cluster has any, else 0)."""

    cpus_per_worker: Count = None
    """CPU cores, which are threads too, for each process (default: 1, more on a large machine)."""

    price: Amount = None
    """Price of one GPU-hour, or without GPUs of one CPU-core-hour, in your currency."""

    storage: Annotated[str | None, arg(metavar="URI|DIR", help_behavior_hint="")] = None
    """Storage that all nodes reach (s3://bucket/path, gs://..., or a shared folder): checkpoints
    lie there, and a copy of the run, 10 s old at most (default: all in --out, which then all nodes
    must share). Keys never stand in it: they come from the environment, a credentials file or the
    machine's role."""

    address: Word = None
    """Ray cluster, as ray.init takes it (default: the one that is found, else this machine)."""

    cluster_down: Annotated[bool, arg(help_behavior_hint="")] = False
    """When the run has ended, or failed, take the whole cluster down, its head too; for the head of
    a cluster that ray up started, with --storage. Only after all of the run was read back from the
    storage: else the cluster stays, and one line says why (exit status 1)."""


@dataclass(frozen=True)
class SearchOptions(RunOptions):
    """Search for the network that is worth its price.

    Also: `run.py debug --help` trains one design in this process, without Ray; `run.py transcript
    --help` trains the transcript's designs.
    """

    budget: Annotated[tuple[str, ...], arg(metavar="LIMIT ...")] = ("1h",)
    """What may be used: 30min, 2h, 6gpuh, '$20', 200trials; the first limit that is hit counts."""

    trials: Count = None
    """The most trials, the same as --budget Ntrials (default: no limit)."""

    max_epochs: Count = None
    """The longest training, epochs (default: 30; on a CPU 10 where no finale is planned: where only
    trials are limited, with --axes transcript, or with another way to search or to end)."""

    max_parameters: Count = None
    """Networks with more trainable parameters are never trained (default: no limit)."""

    searcher: Literal["curves", "tpe", "gp", "random"] = "curves"
    """What proposes designs: forecasts of learning curves, Optuna's TPE or Gaussian process, or
    chance."""

    scheduler: Literal["promote", "asha", "none"] = "promote"
    """promote: trials pause after 1, 3, 9, ... epochs, and the promising ones go on; asha: Ray's
    ASHA ends the worse ones after 1, 3, 9, ... epochs (1, 4, 16, ... without recipe);
    none: every trial is trained to its end."""

    objectives: Annotated[str, arg(metavar="NAME,...")] = "accuracy"
    """accuracy, or accuracy with cost (seconds of training), parameters, flops or latency, as
    accuracy,cost: then the search is for the best trade-offs."""

    objective_metric: Metric = "accuracy"
    """Of the validation images, by what the search chooses, stops and names its winner:
    balanced_accuracy is the mean of the classes' recalls, for classes of unequal size."""

    gain_per_cost: Annotated[bool, arg(help_behavior_hint="")] = False
    """Choose what is expected to gain the most accuracy for each second of training; where a
    limited time is planned, designs are chosen so anyway."""

    stop_when_gain_below: Annotated[
        str | None, arg(metavar="'0.5 points per gpuh'", help_behavior_hint="")
    ] = None
    """End the search when nothing is expected to gain so many percentage points of accuracy for a
    gpuh, a coreh (of a CPU core), or a unit of money (with --price) any more (default: never)."""

    warm_start: Word = None
    """Begin with the best designs of an earlier run, by its name or folder (default: none)."""

    resume: Word = None
    """Go on with a run that was cut, by its name or folder, with the options that it had; only
    those for the cluster, --device, --budget, --trials, and --data-dir of images that moved, may be
    given anew. With a storage the newest copy goes on, the one here or the one there."""

    take_over: Annotated[bool, arg(help_behavior_hint="")] = False
    """With --resume: go on although another machine still trains the run; it stops softly when it
    sees that, 10 s later at most."""

    extend: Annotated[bool, arg(help_behavior_hint="")] = False
    """With --resume: go on with a run that has ended, for a further --budget."""

    axes: Annotated[tuple[Axis, ...], arg(metavar="AXIS ...")] = ("recipe",)
    """What to search beside the transcript's axes (depth, kernels, dropout, batch norm, ...):
    kernel_size, average_pooling, activation, normalisation, weight_decay, schedule,
    label_smoothing, augmentation, gradient_clip, initialisation, or all; recipe stands for
    normalisation, weight_decay, schedule, label_smoothing, augmentation and initialisation,
    transcript for none."""

    with_transcript: Annotated[bool, arg(help_behavior_hint="")] = False
    """Begin with designs of the transcript too, to compare."""

    @property
    def promotes_by_forecast(self) -> bool:
        """Whether trials pause at rungs, and forecasts of learning curves choose which go on."""
        return (self.searcher, self.scheduler) == ("curves", "promote")

    @property
    def plans_time(self) -> bool:
        """Whether a limit of time is planned: exploration, then a finale. Not where another rule
        ends the search, or more than accuracy counts."""
        ends_itself = bool(self.stop_when_gain_below) or self.objectives != "accuracy"
        return "recipe" in self.axes and self.promotes_by_forecast and not ends_itself


@dataclass(frozen=True)
class TranscriptOptions(RunOptions):
    """Train the transcript's designs, on all training images, scored on the test images.

    Ends with the report, whose tables/transcript.* has its claims beside what was measured.
    """

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="NAME ...", help_behavior_hint="")]
    ] = ()
    """ann-1, ann-3, cnn-1, cnn-3, cnn-5-dropout, final (default: all; final not on a CPU)."""

    max_epochs: Count = None
    """Train no design longer than this, epochs (default: as the transcript did)."""


@dataclass(frozen=True)
class DebugOptions(DataOptions):
    """Train one design in this very process: no Ray, breakpoints work, the first GPU if any."""

    design: str = "cnn-3"
    """One of the transcript's: ann-1, ann-3, cnn-1, cnn-3, cnn-5-dropout, final."""

    epochs: Count = None
    """How long it is trained (default: as the transcript did)."""

    threads: Count = None
    """CPU threads (default: torch's choice)."""
