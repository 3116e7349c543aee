"""The debug command: trains one design in this process, without Ray, so that breakpoints work."""

import dataclasses

import torch
from rich.console import Console

from models.data import class_counts
from models.data.dataset import Dataset
from models.data.selection import select, subsets, trained_on
from models.network import measure_size
from models.quantities import count, duration, number
from models.training.device import choose_device, describe
from models.training.precision import Chooser
from models.training.training_run import EpochResult, Training
from models.transcript import TRANSCRIPT
from search.cli.command_line import checking
from search.cli.options import DebugOptions
from search.session.data_source import check_data_options, prepared, print_notices, require_positive


def debug(options: DebugOptions, console: Console) -> list[EpochResult]:
    """Trains the design until its last epoch or until it diverges, printing a line an epoch.

    Raises BadInput for bad options or data. Writes nothing but the data cache.
    """
    with checking():
        _check(options)
        if options.threads:
            torch.set_num_threads(options.threads)
        training = _start(options, prepared(options, console), console)
    results = []
    while training.epoch < training.design.epochs:
        results.append(training.run_epoch())
        console.print(_line(results[-1]), highlight=False, soft_wrap=True)
        if results[-1].diverged:
            break
    return results


def _check(options: DebugOptions) -> None:
    if options.design not in TRANSCRIPT:
        raise ValueError(f"--design {options.design!r}: one of {', '.join(TRANSCRIPT)}")
    check_data_options(options)
    require_positive("epochs", options.epochs)
    require_positive("threads", options.threads)


def _start(options: DebugOptions, dataset: Dataset, console: Console) -> Training:
    design = TRANSCRIPT[options.design]
    if options.epochs:
        design = dataclasses.replace(design, epochs=options.epochs)
    device = choose_device(options.device)
    selection = select(dataset, options.train_images, "validation")
    dataset = trained_on(dataset, selection)
    print_notices(dataset, console)
    train, validation = subsets(dataset, selection)
    parameters, flops = measure_size(design, dataset.shape, len(dataset.classes))
    chosen = Chooser(options.precision, dataset, device).choose(design, len(train))
    console.print(
        f"{options.design}: {count(parameters, 'parameter')}, {number(flops / 1e6)} MFLOPs an "
        f"image; {dataset.name}, {count(len(train), 'image')} to train on, "
        f"{len(validation):,} to validate; "
        f"{describe(device)}, {chosen}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    counts = class_counts.count_selected(dataset, selection)
    if uneven := class_counts.notice(dataset.classes, counts):
        console.print(f"Notice: {uneven}", highlight=False, soft_wrap=True)
    return Training(
        design, dataset, train, validation, seed=options.seed, device=device, precision=chosen
    )


def _line(result: EpochResult) -> str:
    return (
        f"epoch {result.epoch:>3}: train {result.train_accuracy:.1%} (loss "
        f"{result.train_loss:.3f}), validation {result.val_accuracy:.1%} "
        f"(balanced {result.val_balanced_accuracy:.1%}, loss {result.val_loss:.3f}), "
        f"{duration(result.train_seconds)} + {duration(result.eval_seconds)}, "
        f"{result.images_per_second:,.0f} images/s" + (", diverged" if result.diverged else "")
    )
