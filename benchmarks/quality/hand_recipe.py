"""Baseline: one good recipe typed by hand, trained once on all cores, for as many epochs as fit."""

import time
from dataclasses import replace

import torch

from benchmarks.quality.images import Compared, compared, test_accuracy
from models.design import Design
from models.quantities import count, duration
from models.training.precision import Chooser
from models.training.training_run import Training

RECIPE = Design(
    kernels=((32, 32), (64, 64), (128, 128)),
    batch_norm=True,
    flat_dropout=0.1,
    optimizer="nesterov",
    momentum=0.9,
    learning_rate=0.1,
    weight_decay=5e-4,
    schedule="one_cycle",
    batch_size=128,
    augmentation="flip_crop",
)
SPARE = 0.03
"""The part of the time that is kept for epochs that take longer than the first."""


def main() -> None:
    """Trains the recipe, and prints an accuracy."""
    given = compared("benchmarks.quality.hand_recipe", __doc__ or "")
    began = time.perf_counter()
    device = torch.device("cpu")
    chosen = Chooser("auto", given.dataset, device).choose(RECIPE, len(given.train))

    def training(design: Design) -> Training:
        arguments = (design, given.dataset, given.train, given.validation)
        return Training(*arguments, seed=given.seed, device=device, precision=chosen)

    seconds = _epoch_seconds(training(replace(RECIPE, epochs=1)), given)
    left = given.seconds - (time.perf_counter() - began)
    epochs = max(1, int(left * (1 - SPARE) / seconds))
    run = training(replace(RECIPE, epochs=epochs))
    for _ in range(epochs):
        result = run.run_epoch()
        print(f"epoch {result.epoch} of {epochs}: {result.val_accuracy:.1%}", flush=True)
    print(
        f"hand recipe, {count(epochs, 'epoch')} on {torch.get_num_threads()} threads in "
        f"{duration(time.perf_counter() - began)}: {result.val_accuracy:.2%} on validation "
        f"images, {test_accuracy(run, given.dataset):.2%} on test images"
    )


def _epoch_seconds(probe: Training, given: Compared) -> float:
    """Seconds of an epoch with its evaluation, from a fiftieth of its steps."""
    steps = max(1, probe.steps_per_epoch // 50)
    height, width = given.dataset.shape[1:]
    images = torch.randn(RECIPE.batch_size, given.dataset.shape[0], height, width)
    images = images.contiguous(memory_format=probe.precision.memory_format)
    labels = torch.zeros(RECIPE.batch_size, dtype=torch.long)
    probe.network.train()
    probe.step(images, labels)
    began = time.perf_counter()
    for _ in range(steps):
        probe.step(images, labels)
    trained = (time.perf_counter() - began) / steps * probe.steps_per_epoch
    began = time.perf_counter()
    probe.evaluate(given.validation)
    return trained * 1.05 + 2 * (time.perf_counter() - began)  # a twentieth for augmentation


if __name__ == "__main__":
    main()
